//! gzip members decoded in one call by libdeflate (about twice as fast as streaming inflate), where the budget has room
//! for a member's text. Blocks are cut from it by reference.
//!
//! libdeflate does not say where in its input a member ended, so where it may end is guessed, and proven after: the last
//! four bytes of a member are the length of its text. If a stretch of the file decodes to exactly the length that its
//! last four bytes tell, and these four bytes stand nowhere else in it, then the member ends where the stretch does: had
//! it ended earlier, the bytes would stand there too. What cannot be proven (padding, garbage, damage, a length that
//! comes up by chance) is left to the streaming decoder, which starts at that member and finds the place of an error.

use std::sync::PoisonError;

use crate::engine::{Early, Feeder};
use crate::error::Error;

use super::Shard;
use super::blocks::{Block, Buffer};
use super::cutter::Cutter;
use super::feed::Shards;
use super::format::Format;
use super::stream::Stream;

/// Decodes the shard; `false` if the streaming decoder has to go on from where `stream` and `cutter` stand now.
pub(super) fn read(
    shards: &Shards,
    shard: &Shard,
    stream: &mut Stream,
    cutter: &mut Cutter<'_>,
    out: &mut Feeder<'_, Block>,
) -> Result<bool, Early> {
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
    // A small file was read whole when its first bytes were looked at.
    let small = stream.take_whole(len);
    let large = match &small {
        Some(_) => None,
        None => read_whole(shards, shard, len, stream, out)?,
    };
    let file = match (&small, &large) {
        (Some(bytes), _) => &bytes[..len],
        (None, Some(buffer)) => &buffer.bytes[..len],
        (None, None) => return Ok(false),
    };
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

/// The bytes of the file in a buffer; `None` if the budget has no room, or if the file changed since it was listed: then
/// the streaming decoder takes it as it is.
fn read_whole(
    shards: &Shards,
    shard: &Shard,
    len: usize,
    stream: &Stream,
    out: &Feeder<'_, Block>,
) -> Result<Option<Buffer>, Early> {
    let Some(mut file) = shards.files.take_charged(len + 1, &out.run().space.budget) else { return Ok(None) };
    let mut filled = 0;
    while filled < len + 1 {
        let failed = |error| Error::io(&shard.path, "read", error);
        match stream.file().read_at(&mut file.bytes[filled..=len], filled as u64).map_err(failed)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok((filled == len).then_some(file))
}

/// Decodes the only member, whose first part has been emitted already.
fn again(
    shards: &Shards,
    file: &[u8],
    share: u64,
    cutter: &mut Cutter<'_>,
    out: &mut Feeder<'_, Block>,
) -> Result<bool, Early> {
    let Some(size) = text_length(file, share).filter(|&size| size as u64 > cutter.position()) else { return Ok(false) };
    let Some(mut buffer) = shards.texts.take_charged(size, &out.run().space.budget) else { return Ok(false) };
    if cutter.is_skipping() || !shards.inflate(file, &mut buffer.bytes[..size]) {
        return Ok(false);
    }
    let from = usize::try_from(cutter.carried_from()).unwrap_or(size);
    cutter.share(buffer, from..size, true, out)?;
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
) -> Result<bool, Early> {
    let mut parts = 0;
    let mut gathered: Option<(Buffer, usize)> = None;
    while begin < file.len() {
        let mut found = None;
        for end in ends(file, begin).take(GUESSES) {
            let stretch = &file[begin..end];
            let Some(size) = text_length(stretch, share) else { continue };
            if gathered.as_ref().is_none_or(|(buffer, used)| buffer.bytes.len() - used < size) {
                if let Some((buffer, used)) = gathered.take() {
                    cutter.share(buffer, 0..used, false, out)?;
                }
                if cutter.carry().len() <= out.run().settings.max_record {
                    // What ends the file has nothing behind it that could be gathered.
                    let more = if end == file.len() { 0 } else { 4 * out.run().settings.block };
                    gathered = large(shards, size.max(more), share, cutter, out);
                }
            }
            // Without room, or with a line over the limit, it is the stream's turn.
            let Some((buffer, used)) = &mut gathered else { break };
            if shards.inflate(stretch, &mut buffer.bytes[*used..*used + size]) {
                *used += size;
                found = Some(end);
                break;
            }
        }
        let Some(end) = found else {
            if let Some((buffer, used)) = gathered.take() {
                cutter.share(buffer, 0..used, false, out)?;
            }
            stream.seek(begin as u64, parts)?;
            return Ok(false);
        };
        (begin, parts) = (end, parts + 1);
    }
    match gathered.take() {
        Some((buffer, used)) => cutter.share(buffer, 0..used, true, out)?,
        None => cutter.finish(out)?,
    }
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

/// A buffer for the unfinished line and `size` bytes behind it; a block's, or one that is charged to the budget, and
/// `None` if that is refused.
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
    let settings = &out.run().settings;
    let mut buffer = match need <= settings.block {
        true => shards.pool.take(settings.block),
        false => shards.texts.take_charged(need, &out.run().space.budget)?,
    };
    buffer.bytes[..carry.len()].copy_from_slice(carry);
    Some((buffer, carry.len()))
}

impl Shards {
    /// Decodes a member whose text fills `to`. A decoder that is used again has its tables at hand.
    fn inflate(&self, member: &[u8], to: &mut [u8]) -> bool {
        let idle = || self.decoders.lock().unwrap_or_else(PoisonError::into_inner);
        let mut decoder = idle().pop().unwrap_or_default();
        let done = decoder.gzip_decompress(member, to) == Ok(to.len());
        idle().push(decoder);
        done
    }
}
