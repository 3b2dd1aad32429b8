//! The contracts between the engine and the operators; an operator's author reads this page.
//!
//! * [`Push`] is what a record is pushed into: one worker's end of a chain of operators.
//! * [`Fan`] makes a [`Push`] for each worker.
//! * [`Feed`] is a phase's source as the readers see it, [`Work`] as the workers see it.
//! * [`Plan`] is a bag's plan: run it into a fan.

use std::ops::ControlFlow;

use crate::batch::{At, Unit};
use crate::error::{Error, Result};
use crate::shuffle::Permit;

use super::tally::Tally;
use super::{Entry, Facts, Feeder, Run, WorkerCx};

/// Why a unit is not finished.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody needs what comes after this record.
    Enough,
    /// The run fails at this record, unless an earlier one fails or ends it.
    Error(Box<Error>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(Box::new(error))
    }
}

/// Go on, or stop.
pub(crate) type Flow = ControlFlow<Stop>;

/// The end of a unit, as it travels down a chain. Whoever keeps what came of the unit keeps the permit with it.
#[derive(Debug)]
pub(crate) struct UnitEnd {
    pub(crate) unit: Unit,
    /// The final unit of its task.
    pub(crate) last: bool,
    pub(crate) permit: Option<Permit>,
}

/// One worker's end of a chain of operators.
pub(crate) trait Push<T>: Send {
    /// A unit begins.
    fn begin(&mut self, unit: Unit) -> Flow;
    /// A record of the unit that has begun.
    fn push(&mut self, at: At, item: T) -> Flow;
    /// The unit is through, or was cut short by an error or by `Enough`: then what came before that still counts.
    fn end(&mut self, end: UnitEnd) -> Flow;
    /// No unit comes any more. Called once, only if the worker has met no error.
    fn finish(&mut self) -> Result<()>;
}

/// Makes a worker's end of a chain, inside that worker's thread.
pub(crate) trait Fan<T>: Sync {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's>;

    /// Whether whoever takes the records has gone: then readers that wait for input give up. A fan with another one
    /// behind it asks that one.
    fn unwanted(&self) -> bool {
        false
    }
}

/// The readers' half of a source. Tasks are handed out in order.
pub(crate) trait Feed<B: Send>: Sync {
    fn tasks(&self) -> u32;
    /// Emits the task's bodies in order, at least one. An error ends the run at the next unit.
    fn feed(&self, task: u32, out: &mut Feeder<'_, B>) -> Result<()>;
    /// What the fan behind it says: see [`Fan::unwanted`].
    fn unwanted(&self) -> bool;
    /// A worker's half, made inside the worker's thread.
    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<B> + 's>;
}

/// The workers' half of a source: takes a body apart and pushes its records down.
pub(crate) trait Work<B>: Send {
    fn unit(&mut self, unit: Unit, body: B) -> Flow;
    fn end(&mut self, end: UnitEnd) -> Flow;
    fn finish(&mut self) -> Result<()>;
}

/// Whether an ordered step wants more records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    More,
    Enough,
}

/// A step that sees the records one by one, in order.
pub(crate) trait InOrder<T, U>: Send {
    /// Whether it wants no record at all.
    fn satisfied(&self) -> bool {
        false
    }
    /// Takes the next record; what comes of it goes to `out`.
    fn step(&mut self, at: At, item: T, out: &mut Vec<Entry<U>>) -> Pass;
}

/// A bag's plan: a source with the operators behind it.
pub(crate) trait Plan<T: Send>: Send {
    /// Runs all phases up to and into `down`.
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<T>) -> Result<()>;

    /// Asks the source to keep each shard in one task, for verbs that take a shard at a time.
    fn whole_shards(&mut self) {}

    /// Counts the records; a source that can do so without making them does.
    fn count(self: Box<Self>, run: &Run) -> Result<u64> {
        let tally = Tally::default();
        self.run(run, &tally)?;
        Ok(tally.0.into_inner())
    }

    /// Says what is known of the plan before it runs: first of what comes before, then of itself. The verbs' names are
    /// what [`std::fmt::Display`] of a bag prints.
    fn describe(&self, to: &mut Facts);
}
