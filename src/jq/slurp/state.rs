//! The states of aggregates. What must stay true: every state says the same however the records were cut and in whatever
//! order states were merged: what counts is the place of each output. [`State::Add`], [`State::Reduce`] and
//! [`State::Sample`] must see them in order.

use std::collections::BTreeMap;

use kitbag::Seq;
use kitbag::agg::Fold as _;
use serde::{Deserialize, Serialize};

use super::super::Val;
use super::super::sketch::{self, Drawn, Seen};
use super::nested::{self, Groups};
use super::one::signed;
use super::turns::{self, Reduced};

/// The bytes that an output takes in a list, which has room for half as many again on average; with what it is compared
/// by, and in a tree.
pub(super) const LISTED: usize = size_of::<(Place, Val)>() * 3 / 2;
pub(super) const COMPARED: usize = size_of::<(Val, Place, Val)>() * 3 / 2;
pub(super) const IN_TREE: usize = size_of::<(Val, Place, Val)>() * 2;

/// Where an output stands: its record, and its number among the record's outputs.
pub(super) type Place = (Seq, u32);

/// What an aggregate has seen. Outputs stand with what they are compared by, and their places.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum State {
    Count(u64),
    Add(Val),
    Min(Option<(Val, Place, Val)>),
    Max(Option<(Val, Place, Val)>),
    /// Those with the first or the last places, in order; of the last ones there may be more.
    Ends(Vec<(Place, Val)>),
    Unique(BTreeMap<Val, (Place, Val)>),
    /// More than are wanted, in no order.
    Top(Vec<(Val, Place, Val)>),
    Collect(Vec<(Place, Val)>),
    Groups(Groups),
    First(Vec<Event>),
    Reduce(Reduced),
    Approx(Seen),
    Sample(Drawn<Place>),
    /// The first error. Those of what makes the outputs come before those of what is made of the outputs, since jq has all
    /// outputs before it makes anything of them.
    Failed((Of, Place), Val),
}

/// An output, or the error that stands where it would be.
pub(super) type Event = (Place, Result<Val, Val>);

/// What an error is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Of {
    Output,
    Aggregate,
}

/// How many of which end are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) count: usize,
    pub(super) last: bool,
}

impl Ends {
    /// Keeps those that count of a list with something comparable.
    pub(super) fn cut<T, K: Ord>(self, list: &mut Vec<T>, key: impl Fn(&T) -> K) {
        list.sort_by_key(|item| key(item));
        let over = list.len().saturating_sub(self.count);
        if self.last {
            list.drain(..over);
        } else {
            list.truncate(self.count);
        }
    }
}

impl State {
    /// The bytes that it holds, about. The same for the same content, however lists grew: whether it is too much must not
    /// depend on which worker saw what.
    pub(super) fn weight(&self) -> usize {
        let kept = |(key, _, value): &(Val, Place, Val)| key.weight() + value.weight();
        match self {
            State::Count(_) => 0,
            State::Add(value) | State::Failed(_, value) => value.weight(),
            State::Min(best) | State::Max(best) => best.as_ref().map_or(0, kept),
            State::Ends(list) | State::Collect(list) => {
                list.len() * LISTED + list.iter().map(|(_, value)| value.weight()).sum::<usize>()
            }
            State::Unique(map) => map.iter().map(|(key, (_, value))| key.weight() + value.weight() + IN_TREE).sum(),
            State::Groups(groups) => nested::weight(groups),
            State::First(events) => turns::weight(events),
            State::Reduce(reduced) => reduced.weight(),
            State::Approx(seen) => sketch::distinct().heap_size(seen),
            State::Sample(drawn) => sketch::drawing(0, 0).heap_size(drawn),
            State::Top(list) => list.len() * COMPARED + list.iter().map(kept).sum::<usize>(),
        }
    }

    /// Records an error, unless there is an earlier one; gives what the state grows by, about.
    pub(super) fn fail(&mut self, of: Of, place: Place, error: Val) -> isize {
        match self {
            State::Failed(known, _) if *known <= (of, place) => 0,
            _ => {
                let weight = signed(error.weight());
                *self = State::Failed((of, place), error);
                weight
            }
        }
    }
}

/// Whether a record with this place would be among those that are kept.
pub(super) fn wanted(state: &State, ends: Ends, place: Place) -> bool {
    match state {
        State::Ends(list) if list.len() >= ends.count => {
            let edge = if ends.last { list.first() } else { list.last() };
            edge.is_some_and(|(kept, _)| if ends.last { place > *kept } else { place < *kept })
        }
        _ => true,
    }
}

/// The first of the smallest.
pub(super) fn least(best: &mut Option<(Val, Place, Val)>, other: (Val, Place, Val)) {
    if best.as_ref().is_none_or(|(key, place, _)| (&other.0, other.1) < (key, *place)) {
        *best = Some(other);
    }
}

/// The last of the greatest.
pub(super) fn greatest(best: &mut Option<(Val, Place, Val)>, other: (Val, Place, Val)) {
    if best.as_ref().is_none_or(|(key, place, _)| (&other.0, other.1) > (key, *place)) {
        *best = Some(other);
    }
}

/// Keeps the first of equal ones.
pub(super) fn distinct(known: &mut BTreeMap<Val, (Place, Val)>, key: Val, place: Place, value: Val) {
    match known.get_mut(&key) {
        Some(first) if first.0 <= place => {}
        Some(first) => *first = (place, value),
        None => {
            known.insert(key, (place, value));
        }
    }
}
