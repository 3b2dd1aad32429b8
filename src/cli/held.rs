//! Text that is held until all of it is there: in memory, then in a file without a name.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use kitbag::escape;
use tempfile::SpooledTempFile;

use super::exit::Unwritten;

/// The text, from its start, and what can be said of it where it cannot be held.
pub(super) struct HeldText {
    text: SpooledTempFile,
    dir: PathBuf,
    written: u64,
}

impl HeldText {
    /// Up to so many bytes are in memory, more in this directory.
    pub(super) fn new(most: usize, dir: PathBuf) -> HeldText {
        HeldText { text: tempfile::spooled_tempfile_in(most, &dir), dir, written: 0 }
    }

    /// What the disk refuses, with where and how much there is; no space is a limit.
    fn told(&self, error: io::Error) -> io::Error {
        let (dir, written) = (escape(self.dir.as_os_str().as_encoded_bytes(), usize::MAX), self.written);
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                let text = format!("no space left: {written} bytes of this run are to be there: {error}");
                Unwritten::NoRoom(format!("temporary directory {dir}: {text}")).into()
            }
            io::ErrorKind::Interrupted => error,
            _ => Unwritten::Failed(format!("temporary directory {dir}: cannot hold text: {error}")).into(),
        }
    }
}

impl Write for HeldText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.text.write(bytes).map_err(|error| self.told(error))?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.text.flush().map_err(|error| self.told(error))
    }
}

impl Read for HeldText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.text.read(into).map_err(|error| self.told(error))
    }
}

impl Seek for HeldText {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.text.seek(to).map_err(|error| self.told(error))
    }
}
