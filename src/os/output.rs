//! Outputs: files and directories that get their names when they are complete.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Os;

/// A file that is written from its start to its end.
#[derive(Debug)]
pub(crate) struct Out(std::fs::File);

impl Out {
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Makes its bytes durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

/// An output file that has no visible name until [`Commit::commit`]; dropped before, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Commit {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Commit {
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_file_mut().write_all(bytes)
    }

    /// Makes the bytes durable, then gives the file its name: the name shows the whole file or nothing.
    /// Without `replace` a name that was taken meanwhile is an `AlreadyExists` error.
    pub(crate) fn commit(self, replace: bool) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        let persisted = if replace { self.file.persist(&self.path) } else { self.file.persist_noclobber(&self.path) };
        persisted.map_err(|failed| failed.error)?;
        sync_dir(parent(&self.path))
    }
}

/// A hidden directory beside its target, renamed to it when complete; dropped before, it is removed with all in it.
#[derive(Debug)]
pub(crate) struct StageDir {
    dir: tempfile::TempDir,
    target: PathBuf,
}

impl StageDir {
    /// Creates a file in the stage.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn create(&self, name: &str) -> io::Result<Out> {
        std::fs::File::create_new(self.dir.path().join(name)).map(Out)
    }

    /// Creates a directory in the stage, which must not be there.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn create_dir(&self, name: &str) -> io::Result<()> {
        std::fs::create_dir(self.dir.path().join(name))
    }

    /// Makes the names in a directory of the stage durable.
    pub(crate) fn sync(&self, name: &str) -> io::Result<()> {
        sync_dir(&self.dir.path().join(name))
    }

    /// Gives the directory its name. Its files must have been synced by their writers. With `replace`, what stood
    /// there is moved aside first and removed after; without it the target must be absent or an empty directory.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn commit(self, replace: bool) -> io::Result<()> {
        sync_dir(self.dir.path())?;
        let beside = parent(&self.target);
        if replace && self.target.symlink_metadata().is_ok() {
            // Where the kernel can swap two names there is no moment without a target; the old tree is then under
            // the stage's name and goes with it.
            #[cfg(target_os = "linux")]
            {
                use rustix::fs::{CWD, RenameFlags, renameat_with};
                match renameat_with(CWD, self.dir.path(), CWD, &self.target, RenameFlags::EXCHANGE) {
                    Ok(()) => {
                        sync_dir(beside)?;
                        return self.dir.close();
                    }
                    Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let aside = tempfile::Builder::new().prefix(".kitbag-old-").tempdir_in(beside)?;
            std::fs::rename(&self.target, aside.path().join("old"))?;
            std::fs::rename(self.dir.keep(), &self.target)?;
            sync_dir(beside)?;
            return aside.close();
        }
        // A rename onto an empty directory replaces it; onto anything else it fails.
        std::fs::rename(self.dir.path(), &self.target)?;
        let _ = self.dir.keep();
        sync_dir(beside)
    }
}

/// The directory that holds a path's last name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

impl Os {
    /// Starts an output file that will be named `path`; its directory is created if it is missing.
    pub(crate) fn create(&self, path: &Path) -> io::Result<Commit> {
        self.make_dir(parent(path))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".kitbag-");
        #[cfg(unix)]
        {
            // The final file gets the permissions an ordinary new file would: the umask still applies.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        Ok(Commit { file: builder.tempfile_in(parent(path))?, path: path.to_owned() })
    }

    /// Starts an output directory that will be named `target`.
    pub(crate) fn stage_dir(&self, target: &Path) -> io::Result<StageDir> {
        self.make_dir(parent(target))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".kitbag-stage-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o777));
        }
        Ok(StageDir { dir: builder.tempdir_in(parent(target))?, target: target.to_owned() })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)
    }
}
