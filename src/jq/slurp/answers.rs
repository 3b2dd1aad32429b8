//! How the states of parts become one, and the answers of aggregates: an array of outputs, or an object with those before the error that was raised, and the error.

use kitbag::agg::Fold as _;

use super::super::Val;
use super::super::sketch;
use super::filter::Record;
use super::one::{One, What};
use super::state::{State, distinct, greatest, least};
use super::turns;

impl One {
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
                _ = self.shorten(into, *ends);
            }
            (What::First(count), State::First(into), State::First(from)) => turns::merge(into, *count, from),
            (What::Approx(sketch), State::Approx(into), State::Approx(from)) => sketch.merge(into, from),
            (What::Sample(drawing), State::Sample(into), State::Sample(from)) => drawing.merge(into, from),
            (_, State::Collect(into), State::Collect(from)) => into.extend(from),
            (What::Groups(nested), State::Groups(into), State::Groups(from)) => nested.merge(into, from),
            (_, into, State::Failed((of, place), error)) => _ = into.fail(of, place, error),
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
            (State::Ends(mut list), What::Slice(from, ends)) => {
                ends.cut(&mut list, |(place, _)| *place);
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
            (State::First(mut events), _) => {
                let error = events.pop_if(|(_, event)| event.is_err());
                let outputs = Val::array(events.into_iter().filter_map(|(_, event)| event.ok()).collect());
                match error {
                    Some((_, Err(error))) => failed_behind(outputs, error),
                    _ => outputs,
                }
            }
            (State::Reduce(reduced), _) => one(Some(reduced.answer())),
            (State::Failed(_, error), _) => failed(error),
            (State::Groups(_) | State::Ends(_) | State::Top(_) | State::Approx(_) | State::Sample(_), _) => one(None),
        }
    }
}

fn failed(error: Val) -> Val {
    failed_behind(Val::array(Vec::new()), error)
}

/// The error comes behind these outputs.
fn failed_behind(outputs: Val, error: Val) -> Val {
    Val::object([("o".into(), outputs), ("e".into(), error)])
}
