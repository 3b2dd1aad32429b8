//! Open files: inputs, spill files that have no name, and outputs that get theirs when they are complete.

use std::io::{self, Read, Write};
#[cfg(any(feature = "libdeflate", not(unix)))]
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Os;

/// An open file, or standard input.
#[derive(Debug)]
pub(crate) enum File {
    Disk(std::fs::File),
    Stdin(io::Stdin),
}

impl File {
    /// Reads up to `buf.len()` bytes; 0 is the end. Interrupted calls are repeated.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                File::Disk(file) => file.read(buf),
                // Past the buffer of the standard library: what waits there is not seen by `ready`.
                #[cfg(unix)]
                File::Stdin(stdin) => rustix::io::read(stdin, &mut *buf).map_err(io::Error::from),
                #[cfg(not(unix))]
                File::Stdin(stdin) => stdin.lock().read(buf),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Whether a read would return (data, or the end) within so many milliseconds. Regular files always do.
    pub(crate) fn ready(&self, millis: u32) -> bool {
        #[cfg(unix)]
        {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let mut fds = match self {
                File::Disk(file) => [PollFd::new(file, PollFlags::IN)],
                File::Stdin(stdin) => [PollFd::new(stdin, PollFlags::IN)],
            };
            let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(millis.min(999)) * 1_000_000 };
            !matches!(poll(&mut fds, Some(&limit)), Ok(0))
        }
        #[cfg(not(unix))]
        {
            let _ = millis;
            true
        }
    }

    /// Reads at an offset, without moving any position; may return less than asked; 0 is the end.
    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            File::Disk(file) => loop {
                match std::os::unix::fs::FileExt::read_at(file, buf, offset) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => return other,
                }
            },
            #[cfg(not(unix))]
            File::Disk(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(offset))?;
                file.read(buf)
            }
            File::Stdin(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "standard input has no offsets")),
        }
    }

    /// Writes all of `buf` at an offset.
    pub(crate) fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        match self {
            #[cfg(unix)]
            File::Disk(file) => std::os::unix::fs::FileExt::write_all_at(file, buf, offset),
            #[cfg(not(unix))]
            File::Disk(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(offset))?;
                file.write_all(buf)
            }
            File::Stdin(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "standard input is not written")),
        }
    }

    #[cfg(feature = "libdeflate")]
    pub(crate) fn seek(&mut self, offset: u64) -> io::Result<()> {
        match self {
            File::Disk(file) => file.seek(SeekFrom::Start(offset)).map(|_| ()),
            File::Stdin(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "standard input has no offsets")),
        }
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
    pub(crate) fn create(&self, name: &str) -> io::Result<std::fs::File> {
        std::fs::File::create_new(self.dir.path().join(name))
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
    /// Opens a file for reading; one that is known to be `regular` at the cost of a single call.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn open(&self, path: &Path, regular: bool) -> io::Result<File> {
        #[cfg(unix)]
        {
            use rustix::fs::OFlags;
            // Opening a pipe would wait for its writer, where no cancellation is seen; reading waits by `ready`.
            let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
            let mut options = std::fs::OpenOptions::new();
            let file = std::os::unix::fs::OpenOptionsExt::custom_flags(options.read(true), flags).open(path)?;
            // To a regular file the flag means nothing.
            if !regular {
                rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
            }
            Ok(File::Disk(file))
        }
        #[cfg(not(unix))]
        {
            let _ = regular;
            std::fs::File::open(path).map(File::Disk)
        }
    }

    /// Standard input.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn stdin(&self) -> File {
        File::Stdin(io::stdin())
    }

    /// Creates or empties a file that only its owner may read.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn create_private(&self, path: &Path) -> io::Result<std::fs::File> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    /// The system's directory for temporary files.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn temp_dir(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// A file without a name in `dir` (the system's temporary directory if none): its space is given back when it is
    /// closed, whatever ends the process. Readable by its owner only.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn unnamed(&self, dir: Option<&Path>) -> io::Result<File> {
        match dir {
            Some(dir) => tempfile::tempfile_in(dir),
            None => tempfile::tempfile(),
        }
        .map(File::Disk)
    }

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
