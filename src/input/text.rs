//! `read_text`: each line as a `String`. Counting its lines makes none.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU64, Ordering};

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Facts, Fan, Feed, Feeder, Flow, Phase, Plan, Push, Run, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::{Error, ErrorKind, Result};

use super::Input;
use super::blocks::Block;
use super::feed::Shards;
use super::lines::{LineError, LineWalk};

impl Bag<String> {
    /// Reads lines of text; a record is a line without its end (`\n` or `\r\n`). Blank lines are records. Streams; a
    /// line that is not UTF-8 is a bad record.
    ///
    /// ```no_run
    /// # use kitbag::Bag;
    /// let errors = Bag::read_text("logs/*.log.gz").filter(|line| line.contains("ERROR")).count()?;
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "from_url")]
    pub fn read_text(input: impl Into<Input>) -> Bag<String> {
        Bag::from_plan(ReadText { input: input.into(), whole: false })
    }
}

struct ReadText {
    input: Input,
    whole: bool,
}

impl Plan<String> for ReadText {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<String>) -> Result<()> {
        let meter = run.stage(0, "read_text");
        let shards = Shards::new(&self.input, run, self.whole)?;
        let feed = TextFeed { shards, meter: meter.clone(), to: To::Strings(down) };
        Phase::run(run, &meter, &feed).map(drop)
    }

    fn count(self: Box<Self>, run: &Run) -> Result<u64> {
        let meter = run.stage(0, "read_text");
        let shards = Shards::new(&self.input, run, self.whole)?;
        let count = AtomicU64::new(0);
        Phase::run(run, &meter, &TextFeed { shards, meter: meter.clone(), to: To::Count(&count) })?;
        Ok(count.into_inner())
    }

    fn whole_shards(&mut self) {
        self.whole = true;
    }

    fn describe(&self, to: &mut Facts) {
        to.verb("read_text");
    }
}

struct TextFeed<'a> {
    shards: Shards,
    meter: Arc<StageMeter>,
    to: To<'a>,
}

enum To<'a> {
    Strings(&'a dyn Fan<String>),
    Count(&'a AtomicU64),
}

impl Feed<Block> for TextFeed<'_> {
    fn tasks(&self) -> u32 {
        self.shards.tasks()
    }

    fn feed(&self, task: u32, out: &mut Feeder<'_, Block>) -> Result<()> {
        self.shards.feed(task, out)
    }

    fn unwanted(&self) -> bool {
        match &self.to {
            To::Strings(down) => down.unwanted(),
            To::Count(_) => false,
        }
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Block> + 's> {
        let walk = LineWalk::new(cx, &self.meter, "read_text");
        match &self.to {
            To::Strings(down) => Box::new(TextWork { walk, down: down.worker(cx) }),
            To::Count(total) => Box::new(CountWork { walk, total }),
        }
    }
}

struct TextWork<'s> {
    walk: LineWalk<'s>,
    down: Box<dyn Push<String> + 's>,
}

impl Work<Block> for TextWork<'_> {
    fn unit(&mut self, unit: Unit, block: Block) -> Flow {
        self.down.begin(unit)?;
        let down = &mut self.down;
        self.walk.walk(block, true, |at: At, line: &[u8]| Ok(down.push(at, utf8(line)?.to_owned())))
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.walk.end();
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}

/// The line as text. Only where it is none is the place of the first bad byte looked for.
fn utf8(line: &[u8]) -> std::result::Result<&str, LineError> {
    let text = simdutf8::basic::from_utf8(line);
    text.or_else(|_| std::str::from_utf8(line).map_err(|error| not_utf8(error.valid_up_to())))
}

pub(crate) fn not_utf8(valid: usize) -> LineError {
    let error = Error::new(ErrorKind::Record, "expected UTF-8: this byte is not");
    LineError { error, column: valid as u64 + 1 }
}

struct CountWork<'s> {
    walk: LineWalk<'s>,
    total: &'s AtomicU64,
}

impl Work<Block> for CountWork<'_> {
    fn unit(&mut self, _unit: Unit, block: Block) -> Flow {
        if let Some(count) = self.walk.count(&block) {
            self.total.fetch_add(count, Ordering::Relaxed);
            return Flow::Continue(());
        }
        let mut count = 0;
        let flow = self.walk.walk(block, true, |_: At, line: &[u8]| {
            utf8(line)?;
            count += 1;
            Ok(Flow::Continue(()))
        });
        self.total.fetch_add(count, Ordering::Relaxed);
        flow
    }

    fn end(&mut self, _end: UnitEnd) -> Flow {
        self.walk.end();
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
