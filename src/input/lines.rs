//! Lines of a block, and what every source that reads lines does with them: places, limits, bad records.

use crate::os::sync::PoisonError;
use crate::os::sync::atomic::Ordering;
use std::cell::Cell;

use crate::batch::At;
use crate::engine::{Flow, StageMeter, Stop, WorkerCx};
use crate::error::{Error, ErrorKind, Place};
use crate::json::{begins_container, check_values, is_container, value_ranges};

use super::blocks::Block;
use super::cutter::{start_of_long, too_long};
use super::json::line_error;

/// A line of more bytes than this is parsed while no other such line is.
pub(crate) const LONG: usize = 256 << 10;

/// Walks the lines of blocks for a worker: sets the record's place, applies the limits, turns what a handler refuses
/// into a reject with place and text.
pub(crate) struct LineWalk<'s> {
    cx: &'s WorkerCx<'s>,
    meter: &'s StageMeter,
    stage: &'static str,
    limit: usize,
    records: u64,
    /// A place in the block, how many newlines are before it, and where its line starts.
    counted: Cell<(usize, u64, usize)>,
}

/// A line that its handler could not read: what is wrong, and where in the line (from 1).
pub(crate) struct LineError {
    pub(crate) error: Error,
    pub(crate) column: u64,
}

/// What a handler makes of a line.
pub(crate) type LineFlow = std::result::Result<Flow, LineError>;

/// What reads the lines of a block.
pub(crate) trait LineReader {
    /// Where the line that starts at `from` ends: its newline, or the end of the text.
    fn line_end(&mut self, text: &[u8], from: usize) -> usize {
        text.get(from..).and_then(|rest| memchr::memchr(b'\n', rest)).map_or(text.len(), |at| from + at)
    }

    /// Reads the line that was cut last, which comes without its newline and without one `\r` before it.
    fn read(&mut self, at: At, line: &[u8]) -> LineFlow;

    /// Reads a part of the line that was cut last.
    fn read_part(&mut self, at: At, part: &[u8]) -> LineFlow {
        self.read(at, part)
    }
}

impl<F: FnMut(At, &[u8]) -> LineFlow> LineReader for F {
    fn read(&mut self, at: At, line: &[u8]) -> LineFlow {
        self(at, line)
    }
}

impl<'s> LineWalk<'s> {
    pub(crate) fn new(cx: &'s WorkerCx<'s>, meter: &'s StageMeter, stage: &'static str) -> LineWalk<'s> {
        LineWalk { cx, meter, stage, limit: cx.phase.run.settings.max_record, records: 0, counted: Cell::default() }
    }

    /// Counts the lines of a block of good text without looking at each; `None` if each has to be looked at.
    pub(crate) fn count(&mut self, block: &Block) -> Option<u64> {
        let text = block.text();
        let good = block.bad.is_none()
            && !block.behind_gap
            && text.len() <= self.limit
            && simdutf8::basic::from_utf8(text).is_ok();
        let unfinished = text.last().is_some_and(|&last| last != b'\n');
        good.then(|| {
            let count = memchr::memchr_iter(b'\n', text).count() as u64 + u64::from(unfinished);
            self.meter.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
            self.records += count;
            self.cx.came(count);
            count
        })
    }

    /// Has each line of the block read, and deals with what the reader refuses. `blank` says whether blank lines are
    /// records.
    pub(crate) fn walk(&mut self, block: Block, blank: bool, mut reader: impl LineReader) -> Flow {
        let text = block.text();
        self.meter.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        self.counted.set((0, 0, 0));
        let mut next = 0;
        let mut behind_gap = block.behind_gap;
        while next < text.len() {
            let (offset, end) = (next, reader.line_end(text, next));
            next = end + 1;
            let line = text.get(offset..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let long = line.len() > self.limit;
            if std::mem::take(&mut behind_gap) && (blank || long || !self.is_whole(line)) {
                continue;
            }
            if !blank && !long && line.iter().all(|byte| byte.is_ascii_whitespace()) {
                continue;
            }
            let lock = &self.cx.phase.run.long_record;
            let _turn = (line.len() > LONG).then(|| lock.lock().unwrap_or_else(PoisonError::into_inner));
            match long {
                true => self.too_long(&block, offset, line)?,
                false => self.line(&block, offset, line, &mut reader)?,
            }
        }
        match block.bad.as_ref() {
            Some(bad) => self.bad(&block, bad),
            None => Flow::Continue(()),
        }
    }

    /// Has a line read as one record, or where it is none and may hold several, as these.
    fn line(&mut self, block: &Block, offset: usize, line: &[u8], reader: &mut impl LineReader) -> Flow {
        let at = self.enter(block, offset);
        self.came();
        let settings = &self.cx.phase.run.settings;
        let read = match reader.read(at, line) {
            Ok(Flow::Continue(())) if self.cx.refused() == 0 => return Flow::Continue(()),
            Err(refused) if settings.concatenated => match check_values(line, settings.max_depth) {
                Ok(0..=1) => Err(refused),
                // What is made of a line at a time is bounded.
                Ok(_) if line.len() > LONG => {
                    let text = format!("expected one value in a line of more than {LONG} bytes");
                    Err(LineError { error: Error::new(ErrorKind::Record, text), column: 1 })
                }
                Ok(_) => return self.values(block, offset, line, reader),
                Err(fault) => Err(line_error(fault, line)),
            },
            read => read,
        };
        self.settle(block, at, offset, line, read)
    }

    /// Has each value of a line read, of which the first has been counted.
    fn values(&mut self, block: &Block, offset: usize, line: &[u8], reader: &mut impl LineReader) -> Flow {
        for (number, value) in value_ranges(line).enumerate() {
            let (offset, value) = (offset + value.start, &line[value]);
            let at = self.enter(block, offset);
            if number > 0 {
                self.came();
            }
            let read = reader.read_part(at, value);
            self.settle(block, at, offset, value, read)?;
        }
        Flow::Continue(())
    }

    fn too_long(&mut self, block: &Block, offset: usize, line: &[u8]) -> Flow {
        let at = self.enter(block, offset);
        self.came();
        let refused = LineError { error: too_long(self.limit), column: 1 };
        self.settle(block, at, offset, start_of_long(line, self.limit), Err(refused))
    }

    /// The record that starts at this byte of the block is in hand.
    fn enter(&self, block: &Block, offset: usize) -> At {
        let at = At { shard: block.shard, byte: block.start + offset as u64 };
        self.cx.set_at(at);
        self.cx.set_stage(0);
        at
    }

    fn came(&mut self) {
        self.cx.came(1);
        self.records += 1;
    }

    /// Deals with what was refused of a record that has been read.
    fn settle(&self, block: &Block, at: At, offset: usize, record: &[u8], read: LineFlow) -> Flow {
        match read {
            Ok(Flow::Continue(())) => {}
            Ok(Flow::Break(Stop::Error(error))) if error.place().is_none() => {
                // The record in hand is the one to blame; its line can be counted here even if it comes from a pipe.
                return Flow::Break(Stop::from(error.at(self.place(block, at, offset, 1))));
            }
            Ok(stop) => return stop,
            Err(LineError { error, column }) => {
                let error = error.in_stage(self.stage_name()).with_excerpt(record);
                self.cx.reject(error, Some(record), || self.place(block, at, offset, column))?;
            }
        }
        for (at, error) in self.cx.take_refused() {
            self.cx.reject(error, Some(record), || self.place(block, at, offset, 1))?;
        }
        Flow::Continue(())
    }

    /// Whether a line of JSON behind a gap is a whole one. An object or array is: had its line begun before, there would
    /// be a bracket or a quote too many at its end (`json::is_container`). Of anything else nobody knows, `5` may be the
    /// end of `15`, and it belongs to the gap.
    fn is_whole(&self, line: &[u8]) -> bool {
        let run = self.cx.phase.run;
        let _turn = (line.len() > LONG).then(|| run.long_record.lock().unwrap_or_else(PoisonError::into_inner));
        let depth = run.settings.max_depth;
        is_container(line, depth)
            || run.settings.concatenated && begins_container(line) && check_values(line, depth).is_ok()
    }

    fn bad(&mut self, block: &Block, bad: &super::blocks::Bad) -> Flow {
        let at = At { shard: block.shard, byte: bad.byte };
        self.cx.set_at(at);
        self.cx.came(1);
        self.cx.lost(bad.lost);
        let raw = (!bad.raw.is_empty()).then_some(&bad.raw[..]);
        let mut error = bad.error.again().in_stage(self.stage_name());
        if let Some(raw) = raw.filter(|_| error.place().is_none()) {
            error = error.with_excerpt(raw);
        }
        // What the system refuses is no bad data: the rest of the shard may be good, and no policy leaves it out.
        if bad.error.is_of_the_system() {
            return Flow::Break(Stop::from(error));
        }
        self.cx.reject(error, raw, || self.place(block, at, block.range.len(), 1))
    }

    fn stage_name(&self) -> String {
        format!("0:{}", self.stage)
    }

    /// The place of a byte of the block, by counting where the block's first line is known.
    fn place(&self, block: &Block, at: At, offset: usize, column: u64) -> Place {
        let run = self.cx.phase.run;
        match block.first_line {
            Some(first) => {
                // Places are asked for in order: each newline of a block is counted once.
                let known = Some(self.counted.get()).filter(|&(from, ..)| from <= offset);
                let (from, before, start) = known.unwrap_or_default();
                let passed = block.text().get(from..offset).unwrap_or_default();
                let lines = before + memchr::memchr_iter(b'\n', passed).count() as u64;
                let start = memchr::memrchr(b'\n', passed).map_or(start, |newline| from + newline + 1);
                self.counted.set((offset, lines, start));
                let (path, line) = (run.path(block.shard).as_ref().into(), Some(first + lines));
                // Columns count from the start of the line, in which the record may not be the first.
                Place { path, line, column: Some(column + (offset - start) as u64), byte: Some(at.byte) }
            }
            None => run.place(at, Some(column)),
        }
    }

    /// Adds what was counted to the report.
    pub(crate) fn end(&mut self) {
        let records = std::mem::take(&mut self.records);
        self.meter.records_in.fetch_add(records, Ordering::Relaxed);
        self.meter.records_out.fetch_add(records, Ordering::Relaxed);
    }
}
