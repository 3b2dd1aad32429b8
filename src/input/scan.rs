//! The borrowed lane: closures see each record as a [`JsonRef`] and nothing is allocated for it. Records become owned
//! values only where a verb makes them.

use crate::os::sync::Arc;

use crate::batch::{At, Unit};
use crate::config::Config;
use crate::engine::{Feed, Feeder, Flow, Phase, Run, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::Result;
use crate::json::{JsonParser, JsonRef};

use super::Input;
use super::blocks::Block;
use super::feed::Shards;
use super::json::{limits, line_error};
use super::lines::{LONG, LineFlow, LineReader, LineWalk};

/// JSON lines that are looked at in place: the fastest way to read them. Each verb's closure is handed a
/// [`JsonRef`], a view of the record in the reader's own buffers; a record costs an allocation only if the closure makes
/// one. The whole line is checked, whatever the closure looks at. Lazy, like a [`Bag`](crate::Bag), and turned into one by
/// [`map`](Scan::map), [`filter_map`](Scan::filter_map) or [`records`](Scan::records).
///
/// ```no_run
/// use kitbag::Scan;
///
/// let slow = Scan::new("logs/*.jsonl.gz")
///     .filter(|hit| hit.get("latency_ms").and_then(|ms| ms.as_f64()).is_some_and(|ms| ms > 500.0))
///     .count()?;
/// # Ok::<(), kitbag::Error>(())
/// ```
#[must_use = "a scan is lazy: nothing is read until an action runs it"]
pub struct Scan {
    input: Input,
    pub(super) config: Config,
    keep: Vec<Box<Predicate>>,
    pub(super) whole: bool,
}

pub(super) type Predicate = dyn for<'a> Fn(JsonRef<'a>) -> bool + Send + Sync;

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("input", &self.input).field("filters", &self.keep.len()).finish_non_exhaustive()
    }
}

impl Scan {
    /// Reads JSON lines; see [`Bag::read_json`](crate::Bag::read_json) for what they are.
    pub fn new(input: impl Into<Input>) -> Scan {
        Scan { input: input.into(), config: Config::default(), keep: Vec::new(), whole: false }
    }

    /// Sets how the scan is run.
    pub fn with(mut self, config: Config) -> Scan {
        self.config = config;
        self
    }

    /// Keeps the records for which `keep` is true. Streams, keeps order.
    pub fn filter(mut self, keep: impl for<'a> Fn(JsonRef<'a>) -> bool + Send + Sync + 'static) -> Scan {
        self.keep.push(Box::new(keep));
        self
    }

    /// Runs the scan: `fan` makes what each worker pushes records into.
    pub(crate) fn run(self, run: &Run, down: &dyn RefFan) -> Result<()> {
        let meter = run.stage(0, "scan");
        let shards = Shards::new(&self.input, run, self.whole)?;
        Phase::run(run, &meter, &ScanFeed { shards, meter: meter.clone(), keep: &self.keep, down }).map(drop)
    }

    /// Settings, and the scan without them, for verbs that run it themselves.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}

/// [`Push`](crate::engine::Push) for borrowed records.
pub(crate) trait RefPush: Send {
    fn begin(&mut self, unit: Unit) -> Flow;
    fn push(&mut self, at: At, record: JsonRef<'_>) -> Flow;
    fn end(&mut self, end: UnitEnd) -> Flow;
    fn finish(&mut self) -> Result<()>;
}

/// [`Fan`](crate::engine::Fan) for borrowed records.
pub(crate) trait RefFan: Sync {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn RefPush + 's>;
    fn unwanted(&self) -> bool {
        false
    }
}

struct ScanFeed<'a> {
    shards: Shards,
    meter: Arc<StageMeter>,
    keep: &'a [Box<Predicate>],
    down: &'a dyn RefFan,
}

impl Feed<Block> for ScanFeed<'_> {
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
        let [parser, parts] = [(); 2].map(|()| JsonParser::new(limits(&cx.phase.run.settings)));
        let walk = LineWalk::new(cx, &self.meter, "scan");
        Box::new(ScanWork { walk, parser, parts, keep: self.keep, down: self.down.worker(cx) })
    }
}

struct ScanWork<'s> {
    walk: LineWalk<'s>,
    parser: JsonParser,
    parts: JsonParser,
    keep: &'s [Box<Predicate>],
    down: Box<dyn RefPush + 's>,
}

impl Work<Block> for ScanWork<'_> {
    fn unit(&mut self, unit: Unit, block: Block) -> Flow {
        self.down.begin(unit)?;
        let ScanWork { walk, parser, parts, keep, down } = self;
        walk.walk(block, false, RecordReader { parser, parts, keep, down: &mut **down })
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.walk.end();
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}

/// Reads lines as borrowed records.
struct RecordReader<'w, 's> {
    parser: &'w mut JsonParser,
    /// For values that share a line: the other one looks at many lines at once, and would have to begin anew.
    parts: &'w mut JsonParser,
    keep: &'s [Box<Predicate>],
    down: &'w mut (dyn RefPush + 's),
}

impl LineReader for RecordReader<'_, '_> {
    fn line_end(&mut self, text: &[u8], from: usize) -> usize {
        self.parser.line_end(text, from)
    }

    fn read(&mut self, at: At, line: &[u8]) -> LineFlow {
        let flow = record(self.parser, self.keep, self.down, at, line);
        if line.len() > LONG {
            self.parser.shrink();
        }
        flow
    }

    fn read_part(&mut self, at: At, part: &[u8]) -> LineFlow {
        record(self.parts, self.keep, self.down, at, part)
    }
}

#[inline]
fn record(
    parser: &mut JsonParser,
    keep: &[Box<Predicate>],
    down: &mut (dyn RefPush + '_),
    at: At,
    text: &[u8],
) -> LineFlow {
    match parser.parse(text) {
        Ok(document) => {
            let record = document.view();
            let wanted = keep.iter().all(|keep| keep(record));
            Ok(if wanted { down.push(at, record) } else { Flow::Continue(()) })
        }
        Err(fault) => Err(line_error(fault, text)),
    }
}
