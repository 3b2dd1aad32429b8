//! `read_json`: one JSON value a line, decoded into any type.

use crate::os::sync::Arc;

use serde::de::DeserializeOwned;

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::config::Settings;
use crate::engine::{Facts, Fan, Feed, Feeder, Flow, Phase, Plan, Push, Run, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Decode, Fault, FaultKind, Limits, decoder, looks_like_document_start};

use super::Input;
use super::blocks::Block;
use super::feed::Shards;
use super::lines::{LONG, LineError, LineFlow, LineReader, LineWalk};

impl<T: DeserializeOwned + Send + 'static> Bag<T> {
    /// Reads JSON lines: each line is one value, decoded into `T`, which may be [`Json`](crate::Json) for records of any
    /// shape. Blank lines are left out. Streams; the whole line is checked, whatever `T` asks for; a line that is not
    /// JSON or not a `T` is a bad record.
    ///
    /// ```no_run
    /// use kitbag::Bag;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Hit { path: String, status: u16 }
    ///
    /// let failed = Bag::<Hit>::read_json("logs/*.jsonl.gz").filter(|hit| hit.status >= 500).count()?;
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn read_json(input: impl Into<Input>) -> Bag<T> {
        Bag::from_plan(ReadJson { input: input.into(), whole: false, decoder: decoder::<T> })
    }
}

struct ReadJson<T> {
    input: Input,
    whole: bool,
    decoder: fn(Limits) -> Box<dyn Decode<T>>,
}

impl<T: Send + 'static> Plan<T> for ReadJson<T> {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<T>) -> Result<()> {
        let meter = run.stage(0, "read_json");
        let shards = Shards::new(&self.input, run, self.whole)?;
        Phase::run(run, &meter, &JsonFeed { shards, meter: meter.clone(), decoder: self.decoder, down }).map(drop)
    }

    fn whole_shards(&mut self) {
        self.whole = true;
    }

    fn describe(&self, to: &mut Facts) {
        to.verb("read_json");
    }
}

struct JsonFeed<'a, T> {
    shards: Shards,
    meter: Arc<StageMeter>,
    decoder: fn(Limits) -> Box<dyn Decode<T>>,
    down: &'a dyn Fan<T>,
}

impl<T: Send + 'static> Feed<Block> for JsonFeed<'_, T> {
    fn tasks(&self) -> u32 {
        self.shards.tasks()
    }

    fn feed(&self, task: u32, out: &mut Feeder<'_, Block>) -> Result<()> {
        self.shards.feed(task, out)
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Block> + 's> {
        let [decoder, parts] = [(); 2].map(|()| (self.decoder)(limits(&cx.phase.run.settings)));
        let (walk, down) = (LineWalk::new(cx, &self.meter, "read_json"), self.down.worker(cx));
        Box::new(JsonWork { walk, decoder, parts, down })
    }
}

struct JsonWork<'s, T> {
    walk: LineWalk<'s>,
    decoder: Box<dyn Decode<T>>,
    parts: Box<dyn Decode<T>>,
    down: Box<dyn Push<T> + 's>,
}

impl<T: Send> Work<Block> for JsonWork<'_, T> {
    fn unit(&mut self, unit: Unit, block: Block) -> Flow {
        self.down.begin(unit)?;
        let JsonWork { walk, decoder, parts, down } = self;
        walk.walk(block, false, RecordReader { decoder: &mut **decoder, parts: &mut **parts, down: &mut **down })
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.walk.end();
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}

/// Reads lines as records of a type.
struct RecordReader<'w, 's, T> {
    decoder: &'w mut dyn Decode<T>,
    /// For values that share a line: the other one looks at many lines at once, and would have to begin anew.
    parts: &'w mut dyn Decode<T>,
    down: &'w mut (dyn Push<T> + 's),
}

impl<T> LineReader for RecordReader<'_, '_, T> {
    fn line_end(&mut self, text: &[u8], from: usize) -> usize {
        self.decoder.line_end(text, from)
    }

    fn read(&mut self, at: At, line: &[u8]) -> LineFlow {
        let decoded = self.decoder.decode(line);
        if line.len() > LONG {
            self.decoder.shrink();
        }
        match decoded {
            Ok(record) => Ok(self.down.push(at, record)),
            Err(fault) => Err(line_error(fault, line)),
        }
    }

    fn read_part(&mut self, at: At, part: &[u8]) -> LineFlow {
        match self.parts.decode(part) {
            Ok(record) => Ok(self.down.push(at, record)),
            Err(fault) => Err(line_error(fault, part)),
        }
    }
}

/// What a record may be in a run.
pub(crate) fn limits(settings: &Settings) -> Limits {
    Limits { depth: settings.max_depth, most: usize::try_from(settings.memory / 2).unwrap_or(usize::MAX) }
}

/// A refused line as an error; one that looks like the beginning of a document says so, with the remedy.
pub(crate) fn line_error(fault: Fault, line: &[u8]) -> LineError {
    let column = fault.column as u64;
    let breaks_off = fault.column > line.trim_ascii_end().len();
    if fault.kind == FaultKind::Syntax && breaks_off && looks_like_document_start(line) {
        let remedy = match line.trim_ascii_start().first() {
            Some(b'[') => "an array over several lines; `jq -c '.[]'` makes a line of each element",
            _ => "a value over several lines; `jq -c .` makes a line of each value",
        };
        let text = format!("expected one JSON value a line: this looks like {remedy}");
        return LineError { error: Error::new(ErrorKind::Format, text), column };
    }
    LineError { error: Error::new(fault.error_kind(), fault.expected), column }
}
