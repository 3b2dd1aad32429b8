//! Open files: inputs, and spill files that have no name.

#[cfg(not(unix))]
use std::io::Write;
use std::io::{self, Read};
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
}
