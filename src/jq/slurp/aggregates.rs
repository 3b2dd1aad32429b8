//! The aggregates of a row, as one aggregate of the bag: what `{n: length, last: (map(.t) | max)}` needs from one pass.

use kitbag::agg::{Aggregate, Fold, Merging};
use kitbag::{JsonRef, Seq};
use serde::{Deserialize, Serialize};

use std::sync::Arc;

use super::super::plan::{Kind, Row};
use super::super::{CompileError, Val};
use super::filter::{Filter, Record, World};
use super::state::{Ends, Place, State, distinct, greatest, least};

/// One of them, compiled.
struct One {
    kind: What,
    of: Filter,
}

enum What {
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
}

/// The aggregates of a row.
pub(super) struct Aggregates {
    all: Vec<One>,
    /// The key, if it is read from a record again to see whether it can be.
    check: Option<Filter>,
}

/// What they have seen.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct States {
    states: Vec<State>,
    /// The first record whose key is an error.
    failed: Option<(Seq, Val)>,
    /// What the states hold, about.
    weight: usize,
}

/// What a record gives to the aggregates, or the error that it gives: for those that see the records in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outputs(Vec<(u8, Result<Val, Val>)>);

impl Aggregates {
    pub(super) fn new(row: &Row<'_>, check: Option<Filter>, world: &World<'_>) -> Result<Aggregates, CompileError> {
        let mut all = Vec::with_capacity(row.aggregates.len());
        for aggregate in &row.aggregates {
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
            };
            all.push(One { kind, of: by(&aggregate.of)? });
        }
        Ok(Aggregates { all, check })
    }

    /// Whether they must see the records in order.
    pub(super) fn in_order(&self) -> bool {
        self.all.iter().any(|one| matches!(one.kind, What::Add))
    }

    /// The answers where there is no record.
    pub(super) fn of_nothing(&self) -> Result<Val, Val> {
        self.answers(self.init())
    }

    /// What a record gives to each of them.
    pub(super) fn outputs(&self, record: &Record<'_>) -> Outputs {
        let mut outputs = Vec::with_capacity(self.all.len());
        for (number, one) in (0u8..).zip(&self.all) {
            if let Err(error) = one.of.run(record, &mut |value| outputs.push((number, Ok(value)))) {
                outputs.push((number, Err(error)));
            }
        }
        Outputs(outputs)
    }

    fn add(&self, states: &mut States, seq: Seq, record: &Record<'_>) {
        if let Some(check) = &self.check
            && let Err(error) = check.run(record, &mut |_| {})
        {
            states.refuse(seq, error);
            return;
        }
        for (one, state) in self.all.iter().zip(&mut states.states) {
            if let What::Nth(ends, _) | What::Slice(_, ends) = &one.kind
                && one.of.is_itself()
                && !wanted(state, *ends, (seq, 0))
            {
                // Nothing is made of a record that would not be kept.
                continue;
            }
            if let (What::Count, true, State::Count(count)) = (&one.kind, one.of.is_itself(), &mut *state) {
                *count += 1;
                continue;
            }
            let (mut place, mut grown) = ((seq, 0), 0);
            let outcome = one.of.run(record, &mut |value| {
                grown += one.step(state, place, value);
                place.1 += 1;
            });
            if let Err(error) = outcome {
                grown += error.weight();
                state.fail(place, error);
            }
            states.weight += grown;
        }
    }

    /// Adds what a record gave.
    fn take(&self, states: &mut States, at: Seq, outputs: &Outputs) {
        let mut number = 0;
        for (of, output) in &outputs.0 {
            let (Some(one), Some(state)) = (self.all.get(usize::from(*of)), states.states.get_mut(usize::from(*of)))
            else {
                continue;
            };
            let place = (at, number);
            number += 1;
            match output {
                Ok(value) => states.weight += one.step(state, place, value.clone()),
                Err(error) => state.fail(place, error.clone()),
            }
        }
    }

    /// The answers: of each aggregate an array of its outputs, or an object with the error that it raised.
    fn answers(&self, states: States) -> Result<Val, Val> {
        match states.failed {
            Some((_, error)) => Err(error),
            None => Ok(Val::array(self.all.iter().zip(states.states).map(|(one, state)| one.answer(state)).collect())),
        }
    }
}

/// Whether a record with this place would be among those that are kept.
fn wanted(state: &State, ends: Ends, place: Place) -> bool {
    match state {
        State::Ends(list) if list.len() >= ends.count => {
            let edge = if ends.last { list.first() } else { list.last() };
            edge.is_some_and(|(kept, _)| if ends.last { place > *kept } else { place < *kept })
        }
        _ => true,
    }
}

impl States {
    fn refuse(&mut self, seq: Seq, error: Val) {
        if self.failed.as_ref().is_none_or(|(known, _)| seq < *known) {
            self.failed = Some((seq, error));
        }
    }
}

impl One {
    fn init(&self) -> State {
        match &self.kind {
            What::Count => State::Count(0),
            What::Add => State::Add(Val::null()),
            What::Min(_) => State::Min(None),
            What::Max(_) => State::Max(None),
            What::Nth(..) | What::Slice(..) => State::Ends(Vec::new()),
            What::Unique(_) => State::Unique(Default::default()),
            What::Top { .. } => State::Top(Vec::new()),
            What::Collect => State::Collect(Vec::new()),
        }
    }

    /// Adds an output; gives what the state has grown by, about.
    fn step(&self, state: &mut State, place: Place, value: Val) -> usize {
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
                state.fail(place, error);
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
                list.push((place, value));
                ends.cut(list, |(place, _)| *place);
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

    fn merge(&self, into: &mut State, from: State) {
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
            (_, State::Collect(into), State::Collect(from)) => into.extend(from),
            (_, into, State::Failed(place, error)) => into.fail(place, error),
            _ => {}
        }
    }

    fn answer(&self, state: State) -> Val {
        let one = |value: Option<Val>| Val::array(vec![value.unwrap_or_default()]);
        match (state, &self.kind) {
            (State::Count(count), _) => one(Some(Val::count(usize::try_from(count).unwrap_or(usize::MAX)))),
            (State::Add(sum), _) => one(Some(sum)),
            (State::Min(best) | State::Max(best), _) => one(best.map(|(_, _, value)| value)),
            (State::Ends(list), What::Nth(ends, path)) => {
                let full = list.len() == ends.count;
                let edge = if ends.last { list.into_iter().next() } else { list.into_iter().last() };
                let value = edge.filter(|_| full).map_or(Val::Null, |(_, value)| value);
                let mut outputs = Vec::with_capacity(1);
                match path.run(&Record::of(value), &mut |output| outputs.push(output)) {
                    Ok(()) => Val::array(outputs),
                    Err(error) => failed(error),
                }
            }
            (State::Ends(list), What::Slice(from, _)) => {
                one(Some(list.into_iter().skip(*from).map(|(_, value)| value).collect()))
            }
            (State::Unique(known), _) => one(Some(known.into_values().map(|(_, value)| value).collect())),
            (State::Top(mut list), What::Top { ends, reversed, .. }) => {
                ends.cut(&mut list, |(key, place, _)| (key.clone(), *place));
                if *reversed {
                    list.reverse();
                }
                one(Some(list.into_iter().map(|(_, _, value)| value).collect()))
            }
            (State::Collect(mut list), _) => {
                list.sort_by_key(|(place, _)| *place);
                one(Some(list.into_iter().map(|(_, value)| value).collect()))
            }
            (State::Failed(_, error), _) => failed(error),
            (State::Ends(_) | State::Top(_), _) => one(None),
        }
    }
}

fn failed(error: Val) -> Val {
    Val::object([("e".into(), error)])
}

impl Fold for Aggregates {
    type State = States;
    type Out = Result<Val, Val>;

    fn init(&self) -> States {
        States { states: self.all.iter().map(One::init).collect(), failed: None, weight: 0 }
    }

    fn merge(&self, into: &mut States, from: States) {
        if let Some((seq, error)) = from.failed {
            into.refuse(seq, error);
        }
        for ((one, into), from) in self.all.iter().zip(&mut into.states).zip(from.states) {
            one.merge(into, from);
        }
        into.weight = into.states.iter().map(State::weight).sum();
    }

    fn finish(&self, states: States) -> Result<Val, Val> {
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
        self.add(states, at, &Record::borrowed(*record));
    }
}

/// A value with its key.
impl Aggregate<(Val, Val)> for Aggregates {
    fn step(&self, states: &mut States, at: Seq, (_, value): &(Val, Val)) {
        self.add(states, at, &Record::of(value.clone()));
    }
}

/// Aggregates that the stage before makes outputs for.
pub(super) struct Shared(pub(super) Arc<Aggregates>);

impl Fold for Shared {
    type State = States;
    type Out = Result<Val, Val>;

    fn init(&self) -> States {
        self.0.init()
    }

    fn merge(&self, into: &mut States, from: States) {
        self.0.merge(into, from);
    }

    fn finish(&self, states: States) -> Result<Val, Val> {
        self.0.finish(states)
    }

    fn merging(&self) -> Merging {
        self.0.merging()
    }

    fn heap_size(&self, states: &States) -> usize {
        self.0.heap_size(states)
    }
}

impl Aggregate<(Val, Outputs)> for Shared {
    fn step(&self, states: &mut States, at: Seq, (_, outputs): &(Val, Outputs)) {
        self.0.take(states, at, outputs);
    }
}
