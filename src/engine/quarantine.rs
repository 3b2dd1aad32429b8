//! The file that a run writes its bad records to, if its policy names one.

use crate::os::sync::{Mutex, MutexGuard, PoisonError};
use std::path::PathBuf;

use crate::config::BadRecords;
use crate::error::{Error, Result};
use crate::os::{Os, Out};

#[derive(Debug)]
pub(crate) struct Quarantine(Option<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    file: Out,
    path: PathBuf,
    /// What an earlier run left in the file is gone. A run that is refused before it reads anything must not lose it.
    emptied: bool,
}

impl Open {
    fn begin(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.emptied, true) {
            self.file.empty().map_err(|error| Error::io(&self.path, "write", error))?;
        }
        Ok(())
    }
}

impl Quarantine {
    /// Opens the file, and leaves what is in it.
    pub(super) fn open(os: &Os, policy: &BadRecords) -> Result<Quarantine> {
        let BadRecords::Quarantine(path) = policy else { return Ok(Quarantine(None)) };
        let file = os.open_private(path).map_err(|error| Error::io(path, "create", error))?;
        Ok(Quarantine(Some(Mutex::new(Open { file, path: path.clone(), emptied: false }))))
    }

    /// A source begins to read: from now on the file is this run's.
    pub(super) fn begin(&self) -> Result<()> {
        self.lock().map_or(Ok(()), |mut open| open.begin())
    }

    pub(super) fn write(&self, lines: &[u8]) -> Result<()> {
        let Some(mut open) = self.lock() else { return Ok(()) };
        open.file.write_all(lines).map_err(|error| Error::io(&open.path, "write", error))
    }

    /// Makes what was written durable. Pipes and devices keep nothing.
    pub(super) fn sync(&self) -> Result<()> {
        let Some(mut open) = self.lock() else { return Ok(()) };
        open.begin()?;
        match open.file.sync() {
            Err(error) if error.kind() != std::io::ErrorKind::InvalidInput => {
                Err(Error::io(&open.path, "write", error))
            }
            _ => Ok(()),
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Open>> {
        self.0.as_ref().map(|open| open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
