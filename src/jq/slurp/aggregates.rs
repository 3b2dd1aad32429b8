//! The aggregates of a row, as one aggregate of the bag: what `{n: length, last: (map(.t) | max)}` needs from one pass.

use kitbag::agg::{Aggregate, Fold, Merging};
use kitbag::{JsonRef, Seq};
use serde::{Deserialize, Serialize};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::plan::Row;
use super::super::{CompileError, Val};
use super::filter::{Record, World};
use super::one::{One, What};
use super::state::{Of, Place, State, wanted};

/// The aggregates of a row.
pub(super) struct Aggregates {
    all: Vec<One>,
}

/// What they have seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct States {
    states: Vec<State>,
    /// What the states hold, about.
    weight: usize,
}

/// What a record gives to the aggregates, or the error that it gives: for those that see the records in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outputs(Vec<(u8, Result<Val, Val>)>);

impl States {
    /// The bytes that they hold, about.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }
}

impl Aggregates {
    pub(super) fn new(row: &Row<'_>, world: &World<'_>) -> Result<Aggregates, CompileError> {
        let mut all = Vec::with_capacity(row.aggregates.len());
        for aggregate in &row.aggregates {
            all.push(One::new(aggregate, world)?);
        }
        Ok(Aggregates { all })
    }

    /// Whether they must see the records in order.
    pub(super) fn in_order(&self) -> bool {
        self.all.iter().any(|one| match &one.kind {
            What::Add | What::Reduce(_) | What::Sample(_) => true,
            What::Groups(nested) => nested.in_order(),
            _ => false,
        })
    }

    /// The answers where there is no record.
    pub(super) fn of_nothing(&self) -> Val {
        self.answers(self.init())
    }

    /// What a record gives to each of them.
    pub(super) fn outputs(&self, record: &Record<'_>) -> Outputs {
        let mut outputs = Vec::with_capacity(self.all.len());
        for (number, one) in (0u8..).zip(&self.all) {
            one.events(record, &mut |event| outputs.push((number, event)));
        }
        Outputs(outputs)
    }

    /// Adds the outputs for a record, the first of which has this place.
    pub(super) fn add(&self, states: &mut States, first: Place, record: &Record<'_>) {
        let States { states, weight } = states;
        for (one, state) in self.all.iter().zip(states) {
            if let What::Nth(ends, _) | What::Slice(_, ends) = &one.kind
                && one.of.is_itself()
                && !wanted(state, *ends, first)
            {
                // Nothing is made of a record that would not be kept.
                continue;
            }
            if let (What::Count, true, State::Count(count)) = (&one.kind, one.of.is_itself(), &mut *state) {
                *count += 1;
                continue;
            }
            if let (What::Groups(nested), true, State::Groups(groups)) = (&one.kind, one.of.is_itself(), &mut *state) {
                let grown = nested.step(groups, first, record);
                let grown = grown.unwrap_or_else(|error| state.fail(Of::Aggregate, first, error));
                *weight = weight.saturating_add_signed(grown);
                continue;
            }
            *weight = weight.saturating_add_signed(one.see(state, first, record));
        }
    }

    /// Adds what a record gave.
    fn take(&self, states: &mut States, at: Seq, outputs: &Outputs) {
        let mut number = 0;
        for (of, event) in &outputs.0 {
            let (Some(one), Some(state)) = (self.all.get(usize::from(*of)), states.states.get_mut(usize::from(*of)))
            else {
                continue;
            };
            let place = (at, number);
            number += 1;
            let grown = match event {
                Ok(record) if one.sees_records() => one.see(state, place, &Record::of(record.clone())),
                event => one.add(state, place, event.clone()),
            };
            states.weight = states.weight.saturating_add_signed(grown);
        }
    }

    /// The answers: of each aggregate an array of its outputs, or an object with the error that it raised.
    fn answers(&self, states: States) -> Val {
        Val::array(self.all.iter().zip(states.states).map(|(one, state)| one.answer(state)).collect())
    }
}

impl Fold for Aggregates {
    type State = States;
    type Out = Val;

    fn init(&self) -> States {
        let states: Vec<State> = self.all.iter().map(One::init).collect();
        States { weight: states.iter().map(State::weight).sum(), states }
    }

    fn merge(&self, into: &mut States, from: States) {
        for ((one, into), from) in self.all.iter().zip(&mut into.states).zip(from.states) {
            one.merge(into, from);
        }
        into.weight = into.states.iter().map(State::weight).sum();
    }

    fn finish(&self, states: States) -> Val {
        self.answers(states)
    }

    fn merging(&self) -> Merging {
        if self.in_order() { Merging::Never } else { Merging::Exact }
    }

    fn heap_size(&self, states: &States) -> usize {
        states.weight + states.states.capacity() * size_of::<State>()
    }
}

impl<'a> Aggregate<JsonRef<'a>> for Aggregates {
    fn step(&self, states: &mut States, at: Seq, record: &JsonRef<'a>) {
        self.add(states, (at, 0), &Record::borrowed(*record));
    }
}

/// A value with its key.
impl Aggregate<(Val, Val)> for Aggregates {
    fn step(&self, states: &mut States, at: Seq, (_, value): &(Val, Val)) {
        self.add(states, (at, 0), &Record::of(value.clone()));
    }
}

/// Aggregates whose states are in no store that would charge them: they hold no more than so many bytes.
pub(super) struct Limited {
    pub(super) aggregates: Arc<Aggregates>,
    pub(super) most: u64,
    /// More was asked for. What there was is gone then, and so is every answer.
    pub(super) over: Arc<AtomicBool>,
}

impl Limited {
    fn limit(&self, states: &mut States) {
        if states.weight as u64 > self.most {
            self.over.store(true, Ordering::Relaxed);
        }
        if self.over.load(Ordering::Relaxed) {
            *states = self.init();
        }
    }
}

impl Fold for Limited {
    type State = States;
    type Out = Val;

    fn init(&self) -> States {
        self.aggregates.init()
    }

    fn merge(&self, into: &mut States, from: States) {
        self.aggregates.merge(into, from);
        self.limit(into);
    }

    fn finish(&self, states: States) -> Val {
        self.aggregates.finish(states)
    }

    fn merging(&self) -> Merging {
        self.aggregates.merging()
    }

    fn heap_size(&self, states: &States) -> usize {
        self.aggregates.heap_size(states)
    }
}

/// A value with its key.
impl Aggregate<(Val, Val)> for Limited {
    fn step(&self, states: &mut States, at: Seq, item: &(Val, Val)) {
        self.aggregates.step(states, at, item);
        self.limit(states);
    }
}

/// What a record gives, with its key.
impl Aggregate<(Val, Outputs)> for Limited {
    fn step(&self, states: &mut States, at: Seq, (_, outputs): &(Val, Outputs)) {
        self.aggregates.take(states, at, outputs);
        self.limit(states);
    }
}
