//! What a target's path means, looked at before any work is done.

use std::path::{Path, PathBuf};

use crate::engine::Provenance;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::os::Os;

use super::codec::Codec;
use super::target::Target;

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

/// Extensions that promise what is not written.
const UNWRITTEN: [&str; 10] = ["7z", "z", "br", "bz2", "gzip", "lz4", "lzma", "xz", "zip", "zstd"];

impl Target {
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
            return wrong(
                ErrorKind::Usage,
                "expected a file name in UTF-8, or a directory with a `part-*.jsonl` pattern",
            );
        };
        if self.path.parent().is_some_and(|dir| dir.to_string_lossy().contains('*')) {
            return wrong(ErrorKind::Usage, "expected `*` in the file name only");
        }
        if self.path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return wrong(
                ErrorKind::Usage,
                "expected the name of a file, or DIR/part-*.jsonl for shards in a directory",
            );
        }
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if UNWRITTEN.iter().any(|unwritten| unwritten.eq_ignore_ascii_case(extension)) {
            let text = format!("expected a name that ends in .gz or .zst, or a plain one: .{extension} is not written");
            return wrong(ErrorKind::Usage, &text);
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
                Some(dir) if dir.file_name().is_some() => {
                    Kind::Directory { dir: dir.to_owned(), before: before.to_owned(), after: after.to_owned() }
                }
                _ => {
                    let text = "expected a directory with a name before the pattern: it is written whole";
                    return wrong(ErrorKind::Usage, text);
                }
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
            Kind::Directory { .. } if taken.is_some() && !directory => {
                let text = "expected a directory to write shards into: this is none";
                return Err(Error::new(ErrorKind::OutputExists, text).at(place(target)));
            }
            _ => {}
        }
        if let Some(taken) = taken
            && !self.overwrite
        {
            // Only a directory itself makes room for another.
            let empty = taken.dir && os.list(target).map_err(|error| Error::io(target, "list", error))?.is_empty();
            if !empty {
                let text = "the target exists: overwriting it was not asked for";
                return Err(Error::new(ErrorKind::OutputExists, text).at(place(target)));
            }
        }
        let Target { overwrite, shard_size, partitions, .. } = *self;
        Ok(Resolved { kind, codec, overwrite, shard_size, partitions, made_from: self.made_from.clone() })
    }
}

fn place(path: &Path) -> Place {
    Place { path: path.to_string_lossy().into_owned(), ..Place::default() }
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
        for nameless in ["part-*", "./part-*", "../part-*", "/part-*"] {
            assert_eq!(Target::new(nameless).resolve(&os).unwrap_err().kind(), ErrorKind::Usage, "{nameless}");
        }
        for wrong in ["dir/", "a.jsonl.bz2", "dir/p-*.zstd"] {
            assert_eq!(at(wrong).unwrap_err().kind(), ErrorKind::Usage, "{wrong}");
        }
        // The directory exists and is empty, then it is not.
        assert!(at("part-*.jsonl").is_ok());
        std::fs::write(dir.path().join("x"), "").unwrap();
        assert_eq!(at("part-*.jsonl").unwrap_err().kind(), ErrorKind::OutputExists);
        assert_eq!(at("x").unwrap_err().kind(), ErrorKind::OutputExists);
        assert!(Target::new(dir.path().join("x")).overwrite().resolve(&os).is_ok());
        #[cfg(unix)]
        {
            std::fs::create_dir(dir.path().join("empty")).unwrap();
            std::os::unix::fs::symlink("empty", dir.path().join("link")).unwrap();
            assert_eq!(at("link/p-*").unwrap_err().kind(), ErrorKind::OutputExists);
        }
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
