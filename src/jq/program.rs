//! [`Program`]: a jq program, compiled once and run by any number of threads.

use super::fault::error;
use super::value::Val;
use super::{natives, prelude};
use jaq_core::data::{DataT, HasLut};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Exn, Filter, Lut, Vars};
use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;

/// A compiled program.
pub(crate) struct Program {
    filter: Filter<Kit>,
    globals: Vec<Val>,
    regexes: natives::Regexes,
}

/// Where modules come from.
#[derive(Default)]
pub(crate) struct Libraries {}

/// Why a program does not compile: where, counted from 1, and what was expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CompileError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
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
        _libraries: &Libraries,
    ) -> Result<Program, CompileError> {
        let at_start = |message: String| CompileError { line: 1, column: 1, message };
        let names: Vec<String> = globals.iter().map(|(name, _)| format!("${name}")).collect();
        let arena = Arena::default();
        let file = File { code: text, path: () };
        let modules = Loader::new(prelude::definitions().map_err(at_start)?)
            .load(&arena, file)
            .map_err(|errors| at_start(format!("{:?}", errors.into_iter().map(|(_, e)| e).collect::<Vec<_>>())))?;
        let filter = Compiler::default()
            .with_funs(natives::all())
            .with_global_vars(names.iter().map(String::as_str))
            .compile(modules)
            .map_err(|errors| at_start(format!("{:?}", errors.into_iter().map(|(_, e)| e).collect::<Vec<_>>())))?;
        let globals = globals.iter().map(|(_, value)| value.clone()).collect();
        Ok(Program { filter, globals, regexes: natives::Regexes::default() })
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
            message: RefCell::default(),
            failed: RefCell::default(),
        };
        let context = Ctx::new(&run, Vars::new(self.globals.iter().cloned()));
        for output in self.filter.id.run::<Kit>((context, input)) {
            match output {
                Ok(value) if each(value).is_break() => break,
                Ok(_) => {}
                Err(exception) => return Err(run.halt(exception)),
            }
        }
        Ok(())
    }
}

impl Run<'_> {
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
