//! The readers' half of every source that reads shards: a task's bytes become line-aligned blocks.

use std::sync::Arc;

use crate::config::BadRecords;
use crate::engine::{Feeder, Halted, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::shuffle::Permit;

use super::blocks::{Bad, Block, Buffer, Pool};
use super::partition::{Partition, Task};
use super::stream::Stream;
use super::{Input, Shard};

/// The shards of one phase, ready to be read.
#[derive(Debug)]
pub(crate) struct Shards {
    partition: Partition,
    pub(super) pool: Arc<Pool>,
    #[cfg(feature = "libdeflate")]
    pub(super) large: Arc<Pool>,
}

/// Bytes of text that the first tasks stream before a whole member may be decoded at once.
#[cfg(feature = "libdeflate")]
const PROBE: u64 = 4 << 20;

/// Why a task ends before its shard does.
pub(super) enum Ended {
    Halted,
    Error(Error),
}

impl From<Halted> for Ended {
    fn from(_: Halted) -> Ended {
        Ended::Halted
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Ended {
        Ended::Error(error)
    }
}

impl Shards {
    /// Finds the shards of an input and cuts them into tasks.
    pub(crate) fn new(input: &Input, run: &Run, whole: bool) -> Result<Shards> {
        let threads = run.settings.threads;
        Ok(Shards {
            partition: Partition::new(input, run, whole)?,
            pool: Pool::new(4 * threads + 2),
            #[cfg(feature = "libdeflate")]
            large: Pool::new(2 * threads),
        })
    }

    pub(crate) fn tasks(&self) -> u32 {
        u32::try_from(self.partition.tasks.len()).unwrap_or(u32::MAX)
    }

    /// Reads a task.
    pub(crate) fn feed(&self, task: u32, out: &mut Feeder<'_, Block>) -> Result<()> {
        let Task { shard, range } = self.partition.tasks[task as usize];
        let number = self.partition.first + u32::try_from(shard).unwrap_or(u32::MAX);
        let shard = &self.partition.shards[shard];
        let count = shard.is_stdin() || matches!(out.run().settings.bad_records, BadRecords::Quarantine(_));
        let mut cutter = Cutter::new(self, number, range.map_or(0, |(from, _)| from), count.then_some(1));
        let read = match range {
            Some((from, to)) => self.range(shard, from, to, &mut cutter, out),
            None => self.whole(shard, task, &mut cutter, out),
        };
        match read {
            Ok(()) | Err(Ended::Halted) => Ok(()),
            // The records before the damage come first: one of them may be bad, and then its error is the first one.
            Err(Ended::Error(error)) => match cutter.finish_bad(error, out) {
                Ok(()) | Err(Ended::Halted) => Ok(()),
                Err(Ended::Error(error)) => Err(error),
            },
        }
    }

    fn whole(
        &self,
        shard: &Shard,
        task: u32,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Ended> {
        let mut stream = Stream::open(shard, &out.run().settings)?;
        #[cfg(feature = "libdeflate")]
        {
            // The first tasks begin as streams: their first records come at once, and a run that needs no more than
            // those never decodes a whole member.
            let probe = if (task as usize) < out.run().settings.threads { PROBE } else { 0 };
            if self.stream(&mut stream, probe, cutter, out)?
                || super::oneshot::read(self, shard, &mut stream, cutter, out)?
            {
                return Ok(());
            }
        }
        #[cfg(not(feature = "libdeflate"))]
        let _ = task;
        self.stream(&mut stream, u64::MAX, cutter, out).map(drop)
    }

    /// Decodes a stream until so many bytes of the shard have passed; `true` if that was its end.
    fn stream(
        &self,
        stream: &mut Stream,
        until: u64,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<bool, Ended> {
        while cutter.position() < until {
            while stream.waits_beyond(50) {
                if out.halted() {
                    return Err(Ended::Halted);
                }
            }
            self.step(stream, cutter, out)?;
            if cutter.ended {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Decodes some more; at the shard's end the cutter is finished.
    pub(super) fn step(
        &self,
        stream: &mut Stream,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Ended> {
        let room = cutter.room(out)?;
        let read = stream.fill(room)?;
        if read == 0 {
            cutter.ended = true;
            return cutter.finish(out);
        }
        cutter.filled(read, stream.would_wait(), out)
    }

    /// The lines of a plain file that begin in `from..to`: from the first byte after a newline at or after `from - 1`.
    fn range(
        &self,
        shard: &Shard,
        from: u64,
        to: u64,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Ended> {
        let stream = Stream::open(shard, &out.run().settings)?;
        let failed = |error| Error::io(&shard.path, "read", error);
        let mut at = from.saturating_sub(1);
        let mut begun = from == 0;
        loop {
            let room = cutter.room(out)?;
            let read = stream.file().read_at(room, at).map_err(failed)?;
            if read == 0 {
                return cutter.finish(out);
            }
            let mut skipped = 0;
            if !begun {
                let Some(newline) = memchr::memchr(b'\n', &room[..read]) else {
                    at += read as u64;
                    // A line that spans the whole range belongs to the range it begins in.
                    if at >= to {
                        return cutter.finish(out);
                    }
                    continue;
                };
                skipped = newline + 1;
            }
            let text_at = at + skipped as u64;
            // The range ends with the line that holds the byte before `to`.
            let first = usize::try_from((to - 1).saturating_sub(text_at)).unwrap_or(usize::MAX);
            let end = match room[skipped..read].get(first..) {
                Some(rest) => memchr::memchr(b'\n', rest).map(|newline| first + newline + 1),
                None => None,
            };
            let taken = end.unwrap_or(read - skipped);
            if skipped > 0 {
                room.copy_within(skipped..skipped + taken, 0);
            }
            if !begun {
                begun = true;
                cutter.begin_at(text_at);
                if text_at >= to {
                    return cutter.finish(out);
                }
            }
            at = text_at + taken as u64;
            cutter.filled(taken, false, out)?;
            if end.is_some() {
                return cutter.finish(out);
            }
        }
    }
}

/// Collects decompressed bytes in a buffer and emits it as a block, cut after its last newline.
pub(super) struct Cutter<'p> {
    shards: &'p Shards,
    shard: u32,
    buffer: Option<Buffer>,
    permit: Option<Permit>,
    filled: usize,
    /// Offset of the buffer's first byte in the decompressed shard.
    start: u64,
    line: Option<u64>,
    /// The rest of a line that is too long is being left out.
    skipping: bool,
    at_start: bool,
    /// The final unit was emitted.
    pub(super) ended: bool,
}

impl<'p> Cutter<'p> {
    fn new(shards: &'p Shards, shard: u32, start: u64, line: Option<u64>) -> Cutter<'p> {
        let at_start = start == 0;
        Cutter {
            shards,
            shard,
            buffer: None,
            permit: None,
            filled: 0,
            start,
            line,
            skipping: false,
            at_start,
            ended: false,
        }
    }

    /// Offset in the decompressed shard of the next byte to come.
    pub(super) fn position(&self) -> u64 {
        self.start + self.filled as u64
    }

    fn begin_at(&mut self, start: u64) {
        self.start = start;
    }

    /// Room for at least a byte; waits for admission when a block begins.
    fn room(&mut self, out: &Feeder<'_, Block>) -> Result<&mut [u8], Ended> {
        let block = out.run().settings.block;
        if self.permit.is_none() {
            self.permit = Some(out.admit(block)?);
        }
        let buffer = self.buffer.get_or_insert_with(|| self.shards.pool.take(block));
        Ok(&mut buffer.bytes[self.filled..])
    }

    /// `read` bytes were put into the room. Emits a block if it is full, or if what is there should not wait.
    fn filled(&mut self, read: usize, idle: bool, out: &mut Feeder<'_, Block>) -> Result<(), Ended> {
        self.filled += read;
        let Some(buffer) = &mut self.buffer else { return Ok(()) };
        if self.at_start && self.filled >= 3 {
            self.at_start = false;
            if buffer.bytes.starts_with(b"\xef\xbb\xbf") {
                buffer.bytes.copy_within(3..self.filled, 0);
                (self.filled, self.start) = (self.filled - 3, 3);
            }
        }
        let full = self.filled == buffer.bytes.len();
        if !full && !idle {
            return Ok(());
        }
        match memchr::memrchr(b'\n', &buffer.bytes[..self.filled]) {
            Some(newline) => self.emit(newline + 1, None, false, out),
            None if !full => Ok(()),
            None => self.long_line(out),
        }
    }

    /// The buffer is full of one unfinished line: it grows, up to the limit; beyond it the line is bad.
    fn long_line(&mut self, out: &mut Feeder<'_, Block>) -> Result<(), Ended> {
        let limit = out.run().settings.max_record;
        if self.skipping {
            // Nothing of it is kept but the count of its bytes.
            self.start += self.filled as u64;
            self.filled = 0;
            return Ok(());
        }
        if self.filled > limit + 1 {
            let Some(buffer) = &self.buffer else { return Ok(()) };
            let raw = buffer.bytes[..self.filled.min(256)].to_vec();
            let bad = Bad { error: too_long(limit), byte: self.start, raw };
            self.skipping = true;
            let filled = self.filled as u64;
            self.filled = 0;
            self.emit(0, Some(bad), false, out)?;
            self.start += filled;
            return Ok(());
        }
        // Doubling, but never beyond what shows that the limit is passed.
        let size = (self.filled * 2).min(limit + 2).max(self.filled + 1);
        if let Some(buffer) = &mut self.buffer {
            buffer.grow(size, self.filled);
        }
        Ok(())
    }

    /// Emits the first `cut` bytes; what is behind them begins the next block.
    fn emit(&mut self, cut: usize, bad: Option<Bad>, last: bool, out: &mut Feeder<'_, Block>) -> Result<(), Ended> {
        let block = out.run().settings.block;
        let permit = match self.permit.take() {
            Some(permit) => permit,
            None => out.admit(0)?,
        };
        let buffer = self.buffer.take().unwrap_or_else(|| self.shards.pool.take(0));
        let rest = self.filled - cut;
        if rest > 0 {
            let mut next = self.shards.pool.take(block.max(rest + 1));
            next.bytes[..rest].copy_from_slice(&buffer.bytes[cut..self.filled]);
            self.buffer = Some(next);
        }
        self.filled = rest;
        let mut from = 0;
        if self.skipping && bad.is_none() && cut > 0 {
            // The end of the line that is left out.
            from = memchr::memchr(b'\n', &buffer.bytes[..cut]).map_or(cut, |newline| newline + 1);
            self.skipping = false;
            self.line = self.line.map(|line| line + 1);
        }
        let start = self.start + from as u64;
        self.start += cut as u64;
        self.send(Arc::new(buffer), from..cut, start, bad, permit, last, out)
    }

    #[expect(clippy::too_many_arguments, reason = "one call's worth of a block, built here only")]
    fn send(
        &mut self,
        buffer: Arc<Buffer>,
        range: std::ops::Range<usize>,
        start: u64,
        bad: Option<Bad>,
        permit: Permit,
        last: bool,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Ended> {
        let first_line = self.line;
        let bytes = range.len();
        if let Some(line) = &mut self.line {
            *line += memchr::memchr_iter(b'\n', &buffer.bytes[range.clone()]).count() as u64;
        }
        let bad = bad.map(Box::new);
        let block = Block { buffer, range, shard: self.shard, start, first_line, bad };
        Ok(out.emit(block, bytes, permit, last)?)
    }

    /// The shard is at its end: what is left is its last line.
    pub(super) fn finish(&mut self, out: &mut Feeder<'_, Block>) -> Result<(), Ended> {
        self.emit(self.filled, None, true, out)
    }

    /// The shard is damaged: its whole lines stay, the damage follows them.
    fn finish_bad(&mut self, error: Error, out: &mut Feeder<'_, Block>) -> Result<(), Ended> {
        let cut = match &self.buffer {
            Some(buffer) => memchr::memrchr(b'\n', &buffer.bytes[..self.filled]).map_or(0, |newline| newline + 1),
            None => 0,
        };
        let raw = match &self.buffer {
            Some(buffer) => buffer.bytes[cut..self.filled].to_vec(),
            None => Vec::new(),
        };
        self.filled = cut;
        let bad = Bad { error, byte: self.start + cut as u64, raw };
        self.emit(cut, Some(bad), true, out)
    }
}

#[cfg(feature = "libdeflate")]
impl Cutter<'_> {
    /// Takes over a large buffer that holds, from `from`, what [`Cutter::carry`] gave and what follows it, and emits
    /// blocks of it by reference. What is behind the last newline stays for the next.
    pub(super) fn share(
        &mut self,
        buffer: Buffer,
        mut from: usize,
        len: usize,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Ended> {
        let block = out.run().settings.block;
        // What was admitted for the block that was being filled is asked for anew with each shared one.
        self.permit = None;
        if self.at_start && len >= 3 {
            self.at_start = false;
            if buffer.bytes.starts_with(b"\xef\xbb\xbf") {
                (from, self.start) = (3, 3);
            }
        }
        let buffer = Arc::new(buffer);
        let text = &buffer.bytes[..len];
        while from < len {
            // A block ends at the first newline at or after its size, so that long lines need no care.
            let end = text.get(from + block - 1..).and_then(|rest| memchr::memchr(b'\n', rest));
            let cut = match end {
                Some(newline) => from + block + newline,
                None => match memchr::memrchr(b'\n', &text[from..]) {
                    Some(newline) => from + newline + 1,
                    None => break,
                },
            };
            let permit = out.admit(cut - from)?;
            let start = self.start;
            self.start += (cut - from) as u64;
            self.send(buffer.clone(), from..cut, start, None, permit, false, out)?;
            from = cut;
        }
        let rest = len - from;
        let mut next = self.shards.pool.take(block.max(rest + 1));
        next.bytes[..rest].copy_from_slice(&text[from..]);
        (self.buffer, self.filled) = (Some(next), rest);
        Ok(())
    }

    /// The unfinished line that a shared buffer must begin with.
    pub(super) fn carry(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], |buffer| &buffer.bytes[..self.filled])
    }

    /// Offset in the decompressed shard of what [`Cutter::carry`] gives.
    pub(super) fn carried_from(&self) -> u64 {
        self.start
    }

    /// Whether the rest of a line over the limit is being left out, which only a stream can do.
    pub(super) fn is_skipping(&self) -> bool {
        self.skipping
    }
}

/// The one text for a record over the limit, wherever it is noticed.
pub(crate) fn too_long(limit: usize) -> Error {
    let text = format!("expected a record of at most {limit} bytes (max_record); this line is longer");
    Error::new(ErrorKind::Limit, text)
}
