//! [`line_of`]: in which line of a shard a byte is.

use std::path::Path;

use crate::config::BadRecords;
use crate::engine::Run;

use super::Shard;
use super::stream::Stream;

/// The number of the line that holds this byte of a shard, and how many bytes of the line are before it. Reads the
/// shard again from its start, which is what a message may cost.
pub(crate) fn line_of(run: &Run, path: &Path, byte: u64) -> Option<(u64, u64)> {
    let shard = Shard { path: path.to_owned(), meta: Some(run.os.meta(path).ok()?).filter(|meta| meta.regular) };
    shard.meta?;
    // As it was read: what was left out then counts for nothing, but that a line ends there.
    let salvage = run.settings.bad_records != BadRecords::Fail;
    let mut stream = Stream::open_to(&shard, &run.settings, salvage, &|| false).ok()??;
    let mut buffer = vec![0; 64 << 10];
    let (mut at, mut line, mut line_start) = (0, 1, 0);
    while at < byte {
        let wanted = usize::try_from(byte - at).unwrap_or(usize::MAX).min(buffer.len());
        let read = match stream.fill(&mut buffer[..wanted], &|| false) {
            Ok(read) => read.filter(|&read| read > 0)?,
            Err(error) => {
                stream.rescue(error, &|| false).ok()?.filter(|gap| gap.resumed)?;
                if at > line_start {
                    (line, line_start) = (line + 1, at);
                }
                continue;
            }
        };
        for newline in memchr::memchr_iter(b'\n', &buffer[..read]) {
            line += 1;
            line_start = at + newline as u64 + 1;
        }
        at += read as u64;
    }
    // A byte-order mark is not part of the first line's columns.
    let mark = if line_start == 0 && byte >= 3 && starts_with_mark(&shard, run) { 3 } else { 0 };
    Some((line, byte - line_start - mark))
}

fn starts_with_mark(shard: &Shard, run: &Run) -> bool {
    let mut head = [0; 3];
    Stream::open(shard, &run.settings, &|| false).is_ok_and(|stream| {
        let Some(mut stream) = stream else { return false };
        let mut filled = 0;
        while filled < 3 {
            match stream.fill(&mut head[filled..], &|| false) {
                Ok(Some(read)) if read > 0 => filled += read,
                _ => return false,
            }
        }
        head == *b"\xef\xbb\xbf"
    })
}
