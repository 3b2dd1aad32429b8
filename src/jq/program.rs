//! [`Program`]: a jq program, compiled once and run by any number of threads.

use super::fault::error;
use super::value::Val;
use super::{compile, natives};
use jaq_core::data::{DataT, HasLut};
use jaq_core::{Ctx, Exn, Filter, Lut, Vars};
use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;

/// What functions that call themselves may take of the stack, if nothing else is said: threads have two MiB at least.
const STACK: usize = 1 << 20;

/// A compiled program.
pub(crate) struct Program {
    filter: Filter<Kit>,
    globals: Vec<Val>,
    regexes: natives::Regexes,
    stack: usize,
}

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

/// Ties our values and what a run needs to jaq's interpreter.
pub(super) struct Kit;

/// What natives reach during a run.
pub(super) struct Run<'a> {
    lut: &'a Lut<Kit>,
    pub(super) inputs: &'a dyn Inputs,
    pub(super) regexes: &'a natives::Regexes,
    /// Where the stack was when the run began, and how far it may go from there.
    start: usize,
    stack: usize,
    /// What `halt_error` leaves behind, and why `input` failed: jaq's exception for halting has room for a code only.
    pub(super) message: RefCell<Option<Val>>,
    pub(super) failed: RefCell<Option<kitbag::Error>>,
}

impl DataT for Kit {
    type V<'a> = Val;
    type Data<'a> = &'a Run<'a>;
}

impl<'a> HasLut<'a, Kit> for &'a Run<'a> {
    fn lut(&self) -> &'a Lut<Kit> {
        self.lut
    }
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
        let names: Vec<String> = globals.iter().map(|(name, _)| format!("${name}")).collect();
        let filter = compile::compile(text, &names, libraries)?;
        let globals = globals.iter().map(|(_, value)| value.clone()).collect();
        Ok(Program { filter, globals, regexes: natives::Regexes::default(), stack: STACK })
    }

    /// Lets functions that call themselves take so much of a thread's stack, in bytes.
    pub(crate) fn stack(mut self, bytes: usize) -> Program {
        self.stack = bytes;
        self
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
        let run = Run {
            lut: &self.filter.lut,
            inputs,
            regexes: &self.regexes,
            start: here(),
            stack: self.stack,
            message: RefCell::default(),
            failed: RefCell::default(),
        };
        let context = Ctx::new(&run, Vars::new(self.globals.iter().cloned()));
        for output in self.filter.id.run::<Kit>((context, input)) {
            match output {
                Ok(value) => {
                    if each(value).is_break() {
                        break;
                    }
                }
                Err(exception) => return Err(run.halt(exception)),
            }
        }
        Ok(())
    }
}

/// An address of the stack.
#[inline(never)]
fn here() -> usize {
    let local = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&local)).addr()
}

impl Run<'_> {
    /// Whether the stack has room for another call.
    pub(super) fn has_room(&self) -> bool {
        here().abs_diff(self.start) < self.stack
    }

    fn halt(&self, exception: Exn<'_, Val>) -> Halt {
        if let Some(error) = self.failed.take() {
            return Halt::Input(error);
        }
        match exception.get_err() {
            Ok(error) => Halt::Error(error.into_val()),
            Err(exception) => match exception.get_halt() {
                Ok(code) => Halt::Exit { code, message: self.message.take() },
                // Nothing else leaves a program: its breaks have labels.
                Err(_) => Halt::Error(error("break").into_val()),
            },
        }
    }
}
