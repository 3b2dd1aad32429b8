//! What is wrong with an open shard: cut, replaced, damaged, or not to be read; and where.

use crate::error::{Error, ErrorKind, Place};

use super::decode::Damage;
use super::stream::Stream;

impl Stream {
    /// Whether the file ends where it should, now that there is nothing at this offset: it may have become longer, but what
    /// was there when it was listed must have come.
    pub(super) fn whole(&self, offset: u64) -> Result<(), Error> {
        let Some(listed) = self.listed.filter(|&listed| offset < listed) else { return Ok(()) };
        let now = self.file.meta().map_err(|error| self.unreadable(error))?;
        // Some files that a kernel makes up are shorter than their size.
        if now.len >= listed {
            return Ok(());
        }
        let text = format!("the file was cut while the run went on: it had {listed} bytes");
        Err(Error::new(ErrorKind::Io, text).at(Place { byte: Some(offset), ..self.place() }))
    }

    pub(super) fn unreadable(&self, error: std::io::Error) -> Error {
        Error::io(&self.path, "read", error)
    }

    pub(super) fn place(&self) -> Place {
        Place { path: self.path.to_string_lossy().into_owned(), byte: Some(self.offset), ..Place::default() }
    }

    pub(super) fn part_name(&self) -> String {
        let part = self.decoder.as_ref().map_or("file", |decoder| decoder.part());
        format!("{part} {}", self.parts + 1)
    }

    pub(super) fn truncated(&self) -> Error {
        let text = format!("expected the rest of {}: the compressed file ends in the middle of it", self.part_name());
        Error::new(ErrorKind::Truncated, text).at(self.place())
    }

    pub(super) fn damaged(&self, damage: Damage) -> Error {
        match damage {
            Damage::Corrupt(text) => {
                let text = format!("{text} in the compressed file, at {}", self.part_name());
                Error::new(ErrorKind::Corrupt, text).at(self.place())
            }
            Damage::Window => {
                let text = format!(
                    "{} asks for a window of more than 2^{} bytes, the most that the memory budget allows here",
                    self.part_name(),
                    self.window_log
                );
                Error::new(ErrorKind::Limit, text).at(self.place())
            }
        }
    }
}
