//! A filter that is run on each record by itself: where it was read, if that can be. The keys of records are found there.

use std::cell::{OnceCell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use jaq_core::path::{Opt, Part};
use kitbag::{Json, JsonKind, JsonRef, Scan};

use super::super::plan::{Row, Tree, own_path};
use super::super::print::print;
use super::super::{CompileError, Halt, Inputs, Program, Val};

/// What an aggregate's answer gives where it stood: its outputs, or its error.
const OUT: &str = "def __agg($r): if $r | type == \"object\" then ($r.o[], error($r.e)) else $r[] end; ";

/// What all pieces of a program share: what they are compiled with, and what they see when they run.
pub(crate) struct World<'w> {
    /// The program's own definitions.
    pub(crate) definitions: &'w str,
    pub(crate) compile: &'w dyn Fn(&str) -> Result<Program, CompileError>,
    pub(crate) inputs: Arc<dyn Inputs + Send + Sync>,
    /// The records of a bag of this name, where it is no value.
    pub(crate) bags: &'w dyn Fn(&str) -> Option<Scan>,
}

/// A record: borrowed where it was read, or a value that an earlier stage made.
pub(super) struct Record<'a> {
    json: Option<JsonRef<'a>>,
    value: OnceCell<Val>,
}

impl<'a> Record<'a> {
    pub(super) fn borrowed(json: JsonRef<'a>) -> Record<'a> {
        Record { json: Some(json), value: OnceCell::new() }
    }

    pub(super) fn of(value: Val) -> Record<'a> {
        Record { json: None, value: OnceCell::from(value) }
    }

    /// A record as it was read; none was made of a value.
    pub(super) fn json(&self) -> Json {
        self.json.as_ref().map_or_else(Json::null, JsonRef::to_json)
    }

    pub(super) fn value(&self) -> &Val {
        self.value.get_or_init(|| self.json.as_ref().map_or(Val::Null, Val::from_json))
    }
}

/// A compiled filter.
pub(super) struct Filter {
    how: How,
    program: Program,
    inputs: Arc<dyn Inputs + Send + Sync>,
}

enum How {
    Itself,
    Keys(Vec<String>),
    Program,
}

impl Filter {
    pub(super) fn new(term: &Tree<'_>, world: &World<'_>) -> Result<Filter, CompileError> {
        let text = print(term);
        // Answers may be what the stage's elements are.
        let out = if text.contains("__agg(") { OUT } else { "" };
        let program = (world.compile)(&[out, world.definitions, &text].concat())?;
        let how = match term {
            Term::Id => How::Itself,
            _ => keys(term).map_or(How::Program, How::Keys),
        };
        Ok(Filter { how, program, inputs: world.inputs.clone() })
    }

    /// What is made of a row: a filter of the array of its aggregates' answers.
    pub(super) fn rest(row: &Row<'_>, world: &World<'_>) -> Result<Filter, CompileError> {
        let mut text = OUT.to_owned() + world.definitions;
        if !row.aggregates.is_empty() {
            let names: Vec<String> = (0..row.aggregates.len()).map(|number| format!("$__agg{number}")).collect();
            text += &format!(". as [{}] | ", names.join(", "));
        }
        text += &print(&row.rest);
        let program = (world.compile)(&text)?;
        Ok(Filter { how: How::Program, program, inputs: world.inputs.clone() })
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// Whether it gives each record itself.
    pub(super) fn is_itself(&self) -> bool {
        matches!(self.how, How::Itself)
    }

    /// The keys of a path that only names keys.
    pub(super) fn keys(&self) -> Option<&[String]> {
        match &self.how {
            How::Keys(keys) => Some(keys),
            _ => None,
        }
    }

    /// Hands all outputs for a record to `each`.
    ///
    /// # Errors
    ///
    /// The error that the program raises: outputs before it were handed on.
    pub(super) fn run(&self, record: &Record<'_>, each: &mut dyn FnMut(Val)) -> Result<(), Val> {
        self.run_until(record, &mut |output| {
            each(output);
            ControlFlow::Continue(())
        })
    }

    /// The same, up to where `each` breaks off.
    ///
    /// # Errors
    ///
    /// The error that the program raises before.
    pub(super) fn run_until(
        &self,
        record: &Record<'_>,
        each: &mut dyn FnMut(Val) -> ControlFlow<()>,
    ) -> Result<(), Val> {
        if self.is_itself() {
            _ = each(record.value().clone());
            return Ok(());
        }
        // Of all filters this is the most frequent, and needs nothing but the look-up.
        if let (Some(keys), Some(json)) = (self.keys(), record.json)
            && let Some(found) = walk(keys, json)
        {
            _ = each(found.as_ref().map_or(Val::Null, Val::from_json));
            return Ok(());
        }
        let ended = match record.json {
            Some(json) if self.program.has_lane() => self.program.run_on(json, &*self.inputs, each),
            _ => self.program.run(record.value().clone(), &*self.inputs, each),
        };
        ended.map_err(raised)
    }

    /// The same, of a value, where `input` gives what is in `state`, and `null` where nothing is.
    ///
    /// # Errors
    ///
    /// The error that the program raises.
    pub(super) fn step(&self, value: Val, state: &RefCell<Option<Val>>) -> Result<(), Val> {
        let inputs = Stepping { state, world: &*self.inputs };
        let mut each = |output| {
            *state.borrow_mut() = Some(output);
            ControlFlow::Continue(())
        };
        self.program.run(value, &inputs, &mut each).map_err(raised)
    }

    /// The error that it raises for a record, if it does.
    pub(super) fn check(&self, record: &Record<'_>) -> Result<(), Val> {
        self.run(record, &mut |_| {})
    }

    /// All outputs as an array: what jq compares by.
    pub(super) fn key(&self, record: &Record<'_>) -> Result<Val, Val> {
        let mut outputs = Vec::with_capacity(1);
        self.run(record, &mut |output| outputs.push(output))?;
        Ok(Val::array(outputs))
    }
}

/// The error of a filter.
fn raised(halt: Halt) -> Val {
    match halt {
        Halt::Error(error) => error,
        // The planner keeps filters with effects away from here.
        Halt::Exit { .. } | Halt::Input(_) => Val::string("a filter of a record halted"),
    }
}

/// What a step of `reduce` sees: its state is its input, and nobody else has it, so that it is changed where it is.
struct Stepping<'a> {
    state: &'a RefCell<Option<Val>>,
    world: &'a (dyn Inputs + Send + Sync),
}

impl Inputs for Stepping<'_> {
    fn next(&self) -> Option<Result<Val, kitbag::Error>> {
        Some(Ok(self.state.take().unwrap_or_default()))
    }

    fn now(&self) -> f64 {
        self.world.now()
    }

    fn debug(&self, message: &Val) {
        self.world.debug(message);
    }

    fn stderr(&self, value: &Val) {
        self.world.stderr(value);
    }
}

/// The value that keys lead to: `Some(None)` is null because something is absent or null on the way, `None` that this is
/// no object.
#[expect(clippy::option_option, reason = "absent, or not for this walk")]
pub(super) fn walk<'a>(keys: &[String], json: JsonRef<'a>) -> Option<Option<JsonRef<'a>>> {
    let mut here = json;
    for key in keys {
        match here.kind() {
            JsonKind::Object => match here.get(key) {
                Some(value) => here = value,
                None => return Some(None),
            },
            JsonKind::Null => return Some(None),
            _ => return None,
        }
    }
    Some(Some(here))
}

/// The keys of `.a.b`.
fn keys(term: &Tree<'_>) -> Option<Vec<String>> {
    let keys = own_path(term)?.iter().map(|(part, opt)| match (part, opt) {
        (Part::Index(Term::Str(None, parts)), Opt::Essential) => match &parts[..] {
            [StrPart::Str(key)] => Some((*key).to_owned()),
            _ => None,
        },
        _ => None,
    });
    keys.collect()
}
