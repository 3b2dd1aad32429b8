//! Running a plan: its stages as the verbs of a bag.
//!
//! Elements are [`Val`]s; records stay borrowed up to the first stage that makes something of them. A filter's error ends
//! the run at its record.

mod aggregates;
mod answers;
mod elements;
mod filter;
mod join;
mod nested;
mod one;
mod state;
mod turns;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kitbag::{Bag, Error, Scan};

use super::plan::{End, Plan, Row, Stage, Tree};
use super::{CompileError, Program, Val};
use aggregates::{Aggregates, Limited};
use elements::Elements;
use filter::Filter;
pub(crate) use filter::World;
use join::Joining;

/// Where the program's outputs go, in order.
pub(crate) trait Sink {
    type Error: From<Error>;

    /// Each element is an output. If they are held, nothing is seen of them before the last one is there.
    fn elements(&mut self, bag: Bag<Val>, held: bool) -> Result<(), Self::Error>;
    /// All elements are one output, of which nothing is seen before the last one is there.
    fn array(&mut self, bag: Bag<Val>) -> Result<(), Self::Error>;
    /// What the program makes of the aggregates' answers.
    fn rest(&mut self, program: &Program, answers: Val) -> Result<(), Self::Error>;
}

/// The program's error, on its way out of a run of the library.
#[derive(Debug)]
pub(crate) struct Raised(pub(crate) Val);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_json())
    }
}

impl std::error::Error for Raised {}

/// More is to be held than the memory budget allows.
#[derive(Debug)]
pub(crate) struct TooMuch(pub(crate) u64);

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooMuch(budget) = self;
        write!(
            f,
            "the memory budget of {budget} bytes does not hold what PROGRAM makes of many records: --explain says \
                   what grows; a larger --memory would do"
        )
    }
}

impl std::error::Error for TooMuch {}

/// A plan with its filters compiled.
pub(crate) struct Compiled {
    stages: Vec<Verb>,
    end: Ending,
}

enum Verb {
    Each(Arc<Filter>),
    Groups { key: Arc<Filter>, aggregates: Box<Aggregates>, rest: Arc<Filter> },
    Distinct(Arc<Filter>),
    Sort(Arc<Filter>),
    Slice(u64, u64),
    Whole,
    SkipLast(u64),
    Enumerate,
    Join(Box<Joining>),
}

enum Ending {
    Array,
    Stream { held: bool },
    Fold { aggregates: Box<Aggregates>, rest: Arc<Filter> },
}

impl Compiled {
    /// # Errors
    ///
    /// If a piece of the program does not compile: then the whole does not either.
    pub(crate) fn new(plan: &Plan<'_>, world: &World<'_>) -> Result<Compiled, CompileError> {
        let filter = |term: &Tree<'_>| Filter::new(term, world).map(Arc::new);
        let row = |row: &Row<'_>| {
            let rest = Filter::rest(row, world)?;
            Ok::<_, CompileError>((Box::new(Aggregates::new(row, world)?), Arc::new(rest)))
        };
        let mut stages = Vec::with_capacity(plan.stages.len());
        for stage in &plan.stages {
            stages.push(match stage {
                Stage::Each(term) => Verb::Each(filter(term)?),
                Stage::Groups { key, row: of } => {
                    let (aggregates, rest) = row(of)?;
                    Verb::Groups { key: filter(key)?, aggregates, rest }
                }
                Stage::Distinct(key) => Verb::Distinct(filter(key)?),
                Stage::Sort(key) => Verb::Sort(filter(key)?),
                Stage::Slice(from, upto) => Verb::Slice(*from, *upto),
                Stage::Whole => Verb::Whole,
                Stage::SkipLast(count) => Verb::SkipLast(*count),
                Stage::Enumerate => Verb::Enumerate,
                Stage::Join(join) => Verb::Join(Box::new(Joining::new(join, world)?)),
            });
        }
        let end = match &plan.end {
            End::Array => Ending::Array,
            End::Stream { held } => Ending::Stream { held: *held },
            End::Fold(of) => {
                let (aggregates, rest) = row(of)?;
                Ending::Fold { aggregates, rest }
            }
        };
        Ok(Compiled { stages, end })
    }

    /// Runs it over the records of a scan.
    ///
    /// # Errors
    ///
    /// Of input and output, and the first error of the program, as [`kitbag::ErrorKind::Stopped`].
    pub(crate) fn run<S: Sink>(self, scan: Scan, budget: u64, sink: &mut S) -> Result<(), S::Error> {
        let over = Arc::new(AtomicBool::new(false));
        let limited = |aggregates| Limited { aggregates, most: budget, over: Arc::clone(&over) };
        let elements = through(self.stages, Elements::Scan(scan), &limited)?;
        let limit = || match over.load(Ordering::Relaxed) {
            true => Err(Error::stop(TooMuch(budget))),
            false => Ok(()),
        };
        match self.end {
            Ending::Array => sink.array(elements.bag()),
            Ending::Stream { held } => sink.elements(elements.bag(), held),
            Ending::Fold { aggregates, rest } => {
                let answers = elements.fold(*aggregates, &limited)?;
                limit()?;
                sink.rest(rest.program(), answers)
            }
        }
    }
}

/// What stages make of some elements.
fn through(
    stages: Vec<Verb>,
    mut elements: Elements,
    limited: &dyn Fn(Arc<Aggregates>) -> Limited,
) -> Result<Elements, Error> {
    for verb in stages {
        elements = match verb {
            Verb::Each(filter) => Elements::Bag(elements.each(filter)),
            Verb::Groups { key, aggregates, rest } => Elements::Bag(elements.groups(key, *aggregates, rest, limited)),
            Verb::Distinct(key) => Elements::Bag(elements.distinct(key)),
            Verb::Sort(key) => Elements::Bag(elements.sort(key)),
            Verb::Slice(from, upto) => Elements::Bag(elements.slice(from, upto)),
            Verb::Whole => Elements::Bag(elements.whole()),
            Verb::SkipLast(count) => Elements::Bag(elements.bag().skip_last(count)),
            Verb::Enumerate => Elements::Bag(elements.enumerate()),
            Verb::Join(join) => Elements::Met(join.of(elements, limited)?),
        };
    }
    Ok(elements)
}

/// The error by which the program ends the run.
fn stop(error: Val) -> Error {
    Error::stop(Raised(error))
}
