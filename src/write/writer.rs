//! [`TargetWriter`]: a target for text that comes from elsewhere than a bag.

use std::io::{self, Write};

use crate::engine::Provenance;
use crate::error::Result;
use crate::os::Os;

use super::files::Files;
use super::texts::Texts as _;
use super::{Target, Written};

/// A target that the caller writes, line by line: cut into the same shards and packed into the same bytes as if a bag
/// had written the lines. Nothing is visible before [`commit`](TargetWriter::commit); dropped before that, it leaves
/// nothing behind. Holds a few chunks of 2 MiB; compression runs on the calling thread. A failed write is an
/// [`io::Error`] that holds the [`Error`](crate::Error).
///
/// ```
/// # use kitbag::Target;
/// use std::io::Write;
///
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("squares.jsonl.zst");
/// let mut writer = Target::new(&path).writer()?;
/// for n in 0..3 {
///     writeln!(writer, "{}", n * n)?;
/// }
/// assert!(!path.exists());
/// let written = writer.commit()?;
/// assert_eq!((written.text_bytes, written.records), (6, 3));
/// assert_eq!(kitbag::Bag::<u32>::read_json(path).sum()?, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TargetWriter {
    files: Files,
    lines: u64,
    made_from: Provenance,
}

impl std::fmt::Debug for TargetWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TargetWriter").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Target {
    /// Opens the target for text that the caller makes. A target that is taken is an error now.
    pub fn writer(&self) -> Result<TargetWriter> {
        let os = Os::default();
        Ok(TargetWriter { files: Files::open(&os, 1, self.resolve(&os)?)?, lines: 0, made_from: Provenance::default() })
    }
}

impl TargetWriter {
    /// As [`Target::made_from`], where that is known only when all is written. What the target says counts.
    pub fn made_from(&mut self, provenance: Provenance) {
        self.made_from = provenance;
    }

    /// Writes what is left and gives the files their names. [`Written::records`] counts line ends.
    pub fn commit(self) -> Result<Written> {
        self.files.commit(self.lines, &|| self.made_from.clone())
    }
}

impl Write for TargetWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.files.take(text).map_err(io::Error::other)?;
        self.lines += memchr::memchr_iter(b'\n', text).count() as u64;
        Ok(text.len())
    }

    /// Does nothing: what is written becomes visible when it is complete.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

    use super::*;
    use crate::Bag;

    #[test]
    fn the_bytes_are_those_that_a_bag_writes_however_the_text_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let lines = |n: i64| format!("{n} {}", "x".repeat(100 + (n % 50) as usize));
        let target = |name: &str| Target::new(dir.path().join(name).join("part-*.gz")).shard_size(3 << 20);
        let by_bag = Bag::range(0..60_000).map(lines).write_text(target("bag")).unwrap();
        let mut writer = target("writer").writer().unwrap();
        let text: String = (0..60_000).map(|n| lines(n) + "\n").collect();
        for piece in text.as_bytes().chunks(77_777) {
            writer.write_all(piece).unwrap();
        }
        assert!(!dir.path().join("writer").exists());
        let by_hand = writer.commit().unwrap();
        assert_eq!((by_hand.records, by_hand.file_bytes), (by_bag.records, by_bag.file_bytes));
        assert!(by_bag.files.len() > 1 && by_bag.files.len() == by_hand.files.len());
        for (a, b) in by_bag.files.iter().zip(&by_hand.files) {
            assert!(std::fs::read(a).unwrap() == std::fs::read(b).unwrap(), "{}", b.display());
        }
    }

    #[test]
    fn dropped_before_its_commit_it_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.jsonl", "b/part-*.gz"] {
            let mut writer = Target::new(dir.path().join(name)).writer().unwrap();
            writer.write_all(b"1\n").unwrap();
        }
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
