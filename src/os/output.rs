//! Outputs: files and directories that get their names when they are complete, and files that are there at once.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Os;
use super::faults::{Faults, Op};
use super::hidden::Hidden;

/// A file that is written from its start to its end.
#[derive(Debug)]
pub(crate) struct Out {
    file: std::fs::File,
    faults: Faults,
}

impl Out {
    pub(crate) fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.faults.at(Op::Write)?;
            match self.file.write(&bytes[..self.faults.most(Op::Write, bytes.len())]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes its bytes durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.faults.at(Op::Sync)?;
        self.file.sync_all()
    }

    /// Leaves nothing of what was in it before. Pipes and devices keep nothing.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        self.faults.at(Op::Write)?;
        if self.file.metadata()?.is_file() { self.file.set_len(0) } else { Ok(()) }
    }
}

/// An output file that has no visible name until [`Commit::commit`]; dropped before, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Commit {
    out: Out,
    hidden: Hidden,
    path: PathBuf,
}

impl Commit {
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Makes the bytes durable, then gives the file its name: the name shows the whole file or nothing.
    /// Without `replace` a name that was taken meanwhile is an `AlreadyExists` error.
    pub(crate) fn commit(mut self, replace: bool) -> io::Result<()> {
        self.out.sync()?;
        self.hidden.publish(&self.path, replace)
    }
}

/// A hidden directory beside its target, renamed to it when complete; dropped before, it is removed with all in it.
#[derive(Debug)]
pub(crate) struct StageDir {
    hidden: Hidden,
    target: PathBuf,
    faults: Faults,
}

impl StageDir {
    /// Creates a file in the stage.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn create(&self, name: &str) -> io::Result<Out> {
        self.faults.at(Op::Open)?;
        let file = std::fs::File::create_new(self.hidden.path().join(name))?;
        Ok(Out { file, faults: self.faults.clone() })
    }

    /// Creates a directory in the stage, which must not be there.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn create_dir(&self, name: &str) -> io::Result<()> {
        self.faults.at(Op::MakeDir)?;
        std::fs::create_dir(self.hidden.path().join(name))
    }

    /// Makes the names in a directory of the stage durable.
    pub(crate) fn sync(&self, name: &str) -> io::Result<()> {
        sync_dir(&self.hidden.path().join(name), &self.faults)
    }

    /// Gives the directory its name. Its files must have been synced by their writers. Without `replace` the target
    /// must be absent or an empty directory.
    pub(crate) fn commit(self, replace: bool) -> io::Result<()> {
        sync_dir(self.hidden.path(), &self.faults)?;
        self.hidden.publish(&self.target, replace)
    }
}

/// The directory that holds a path's last name.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(super) fn sync_dir(dir: &Path, faults: &Faults) -> io::Result<()> {
    faults.at(Op::Sync)?;
    if cfg!(unix) { std::fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

impl Os {
    /// Starts an output file that will be named `path`; its directory is created if it is missing.
    pub(crate) fn create(&self, path: &Path) -> io::Result<Commit> {
        self.make_dir(parent(path))?;
        let (file, hidden) = Hidden::file(parent(path), &self.faults)?;
        Ok(Commit { out: Out { file, faults: self.faults.clone() }, hidden, path: path.to_owned() })
    }

    /// Starts an output directory that will be named `target`.
    pub(crate) fn stage_dir(&self, target: &Path) -> io::Result<StageDir> {
        self.make_dir(parent(target))?;
        let hidden = Hidden::dir(parent(target), &self.faults)?;
        Ok(StageDir { hidden, target: target.to_owned(), faults: self.faults.clone() })
    }

    /// Opens a file that only its owner may read, to be written from its start; creates it if it is missing, and leaves
    /// what is in it.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn open_private(&self, path: &Path) -> io::Result<Out> {
        self.faults.at(Op::Open)?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        #[cfg(unix)]
        if file.metadata()?.is_file() {
            // It may have been there before, readable by others.
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(Out { file, faults: self.faults.clone() })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.faults.at(Op::MakeDir)?;
        std::fs::create_dir_all(dir)
    }
}
