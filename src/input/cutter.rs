//! The cutter: decompressed bytes come in as they are decoded, line-aligned blocks go out. What must stay true: where a
//! block ends changes no record, and a line over the limit is never held.

use crate::os::sync::Arc;

use crate::engine::{Early, Feeder};
use crate::error::{Error, ErrorKind};
use crate::shuffle::Permit;

use super::blocks::{Bad, Block, Buffer, Pool};

/// Collects decompressed bytes in a buffer and emits it as a block, cut after its last newline.
pub(super) struct Cutter<'p> {
    pub(super) pool: &'p Arc<Pool>,
    shard: u32,
    pub(super) buffer: Option<Buffer>,
    pub(super) permit: Option<Permit>,
    pub(super) filled: usize,
    /// What a line longer than a block has made room for.
    grown: usize,
    /// Offset of the buffer's first byte in the decompressed shard.
    pub(super) start: u64,
    line: Option<u64>,
    /// The rest of a line that is too long is being left out.
    pub(super) skipping: bool,
    pub(super) at_start: bool,
    /// What is before the next text is lost.
    behind_gap: bool,
    /// There was a gap.
    gaps: bool,
    /// The final unit was emitted.
    pub(super) ended: bool,
}

impl<'p> Cutter<'p> {
    pub(super) fn new(pool: &'p Arc<Pool>, shard: u32, start: u64, line: Option<u64>) -> Cutter<'p> {
        let at_start = start == 0;
        Cutter {
            pool,
            shard,
            buffer: None,
            permit: None,
            filled: 0,
            grown: 0,
            start,
            line,
            skipping: false,
            at_start,
            behind_gap: false,
            gaps: false,
            ended: false,
        }
    }

    /// Offset in the decompressed shard of the next byte to come.
    pub(super) fn position(&self) -> u64 {
        self.start + self.filled as u64
    }

    /// Whether a stretch of the shard was lost.
    #[cfg(feature = "libdeflate")]
    pub(super) fn has_gap(&self) -> bool {
        self.gaps
    }

    pub(super) fn begin_at(&mut self, start: u64) {
        self.start = start;
    }

    /// Room for at least a byte; waits for admission when a block begins.
    pub(super) fn room(&mut self, out: &Feeder<'_, Block>) -> Result<&mut [u8], Early> {
        let block = out.run().settings.block;
        if self.permit.is_none() {
            // What is left of a grown buffer may be longer than a block.
            self.permit = Some(out.admit(block.max(self.filled + 1))?);
        }
        let buffer = self.buffer.get_or_insert_with(|| self.pool.take(block));
        // No more than a block, however large the recycled buffer is; a long line has asked for more.
        let end = buffer.bytes.len().min(block.max(self.grown).max(self.filled + 1));
        Ok(&mut buffer.bytes[self.filled..end])
    }

    /// `read` bytes were put into the room. Emits a block if it is full, or if what is there should not wait.
    pub(super) fn filled(&mut self, read: usize, idle: bool, out: &mut Feeder<'_, Block>) -> Result<(), Early> {
        self.filled += read;
        let Some(buffer) = &mut self.buffer else { return Ok(()) };
        if self.at_start && self.filled >= 3 {
            self.at_start = false;
            if buffer.bytes.starts_with(b"\xef\xbb\xbf") {
                buffer.bytes.copy_within(3..self.filled, 0);
                (self.filled, self.start) = (self.filled - 3, 3);
            }
        }
        let full = self.filled >= buffer.bytes.len().min(out.run().settings.block.max(self.grown));
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
    fn long_line(&mut self, out: &mut Feeder<'_, Block>) -> Result<(), Early> {
        let limit = out.run().settings.max_record;
        if self.skipping {
            // Nothing of it is kept but the count of its bytes.
            self.start += self.filled as u64;
            self.filled = 0;
            return Ok(());
        }
        if self.filled > limit + 1 {
            let Some(buffer) = &self.buffer else { return Ok(()) };
            let raw = start_of_long(&buffer.bytes[..self.filled], limit).to_vec();
            let bad = Bad { error: too_long(limit), byte: self.start, raw, lost: 0 };
            self.skipping = true;
            if std::mem::take(&mut self.behind_gap) {
                // The end of a line that was lost, for all that is known: the gap has been counted.
                self.start += self.filled as u64;
                self.filled = 0;
                return Ok(());
            }
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
            self.grown = size;
        }
        if let Some(permit) = &self.permit {
            permit.grow_to(size as u64);
        }
        Ok(())
    }

    /// Emits the first `cut` bytes; what is behind them begins the next block.
    fn emit(&mut self, cut: usize, bad: Option<Bad>, last: bool, out: &mut Feeder<'_, Block>) -> Result<(), Early> {
        let block = out.run().settings.block;
        let permit = match self.permit.take() {
            Some(permit) => permit,
            None => out.admit(0)?,
        };
        let buffer = self.buffer.take().unwrap_or_else(|| self.pool.take(0));
        let rest = self.filled - cut;
        if rest > 0 {
            let mut next = self.pool.take(block.max(rest + 1));
            next.bytes[..rest].copy_from_slice(&buffer.bytes[cut..self.filled]);
            self.buffer = Some(next);
        }
        (self.filled, self.grown) = (rest, rest + 1);
        let mut from = 0;
        if self.skipping && cut > 0 {
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
    pub(super) fn send(
        &mut self,
        buffer: Arc<Buffer>,
        range: std::ops::Range<usize>,
        start: u64,
        bad: Option<Bad>,
        permit: Permit,
        last: bool,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Early> {
        let first_line = self.line;
        let bytes = range.len();
        // A mark further on is text.
        self.at_start &= bytes == 0;
        if let Some(line) = &mut self.line {
            *line += memchr::memchr_iter(b'\n', &buffer.bytes[range.clone()]).count() as u64;
        }
        let bad = bad.map(Box::new);
        let behind_gap = bytes > 0 && std::mem::take(&mut self.behind_gap);
        let block = Block { buffer, range, shard: self.shard, start, first_line, behind_gap, bad };
        Ok(out.emit(block, bytes, permit, last)?)
    }

    /// The shard is at its end: what is left is its last line.
    pub(super) fn finish(&mut self, out: &mut Feeder<'_, Block>) -> Result<(), Early> {
        self.emit(self.filled, None, true, out)
    }

    /// The shard is damaged: its whole lines stay, the damage follows them.
    pub(super) fn finish_bad(&mut self, error: Error, lost: u64, out: &mut Feeder<'_, Block>) -> Result<(), Early> {
        let (cut, bad) = self.damage(error, lost, out)?;
        self.filled = cut;
        self.emit(cut, Some(bad), true, out)
    }

    /// A stretch of the shard is lost: the whole lines before it stay, the loss follows them, and text comes behind it of
    /// which nobody knows where in a line it begins. Bytes and lines are counted on as if a line ended here.
    pub(super) fn gap(&mut self, error: Error, lost: u64, out: &mut Feeder<'_, Block>) -> Result<(), Early> {
        let (cut, bad) = self.damage(error, lost, out)?;
        let rest = self.filled - cut;
        let unfinished = rest > 0 || self.skipping && cut == 0;
        self.filled = cut;
        self.emit(cut, Some(bad), false, out)?;
        self.start += rest as u64;
        self.line = self.line.map(|line| line + u64::from(unfinished));
        (self.skipping, self.at_start, self.behind_gap, self.gaps) = (false, false, true, true);
        Ok(())
    }

    /// Where the last whole line ends, and the damage behind it with the text of the unfinished one. If that is longer
    /// than any line may be it is bad by itself, as it is where blocks are smaller.
    fn damage(&mut self, error: Error, lost: u64, out: &mut Feeder<'_, Block>) -> Result<(usize, Bad), Early> {
        let limit = out.run().settings.max_record;
        if self.filled - self.lines_end() > limit + 1 {
            if self.lines_end() > 0 {
                self.emit(self.lines_end(), None, false, out)?;
            }
            self.long_line(out)?;
        }
        let cut = self.lines_end();
        let (byte, raw) = match &self.buffer {
            Some(buffer) if cut > 0 || !self.skipping => (cut, buffer.bytes[cut..self.filled].to_vec()),
            _ => (self.filled, Vec::new()),
        };
        Ok((cut, Bad { error, byte: self.start + byte as u64, raw, lost }))
    }

    fn lines_end(&self) -> usize {
        let text = self.buffer.as_ref().map_or(&[][..], |buffer| &buffer.bytes[..self.filled]);
        memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1)
    }
}

/// The one text for a record over the limit, wherever it is noticed.
pub(crate) fn too_long(limit: usize) -> Error {
    let text = format!("expected a record of at most {limit} bytes (max_record); this line is longer");
    Error::new(ErrorKind::Limit, text)
}

/// What is kept of a record over the limit, wherever it is noticed: no more than is known of one that is not held.
pub(crate) fn start_of_long(line: &[u8], limit: usize) -> &[u8] {
    &line[..line.len().min(limit + 1).min(256)]
}
