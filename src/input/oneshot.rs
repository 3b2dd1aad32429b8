//! gzip members decoded in one call by libdeflate (about twice as fast as streaming inflate), where the budget has room
//! for a member's text. Blocks are cut from it by reference.
//!
//! libdeflate does not say where in its input a member ended, so where it may end is guessed, and proven after: the last
//! four bytes of a member are the length of its text. If a stretch of the file decodes to exactly the length that its
//! last four bytes tell, and these four bytes stand nowhere else in it, then the member ends where the stretch does: had
//! it ended earlier, the bytes would stand there too. What cannot be proven (padding, garbage, damage, a length that
//! comes up by chance) is left to the streaming decoder, which starts at that member and finds the place of an error.

use std::sync::Arc;

use libdeflater::Decompressor;

use crate::engine::Feeder;
use crate::error::Error;

use super::Shard;
use super::blocks::{Block, Buffer};
use super::cutter::{Cutter, Ended};
use super::feed::Shards;
use super::stream::{Format, Stream};

/// Decodes the shard; `false` if the streaming decoder has to go on from where `stream` and `cutter` stand now.
pub(super) fn read(
    shards: &Shards,
    shard: &Shard,
    stream: &mut Stream,
    cutter: &mut Cutter<'_>,
    out: &mut Feeder<'_, Block>,
) -> Result<bool, Ended> {
    let Some(meta) = shard.meta.filter(|_| stream.format() == Format::Gzip) else { return Ok(false) };
    let run = out.run();
    if (shards.tasks() as usize) < run.settings.threads {
        // With fewer shards than readers, parsing has to overlap with decoding, which only a stream allows.
        return Ok(false);
    }
    // A reader may hold this much: compressed file and text together.
    let share = run.settings.memory / (4 * run.settings.threads as u64);
    if meta.len < 18 || meta.len.saturating_mul(2) > share {
        return Ok(false);
    }
    let Ok(len) = usize::try_from(meta.len) else { return Ok(false) };
    let Some(mut file) = shards.files.take_charged(len + 1, &run.space.budget) else { return Ok(false) };
    let mut filled = 0;
    while filled < len + 1 {
        let failed = |error| Error::io(&shard.path, "read", error);
        let read = stream.file().read_at(&mut file.bytes[filled..=len], filled as u64).map_err(failed)?;
        if read == 0 {
            break;
        }
        filled += read;
    }
    if filled != len {
        // It changed since it was listed: let the streaming decoder take it as it is.
        return Ok(false);
    }
    let file = &file.bytes[..len];
    let share = share - meta.len;
    let mut begin = 0;
    if cutter.position() > 0 {
        // The stream has begun. A single member is decoded again from its start, whose text begins with what has been
        // emitted; a shard of several goes on at the next one.
        if again(shards, file, share, cutter, out)? {
            return Ok(true);
        }
        while !stream.at_boundary() {
            shards.step(stream, cutter, out)?;
            if cutter.ended {
                return Ok(true);
            }
        }
        begin = usize::try_from(stream.offset()).unwrap_or(len);
    }
    if cutter.is_skipping() {
        return Ok(false);
    }
    decode(shards, file, begin, share, stream, cutter, out)
}

/// Decodes the only member, whose first part has been emitted already.
fn again(
    shards: &Shards,
    file: &[u8],
    share: u64,
    cutter: &mut Cutter<'_>,
    out: &mut Feeder<'_, Block>,
) -> Result<bool, Ended> {
    let Some(size) = text_length(file, share).filter(|&size| size as u64 > cutter.position()) else { return Ok(false) };
    let Some(mut buffer) = shards.texts.take_charged(size, &out.run().space.budget) else { return Ok(false) };
    if cutter.is_skipping() || Decompressor::new().gzip_decompress(file, &mut buffer.bytes[..size]) != Ok(size) {
        return Ok(false);
    }
    let from = usize::try_from(cutter.carried_from()).unwrap_or(size);
    cutter.share(buffer, from, size, out)?;
    cutter.finish(out)?;
    Ok(true)
}

/// The length of the text of a stretch that may be one member, if the budget has room for it. `None` if the stretch
/// cannot be one, or could not be proven to be one.
fn text_length(stretch: &[u8], share: u64) -> Option<usize> {
    let (head, length) = stretch.split_last_chunk::<4>()?;
    let size = u32::from_le_bytes(*length) as usize;
    // Inflate makes at most 1032 bytes of one; deflate makes at most a little more than there was (stored blocks cost 5
    // bytes in 65535, and a header may hold a name).
    let possible = stretch.len() >= 18 && size / 1032 <= stretch.len() && stretch.len() <= size + size / 1000 + 4096;
    (possible && size as u64 <= share && memchr::memmem::find(head, length).is_none()).then_some(size)
}

/// Decodes member after member from `begin`.
fn decode(
    shards: &Shards,
    file: &[u8],
    mut begin: usize,
    share: u64,
    stream: &mut Stream,
    cutter: &mut Cutter<'_>,
    out: &mut Feeder<'_, Block>,
) -> Result<bool, Ended> {
    let (mut inflate, mut parts) = (Decompressor::new(), 0);
    let mut gathered: Option<(Buffer, usize)> = None;
    while begin < file.len() {
        let mut found = None;
        for end in ends(file, begin).take(GUESSES) {
            let stretch = &file[begin..end];
            let Some(size) = text_length(stretch, share) else { continue };
            if gathered.as_ref().is_none_or(|(buffer, used)| buffer.bytes.len() - used < size) {
                if let Some((buffer, used)) = gathered.take() {
                    cutter.share(buffer, 0, used, out)?;
                }
                if cutter.carry().len() <= out.run().settings.max_record {
                    gathered = large(shards, size.max(4 * out.run().settings.block), share, cutter, out);
                }
            }
            // Without room, or with a line over the limit, it is the stream's turn.
            let Some((buffer, used)) = &mut gathered else { break };
            if inflate.gzip_decompress(stretch, &mut buffer.bytes[*used..*used + size]) == Ok(size) {
                *used += size;
                found = Some(end);
                break;
            }
        }
        let Some(end) = found else {
            if let Some((buffer, used)) = gathered.take() {
                cutter.share(buffer, 0, used, out)?;
            }
            stream.seek(begin as u64, parts)?;
            return Ok(false);
        };
        (begin, parts) = (end, parts + 1);
    }
    if let Some((buffer, used)) = gathered.take() {
        cutter.share(buffer, 0, used, out)?;
    }
    cutter.finish(out)?;
    Ok(true)
}

/// How many ends of a member are tried.
const GUESSES: usize = 4;

/// Where a member may end: for the first one at the end of the file, since most files have one member; then wherever
/// another could begin: each begins with three magic bytes and a flags byte whose upper bits are zero.
fn ends(file: &[u8], begin: usize) -> impl Iterator<Item = usize> {
    let first = (begin == 0).then_some(file.len());
    let magic = memchr::memmem::find_iter(&file[(begin + 1).min(file.len())..], &[0x1f, 0x8b, 0x08]);
    let starts =
        magic.map(move |at| begin + 1 + at).filter(|at| file.get(at + 3).is_some_and(|flags| flags & 0xe0 == 0));
    let last = (begin > 0).then_some(file.len());
    first.into_iter().chain(starts).chain(last)
}

/// A buffer for the unfinished line and `size` bytes behind it, charged to the budget; `None` if that is refused.
fn large(
    shards: &Shards,
    size: usize,
    share: u64,
    cutter: &Cutter<'_>,
    out: &Feeder<'_, Block>,
) -> Option<(Buffer, usize)> {
    let carry = cutter.carry();
    let need = size + carry.len();
    if need as u64 > share {
        return None;
    }
    let mut buffer = shards.texts.take_charged(need, &out.run().space.budget)?;
    buffer.bytes[..carry.len()].copy_from_slice(carry);
    Some((buffer, carry.len()))
}

impl Cutter<'_> {
    /// Takes over a large buffer that holds, from `from`, what [`Cutter::carry`] gave and what follows it, and emits
    /// blocks of it by reference. What is behind the last newline stays for the next.
    fn share(&mut self, buffer: Buffer, mut from: usize, len: usize, out: &mut Feeder<'_, Block>) -> Result<(), Ended> {
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
        let mut next = self.pool.take(block.max(rest + 1));
        next.bytes[..rest].copy_from_slice(&text[from..]);
        (self.buffer, self.filled) = (Some(next), rest);
        Ok(())
    }

    /// The unfinished line that a shared buffer must begin with.
    fn carry(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], |buffer| &buffer.bytes[..self.filled])
    }

    /// Offset in the decompressed shard of what [`Cutter::carry`] gives.
    fn carried_from(&self) -> u64 {
        self.start
    }

    /// Whether the rest of a line over the limit is being left out, which only a stream can do.
    fn is_skipping(&self) -> bool {
        self.skipping
    }
}
