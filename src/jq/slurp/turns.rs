//! Aggregates that take one output after the other: the first ones, up to the first error, and `reduce`.

use std::cell::RefCell;

use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use serde::{Deserialize, Serialize};

use super::super::plan::Tree;
use super::super::{CompileError, Val};
use super::filter::{Filter, Record, World};
use super::one::signed;
use super::state::{Event, Place};

/// Adds an event, of which there are no more than so many, nor any behind an error; gives what they have grown by, about.
pub(super) fn add(events: &mut Vec<Event>, count: usize, event: Event) -> isize {
    if is_decided(events, count, event.0) {
        return 0;
    }
    // Nearly always at the end.
    let at = events.partition_point(|(known, _)| *known <= event.0);
    let (grown, ends) = (signed(weight_of(&event)), event.1.is_err());
    events.insert(at, event);
    let kept = if ends { at + 1 } else { events.len() };
    let dropped = events.drain(kept.min(count)..).map(|event| signed(weight_of(&event)));
    grown - dropped.sum::<isize>()
}

pub(super) fn merge(events: &mut Vec<Event>, count: usize, others: Vec<Event>) {
    events.extend(others);
    events.sort_by_key(|(place, _)| *place);
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
    events.iter().map(weight_of).sum()
}

fn weight_of((_, event): &Event) -> usize {
    let (Ok(value) | Err(value)) = event;
    size_of::<Event>() + value.weight()
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
    /// What was put into it since it was weighed. A state that grew large is not looked through at every step.
    more: usize,
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
        // It is a value that the program writes down, and fails for no input.
        _ = self.start.run(&Record::of(Val::Null), &mut |value| state = value);
        Reduced { weight: state.weight(), state, more: 0 }
    }

    /// Takes a step; gives what the state has grown by, about.
    ///
    /// # Errors
    ///
    /// That of the update.
    pub(super) fn step(&self, reduced: &mut Reduced, item: Val) -> Result<isize, Val> {
        let state = RefCell::new(Some(std::mem::take(&mut reduced.state)));
        reduced.more += item.weight() + size_of::<Val>();
        self.step.step(item, &state)?;
        reduced.state = state.take().unwrap_or_default();
        if reduced.more < reduced.weight / 8 {
            return Ok(0);
        }
        let before = signed(reduced.weight);
        (reduced.weight, reduced.more) = (reduced.state.weight(), 0);
        Ok(signed(reduced.weight) - before)
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
