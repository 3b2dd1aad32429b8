//! Names and directories: what is at a path, what is in a folder.

use std::io;
use std::path::{Path, PathBuf};

use super::Os;
use super::faults::Op;

/// One name in a directory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) name: std::ffi::OsString,
}

/// A file's identity (device and inode), so that a file reached by two names is read once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId(u64, u64);

/// What is at a path, links followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) dir: bool,
    /// A regular file: has a size, can be read at any offset and read again.
    pub(crate) regular: bool,
    pub(crate) len: u64,
    /// When it was changed last, in nanoseconds since 1970; none where the file system does not tell.
    pub(crate) modified: Option<i64>,
    pub(crate) id: FileId,
}

impl From<std::fs::Metadata> for Meta {
    fn from(meta: std::fs::Metadata) -> Meta {
        #[cfg(unix)]
        let id = {
            use std::os::unix::fs::MetadataExt;
            FileId(meta.dev(), meta.ino())
        };
        #[cfg(not(unix))]
        let id = FileId(0, 0);
        let modified = meta.modified().ok().and_then(|time| {
            let nanos = |span: std::time::Duration| i64::try_from(span.as_nanos()).ok();
            match time.duration_since(std::time::UNIX_EPOCH) {
                Ok(since) => nanos(since),
                Err(before) => nanos(before.duration()).map(|nanos| -nanos),
            }
        });
        Meta { dir: meta.is_dir(), regular: meta.is_file(), len: meta.len(), modified, id }
    }
}

impl Os {
    /// What is at a path, links followed.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn meta(&self, path: &Path) -> io::Result<Meta> {
        self.faults.at(Op::Look)?;
        std::fs::metadata(path).map(Meta::from)
    }

    /// The path without links, for comparing where paths lead.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn real(&self, path: &Path) -> io::Result<PathBuf> {
        self.faults.at(Op::Look)?;
        std::fs::canonicalize(path)
    }

    /// What has a name, if it is taken: a link is that, wherever it leads, and neither a file nor a directory.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn taken(&self, path: &Path) -> io::Result<Option<Meta>> {
        self.faults.at(Op::Look)?;
        match std::fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(meta.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in a directory, in no order.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.faults.at(Op::Look)?;
        std::fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| Entry { path: entry.path(), name: entry.file_name() }))
            .collect()
    }
}
