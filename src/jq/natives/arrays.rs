//! Sorting, grouping, extremes, sums and joins of arrays. Keys are the arrays of all outputs of a function; sorting is
//! stable; of equal elements the first is least and the last is greatest.

use super::values::elements;
use super::{Kit, Native, Val, ValR, general, one, plain, pop_two, v, with_one, wrong};
use crate::jq::fault::{Error, ValX, about};
use crate::jq::sketch;
use crate::jq::value::Array;
use jaq_core::{Bind, Cv, Exn};
use std::cmp::Ordering;

type Keyed<'a> = Result<Vec<(Key, Val)>, Exn<'a, Val>>;

pub(super) fn natives() -> Vec<Native> {
    let f = || -> Box<[Bind]> { [Bind::Fun(())].into() };
    vec![
        plain!("sort", |value| {
            let mut values = elements(value, "cannot be sorted, as it is not an array")?;
            values.sort();
            Ok(Val::array(values))
        }),
        plain!("unique", |value| {
            let mut values = elements(value, "cannot be sorted, as it is not an array")?;
            values.sort();
            values.dedup();
            Ok(Val::array(values))
        }),
        plain!("reverse", reverse),
        plain!("add", add),
        plain!("min", |value| extreme(value, |best, next| next < best)),
        plain!("max", |value| extreme(value, |best, next| next >= best)),
        plain!("transpose", transpose),
        with_one!("join", |value, separator| join(&value, &separator)),
        with_one!("flatten", flatten),
        with_one!("bsearch", |value, wanted| match value.as_array() {
            Some(values) => Ok(match values.binary_search(&wanted) {
                Ok(at) => Val::count(at),
                Err(at) => Val::Int(-1 - i64::try_from(at).unwrap_or(i64::MAX - 1)),
            }),
            None => Err(about(&value, "cannot be searched from")),
        }),
        plain!("_approx_distinct", |value| elements(value, "cannot be counted, as it is not an array")
            .map(sketch::distinct_of)),
        general!("_sample", v(2), |mut cv| {
            let (count, seed) = pop_two(&mut cv);
            one(sample(cv.1, &count, &seed))
        }),
        general!("sort_by", f(), |cv| by(cv, sort_by)),
        general!("group_by", f(), |cv| by(cv, group_by)),
        general!("unique_by", f(), |cv| by(cv, unique_by)),
        general!("min_by", f(), |cv| by(cv, |keyed| extreme_by(keyed, Ordering::is_lt))),
        general!("max_by", f(), |cv| by(cv, |keyed| extreme_by(keyed, Ordering::is_ge))),
        general!("range", v(3), |mut cv| {
            let step = cv.0.pop_var();
            let to = cv.0.pop_var();
            let from = cv.0.pop_var();
            match [&from, &to, &step].iter().all(|bound| bound.is_number()) {
                true => Box::new(range(from, to, step).map(move |next| {
                    cv.0.data().goes_on()?;
                    Ok(next?)
                })),
                false => one(Err(wrong("Range bounds must be numeric"))),
            }
        }),
    ]
}

/// All outputs of a function for one element.
enum Key {
    One(Val),
    Many(Vec<Val>),
}

impl Key {
    fn values(&self) -> &[Val] {
        match self {
            Key::One(value) => std::slice::from_ref(value),
            Key::Many(values) => values,
        }
    }
}

fn by<'a>(mut cv: Cv<'a, Kit>, then: fn(Vec<(Key, Val)>) -> Val) -> jaq_core::ValXs<'a, Val> {
    let (f, context) = cv.0.pop_fun();
    let key = |value: &Val| -> Result<Key, Exn<'a, Val>> {
        let mut outputs = f.run((context.clone(), value.clone()));
        let Some(first) = outputs.next().transpose()? else { return Ok(Key::Many(Vec::new())) };
        match outputs.next().transpose()? {
            None => Ok(Key::One(first)),
            Some(second) => [Ok(first), Ok(second)].into_iter().chain(outputs).collect::<Result<_, _>>().map(Key::Many),
        }
    };
    let keyed: Keyed<'a> = match elements(cv.1, "cannot be sorted, as it is not an array") {
        Ok(values) => values.into_iter().map(|value| Ok((key(&value)?, value))).collect(),
        Err(error) => Err(error.into()),
    };
    let result: ValX<'a> = keyed.map(then);
    jaq_core::box_iter::box_once(result)
}

fn sorted(mut keyed: Vec<(Key, Val)>) -> Vec<(Key, Val)> {
    keyed.sort_by(|(a, _), (b, _)| a.values().cmp(b.values()));
    keyed
}

fn sort_by(keyed: Vec<(Key, Val)>) -> Val {
    sorted(keyed).into_iter().map(|(_, value)| value).collect()
}

fn unique_by(keyed: Vec<(Key, Val)>) -> Val {
    let mut keyed = sorted(keyed);
    keyed.dedup_by(|(next, _), (kept, _)| next.values() == kept.values());
    keyed.into_iter().map(|(_, value)| value).collect()
}

fn group_by(keyed: Vec<(Key, Val)>) -> Val {
    let mut groups: Vec<Val> = Vec::new();
    let mut keyed = sorted(keyed).into_iter();
    let Some((mut key, first)) = keyed.next() else { return Val::array(groups) };
    let mut group = vec![first];
    for (next, value) in keyed {
        if next.values() != key.values() {
            groups.push(Val::array(std::mem::take(&mut group)));
            key = next;
        }
        group.push(value);
    }
    groups.push(Val::array(group));
    Val::array(groups)
}

fn extreme_by(keyed: Vec<(Key, Val)>, better: fn(Ordering) -> bool) -> Val {
    let best =
        keyed.into_iter().reduce(|best, next| if better(next.0.values().cmp(best.0.values())) { next } else { best });
    best.map(|(_, value)| value).unwrap_or_default()
}

fn extreme(value: Val, better: fn(&Val, &Val) -> bool) -> ValR {
    let values = elements(value, "cannot be searched, as it is not an array")?;
    Ok(values.into_iter().reduce(|best, next| if better(&best, &next) { next } else { best }).unwrap_or_default())
}

fn reverse(value: Val) -> ValR {
    match value {
        Val::Null => Ok(Val::array(Vec::new())),
        Val::Str(text) if text.is_empty() => Ok(Val::array(Vec::new())),
        value => {
            let mut values = elements(value, "cannot be reversed, as it is not an array")?;
            values.reverse();
            Ok(Val::array(values))
        }
    }
}

fn add(value: Val) -> ValR {
    match value {
        Val::Arr(array) => Array::take(array).into_iter().try_fold(Val::Null, |sum, next| sum + next),
        value => jaq_core::ValT::values(value).try_fold(Val::Null, |sum, next| sum + next?),
    }
}

fn join(value: &Val, separator: &Val) -> ValR {
    let mut text = String::new();
    for (place, item) in jaq_core::ValT::values(value.clone()).enumerate() {
        if place > 0 {
            match separator {
                Val::Str(separator) => text.push_str(separator),
                Val::Null => {}
                other => return Err(crate::jq::fault::both(&Val::from(text), other, "cannot be added")),
            }
        }
        match item? {
            Val::Null => {}
            Val::Str(item) => text.push_str(&item),
            item @ (Val::Arr(_) | Val::Obj(_)) => {
                return Err(crate::jq::fault::both(&Val::from(text), &item, "cannot be added"));
            }
            item => text.push_str(&item.to_json()),
        }
    }
    Ok(Val::from(text))
}

fn sample(value: Val, count: &Val, seed: &Val) -> ValR {
    let values = elements(value, "cannot be sampled, as it is not an array")?;
    let count = count.as_i64().and_then(|count| u64::try_from(count).ok());
    let count = count.ok_or_else(|| wrong("a sample has a whole number of elements, 0 or more"))?;
    let seed = seed.as_i64().ok_or_else(|| wrong("the seed of a sample is a whole number"))?;
    Ok(sketch::sample_of(values, count, seed))
}

fn flatten(value: Val, depth: Val) -> ValR {
    let depth = depth.as_f64().ok_or_else(|| wrong("flatten depth must not be negative"))?;
    if depth < 0.0 {
        return Err(wrong("flatten depth must not be negative"));
    }
    let mut flat = Vec::new();
    // By a stack of our own: values are as deep as they like.
    let mut open: Vec<Box<dyn Iterator<Item = Result<Val, Error>>>> = vec![jaq_core::ValT::values(value)];
    while let Some(values) = open.last_mut() {
        match values.next().transpose()? {
            None => drop(open.pop()),
            Some(inner @ Val::Arr(_)) if open.len() as f64 <= depth => open.push(jaq_core::ValT::values(inner)),
            Some(value) => flat.push(value),
        }
    }
    Ok(Val::array(flat))
}

fn transpose(value: Val) -> ValR {
    let rows = elements(value, "cannot be transposed, as it is not an array")?;
    let mut columns: Vec<Vec<Val>> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let row = row.as_array().ok_or_else(|| about(row, "cannot be transposed, as it is not an array"))?;
        columns.resize_with(columns.len().max(row.len()), || vec![Val::Null; rows.len()]);
        for (column, cell) in columns.iter_mut().zip(row) {
            column[place] = cell.clone();
        }
    }
    Ok(columns.into_iter().map(Val::array).collect())
}

/// From a number up or down to another, which is left out.
fn range(mut next: Val, to: Val, step: Val) -> impl Iterator<Item = ValR> {
    let direction = step.cmp(&Val::Int(0));
    std::iter::from_fn(move || {
        let goes_on = match direction {
            Ordering::Greater => next < to,
            Ordering::Less => next > to,
            Ordering::Equal => false,
        };
        goes_on.then(|| (next.clone() + step.clone()).map(|after| std::mem::replace(&mut next, after)))
    })
}
