//! One aggregate: how it begins, what an output does to it, how states of parts become one, and its answer.

use kitbag::Seq;
use kitbag::agg::{Aggregate, Fold as _};

use super::super::plan::{Agg, Kind};
use super::super::sketch::{self, Distinct, Drawing};
use super::super::{CompileError, Val};
use super::filter::{Filter, Record, World};
use super::nested::{Groups, Nested};
use super::state::{Ends, Of, Place, State, distinct, greatest, least};

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
            What::Approx(sketch) => State::Approx(sketch.init()),
            What::Sample(drawing) => State::Sample(drawing.init()),
        }
    }

    /// Adds an output; gives what the state has grown by, about.
    pub(super) fn step(&self, state: &mut State, place: Place, value: Val) -> usize {
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
            (What::Approx(sketch), State::Approx(into), State::Approx(from)) => sketch.merge(into, from),
            (What::Sample(drawing), State::Sample(into), State::Sample(from)) => drawing.merge(into, from),
            (_, State::Collect(into), State::Collect(from)) => into.extend(from),
            (What::Groups(nested), State::Groups(into), State::Groups(from)) => nested.merge(into, from),
            (_, into, State::Failed((of, place), error)) => into.fail(of, place, error),
            _ => {}
        }
    }

    pub(super) fn answer(&self, state: State) -> Val {
        let one = |value: Option<Val>| Val::array(vec![value.unwrap_or_default()]);
        match (state, &self.kind) {
            (State::Count(count), _) => one(Some(Val::count(usize::try_from(count).unwrap_or(usize::MAX)))),
            (State::Add(sum), _) => one(Some(sum)),
            (State::Min(best) | State::Max(best), _) => one(best.map(|(_, _, value)| value)),
            (State::Ends(mut list), What::Nth(ends, path)) => {
                ends.cut(&mut list, |(place, _)| *place);
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
            (State::Approx(seen), What::Approx(sketch)) => one(Some(sketch::count(sketch.finish(seen)))),
            (State::Sample(drawn), What::Sample(drawing)) => {
                let mut list = drawing.finish(drawn);
                // Of outputs of one record too.
                list.sort_by_key(|(place, _)| *place);
                one(Some(list.into_iter().map(|(_, value)| value).collect()))
            }
            (State::Groups(groups), What::Groups(nested)) => {
                nested.answer(groups).map_or_else(failed, |rows| one(Some(rows)))
            }
            (State::Failed(_, error), _) => failed(error),
            (State::Groups(_) | State::Ends(_) | State::Top(_) | State::Approx(_) | State::Sample(_), _) => one(None),
        }
    }
}

/// Steps one of the library's aggregates; gives what its state has grown by, about.
fn grown<T, A: Aggregate<T>>(aggregate: &A, state: &mut A::State, at: Seq, item: &T) -> usize {
    let before = aggregate.heap_size(state);
    aggregate.step(state, at, item);
    aggregate.heap_size(state).saturating_sub(before)
}

fn failed(error: Val) -> Val {
    Val::object([("e".into(), error)])
}
