//! One aggregate: how it begins, what an output does to it, how states of parts become one, and its answer.

use std::ops::ControlFlow;

use kitbag::Seq;
use kitbag::agg::{Aggregate, Fold as _};

use super::super::plan::{Agg, Kind};
use super::super::sketch::{self, Distinct, Drawing};
use super::super::{CompileError, Val};
use super::filter::{Filter, Record, World};
use super::nested::{Groups, Nested};
use super::state::{Ends, Of, Place, State, distinct, greatest, least};
use super::turns::{self, Reduce};

/// One of them, compiled.
pub(super) struct One {
    pub(super) kind: What,
    pub(super) of: Filter,
}

pub(super) enum What {
    Count,
    Add,
    Min(Filter),
    Max(Filter),
    /// With what is made of the output in the end.
    Nth(Ends, Filter),
    Slice(usize, Ends),
    Unique(Filter),
    Top {
        by: Filter,
        ends: Ends,
        reversed: bool,
    },
    Collect,
    Groups(Box<Nested>),
    First(usize),
    Reduce(Box<Reduce>),
    Approx(Distinct),
    Sample(Drawing<Place>),
}

impl One {
    pub(super) fn new(aggregate: &Agg<'_>, world: &World<'_>) -> Result<One, CompileError> {
        let by = |by| Filter::new(by, world);
        let kind = match &aggregate.kind {
            Kind::Count => What::Count,
            Kind::Add => What::Add,
            Kind::Min(key) => What::Min(by(key)?),
            Kind::Max(key) => What::Max(by(key)?),
            Kind::Nth(place, path) => {
                let last = *place < 0;
                let count = if last { place.unsigned_abs() } else { place.unsigned_abs() + 1 };
                What::Nth(Ends { count: usize::try_from(count).unwrap_or(usize::MAX), last }, by(path)?)
            }
            Kind::Tail(count) => {
                What::Slice(0, Ends { count: usize::try_from(*count).unwrap_or(usize::MAX), last: true })
            }
            Kind::Slice(from, upto) => {
                let [from, upto] = [from, upto].map(|at| usize::try_from(*at).unwrap_or(usize::MAX));
                What::Slice(from, Ends { count: upto, last: false })
            }
            Kind::Unique(key) => What::Unique(by(key)?),
            Kind::Top { by: key, count, last, reversed } => {
                let ends = Ends { count: usize::try_from(*count).unwrap_or(usize::MAX), last: *last };
                What::Top { by: by(key)?, ends, reversed: *reversed }
            }
            Kind::Collect => What::Collect,
            Kind::Groups { by, row } => What::Groups(Box::new(Nested::new(by, row, world)?)),
            Kind::First(count) => What::First(usize::try_from(*count).unwrap_or(usize::MAX)),
            Kind::Reduce { pattern, start, update } => {
                What::Reduce(Box::new(Reduce::new(pattern, [start, update], world)?))
            }
            Kind::Approx => What::Approx(sketch::distinct()),
            Kind::Sample(count, seed) => What::Sample(sketch::drawing(*count, *seed)),
        };
        Ok(One { kind, of: by(&aggregate.of)? })
    }

    pub(super) fn init(&self) -> State {
        match &self.kind {
            What::Count => State::Count(0),
            What::Add => State::Add(Val::null()),
            What::Min(_) => State::Min(None),
            What::Max(_) => State::Max(None),
            What::Nth(..) | What::Slice(..) => State::Ends(Vec::new()),
            What::Unique(_) => State::Unique(Default::default()),
            What::Top { .. } => State::Top(Vec::new()),
            What::Collect => State::Collect(Vec::new()),
            What::Groups(_) => State::Groups(Groups::new()),
            What::First(_) => State::First(Vec::new()),
            What::Reduce(reduce) => State::Reduce(reduce.init()),
            What::Approx(sketch) => State::Approx(sketch.init()),
            What::Sample(drawing) => State::Sample(drawing.init()),
        }
    }

    /// Hands all outputs for a record to `each`, and the error behind them; of what stops early no more than it wants.
    pub(super) fn events(&self, record: &Record<'_>, each: &mut dyn FnMut(Result<Val, Val>)) {
        let mut left = if let What::First(count) = self.kind { count } else { usize::MAX };
        if left == 0 {
            return;
        }
        let outcome = self.of.run_until(record, &mut |value| {
            left -= 1;
            each(Ok(value));
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Err(error) = outcome {
            each(Err(error));
        }
    }

    /// Adds an output, or an error; gives what the state has grown by, about.
    pub(super) fn add(&self, state: &mut State, place: Place, event: Result<Val, Val>) -> usize {
        match (&self.kind, &mut *state, event) {
            (What::First(count), State::First(events), event) => {
                let before = turns::weight(events);
                turns::add(events, *count, (place, event));
                turns::weight(events).saturating_sub(before)
            }
            (_, _, Ok(value)) => self.step(state, place, value),
            (_, _, Err(error)) => {
                let weight = error.weight();
                state.fail(Of::Output, place, error);
                weight
            }
        }
    }

    /// Adds an output; gives what the state has grown by, about.
    fn step(&self, state: &mut State, place: Place, value: Val) -> usize {
        match (&self.kind, &mut *state) {
            (What::Approx(sketch), State::Approx(seen)) => return grown(sketch, seen, place.0, &value),
            (What::Sample(drawing), State::Sample(drawn)) => return grown(drawing, drawn, place.0, &(place, value)),
            (What::Groups(nested), State::Groups(groups)) => {
                return nested.step(groups, place, &Record::of(value)).unwrap_or_else(|error| {
                    let weight = error.weight();
                    state.fail(Of::Aggregate, place, error);
                    weight
                });
            }
            (What::Reduce(reduce), State::Reduce(reduced)) => {
                return reduce.step(reduced, value).unwrap_or_else(|error| {
                    let weight = error.weight();
                    // What fails first is seen, be it here or where the outputs are made.
                    state.fail(Of::Output, place, error);
                    weight
                });
            }
            _ => {}
        }
        let weight = value.weight() + 48;
        match self.try_step(state, place, value) {
            Ok(grows) => {
                if grows {
                    weight
                } else {
                    0
                }
            }
            Err(error) => {
                let weight = error.weight();
                state.fail(Of::Aggregate, place, error);
                weight
            }
        }
    }

    fn try_step(&self, state: &mut State, place: Place, value: Val) -> Result<bool, Val> {
        let key = |by: &Filter, value: &Val| {
            if by.is_itself() { Ok(value.clone()) } else { by.key(&Record::of(value.clone())) }
        };
        let mut grows = true;
        match (&self.kind, state) {
            (What::Count, State::Count(count)) => {
                *count += 1;
                grows = false;
            }
            (What::Add, State::Add(sum)) => {
                *sum = (std::mem::take(sum) + value).map_err(jaq_core::Error::into_val)?;
                grows = !sum.is_number();
            }
            (What::Min(by), State::Min(best)) => {
                grows = best.is_none();
                least(best, (key(by, &value)?, place, value));
            }
            (What::Max(by), State::Max(best)) => {
                grows = best.is_none();
                greatest(best, (key(by, &value)?, place, value));
            }
            (What::Nth(ends, _) | What::Slice(_, ends), State::Ends(list)) => {
                grows = list.len() < ends.count;
                // Nearly always at the end.
                let at = list.partition_point(|(known, _)| *known <= place);
                list.insert(at, (place, value));
                if !ends.last {
                    list.truncate(ends.count);
                } else if list.len() >= ends.count.saturating_mul(2).max(16) {
                    list.drain(..list.len() - ends.count);
                }
            }
            (What::Unique(by), State::Unique(known)) => {
                let before = known.len();
                distinct(known, key(by, &value)?, place, value);
                grows = known.len() > before;
            }
            (What::Top { by, ends, .. }, State::Top(list)) => {
                grows = list.len() <= ends.count;
                list.push((key(by, &value)?, place, value));
                self.shorten(list, *ends);
            }
            (What::Collect, State::Collect(list)) => list.push((place, value)),
            // An earlier error counts.
            _ => grows = false,
        }
        Ok(grows)
    }

    fn shorten(&self, list: &mut Vec<(Val, Place, Val)>, ends: Ends) {
        if list.len() >= ends.count.saturating_mul(2).max(16) {
            ends.cut(list, |(key, place, _)| (key.clone(), *place));
        }
    }

    pub(super) fn merge(&self, into: &mut State, from: State) {
        match (&self.kind, into, from) {
            (_, State::Count(into), State::Count(from)) => *into += from,
            (_, State::Min(into), State::Min(Some(from))) => least(into, from),
            (_, State::Max(into), State::Max(Some(from))) => greatest(into, from),
            (What::Nth(ends, _) | What::Slice(_, ends), State::Ends(into), State::Ends(from)) => {
                into.extend(from);
                ends.cut(into, |(place, _)| *place);
            }
            (_, State::Unique(into), State::Unique(from)) => {
                from.into_iter().for_each(|(key, (place, value))| distinct(into, key, place, value));
            }
            (What::Top { ends, .. }, State::Top(into), State::Top(from)) => {
                into.extend(from);
                self.shorten(into, *ends);
            }
            (What::First(count), State::First(into), State::First(from)) => turns::merge(into, *count, from),
            (What::Approx(sketch), State::Approx(into), State::Approx(from)) => sketch.merge(into, from),
            (What::Sample(drawing), State::Sample(into), State::Sample(from)) => drawing.merge(into, from),
            (_, State::Collect(into), State::Collect(from)) => into.extend(from),
            (What::Groups(nested), State::Groups(into), State::Groups(from)) => nested.merge(into, from),
            (_, into, State::Failed((of, place), error)) => into.fail(of, place, error),
            _ => {}
        }
    }
}

/// Steps one of the library's aggregates; gives what its state has grown by, about.
fn grown<T, A: Aggregate<T>>(aggregate: &A, state: &mut A::State, at: Seq, item: &T) -> usize {
    let before = aggregate.heap_size(state);
    aggregate.step(state, at, item);
    aggregate.heap_size(state).saturating_sub(before)
}
