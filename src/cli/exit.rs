//! Why a command ends early: what is said, and the exit code.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write};

use kitbag::{ErrorKind, escape};

use crate::jq::slurp::{Raised, TooMuch};
use crate::jq::{CompileError, Halt, Val};

use super::world;

/// Wrong use, input that cannot be read, output that cannot be written.
pub(crate) const USAGE: u8 = 2;
/// The program does not compile.
pub(crate) const COMPILE: u8 = 3;
/// The program failed on a record.
pub(crate) const PROGRAM: u8 = 5;
/// A limit was reached.
pub(crate) const LIMIT: u8 = 6;
/// A defect of this program.
pub(crate) const DEFECT: u8 = 70;
/// Whoever read standard output is gone, as of a program that SIGPIPE ends.
pub(crate) const CLOSED: u8 = 141;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the command line asks for cannot be done.
    Usage(String),
    /// Input that is not what was expected, with its place.
    Input(String),
    /// More than fits is held.
    Limit(String),
    Compile(CompileError),
    /// The program's error, where no record is at fault.
    Program(String),
    /// The program's error, behind the place of its record.
    AtRecord(String),
    /// A signal came.
    Cancelled,
    /// `halt` and `halt_error`.
    Halted {
        code: u8,
        message: Vec<u8>,
    },
    Library(kitbag::Error),
}

impl Failure {
    /// Where a signal came, what failed by it or beside it is not told.
    pub(crate) fn of_signal(self, signal: Option<u8>) -> Failure {
        match (signal, &self) {
            (None, _) | (_, Failure::Halted { .. }) => self,
            (_, Failure::Library(error)) if is_closed(error) => self,
            _ => Failure::Cancelled,
        }
    }

    /// The exit code; `signal` is the one that has cancelled the run.
    pub(crate) fn code(&self, signal: Option<u8>) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Input(_) => USAGE,
            Failure::Limit(_) => LIMIT,
            Failure::Compile(_) => COMPILE,
            Failure::Program(_) | Failure::AtRecord(_) => PROGRAM,
            Failure::Cancelled => signal.map_or(DEFECT, |signal| 128 + signal),
            Failure::Halted { code, .. } => *code,
            Failure::Library(error) if is_closed(error) => CLOSED,
            Failure::Library(error) => match error.kind() {
                ErrorKind::Closure => PROGRAM,
                ErrorKind::Limit => LIMIT,
                ErrorKind::Panic | ErrorKind::Internal => DEFECT,
                ErrorKind::Cancelled => signal.map_or(DEFECT, |signal| 128 + signal),
                _ => USAGE,
            },
        }
    }

    /// Says it on standard error, in one piece: the place first, if there is one.
    pub(crate) fn say(&self) {
        let text = match self {
            Failure::Usage(text) | Failure::Limit(text) | Failure::Program(text) => format!("kitbag: {text}\n"),
            Failure::Input(text) | Failure::AtRecord(text) => format!("{text}\n"),
            Failure::Compile(error) => format!("kitbag: {error}\n"),
            Failure::Cancelled => return,
            Failure::Halted { message, .. } => {
                // If nobody listens there is nobody to tell that.
                let _ = io::stderr().lock().write_all(message);
                return;
            }
            // The usual end of `kitbag … | head`, and of control-C.
            Failure::Library(error) if is_closed(error) || error.kind() == ErrorKind::Cancelled => return,
            Failure::Library(error) => match (error.kind(), error.place().filter(|place| !place.path.is_empty())) {
                // Of the program's own error only the record's place is ours.
                (ErrorKind::Closure, Some(place)) => format!("{place}: {}\n", error.message()),
                (ErrorKind::Format, Some(_)) if error.message().contains("over several lines") => {
                    format!("{error}; --values reads values on any lines\n")
                }
                (_, Some(_)) => format!("{error}\n"),
                (_, None) => format!("kitbag: {error}\n"),
            },
        };
        world::say(&text);
    }
}

/// Why text went nowhere, told by where it should have gone; travels in an [`io::Error`].
#[derive(Clone, Debug)]
pub(super) enum Unwritten {
    /// The run was cancelled while nobody took it.
    Cancelled,
    NoRoom(String),
    Failed(String),
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unwritten::Cancelled => f.write_str("the run was cancelled"),
            Unwritten::NoRoom(text) | Unwritten::Failed(text) => f.write_str(text),
        }
    }
}

impl StdError for Unwritten {}

impl From<Unwritten> for io::Error {
    fn from(why: Unwritten) -> io::Error {
        io::Error::other(why)
    }
}

impl From<Unwritten> for Failure {
    fn from(why: Unwritten) -> Failure {
        match why {
            Unwritten::Cancelled => Failure::Cancelled,
            Unwritten::NoRoom(text) => Failure::Limit(text),
            Unwritten::Failed(text) => Failure::Usage(text),
        }
    }
}

/// The reason in an error, if it has one.
fn unwritten(error: &io::Error) -> Option<Unwritten> {
    error.get_ref()?.downcast_ref::<Unwritten>().cloned()
}

impl From<kitbag::Error> for Failure {
    fn from(error: kitbag::Error) -> Failure {
        if let Some(why) = error.source().and_then(|source| source.downcast_ref()).and_then(unwritten) {
            return why.into();
        }
        if let Some(Raised(value)) = error.source().and_then(|source| source.downcast_ref()) {
            let text = escape(message_of(value).as_bytes(), usize::MAX);
            return match error.place().filter(|place| !place.path.is_empty()) {
                Some(place) => Failure::AtRecord(format!("{place}: {text}")),
                None => Failure::Program(text),
            };
        }
        if let Some(limit @ TooMuch(_)) = error.source().and_then(|source| source.downcast_ref()) {
            return Failure::Limit(limit.to_string());
        }
        match error.source().and_then(|source| source.downcast_ref::<Halted>()) {
            Some(Halted { code, message }) => Failure::Halted { code: *code, message: message.clone() },
            None => Failure::Library(error),
        }
    }
}

impl From<io::Error> for Failure {
    /// From writers and readers of the library, whose errors hold its own, and from standard output.
    fn from(error: io::Error) -> Failure {
        match error.downcast::<kitbag::Error>() {
            Ok(error) => error.into(),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Failure::Halted { code: CLOSED, message: Vec::new() }
            }
            Err(error) => match unwritten(&error) {
                Some(why) => why.into(),
                None => Failure::Usage(format!("cannot write: {error}")),
            },
        }
    }
}

impl From<CompileError> for Failure {
    fn from(error: CompileError) -> Failure {
        Failure::Compile(error)
    }
}

impl From<Halt> for Failure {
    fn from(halt: Halt) -> Failure {
        match halt {
            Halt::Error(value) => Failure::Program(escape(message_of(&value).as_bytes(), usize::MAX)),
            Halt::Exit { code, message } => Failure::Halted { code: exit_code(code), message: last_words(message) },
            Halt::Input(error) => error.into(),
        }
    }
}

/// Whether the error is that nobody reads standard output any more.
fn is_closed(error: &kitbag::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    error.place().is_none() && source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}

/// The text of an error value, as jq tells it.
fn message_of(value: &Val) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => format!("(not a string): {}", value.to_json()),
    }
}

/// What a program that halts leaves behind, on its way out of a run of the library.
#[derive(Debug)]
pub(super) struct Halted {
    pub(super) code: u8,
    pub(super) message: Vec<u8>,
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program halted with {}", self.code)
    }
}

impl StdError for Halted {}

/// What happened to a record, as the closure of a run says it: the program's error, or an end that no policy changes.
pub(super) fn refusal(halt: Halt) -> Box<dyn StdError + Send + Sync> {
    match halt {
        Halt::Error(value) => message_of(&value).into(),
        Halt::Exit { code, message } => {
            kitbag::Error::stop(Halted { code: exit_code(code), message: last_words(message) }).into()
        }
        Halt::Input(error) => error.into(),
    }
}

/// An exit code is what of it fits a byte.
fn exit_code(code: i32) -> u8 {
    code.to_le_bytes()[0]
}

/// What `halt_error` prints: a string as it is, anything else as JSON on a line.
fn last_words(message: Option<Val>) -> Vec<u8> {
    match message {
        None => Vec::new(),
        Some(value) => match value.as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => (value.to_json() + "\n").into_bytes(),
        },
    }
}
