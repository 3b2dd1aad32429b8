//! The one error type: a kind, a place that comes first in its text, what was expected, and a short escaped excerpt.

mod escape;

use std::error::Error as StdError;
use std::fmt;

pub use escape::escape;

/// The result of anything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is; decides exit codes and whether a policy may skip the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Wrong use: a setting, a path or a pattern that cannot be accepted.
    Usage,
    /// No file is at a path, or a pattern matches none.
    NotFound,
    /// The operating system refused access.
    PermissionDenied,
    /// Reading or writing failed.
    Io,
    /// A record is not what the reader expects (JSON syntax, UTF-8, a type).
    Record,
    /// Compressed data is damaged: bad checksum, bad code, garbage after a member.
    Corrupt,
    /// Compressed data ends before its member or frame does.
    Truncated,
    /// The file is in a format that is not read (bzip2, xz, zip, a pretty-printed document).
    Format,
    /// A limit was reached: memory, space on a disk, open files, threads, record size, depth, window.
    Limit,
    /// A closure of the caller returned an error.
    Closure,
    /// More records were left out than [`MaxErrors`](crate::MaxErrors) allows.
    TooManyErrors,
    /// A closure of the caller ended the run: see [`Error::stop`].
    Stopped,
    /// A closure of the caller panicked.
    Panic,
    /// The output target exists and overwriting was not asked for.
    OutputExists,
    /// The run was cancelled.
    Cancelled,
    /// A defect of this crate: a ledger that does not balance, a broken frame.
    Internal,
}

/// Where in the input something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The shard's path as the caller wrote it, or `<name>` for records that come from memory.
    pub path: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column in bytes, from 1.
    pub column: Option<u64>,
    /// The byte offset in the decompressed data (or in the compressed file, where the message says so), from 0.
    pub byte: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(self.path.as_bytes(), usize::MAX))?;
        match (self.line, self.column, self.byte) {
            (Some(line), Some(column), _) => write!(f, ":{line}:{column}"),
            (Some(line), None, _) => write!(f, ":{line}"),
            (None, _, Some(byte)) => write!(f, ": byte {byte}"),
            (None, _, None) => Ok(()),
        }
    }
}

/// An error of this crate. Its text starts with the place, where there is one:
/// `logs/part-3.jsonl.gz:1841:17: expected …`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    place: Option<Place>,
    message: String,
    stage: Option<String>,
    excerpt: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error without a place.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, place: None, message: message.into(), stage: None, excerpt: None, source: None }))
    }

    /// An I/O error on a path, with `doing` as what was tried (`"read"`, `"rename"`).
    pub(crate) fn io(path: &std::path::Path, doing: &str, source: std::io::Error) -> Error {
        let kind = match source.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::FileTooLarge
            | std::io::ErrorKind::OutOfMemory => ErrorKind::Limit,
            _ if too_many_open(&source) => ErrorKind::Limit,
            _ => ErrorKind::Io,
        };
        let place = Place { path: path.to_string_lossy().into_owned(), ..Place::default() };
        let remedy = match too_many_open(&source) {
            true => ": fewer threads, or a higher `ulimit -n`, would do",
            false => "",
        };
        Error::new(kind, format!("cannot {doing}: {source}{remedy}")).at(place).caused_by(source)
    }

    /// Whether it is the operating system that refused something. That is no bad record, so no policy leaves it out.
    pub(crate) fn is_of_the_system(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Io | ErrorKind::NotFound | ErrorKind::PermissionDenied)
            || self.0.source.as_ref().is_some_and(|source| source.is::<std::io::Error>())
    }

    /// A defect of this crate that was noticed before it could do harm.
    pub(crate) fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, format!("internal error: {}", message.into()))
    }

    /// The same error once more, without its cause: for one that is noticed by a reader and reported by a worker.
    pub(crate) fn again(&self) -> Error {
        let Inner { kind, place, message, stage, excerpt, source: _ } = &*self.0;
        let (place, message, stage) = (place.clone(), message.clone(), stage.clone());
        Error(Box::new(Inner { kind: *kind, place, message, stage, excerpt: excerpt.clone(), source: None }))
    }

    /// The same error with another kind and text; place and cause stay.
    pub(crate) fn replaced(mut self, kind: ErrorKind, message: &str) -> Error {
        (self.0.kind, self.0.message) = (kind, message.to_owned());
        self
    }

    pub(crate) fn at(mut self, place: Place) -> Error {
        self.0.place = Some(place);
        self
    }

    pub(crate) fn cancelled() -> Error {
        Error::new(ErrorKind::Cancelled, "the run was cancelled")
    }

    pub(crate) fn in_stage(mut self, stage: impl Into<String>) -> Error {
        self.0.stage = Some(stage.into());
        self
    }

    /// Adds the start of the offending text, escaped and cut to 80 bytes of source.
    pub(crate) fn with_excerpt(mut self, text: &[u8]) -> Error {
        self.0.excerpt = Some(escape(text, 80));
        self
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// An error by which a closure (`try_map`, `write_with`, …) ends the run at its record, whatever the policy for bad
    /// records is. It comes back with the record's place, of kind [`ErrorKind::Stopped`], with `cause` as its source. The
    /// earliest in record order wins, as with any error.
    ///
    /// ```
    /// # use kitbag::{BadRecords, Bag, Config, Error, ErrorKind};
    /// let checked = Bag::range(0..10).with(Config::new().bad_records(BadRecords::Skip));
    /// let checked = checked.try_map(|n| if n < 3 { Ok(n) } else { Err(Error::stop(format!("{n} is too much"))) });
    /// let error = checked.collect().unwrap_err();
    /// assert_eq!((error.kind(), error.message()), (ErrorKind::Stopped, "3 is too much"));
    /// ```
    pub fn stop(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        let cause = cause.into();
        Error::new(ErrorKind::Stopped, escape(cause.to_string().as_bytes(), 400)).caused_by(cause)
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it happened, if it happened at a place in the input or output.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// What was expected or what failed, without place, stage and excerpt.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The stage of the plan in which it happened.
    pub fn stage(&self) -> Option<&str> {
        self.0.stage.as_deref()
    }
}

/// Whether the process, or the system, has as many files open as it may (EMFILE and ENFILE, which have no kind).
fn too_many_open(error: &std::io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.0.place.as_ref().map(ToString::to_string).filter(|place| !place.is_empty()) {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(stage) = &self.0.stage {
            write!(f, " (stage {stage})")?;
        }
        if let Some(excerpt) = &self.0.excerpt {
            write!(f, ": `{excerpt}`")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_comes_first() {
        let place = Place { path: "a/b.jsonl".into(), line: Some(3), column: Some(17), byte: Some(99) };
        let error = Error::new(ErrorKind::Record, "expected `,`")
            .at(place)
            .in_stage("read_json")
            .with_excerpt(b"{\"a\" 1}\x1b[2J");
        assert_eq!(error.to_string(), "a/b.jsonl:3:17: expected `,` (stage read_json): `{\"a\" 1}\\u{1b}[2J`");
    }
}
