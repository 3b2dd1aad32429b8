//! Standard output: what goes wrong there says that it was there, and a run that is cancelled does not wait for whoever
//! reads it.

use std::io::{self, IsTerminal as _, Write};

use kitbag::CancelToken;

use super::exit::Unwritten;

/// Standard output without a buffer: text comes in large pieces.
pub(super) struct Stdout {
    cancel: CancelToken,
    /// Whether writing may wait for somebody else.
    waits: bool,
}

impl Stdout {
    pub(super) fn new(cancel: &CancelToken) -> Stdout {
        Stdout { cancel: cancel.clone(), waits: waits() }
    }
}

/// Writes a text that is there as a whole.
pub(super) fn print(text: &[u8]) -> io::Result<()> {
    Stdout { cancel: CancelToken::new(), waits: false }.write_all(text)
}

#[cfg(unix)]
impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let out = io::stdout();
        loop {
            let written = match self.waits {
                false => rustix::io::write(&out, bytes),
                true => match self.some(&out, bytes) {
                    Ok(None) if self.cancel.is_cancelled() => return Err(Unwritten::Cancelled.into()),
                    Ok(None) => continue,
                    Ok(Some(written)) => Ok(written),
                    Err(error) => Err(error),
                },
            };
            match written {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(told(error.into())),
                Ok(written) => return Ok(written),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
impl Stdout {
    /// Writes what is taken without waiting; `None` if nothing was for a while.
    fn some(&self, out: &io::Stdout, bytes: &[u8]) -> rustix::io::Result<Option<usize>> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use rustix::io::Errno;
        match at_once(out, bytes) {
            Ok(written) => return Ok(Some(written)),
            Err(Errno::AGAIN) => {}
            // It does not know how. What can be written at all takes as much as a pipe takes in one piece.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::SPIPE) => {
                let ready = poll(&mut [PollFd::new(out, PollFlags::OUT)], Some(&PAUSE))? > 0;
                let piece = &bytes[..bytes.len().min(4096)];
                return if ready { rustix::io::write(out, piece).map(Some) } else { Ok(None) };
            }
            Err(error) => return Err(error),
        }
        const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        poll(&mut [PollFd::new(out, PollFlags::OUT)], Some(&PAUSE)).map(|_| None)
    }
}

/// Writes what can be written now.
#[cfg(target_os = "linux")]
fn at_once(out: &io::Stdout, bytes: &[u8]) -> rustix::io::Result<usize> {
    // At the place where the file is.
    rustix::io::pwritev2(out, &[io::IoSlice::new(bytes)], u64::MAX, rustix::io::ReadWriteFlags::NOWAIT)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn at_once(_: &io::Stdout, _: &[u8]) -> rustix::io::Result<usize> {
    Err(rustix::io::Errno::NOSYS)
}

/// Files and devices that hold or drop text take it at once.
#[cfg(unix)]
fn waits() -> bool {
    use rustix::fs::{FileType, fstat};
    let out = io::stdout();
    let kind = fstat(&out).map(|stat| FileType::from_raw_mode(stat.st_mode));
    out.is_terminal() || matches!(kind, Ok(FileType::Fifo | FileType::Socket))
}

#[cfg(not(unix))]
impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes).map_err(told)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush().map_err(told)
    }
}

#[cfg(not(unix))]
fn waits() -> bool {
    false
}

/// The error with where it was; that nobody reads any more stays what it is.
pub(super) fn told(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => error,
        _ => Unwritten::Failed(format!("standard output: cannot write: {error}")).into(),
    }
}
