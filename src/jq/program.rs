//! [`Program`]: a jq program, compiled once and run by any number of threads.

use super::lane::Lane;
use super::natives;
use super::piece::{Piece, Setting};
use super::value::Val;
use kitbag::JsonRef;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What functions that call themselves may take of the stack, if nothing else is said: threads have two MiB at least.
const STACK: usize = 1 << 20;

/// A compiled program.
pub(crate) struct Program {
    whole: Piece,
    lane: Option<Lane>,
    regexes: natives::Regexes,
    stack: usize,
    cancelled: Arc<AtomicBool>,
}

/// Whether the last output was true, and how the run ended.
pub(crate) type Printed = (Option<bool>, Result<(), Halt>);

/// Where modules come from: gives the text of a module by the path that `import` or `include` names.
pub(crate) type Modules = dyn Fn(&str) -> Result<String, String>;

/// The modules that a program may use. By default it may use none.
#[derive(Default)]
pub(crate) struct Libraries {
    pub(crate) modules: Option<Box<Modules>>,
}

/// Why a program does not compile: where, counted from 1, and what was expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CompileError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl CompileError {
    /// An error at a byte of the program.
    pub(super) fn at(text: &str, place: usize, message: impl Into<String>) -> CompileError {
        let before = text.get(..place).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        CompileError { line, column, message: message.into() }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// How a run ended that did not come to its end.
#[derive(Debug)]
pub(crate) enum Halt {
    /// An error that the program did not catch, by its value.
    Error(Val),
    /// The program called `halt` or `halt_error`.
    Exit { code: i32, message: Option<Val> },
    /// Reading a further input failed.
    Input(kitbag::Error),
}

/// What a running program sees of the world.
pub(crate) trait Inputs {
    /// The next input, for `input` and `inputs`; `None` at the end.
    fn next(&self) -> Option<Result<Val, kitbag::Error>> {
        None
    }
    /// The file of the latest input, for `input_filename`.
    fn file_name(&self) -> Option<String> {
        None
    }
    /// The number of lines read so far, for `input_line_number`.
    fn line_number(&self) -> u64 {
        0
    }
    /// Seconds since 1970, for `now`.
    fn now(&self) -> f64;
    /// Takes what `debug` reports.
    fn debug(&self, message: &Val);
    /// Takes what `stderr` prints.
    fn stderr(&self, value: &Val);
}

impl Program {
    /// Compiles a program. The globals are its variables, by names without the `$`.
    ///
    /// # Errors
    ///
    /// If the text is no program, or names what is not defined.
    pub(crate) fn compile(
        text: &str,
        globals: &[(String, Val)],
        libraries: &Libraries,
    ) -> Result<Program, CompileError> {
        let (whole, edited) = Piece::compile(text, Vec::new(), globals.to_vec(), libraries)?;
        let lane = Lane::compile(&edited, globals);
        Ok(Program { whole, lane, regexes: natives::Regexes::default(), stack: STACK, cancelled: Arc::default() })
    }

    /// Lets functions that call themselves take so much of a thread's stack, in bytes.
    pub(crate) fn stack(mut self, bytes: usize) -> Program {
        self.stack = bytes;
        self
    }

    /// Ends runs once this is raised, with an error that the program cannot catch.
    pub(crate) fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Program {
        self.cancelled = flag;
        self
    }

    /// Whether records are run on where they were read.
    pub(crate) fn has_lane(&self) -> bool {
        self.lane.is_some()
    }

    fn setting<'a>(&'a self, inputs: &'a dyn Inputs) -> Setting<'a> {
        Setting { inputs, regexes: &self.regexes, stack: self.stack, cancelled: &self.cancelled }
    }

    /// Runs the program on one value; `each` gets every output and may stop it.
    ///
    /// # Errors
    ///
    /// If the program fails or halts.
    pub(crate) fn run(
        &self,
        input: Val,
        inputs: &dyn Inputs,
        each: &mut dyn FnMut(Val) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        self.whole.run(std::iter::empty(), input, self.setting(inputs), each)
    }

    /// The same for a record where it was read.
    ///
    /// # Errors
    ///
    /// If the program fails or halts.
    pub(crate) fn run_on(
        &self,
        record: JsonRef<'_>,
        inputs: &dyn Inputs,
        each: &mut dyn FnMut(Val) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        match &self.lane {
            Some(lane) => lane.run(record, self.setting(inputs), each),
            None => self.run(Val::from_json(&record), inputs, each),
        }
    }

    /// Runs the program on a record and appends its outputs, a compact line each, strings as they are if `raw`; says
    /// whether the last one is true. `None` if this program has to be run by [`Program::run_on`].
    ///
    /// # Errors
    ///
    /// If the program fails or halts: what it gave before has been appended.
    pub(crate) fn print_on(
        &self,
        record: JsonRef<'_>,
        inputs: &dyn Inputs,
        raw: bool,
        text: &mut Vec<u8>,
    ) -> Option<Printed> {
        let lane = self.lane.as_ref()?;
        Some(lane.print(record, self.setting(inputs), raw, text))
    }
}
