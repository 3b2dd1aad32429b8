//! Text that was decoded in one call goes out as blocks that share its buffer.

use crate::os::sync::Arc;
use std::ops::Range;

use crate::engine::{Early, Feeder};

use super::blocks::{Block, Buffer};
use super::cutter::Cutter;

impl Cutter<'_> {
    /// Takes over a large buffer that holds, in this range, what [`Cutter::carry`] gave and what follows it, and emits
    /// blocks of it by reference. What is behind the last newline stays for the next; if it is the shard's `last` text,
    /// nothing stays, and the last block is the final unit.
    pub(super) fn share(
        &mut self,
        buffer: Buffer,
        range: Range<usize>,
        last: bool,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Early> {
        let Range { start: mut from, end: len } = range;
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
                None if last => len,
                None => match memchr::memrchr(b'\n', &text[from..]) {
                    Some(newline) => from + newline + 1,
                    None => break,
                },
            };
            let permit = out.admit(cut - from)?;
            let start = self.start;
            self.start += (cut - from) as u64;
            let ends = last && cut == len;
            self.send(buffer.clone(), from..cut, start, None, permit, ends, out)?;
            if ends {
                return Ok(());
            }
            from = cut;
        }
        if last {
            // No text at all: the final unit is an empty one.
            (self.buffer, self.filled) = (None, 0);
            return self.finish(out);
        }
        let rest = len - from;
        let mut next = self.pool.take(block.max(rest + 1));
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
