//! Where output goes: one file, or a directory of numbered shards.

use std::path::PathBuf;

use crate::engine::Provenance;
use crate::error::Result;
use crate::os::Os;

use super::manifest::Part;

/// A file to write (`out/clean.jsonl.gz`), or a directory of shards (`out/part-*.jsonl.zst`: the directory is what is
/// before the last `/`, and `*` becomes the shard's number in six digits). The extension says how it is packed: `.gz`,
/// `.zst`, or else not at all. A directory also gets `.manifest.json`, which tells what it was made from and what its
/// files are, so that [`verify`](crate::verify) can prove them later, and `_SUCCESS`, an empty file that says that it
/// is complete. Readers leave both out.
///
/// A target must not exist (a directory may be empty), unless [`overwrite`](Target::overwrite) is asked for.
///
/// ```no_run
/// # use kitbag::{Bag, Json, Target};
/// let logs = Bag::<Json>::read_json("logs/*.gz");
/// logs.write_jsonl(Target::new("clean/part-*.jsonl.zst").overwrite().shard_size(64 << 20))?;
/// # Ok::<(), kitbag::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a target is written by `write_jsonl` or `write_text`"]
pub struct Target {
    pub(super) path: PathBuf,
    pub(super) overwrite: bool,
    pub(super) shard_size: u64,
    pub(super) partitions: u64,
    pub(super) made_from: Option<Provenance>,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The files, in record order; of partitions, one after the other in the order of their first records.
    pub files: Vec<PathBuf>,
    /// Partitions that have records; 0 of an output that is not partitioned.
    pub partitions: u64,
    /// Records in all of them.
    pub records: u64,
    /// Bytes of text, before compression.
    pub text_bytes: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
    /// What each of the files holds, in the same order.
    pub parts: Vec<Part>,
}

impl Target {
    /// A target that must not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Target {
        Target { path: path.into(), overwrite: false, shard_size: 128 << 20, partitions: 10_000, made_from: None }
    }

    /// Replaces what is there: a file by the new one, a directory, whole, by the new one. Until the new one is complete
    /// the old one stays.
    pub fn overwrite(mut self) -> Target {
        self.overwrite = true;
        self
    }

    /// Bytes of text after which a new shard begins, at the next line. Default: 128 MiB.
    pub fn shard_size(mut self, bytes: u64) -> Target {
        self.shard_size = bytes.max(1);
        self
    }

    /// The most partitions that [`Bag::write_partitioned`](crate::Bag::write_partitioned) and its like may make: one more
    /// is an error of the kind [`ErrorKind::Limit`](crate::ErrorKind::Limit). Default: 10,000.
    pub fn max_partitions(mut self, partitions: u64) -> Target {
        self.partitions = partitions;
        self
    }

    /// What a directory's manifest says that it was made from, where the run that writes it does not know: text from
    /// [`Target::writer`], records from memory.
    ///
    /// ```
    /// # use kitbag::{Bag, Input, Target};
    /// # let dir = tempfile::tempdir()?;
    /// let input = Input::from("data/web/*.gz");
    /// let target = Target::new(dir.path().join("out/part-*.jsonl")).made_from(input.provenance()?);
    /// Bag::from_iter(input.paths()?).write_jsonl(target)?;
    /// let manifest = std::fs::read_to_string(dir.path().join("out/.manifest.json"))?;
    /// assert!(manifest.contains(r#""inputs":[{"path":"data/web/part-000.jsonl.gz","bytes":"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn made_from(mut self, provenance: Provenance) -> Target {
        self.made_from = Some(provenance);
        self
    }

    /// Says now what [`Bag::write_partitioned`](crate::Bag::write_partitioned) would say of this target when its run begins.
    ///
    /// # Errors
    ///
    /// Fails if it is the name of one file, or is taken.
    pub fn check_partitions(&self) -> Result<()> {
        self.resolve_partitioned(&Os::default()).map(drop)
    }

    /// Says now what a run that writes to it would say of this target when it begins.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written, or is taken.
    pub fn check(&self) -> Result<()> {
        self.resolve(&Os::default()).map(drop)
    }
}

impl<P: Into<PathBuf>> From<P> for Target {
    fn from(path: P) -> Target {
        Target::new(path)
    }
}
