//! Paths as values: reading, writing and deleting at them, updates that have to go path by path, and streams of them.

use super::{Kit, Native, Val, ValR, general, one, plain, v, with_one, wrong};
use crate::jq::access::place;
use crate::jq::fault::Error;
use crate::jq::slice::bounds;
use crate::jq::value::Array;
use jaq_core::box_iter::box_once;
use jaq_core::path::Opt;
use jaq_core::{Bind, Cv, Exn, ValT};
use std::sync::Arc;

pub(super) fn natives() -> Vec<Native> {
    let f = || -> Box<[Bind]> { [Bind::Fun(())].into() };
    vec![
        general!("setpath", v(2), |mut cv| {
            let (path, value) = super::pop_two(&mut cv);
            one(steps(&path).and_then(|path| write(cv.1, path, &mut |_| Ok(Some(value.clone()))).map_err(plain_error)))
        }),
        with_one!("delpaths", delpaths),
        plain!("_tostream", |value| Ok(Val::array(events(&value)))),
        // The last output of a function, or null: what `reduce` takes for its next state.
        general!("_last", f(), |mut cv| {
            let (f, context) = cv.0.pop_fun();
            box_once(f.run((context, cv.1)).try_fold(Val::Null, |_, next| next))
        }),
        general!("_modify", [Bind::Fun(()), Bind::Fun(())].into(), |cv| box_once(modify(cv))),
    ]
}

fn steps(path: &Val) -> Result<&[Val], Error> {
    path.as_array().ok_or_else(|| wrong("Path must be specified as an array"))
}

fn plain_error(exception: Exn<'_, Val>) -> Error {
    exception.get_err().unwrap_or_else(|_| wrong("break"))
}

/// Changes the value at a path: `None` deletes it.
fn write<'a>(
    value: Val,
    path: &[Val],
    change: &mut dyn FnMut(Val) -> Result<Option<Val>, Exn<'a, Val>>,
) -> Result<Val, Exn<'a, Val>> {
    let Some((step, rest)) = path.split_first() else { return Ok(change(value)?.unwrap_or_default()) };
    // Values take functions that may run often; this one runs once.
    let change = std::cell::RefCell::new(change);
    value.map_index(step, Opt::Essential, |inner| {
        let changed = match rest {
            [] => (change.borrow_mut())(inner),
            rest => write(inner, rest, *change.borrow_mut()).map(Some),
        };
        changed.transpose().into_iter()
    })
}

/// `lhs |= f`, path by path in the order of the paths: the first output of `f`, or none to delete.
fn modify<'a>(mut cv: Cv<'a, Kit>) -> Result<Val, Exn<'a, Val>> {
    let (f, f_context) = cv.0.pop_fun();
    let (paths, context) = cv.0.pop_fun();
    let found = paths.paths((context, (cv.1.clone(), Default::default())));
    // All paths are those of the input, so that the value is not shared while it changes.
    let found: Vec<Vec<Val>> =
        found.map(|found| Ok(found?.1.iter().cloned().collect())).collect::<Result<_, Exn<'_, _>>>()?;
    let mut value = cv.1;
    let mut gone = Vec::new();
    for mut path in found {
        path.reverse();
        let mut deleted = false;
        let mut change = |old: Val| {
            let new = f.run((f_context.clone(), old.clone())).next().transpose()?;
            deleted = new.is_none();
            Ok(Some(new.unwrap_or(old)))
        };
        if getpath(&value, &path)? == Val::Null {
            // Nothing is built where nothing is written.
            match change(Val::Null)? {
                Some(new) if !deleted => value = write(value, &path, &mut |_| Ok(Some(new.clone())))?,
                _ => {}
            }
        } else {
            value = write(value, &path, &mut change)?;
        }
        if deleted {
            gone.push(Val::array(path));
        }
    }
    Ok(if gone.is_empty() { value } else { delpaths(value, Val::array(gone))? })
}

fn getpath(value: &Val, path: &[Val]) -> ValR {
    path.iter().try_fold(value.clone(), |value, step| value.index(step))
}

/// Deletes all paths at once, each as it is in the value that comes in.
fn delpaths(value: Val, paths: Val) -> ValR {
    let Val::Arr(paths) = paths else { return Err(wrong("Paths must be specified as an array")) };
    let mut paths = Array::take(paths);
    paths.sort();
    let paths: Vec<&[Val]> = paths.iter().map(steps).collect::<Result<_, _>>()?;
    match paths.first() {
        Some([]) => Ok(Val::Null),
        _ => delete(value, &paths),
    }
}

/// Deletes at paths that are sorted and not empty: first within children, then the children that are to go.
fn delete(mut value: Val, mut paths: &[&[Val]]) -> ValR {
    let mut gone = Vec::new();
    while let Some([step, inner @ ..]) = paths.first()
        && value != Val::Null
    {
        // NaN is not even itself.
        let more = paths[1..].iter().take_while(|path| path.first() == Some(step)).count();
        let (same, others) = paths.split_at(1 + more);
        paths = others;
        if inner.is_empty() {
            gone.push(step);
        // What is not there has nothing to delete.
        } else if value.clone().index(step)? != Val::Null {
            let inner: Vec<&[Val]> = same.iter().map(|path| &path[1..]).collect();
            let deleted = |child| std::iter::once(delete(child, &inner).map_err(Exn::from));
            value = value.map_index(step, Opt::Essential, deleted).map_err(plain_error)?;
        }
    }
    without(value, &gone)
}

/// The value without these children.
fn without(value: Val, gone: &[&Val]) -> ValR {
    match value {
        value if gone.is_empty() => Ok(value),
        Val::Null => Ok(Val::Null),
        Val::Obj(mut object) => {
            let members = Arc::make_mut(&mut object);
            for step in gone {
                match step {
                    Val::Str(key) => drop(members.remove(key)),
                    step => return Err(wrong(format!("Cannot delete {} field of object", step.kind()))),
                }
            }
            Ok(Val::Obj(object))
        }
        Val::Arr(array) => {
            let mut kept = vec![true; array.len()];
            for step in gone {
                match step {
                    Val::Obj(slice) => {
                        let (from, to) = bounds(&(slice.get("start")..slice.get("end")), kept.len())?;
                        kept.get_mut(from..to).unwrap_or_default().fill(false);
                    }
                    step if step.is_number() => {
                        let place = place(step, kept.len());
                        if let Some(kept) = place.and_then(|at| kept.get_mut(at)) {
                            *kept = false;
                        }
                    }
                    step => return Err(wrong(format!("Cannot delete {} element of array", step.kind()))),
                }
            }
            let values = Array::take(array).into_iter().zip(kept);
            Ok(Val::array(values.filter_map(|(value, kept)| kept.then_some(value)).collect()))
        }
        value => Err(wrong(format!("Cannot delete fields from {}", value.kind()))),
    }
}

/// The events of a value: leaves with their paths, and the path of the last element where a container closes.
pub(crate) fn events(value: &Val) -> Vec<Val> {
    let mut events = Vec::new();
    stream(value, &mut Vec::new(), &mut events);
    events
}

fn stream(value: &Val, path: &mut Vec<Val>, events: &mut Vec<Val>) {
    let children: Vec<(Val, &Val)> = match value {
        Val::Arr(array) => array.iter().enumerate().map(|(at, inner)| (Val::count(at), inner)).collect(),
        Val::Obj(object) => object.iter().map(|(key, inner)| (Val::Str(key.clone()), inner)).collect(),
        _ => Vec::new(),
    };
    let Some((last, _)) = children.last().cloned() else {
        events.push(Val::array(vec![Val::array(path.clone()), value.clone()]));
        return;
    };
    for (key, inner) in children {
        path.push(key);
        stream(inner, path, events);
        path.pop();
    }
    path.push(last);
    events.push(Val::array(vec![Val::array(path.clone())]));
    path.pop();
}
