//! Running a plan: its stages as the verbs of a bag.
//!
//! Elements are [`Val`]s; records stay borrowed up to the first stage that makes something of them. A filter's error ends
//! the run at its record.

mod aggregates;
mod filter;
mod one;
mod state;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kitbag::{Bag, Error, Json, Scan};

use super::plan::{End, Plan, Row, Stage, Tree};
use super::{CompileError, Program, Val};
use aggregates::{Aggregates, Limited, Outputs};
pub(crate) use filter::World;
use filter::{Filter, Record, walk};

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
        let row = |row: &Row<'_>, check: Option<&Tree<'_>>| {
            let check = check.map(|key| Filter::new(key, world)).transpose()?.filter(|key| key.keys().is_some());
            let rest = Filter::rest(row, world)?;
            Ok::<_, CompileError>((Box::new(Aggregates::new(row, check, world)?), Arc::new(rest)))
        };
        let mut stages = Vec::with_capacity(plan.stages.len());
        for (number, stage) in plan.stages.iter().enumerate() {
            stages.push(match stage {
                Stage::Each(term) => Verb::Each(filter(term)?),
                Stage::Groups { key, row: of } => {
                    let (aggregates, rest) = row(of, (number == 0).then_some(key))?;
                    Verb::Groups { key: filter(key)?, aggregates, rest }
                }
                Stage::Distinct(key) => Verb::Distinct(filter(key)?),
                Stage::Sort(key) => Verb::Sort(filter(key)?),
                Stage::Slice(from, upto) => Verb::Slice(*from, *upto),
                Stage::Whole => Verb::Whole,
            });
        }
        let end = match &plan.end {
            End::Array => Ending::Array,
            End::Stream { held } => Ending::Stream { held: *held },
            End::Fold(of) => {
                let (aggregates, rest) = row(of, None)?;
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
        let mut elements = Elements::Scan(scan);
        let over = Arc::new(AtomicBool::new(false));
        let limited = |aggregates| Limited { aggregates, most: budget, over: Arc::clone(&over) };
        for verb in self.stages {
            elements = Elements::Bag(match verb {
                Verb::Each(filter) => elements.each(filter),
                Verb::Groups { key, aggregates, rest } => elements.groups(key, *aggregates, rest, &limited),
                Verb::Distinct(key) => elements.distinct(key),
                Verb::Sort(key) => elements.sort(key),
                Verb::Slice(from, upto) => elements.slice(from, upto),
                Verb::Whole => elements.whole(),
            });
        }
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
                sink.rest(rest.program(), answers.map_err(stop)?)
            }
        }
    }
}

/// The error by which the program ends the run.
fn stop(error: Val) -> Error {
    Error::stop(Raised(error))
}

/// All outputs of a filter, and its error behind them.
fn all(filter: &Filter, record: &Record<'_>) -> Vec<Result<Val, Error>> {
    let mut outputs = Vec::with_capacity(1);
    if let Err(error) = filter.run(record, &mut |output| outputs.push(Ok(output))) {
        outputs.push(Err(stop(error)));
    }
    outputs
}

/// What a stage reads.
enum Elements {
    Scan(Scan),
    Bag(Bag<Val>),
}

impl Elements {
    /// What `of` makes of each record, or the error by which that ends the run.
    fn try_map<U: Send + 'static>(
        self,
        of: impl Fn(&Record<'_>) -> Result<U, Error> + Send + Sync + 'static,
    ) -> Bag<U> {
        match self {
            Elements::Scan(scan) => scan.map(move |record| of(&Record::borrowed(record))).try_map(|outcome| outcome),
            Elements::Bag(bag) => bag.try_map(move |value| of(&Record::of(value))),
        }
    }

    fn bag(self) -> Bag<Val> {
        match self {
            Elements::Scan(scan) => scan.map(|record| Val::from_json(&record)),
            Elements::Bag(bag) => bag,
        }
    }

    fn each(self, filter: Arc<Filter>) -> Bag<Val> {
        let outputs = match self {
            Elements::Scan(scan) => scan.map(move |record| all(&filter, &Record::borrowed(record))),
            Elements::Bag(bag) => bag.map(move |value| all(&filter, &Record::of(value))),
        };
        outputs.flatten().try_map(|output| output)
    }

    fn distinct(self, key: Arc<Filter>) -> Bag<Val> {
        let keyed = self.try_map(move |record| Ok((key.key(record).map_err(stop)?, record.value().clone())));
        keyed.distinct_by(|(key, _): &(Val, Val)| key.clone()).map(|(_, value)| value)
    }

    fn sort(self, key: Arc<Filter>) -> Bag<Val> {
        let keyed = self.try_map(move |record| Ok((key.key(record).map_err(stop)?, record.value().clone())));
        keyed.sort_by_key(|(key, _): &(Val, Val)| key.clone()).map(|(_, value)| value)
    }

    /// The same, once all of them are there.
    fn whole(self) -> Bag<Val> {
        self.bag().sort_by_key(|_: &Val| ())
    }

    fn slice(self, from: u64, upto: u64) -> Bag<Val> {
        // Of none the first is asked for as well: what comes before a slice has to happen, and nothing would be read.
        let (from, upto) = if upto <= from { (1, 1) } else { (from, upto) };
        let bag = self.bag();
        let bag = if upto < u64::MAX { bag.take(upto) } else { bag };
        if from > 0 { bag.skip(from) } else { bag }
    }

    fn groups(
        self,
        key: Arc<Filter>,
        aggregates: Aggregates,
        rest: Arc<Filter>,
        limited: &dyn Fn(Arc<Aggregates>) -> Limited,
    ) -> Bag<Val> {
        let rows = match self {
            Elements::Scan(scan) if !aggregates.in_order() && key.keys().is_some() => {
                // The key is found in the record; nothing is allocated for a record whose key is known.
                let rows: Bag<(Json, _)> =
                    scan.fold_by(move |record| walk(key.keys().unwrap_or_default(), record).flatten(), aggregates);
                rows.map(|(key, answers)| (Val::array(vec![Val::from_json(&key.view())]), answers))
            }
            elements if aggregates.in_order() => {
                let aggregates = Arc::new(aggregates);
                let of = Arc::clone(&aggregates);
                let keyed = elements.try_map(move |record| Ok((key.key(record).map_err(stop)?, of.outputs(record))));
                let limited = limited(aggregates);
                let (over, most) = (Arc::clone(&limited.over), limited.most);
                let rows = keyed.fold_by_in_order(|(key, _): &(Val, Outputs)| key.clone(), limited);
                rows.try_map(move |row| match over.load(Ordering::Relaxed) {
                    true => Err(Error::stop(TooMuch(most))),
                    false => Ok(row),
                })
            }
            elements => {
                let keyed =
                    elements.try_map(move |record| Ok((key.key(record).map_err(stop)?, record.value().clone())));
                keyed.fold_by(|(key, _): &(Val, Val)| key.clone(), aggregates)
            }
        };
        let rows = rows.try_map(|(key, answers)| Ok::<_, Error>((key, answers.map_err(stop)?)));
        let sorted = rows.sort_by_key(|(key, _): &(Val, Val)| key.clone());
        Elements::Bag(sorted.map(|(_, answers)| answers)).each(rest)
    }

    fn fold(
        self,
        aggregates: Aggregates,
        limited: &dyn Fn(Arc<Aggregates>) -> Limited,
    ) -> kitbag::Result<Result<Val, Val>> {
        if aggregates.in_order() {
            let aggregates = Arc::new(aggregates);
            let of = Arc::clone(&aggregates);
            let outputs = self.try_map(move |record| Ok((Val::null(), of.outputs(record))));
            return outputs.fold(limited(aggregates));
        }
        match self {
            Elements::Scan(scan) => {
                let nothing = aggregates.of_nothing();
                let mut rows = scan.fold_by(|_| None, aggregates).collect()?;
                Ok(rows.pop().map_or(nothing, |(_, answers)| answers))
            }
            Elements::Bag(bag) => bag.map(|value| (Val::null(), value)).fold(limited(Arc::new(aggregates))),
        }
    }
}
