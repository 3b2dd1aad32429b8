//! Where output goes: one file, or a directory of numbered shards.

use std::path::{Path, PathBuf};

use crate::engine::Provenance;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::os::Os;

use super::codec::Codec;
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
    path: PathBuf,
    overwrite: bool,
    shard_size: u64,
    partitions: u64,
    made_from: Option<Provenance>,
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
    /// is an error of the kind [`ErrorKind::Limit`]. Default: 10,000.
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

    /// What the path means for partitions: a directory, whose shards are `part-*.jsonl` if nothing else is said.
    pub(crate) fn resolve_partitioned(&self, os: &Os) -> Result<Resolved> {
        const FILES: [&str; 6] = ["gz", "json", "jsonl", "ndjson", "txt", "zst"];
        let name = self.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if name.contains('*') {
            return self.resolve(os);
        }
        if name.rsplit_once('.').is_some_and(|(_, extension)| FILES.contains(&extension)) {
            let text = "expected a directory for the partitions, or DIR/part-*.jsonl.zst: this is the name of one file";
            return Err(Error::new(ErrorKind::Usage, text).at(place(&self.path)));
        }
        Target { path: self.path.join("part-*.jsonl"), ..self.clone() }.resolve(os)
    }

    /// What the path means; refuses one that is taken before any work is done.
    pub(crate) fn resolve(&self, os: &Os) -> Result<Resolved> {
        let wrong = |kind, text: &str| Err(Error::new(kind, text).at(place(&self.path)));
        let Some(name) = self.path.file_name().and_then(|name| name.to_str()) else {
            return wrong(ErrorKind::Usage, "expected a file name, or a directory with a `part-*.jsonl` pattern");
        };
        if self.path.parent().is_some_and(|dir| dir.to_string_lossy().contains('*')) {
            return wrong(ErrorKind::Usage, "expected `*` in the file name only");
        }
        let codec = Codec::of_name(name);
        let mut around = name.split('*');
        let (before, after) = (around.next().unwrap_or_default(), around.next());
        if around.next().is_some() {
            return wrong(ErrorKind::Usage, "expected at most one `*`");
        }
        let kind = match after {
            None => Kind::File(self.path.clone()),
            Some(after) => match self.path.parent() {
                Some(dir) if !dir.as_os_str().is_empty() => {
                    Kind::Directory { dir: dir.to_owned(), before: before.to_owned(), after: after.to_owned() }
                }
                _ => return wrong(ErrorKind::Usage, "expected a directory before the pattern: it is written whole"),
            },
        };
        let target = match &kind {
            Kind::File(path) => path,
            Kind::Directory { dir, .. } => dir,
        };
        let failed = |error| Error::io(target, "look at", error);
        let taken = os.taken(target).map_err(failed)?;
        // A link may lead nowhere: then there is nothing.
        let found = match os.meta(target) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            found => found.ok(),
        };
        let directory = found.is_some_and(|meta| meta.dir);
        match kind {
            Kind::File(_) if directory => {
                return wrong(ErrorKind::OutputExists, "expected a file to write: this is a directory");
            }
            Kind::File(_) if found.is_some_and(|meta| !meta.regular) => {
                let text = "expected a file to replace: this is a device or a pipe, whose name would be taken from it";
                return wrong(ErrorKind::OutputExists, text);
            }
            Kind::Directory { .. } if taken && !directory => {
                let text = "expected a directory to write shards into: this is none";
                return Err(Error::new(ErrorKind::OutputExists, text).at(place(target)));
            }
            _ => {}
        }
        if taken && !self.overwrite {
            let empty = directory && os.list(target).map_err(|error| Error::io(target, "list", error))?.is_empty();
            if !empty {
                let text = "the target exists: overwriting it was not asked for";
                return Err(Error::new(ErrorKind::OutputExists, text).at(place(target)));
            }
        }
        let Target { overwrite, shard_size, partitions, .. } = *self;
        Ok(Resolved { kind, codec, overwrite, shard_size, partitions, made_from: self.made_from.clone() })
    }
}

impl<P: Into<PathBuf>> From<P> for Target {
    fn from(path: P) -> Target {
        Target::new(path)
    }
}

fn place(path: &Path) -> Place {
    Place { path: path.to_string_lossy().into_owned(), ..Place::default() }
}

/// A target that was looked at.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) kind: Kind,
    pub(crate) codec: Codec,
    pub(crate) overwrite: bool,
    pub(crate) shard_size: u64,
    pub(crate) partitions: u64,
    pub(crate) made_from: Option<Provenance>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    File(PathBuf),
    Directory { dir: PathBuf, before: String, after: String },
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes its own files and threads")]

    use super::*;

    #[test]
    fn what_a_path_means() {
        let os = Os::default();
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| Target::new(dir.path().join(name)).resolve(&os);
        assert!(matches!(at("new/part-*.jsonl.zst").unwrap().kind, Kind::Directory { .. }));
        assert_eq!(at("a.jsonl.gz").unwrap().codec, Codec::Gzip);
        assert_eq!(at("*-*").unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(Target::new("part-*").resolve(&os).unwrap_err().kind(), ErrorKind::Usage);
        // The directory exists and is empty, then it is not.
        assert!(at("part-*.jsonl").is_ok());
        std::fs::write(dir.path().join("x"), "").unwrap();
        assert_eq!(at("part-*.jsonl").unwrap_err().kind(), ErrorKind::OutputExists);
        assert_eq!(at("x").unwrap_err().kind(), ErrorKind::OutputExists);
        assert!(Target::new(dir.path().join("x")).overwrite().resolve(&os).is_ok());
    }

    #[test]
    fn what_a_path_means_for_partitions() {
        let os = Os::default();
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| Target::new(dir.path().join(name)).resolve_partitioned(&os);
        for (name, codec) in [("new", Codec::Plain), ("2026.01/", Codec::Plain), ("new/p-*.zst", Codec::Zstd)] {
            let resolved = at(name).unwrap();
            let Kind::Directory { dir: target, .. } = resolved.kind else { panic!("{name}") };
            assert_eq!((target.parent(), resolved.codec), (Some(dir.path()), codec), "{name}");
        }
        for name in ["a.jsonl", "a.gz", "b/c.zst", "*/a"] {
            assert_eq!(at(name).unwrap_err().kind(), ErrorKind::Usage, "{name}");
        }
        std::fs::write(dir.path().join("x"), "").unwrap();
        assert_eq!(at("x").unwrap_err().kind(), ErrorKind::OutputExists);
    }
}
