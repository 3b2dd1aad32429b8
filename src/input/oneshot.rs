//! gzip members decoded in one call by libdeflate (about twice as fast as streaming inflate), where the budget has room
//! for a member's text. Blocks are cut from it by reference.
//!
//! libdeflate does not say where in its input a member ended. Members are therefore found first: each begins with the
//! three magic bytes and a flags byte whose upper bits are zero, so a stretch without that pattern holds no member's
//! beginning. A stretch is taken as one member only if libdeflate accepts it (it checks the checksum) and the length in
//! the stretch's last four bytes is that of the output; anything else (padding, garbage, a pattern that came about by
//! chance, damage) is left to the streaming decoder, which starts at that member and finds the place of an error.

use libdeflater::Decompressor;

use crate::engine::Feeder;
use crate::error::Error;

use super::Shard;
use super::blocks::{Block, Buffer};
use super::feed::{Cutter, Ended, Shards};
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
    // A reader may hold this much: compressed file and text together.
    let share = run.settings.memory / (4 * run.settings.threads as u64);
    if meta.len < 18 || meta.len.saturating_mul(2) > share {
        return Ok(false);
    }
    let Some(_charge) = run.space.budget.try_reserve(meta.len) else { return Ok(false) };
    let Ok(len) = usize::try_from(meta.len) else { return Ok(false) };
    let mut file = shards.large.take(len + 1);
    let mut filled = 0;
    while filled < file.bytes.len() {
        let failed = |error| Error::io(&shard.path, "read", error);
        let read = stream.file().read_at(&mut file.bytes[filled..], filled as u64).map_err(failed)?;
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
    let mut begin = 0;
    if cutter.position() > 0 {
        // The stream has begun. A shard of several members goes on at the next one; a single member is decoded again
        // from its start, whose text begins with what has been emitted.
        if next_member(file, 0) == len {
            return again(shards, file, share - meta.len, cutter, out);
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
    decode(shards, file, begin, share - meta.len, stream, cutter, out)
}

/// Decodes the only member, whose first part has been emitted already.
fn again(
    shards: &Shards,
    file: &[u8],
    share: u64,
    cutter: &mut Cutter<'_>,
    out: &mut Feeder<'_, Block>,
) -> Result<bool, Ended> {
    let size = length_field(file);
    if cutter.is_skipping() || size as u64 <= cutter.position() || !plausible(file, size, share) {
        return Ok(false);
    }
    let Some(charge) = out.run().space.budget.try_reserve(size as u64) else { return Ok(false) };
    let mut buffer = shards.large.take(size);
    buffer.charge = Some(charge);
    let decoded = Decompressor::new().gzip_decompress(file, &mut buffer.bytes[..size]);
    if !decoded.is_ok_and(|count| count == size) {
        // The stream goes on from where it stands, and finds out what is wrong.
        return Ok(false);
    }
    let from = usize::try_from(cutter.carried_from()).unwrap_or(size);
    cutter.share(buffer, from, size, out)?;
    cutter.finish(out)?;
    Ok(true)
}

/// The length of the text as a member's last four bytes tell it: a hint until the member is decoded.
fn length_field(member: &[u8]) -> usize {
    member.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size)) as usize
}

/// Whether a member can have so much text: deflate cannot expand more than 1032 times.
fn plausible(member: &[u8], size: usize, share: u64) -> bool {
    member.len() >= 18 && size / 1032 <= member.len() && size as u64 <= share
}

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
        let end = next_member(file, begin);
        let member = &file[begin..end];
        let size = length_field(member);
        let room = plausible(member, size, share) && {
            let have = gathered.as_ref().map_or(0, |(buffer, used)| buffer.bytes.len() - used);
            size <= have || {
                if let Some((buffer, used)) = gathered.take() {
                    cutter.share(buffer, 0, used, out)?;
                }
                if cutter.carry().len() > out.run().settings.max_record {
                    // A line over the limit: the streaming decoder leaves it out without holding it.
                    stream.seek(begin as u64, parts)?;
                    return Ok(false);
                }
                gathered = large(shards, size.max(4 * out.run().settings.block), share, cutter, out);
                gathered.is_some()
            }
        };
        let decoded = match gathered.as_mut().filter(|_| room) {
            Some((buffer, used)) => {
                let decoded = inflate.gzip_decompress(member, &mut buffer.bytes[*used..*used + size]);
                decoded.is_ok_and(|count| count == size).then(|| *used += size)
            }
            None => None,
        };
        if decoded.is_none() {
            if let Some((buffer, used)) = gathered.take() {
                cutter.share(buffer, 0, used, out)?;
            }
            stream.seek(begin as u64, parts)?;
            return Ok(false);
        }
        (begin, parts) = (end, parts + 1);
    }
    if let Some((buffer, used)) = gathered.take() {
        cutter.share(buffer, 0, used, out)?;
    }
    cutter.finish(out)?;
    Ok(true)
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
    let charge = out.run().space.budget.try_reserve(need as u64)?;
    let mut buffer = shards.large.take(need);
    buffer.charge = Some(charge);
    buffer.bytes[..carry.len()].copy_from_slice(carry);
    Some((buffer, carry.len()))
}

/// Where the next member may begin, or the end of the file.
fn next_member(file: &[u8], begin: usize) -> usize {
    let mut from = begin + 1;
    while let Some(found) = file.get(from..).and_then(|rest| memchr::memmem::find(rest, &[0x1f, 0x8b, 0x08])) {
        let at = from + found;
        if file.get(at + 3).is_some_and(|flags| flags & 0xe0 == 0) {
            return at;
        }
        from = at + 1;
    }
    file.len()
}
