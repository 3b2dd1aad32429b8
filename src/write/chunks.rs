//! Cuts ordered text into chunks and shards. The cuts depend on the text alone, so files and their bytes are the same
//! for any number of threads, block size and budget.

/// Text that becomes one member or frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) text: Vec<u8>,
    /// The shard that it belongs to.
    pub(crate) part: u32,
    /// The shard ends with it.
    pub(crate) ends_part: bool,
}

/// Bytes of text in a chunk: a few MiB, so that members are worth a thread's while and not much is lost to compression.
pub(crate) const CHUNK: usize = 2 << 20;

/// Collects text and cuts it.
#[derive(Debug)]
pub(crate) struct Chunker {
    chunk: usize,
    shard_size: u64,
    text: Vec<u8>,
    part: u32,
    part_bytes: u64,
    pub(crate) total: u64,
}

impl Chunker {
    pub(crate) fn new(chunk: usize, shard_size: u64) -> Chunker {
        Chunker { chunk, shard_size, text: Vec::new(), part: 0, part_bytes: 0, total: 0 }
    }

    /// Takes whole lines; gives the chunks that are full now.
    pub(crate) fn push(&mut self, mut lines: &[u8], mut full: impl FnMut(Chunk)) {
        self.total += lines.len() as u64;
        while !lines.is_empty() {
            // A chunk ends at the first line end at or after its size, a shard likewise.
            let room = usize::try_from(self.shard_size.saturating_sub(self.part_bytes)).unwrap_or(usize::MAX);
            let target = self.chunk.min(room + self.text.len());
            let from = target.saturating_sub(self.text.len() + 1);
            let cut = lines.get(from..).and_then(|rest| memchr::memchr(b'\n', rest)).map(|newline| from + newline + 1);
            let taken = cut.unwrap_or(lines.len());
            self.text.extend_from_slice(&lines[..taken]);
            self.part_bytes += taken as u64;
            lines = &lines[taken..];
            if cut.is_some() {
                let ends_part = self.part_bytes >= self.shard_size;
                full(self.take(ends_part));
            }
        }
    }

    /// The rest: there is at least one shard, and the last one ends here.
    pub(crate) fn finish(&mut self, mut full: impl FnMut(Chunk)) {
        if self.part_bytes > 0 || self.part == 0 {
            full(self.take(true));
        }
    }

    fn take(&mut self, ends_part: bool) -> Chunk {
        // Made as long as the next one needs to be, for a text that grows by doubling ends half empty.
        let next = Vec::with_capacity(self.text.len() + self.text.len() / 16);
        let chunk = Chunk { text: std::mem::replace(&mut self.text, next), part: self.part, ends_part };
        if ends_part {
            self.part += 1;
            self.part_bytes = 0;
        }
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]], chunk: usize, shard: u64) -> Vec<Chunk> {
        let (mut chunker, mut out) = (Chunker::new(chunk, shard), Vec::new());
        for piece in pieces {
            chunker.push(piece, |chunk| out.push(chunk));
        }
        chunker.finish(|chunk| out.push(chunk));
        out
    }

    #[test]
    fn the_cuts_depend_on_the_text_alone() {
        let text = b"1\n22\n333\n4444\n55555\n\n7\n";
        for (chunk, shard) in [(1, 1), (4, 9), (5, 6), (100, 7), (3, 100)] {
            let whole = cut(&[text], chunk, shard);
            let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
            assert_eq!(whole, cut(&lines, chunk, shard));
            let joined: Vec<u8> = whole.iter().flat_map(|chunk| chunk.text.clone()).collect();
            assert_eq!(joined, text);
            assert!(whole.iter().all(|chunk| chunk.text.is_empty() || chunk.text.ends_with(b"\n")));
            assert!(whole.last().unwrap().ends_part);
        }
        assert_eq!(cut(&[], 4, 4).len(), 1);
    }
}
