//! Aggregates that take one output after the other: the first ones, up to the first error, and `reduce`.

use std::cell::RefCell;

use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use serde::{Deserialize, Serialize};

use super::super::plan::Tree;
use super::super::{CompileError, Val};
use super::filter::{Filter, Record, World};
use super::state::{Event, Place};

/// Adds an event, of which there are no more than so many, nor any behind an error.
pub(super) fn add(events: &mut Vec<Event>, count: usize, event: Event) {
    if !is_decided(events, count, event.0) {
        // Nearly always at the end.
        let at = events.partition_point(|(known, _)| *known <= event.0);
        events.insert(at, event);
        cut(events, count);
    }
}

pub(super) fn merge(events: &mut Vec<Event>, count: usize, others: Vec<Event>) {
    events.extend(others);
    events.sort_by_key(|(place, _)| *place);
    cut(events, count);
}

fn cut(events: &mut Vec<Event>, count: usize) {
    let error = events.iter().position(|(_, event)| event.is_err());
    events.truncate(error.map_or(count, |at| count.min(at + 1)));
}

/// Whether nothing at this place would be kept.
pub(super) fn is_decided(events: &[Event], count: usize, place: Place) -> bool {
    match events.last() {
        Some((last, event)) => (event.is_err() || events.len() >= count) && place > *last,
        None => count == 0,
    }
}

pub(super) fn weight(events: &[Event]) -> usize {
    let values = events.iter().map(|(_, event)| match event {
        Ok(value) | Err(value) => value.weight(),
    });
    size_of_val(events) + values.sum::<usize>()
}

/// `reduce`, a step at a time.
pub(super) struct Reduce {
    start: Filter,
    /// Its input is the item, and its `input` the state.
    step: Filter,
}

/// What a state has become.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reduced {
    state: Val,
    weight: usize,
    /// So many steps may be taken before it is weighed again: a state that grew large is not looked through every time.
    steps: usize,
}

impl Reduce {
    pub(super) fn new(
        pattern: &Pattern<&str>,
        [start, update]: [&Tree<'_>; 2],
        world: &World<'_>,
    ) -> Result<Reduce, CompileError> {
        let state = Term::Call("input", Vec::new());
        let update = Term::BinOp(Box::new(state), BinaryOp::Pipe(None), Box::new(update.clone()));
        let step = Term::BinOp(Box::new(Term::Id), BinaryOp::Pipe(Some(pattern.clone())), Box::new(update));
        Ok(Reduce { start: Filter::new(start, world)?, step: Filter::new(&step, world)? })
    }

    pub(super) fn init(&self) -> Reduced {
        let mut state = Val::Null;
        // It is a value that is written down: it fails for no input.
        _ = self.start.run(&Record::of(Val::Null), &mut |value| state = value);
        Reduced { weight: state.weight(), state, steps: 0 }
    }

    /// Takes a step; gives what the state has grown by, about.
    ///
    /// # Errors
    ///
    /// That of the update.
    pub(super) fn step(&self, reduced: &mut Reduced, item: Val) -> Result<usize, Val> {
        let state = RefCell::new(Some(std::mem::take(&mut reduced.state)));
        self.step.step(item, &state)?;
        reduced.state = state.take().unwrap_or_default();
        let before = reduced.weight;
        if reduced.steps == 0 {
            reduced.weight = reduced.state.weight();
            reduced.steps = reduced.weight / 256;
        } else {
            reduced.steps -= 1;
        }
        Ok(reduced.weight.saturating_sub(before))
    }
}

impl Reduced {
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn answer(self) -> Val {
        self.state
    }
}
