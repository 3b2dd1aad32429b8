//! [`Piece`]: a program, or a part of one, as the interpreter has it, and what it sees when it runs.

use super::fault::error;
use super::program::{CompileError, Halt, Inputs, Libraries};
use super::value::Val;
use super::{compile, natives};
use jaq_core::data::{DataT, HasLut};
use jaq_core::{Ctx, Exn, Filter, Lut, Vars};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// A program, or a part of one, as the interpreter has it.
pub(super) struct Piece {
    filter: Filter<Kit>,
    globals: Vec<Val>,
}

/// What programs and parts of them run with.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) inputs: &'a dyn Inputs,
    pub(super) regexes: &'a natives::Regexes,
    pub(super) stack: usize,
    /// Raised where the run is to end.
    pub(super) cancelled: &'a AtomicBool,
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
    cancelled: &'a AtomicBool,
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

impl Piece {
    /// Compiles it, with these variables, whose names have their `$`, before the globals; and gives its text, edited to
    /// jaq's notation.
    ///
    /// # Errors
    ///
    /// If the text is no program, or names what is not defined.
    pub(super) fn compile(
        text: &str,
        mut names: Vec<String>,
        globals: Vec<(String, Val)>,
        libraries: &Libraries,
    ) -> Result<(Piece, String), CompileError> {
        names.extend(globals.iter().map(|(name, _)| format!("${name}")));
        let (filter, edited) = compile::compile(text, &names, libraries)?;
        Ok((Piece { filter, globals: globals.into_iter().map(|(_, value)| value).collect() }, edited))
    }

    /// Runs it on one value, with values for its variables.
    pub(super) fn run(
        &self,
        variables: impl Iterator<Item = Val>,
        input: Val,
        setting: Setting<'_>,
        each: &mut dyn FnMut(Val) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        let run = Run {
            lut: &self.filter.lut,
            inputs: setting.inputs,
            regexes: setting.regexes,
            start: here(),
            stack: setting.stack,
            cancelled: setting.cancelled,
            message: RefCell::default(),
            failed: RefCell::default(),
        };
        let context = Ctx::new(&run, Vars::new(variables.chain(self.globals.iter().cloned())));
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

    /// Asked wherever a program can go on without end and without an output.
    ///
    /// # Errors
    ///
    /// If the run has been cancelled: an exception that no program catches.
    pub(super) fn goes_on<'e>(&self) -> Result<(), Exn<'e, Val>> {
        match self.cancelled.load(Ordering::Relaxed) {
            true => Err(Exn::halt(0)),
            false => Ok(()),
        }
    }

    fn halt(&self, exception: Exn<'_, Val>) -> Halt {
        if let Some(error) = self.failed.take() {
            return Halt::Input(error);
        }
        match exception.get_err() {
            Ok(error) => Halt::Error(error.into_val()),
            Err(exception) => match exception.get_halt() {
                Ok(_) if self.goes_on().is_err() => Halt::Error(error("the run was cancelled").into_val()),
                Ok(code) => Halt::Exit { code, message: self.message.take() },
                // Nothing else leaves a program: its breaks have labels.
                Err(_) => Halt::Error(error("break").into_val()),
            },
        }
    }
}
