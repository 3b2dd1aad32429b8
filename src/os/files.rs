//! Open files: inputs, and spill files that have no name.

#[cfg(not(unix))]
use std::io::Write;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Os;
use super::faults::{Faults, Op};
use super::tree::Meta;

/// An open file, or standard input.
#[derive(Debug)]
pub(crate) struct File {
    open: Open,
    faults: Faults,
}

#[derive(Debug)]
enum Open {
    Disk(std::fs::File),
    Stdin(io::Stdin),
}

impl File {
    /// Reads up to `buf.len()` bytes; 0 is the end. Interrupted calls are repeated.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.faults.at(Op::Read)?;
        let most = self.faults.most(Op::Read, buf.len());
        let buf = &mut buf[..most];
        loop {
            let read = match &mut self.open {
                Open::Disk(file) => file.read(buf),
                // Past the buffer of the standard library: what waits there is not seen by `ready`.
                #[cfg(unix)]
                Open::Stdin(stdin) => rustix::io::read(stdin, &mut *buf).map_err(io::Error::from),
                #[cfg(not(unix))]
                Open::Stdin(stdin) => stdin.lock().read(buf),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// What it is, whatever is at its path by now.
    pub(crate) fn meta(&self) -> io::Result<Meta> {
        self.faults.at(Op::Look)?;
        match &self.open {
            Open::Disk(file) => file.metadata().map(Meta::from),
            Open::Stdin(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "standard input has no size")),
        }
    }

    /// Whether a read would return (data, or the end) within so many milliseconds. Regular files always do.
    pub(crate) fn ready(&self, millis: u32) -> bool {
        #[cfg(unix)]
        {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let mut fds = match &self.open {
                Open::Disk(file) => [PollFd::new(file, PollFlags::IN)],
                Open::Stdin(stdin) => [PollFd::new(stdin, PollFlags::IN)],
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
        self.faults.at(Op::Read)?;
        let most = self.faults.most(Op::Read, buf.len());
        let buf = &mut buf[..most];
        match &self.open {
            #[cfg(unix)]
            Open::Disk(file) => loop {
                match std::os::unix::fs::FileExt::read_at(file, buf, offset) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => return other,
                }
            },
            #[cfg(not(unix))]
            Open::Disk(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(offset))?;
                file.read(buf)
            }
            Open::Stdin(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "standard input has no offsets")),
        }
    }

    /// Writes all of `buf` at an offset.
    pub(crate) fn write_all_at(&self, mut buf: &[u8], mut offset: u64) -> io::Result<()> {
        while !buf.is_empty() {
            self.faults.at(Op::Write)?;
            match self.write_at(&buf[..self.faults.most(Op::Write, buf.len())], offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    buf = &buf[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        match &self.open {
            #[cfg(unix)]
            Open::Disk(file) => std::os::unix::fs::FileExt::write_at(file, buf, offset),
            #[cfg(not(unix))]
            Open::Disk(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(offset))?;
                file.write(buf)
            }
            Open::Stdin(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "standard input is not written")),
        }
    }

    pub(crate) fn seek(&mut self, offset: u64) -> io::Result<()> {
        match &mut self.open {
            Open::Disk(file) => file.seek(SeekFrom::Start(offset)).map(|_| ()),
            Open::Stdin(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "standard input has no offsets")),
        }
    }
}

impl Os {
    /// Opens a file for reading; one that is known to be `regular` at the cost of a single call.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn open(&self, path: &Path, regular: bool) -> io::Result<File> {
        self.faults.at(Op::Open)?;
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
            Ok(self.file(Open::Disk(file)))
        }
        #[cfg(not(unix))]
        {
            let _ = regular;
            std::fs::File::open(path).map(|file| self.file(Open::Disk(file)))
        }
    }

    /// Standard input.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn stdin(&self) -> File {
        self.file(Open::Stdin(io::stdin()))
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
        self.faults.at(Op::Open)?;
        let file = match dir {
            Some(dir) => tempfile::tempfile_in(dir),
            None => tempfile::tempfile(),
        };
        file.map(|file| self.file(Open::Disk(file)))
    }

    fn file(&self, open: Open) -> File {
        File { open, faults: self.faults.clone() }
    }
}
