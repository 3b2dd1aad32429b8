//! One aggregate: how it begins, what an output does to it, how states of parts become one, and its answer.

use std::ops::ControlFlow;

use kitbag::Seq;
use kitbag::agg::{Aggregate, Fold as _};

use super::super::plan::{Agg, Kind};
use super::super::sketch::{self, Distinct, Drawing};
use super::super::{CompileError, Val};
use super::filter::{Filter, Record, World};
use super::nested::{Groups, Nested};
use super::state::{COMPARED, Ends, IN_TREE, LISTED, Of, Place, State, distinct, greatest, least};
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

    /// Hands what is to be seen of a record to `each`: all outputs, and the error behind them, no more than are wanted; or
    /// the record, where there may be many of them.
    pub(super) fn events(&self, record: &Record<'_>, each: &mut dyn FnMut(Result<Val, Val>)) {
        if self.sees_records() {
            return each(Ok(record.value().clone()));
        }
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

    /// Whether outputs are made where the state is: it takes one after the other, and no more once it has failed.
    pub(super) fn sees_records(&self) -> bool {
        matches!(self.kind, What::Reduce(_)) && !self.of.is_itself() && self.of.keys().is_none()
    }

    /// Adds what a record gives, the first of it at this place; gives what the state has grown by, about.
    pub(super) fn see(&self, state: &mut State, first: Place, record: &Record<'_>) -> isize {
        if self.is_over(state, first) {
            return 0;
        }
        let (mut place, mut grown) = (first, 0);
        let outcome = self.of.run_until(record, &mut |value| {
            grown += self.add(state, place, Ok(value));
            place.1 += 1;
            if self.is_over(state, place) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Err(error) = outcome {
            grown += self.add(state, place, Err(error));
        }
        grown
    }

    /// Whether nothing from this place on changes the state.
    fn is_over(&self, state: &State, place: Place) -> bool {
        match (&self.kind, state) {
            (What::First(count), State::First(events)) => turns::is_decided(events, *count, place),
            // It sees them in order.
            (What::Reduce(_), State::Failed(..)) => true,
            _ => false,
        }
    }

    /// Adds an output, or an error; gives what the state has grown by, about.
    pub(super) fn add(&self, state: &mut State, place: Place, event: Result<Val, Val>) -> isize {
        match (&self.kind, &mut *state, event) {
            (What::First(count), State::First(events), event) => turns::add(events, *count, (place, event)),
            (_, _, Ok(value)) => self.step(state, place, value),
            (_, _, Err(error)) => state.fail(Of::Output, place, error),
        }
    }

    fn step(&self, state: &mut State, place: Place, value: Val) -> isize {
        match (&self.kind, &mut *state) {
            (What::Approx(sketch), State::Approx(seen)) => grown(sketch, seen, place.0, &value),
            (What::Sample(drawing), State::Sample(drawn)) => grown(drawing, drawn, place.0, &(place, value)),
            (What::Groups(nested), State::Groups(groups)) => nested
                .step(groups, place, &Record::of(value))
                .unwrap_or_else(|error| state.fail(Of::Aggregate, place, error)),
            // What fails first is seen, be it here or where the outputs are made.
            (What::Reduce(reduce), State::Reduce(reduced)) => {
                reduce.step(reduced, value).unwrap_or_else(|error| state.fail(Of::Output, place, error))
            }
            _ => self.try_step(state, place, value).unwrap_or_else(|error| state.fail(Of::Aggregate, place, error)),
        }
    }

    fn try_step(&self, state: &mut State, place: Place, value: Val) -> Result<isize, Val> {
        let key = |by: &Filter, value: &Val| {
            if by.is_itself() { Ok(value.clone()) } else { by.key(&Record::of(value.clone())) }
        };
        let weight = signed(value.weight() + LISTED);
        let grows = match (&self.kind, state) {
            (What::Count, State::Count(count)) => {
                *count += 1;
                false
            }
            (What::Add, State::Add(sum)) => {
                *sum = (std::mem::take(sum) + value).map_err(jaq_core::Error::into_val)?;
                !sum.is_number()
            }
            (What::Min(by), State::Min(best)) => {
                let grows = best.is_none();
                least(best, (key(by, &value)?, place, value));
                grows
            }
            (What::Max(by), State::Max(best)) => {
                let grows = best.is_none();
                greatest(best, (key(by, &value)?, place, value));
                grows
            }
            (What::Nth(ends, _) | What::Slice(_, ends), State::Ends(list)) => {
                // Nearly always at the end.
                let at = list.partition_point(|(known, _)| *known <= place);
                list.insert(at, (place, value));
                let most = if ends.last { ends.count.saturating_mul(2).max(16) } else { ends.count.saturating_add(1) };
                if list.len() < most {
                    return Ok(weight);
                }
                let gone = if ends.last { 0..list.len() - ends.count } else { ends.count..list.len() };
                let dropped = list.drain(gone).map(|(_, value)| signed(value.weight() + LISTED));
                return Ok(weight - dropped.sum::<isize>());
            }
            (What::Unique(by), State::Unique(known)) => {
                let (before, key) = (known.len(), key(by, &value)?);
                let weight = signed(key.weight() + value.weight() + IN_TREE);
                distinct(known, key, place, value);
                return Ok(if known.len() > before { weight } else { 0 });
            }
            (What::Top { by, ends, .. }, State::Top(list)) => {
                let key = key(by, &value)?;
                let weight = signed(key.weight() + value.weight() + COMPARED);
                list.push((key, place, value));
                return Ok(weight - self.shorten(list, *ends));
            }
            (What::Collect, State::Collect(list)) => {
                list.push((place, value));
                true
            }
            // An earlier error counts.
            _ => false,
        };
        Ok(if grows { weight } else { 0 })
    }

    /// Gives what goes, about.
    pub(super) fn shorten(&self, list: &mut Vec<(Val, Place, Val)>, ends: Ends) -> isize {
        if list.len() < ends.count.saturating_mul(2).max(16) {
            return 0;
        }
        let before: usize = list.iter().map(|(key, _, value)| key.weight() + value.weight() + COMPARED).sum();
        ends.cut(list, |(key, place, _)| (key.clone(), *place));
        let after: usize = list.iter().map(|(key, _, value)| key.weight() + value.weight() + COMPARED).sum();
        signed(before - after)
    }
}

/// Steps one of the library's aggregates; gives what its state has grown by, about.
fn grown<T, A: Aggregate<T>>(aggregate: &A, state: &mut A::State, at: Seq, item: &T) -> isize {
    let before = signed(aggregate.heap_size(state));
    aggregate.step(state, at, item);
    signed(aggregate.heap_size(state)) - before
}

pub(super) fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}
