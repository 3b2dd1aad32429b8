//! [`Bag`]: the handle that users hold. It has a plan and a configuration, and four primitives from which every verb is
//! made: append a narrow step, wrap the plan, wrap it with another bag's, run it into a sink. Verbs live in their own files.

use std::fmt;

use crate::batch::{At, Unit};
use crate::config::Config;
use crate::engine::{Facts, Fan, Flow, Plan, Push, Run, StageMeter, UnitEnd, WorkerCx};
use crate::error::Result;

use crate::os::sync::Arc;
use crate::os::sync::atomic::Ordering;

/// A lazy bag of records, in record order. Verbs consume it and return a new one; nothing is read until an action
/// (`count`, `collect`, `write_jsonl`, …) runs it. `Display` prints the plan.
///
/// ```
/// use kitbag::Bag;
///
/// let squares = Bag::range(1..4).map(|n| n * n);
/// assert_eq!(squares.to_string(), "0:range\n1:map\n");
/// assert_eq!(squares.collect()?, [1, 4, 9]);
/// # Ok::<(), kitbag::Error>(())
/// ```
#[must_use = "a bag is lazy: nothing happens until an action such as `collect` runs it"]
pub struct Bag<T: Send> {
    plan: Box<dyn Plan<T>>,
    config: Config,
    depth: u32,
}

/// A narrow step: takes a record, emits any number.
pub(crate) type Step<T, U> = dyn Fn(At, T, &mut Emit<'_, U>) -> Flow + Send + Sync;

impl<T: Send + 'static> Bag<T> {
    /// A bag whose plan is this source.
    pub(crate) fn from_plan(plan: impl Plan<T> + 'static) -> Bag<T> {
        Bag { plan: Box::new(plan), config: Config::default(), depth: 0 }
    }

    /// A bag whose plan has this many stages after its source already.
    pub(crate) fn at_depth(mut self, depth: u32) -> Bag<T> {
        self.depth = depth;
        self
    }

    /// Sets how the bag is run; the last configuration given counts, for the whole run.
    pub fn with(mut self, config: Config) -> Bag<T> {
        self.config = config;
        self
    }

    /// Appends a narrow step. `verb` is its name in plans, reports and messages.
    pub(crate) fn narrow<U: Send + 'static>(
        self,
        verb: &'static str,
        step: impl Fn(At, T, &mut Emit<'_, U>) -> Flow + Send + Sync + 'static,
    ) -> Bag<U> {
        self.wrap(|plan, stage| Narrow { plan, stage, verb, step: Box::new(step) })
    }

    /// Replaces the plan by one around it; the closure gets the new stage's number.
    pub(crate) fn wrap<U: Send, P: Plan<U> + 'static>(self, around: impl FnOnce(Box<dyn Plan<T>>, u32) -> P) -> Bag<U> {
        let depth = self.depth + 1;
        Bag { plan: Box::new(around(self.plan, depth)), config: self.config, depth }
    }

    /// Replaces the plan by one around it and another bag's. The closure gets the number of the stages before the other
    /// plan's, and of the new stage. The other bag's configuration is dropped: a run has one.
    pub(crate) fn wrap_two<U: Send, V: Send, P: Plan<V> + 'static>(
        self,
        other: Bag<U>,
        around: impl FnOnce(Box<dyn Plan<T>>, Box<dyn Plan<U>>, u32, u32) -> P,
    ) -> Bag<V> {
        let before = self.depth + 1;
        let depth = before + other.depth + 1;
        Bag { plan: Box::new(around(self.plan, other.plan, before, depth)), config: self.config, depth }
    }

    /// Runs the plan: `sink` gets the run, the plan and the number of its own stage.
    pub(crate) fn run<R>(self, sink: impl FnOnce(&Run, Box<dyn Plan<T>>, u32) -> Result<R>) -> Result<R> {
        let facts = self.facts();
        self.run_with(&facts, sink)
    }

    /// The same for a sink of this name that has a store.
    pub(crate) fn run_gathering<R>(
        self,
        verb: &str,
        sink: impl FnOnce(&Run, Box<dyn Plan<T>>, u32) -> Result<R>,
    ) -> Result<R> {
        let mut facts = self.facts();
        facts.gathering(verb);
        self.run_with(&facts, sink)
    }

    fn run_with<R>(self, facts: &Facts, sink: impl FnOnce(&Run, Box<dyn Plan<T>>, u32) -> Result<R>) -> Result<R> {
        let settings = self.config.settings(facts)?;
        let (plan, stage) = (self.plan, self.depth + 1);
        Run::start(settings, |run| sink(run, plan, stage))
    }
}

impl<T: Send> Bag<T> {
    pub(crate) fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        self.plan.describe(&mut facts);
        facts
    }
}

impl<T: Send> fmt::Display for Bag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, verb) in self.facts().verbs.iter().enumerate() {
            writeln!(f, "{number}:{verb}")?;
        }
        Ok(())
    }
}

impl<T: Send> fmt::Debug for Bag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bag").field("plan", &self.facts().verbs).field("config", &self.config).finish()
    }
}

/// A plan with one more narrow step.
struct Narrow<T: Send, U> {
    plan: Box<dyn Plan<T>>,
    stage: u32,
    verb: &'static str,
    step: Box<Step<T, U>>,
}

impl<T: Send + 'static, U: Send + 'static> Plan<U> for Narrow<T, U> {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<U>) -> Result<()> {
        let meter = run.stage(self.stage, self.verb);
        self.plan.run(run, &NarrowFan { step: &*self.step, stage: self.stage, meter, down })
    }

    fn whole_shards(&mut self) {
        self.plan.whole_shards();
    }

    fn describe(&self, to: &mut Facts) {
        self.plan.describe(to);
        to.verb(self.verb);
    }
}

struct NarrowFan<'a, T, U> {
    step: &'a Step<T, U>,
    stage: u32,
    meter: Arc<StageMeter>,
    down: &'a dyn Fan<U>,
}

impl<T: Send + 'static, U: Send + 'static> Fan<T> for NarrowFan<'_, T, U> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        let emit = Emit { down: self.down.worker(cx), cx, stage: self.stage, count: 0 };
        Box::new(NarrowPush { step: self.step, meter: &self.meter, emit, count: 0 })
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }
}

struct NarrowPush<'s, T, U> {
    step: &'s Step<T, U>,
    meter: &'s StageMeter,
    emit: Emit<'s, U>,
    count: u64,
}

/// What a narrow step emits into.
pub(crate) struct Emit<'s, U> {
    down: Box<dyn Push<U> + 's>,
    pub(crate) cx: &'s WorkerCx<'s>,
    stage: u32,
    count: u64,
}

impl<U> Emit<'_, U> {
    /// Hands a record to the next stage; afterwards this stage is again the one that a panic is blamed on.
    pub(crate) fn push(&mut self, at: At, item: U) -> Flow {
        self.count += 1;
        let flow = self.down.push(at, item);
        self.cx.set_stage(self.stage);
        flow
    }

    /// The stage's label, for messages.
    pub(crate) fn stage_name(&self) -> String {
        self.cx.phase.run.stage_name(self.stage)
    }
}

impl<T: Send, U: Send> Push<T> for NarrowPush<'_, T, U> {
    fn begin(&mut self, unit: Unit) -> Flow {
        self.emit.down.begin(unit)
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        self.count += 1;
        self.emit.cx.set_stage(self.emit.stage);
        (self.step)(at, item, &mut self.emit)
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.meter.records_in.fetch_add(std::mem::take(&mut self.count), Ordering::Relaxed);
        self.meter.records_out.fetch_add(std::mem::take(&mut self.emit.count), Ordering::Relaxed);
        self.emit.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.emit.down.finish()
    }
}
