//! What jaq-core asks of a value: paths into it, and updates at them. `null` is every empty container: reading below it
//! gives `null`, writing below it builds what the path says.

use super::fault::{Error, ValR, ValX, error, no_index, no_values};
use super::object::Object;
use super::slice::bounds;
use super::value::{Array, Val};
use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use smol_str::SmolStr;
use std::sync::Arc;

/// The longest array that writing past its end may make; jq's own bound.
const LONGEST: usize = 536_870_911;

impl jaq_core::ValT for Val {
    fn from_num(text: &str) -> ValR {
        Ok(super::number::parse(text))
    }

    fn from_map<I: IntoIterator<Item = (Val, Val)>>(members: I) -> ValR {
        let mut object = Object::default();
        for (key, value) in members {
            match key {
                Val::Str(key) => object.insert(key, value),
                key => return Err(error(format!("Cannot use {} as object key", super::fault::named(&key)))),
            }
        }
        Ok(Val::Obj(Arc::new(object)))
    }

    fn key_values(self) -> BoxIter<'static, Result<(Val, Val), Error>> {
        match self {
            Val::Arr(array) => {
                Box::new((0..array.len()).map_while(move |at| Some(Ok((Val::count(at), array.get(at)?.clone())))))
            }
            Val::Obj(object) => Box::new((0..object.len()).map_while(move |at| {
                let (key, value) = object.at(at)?;
                Some(Ok((Val::Str(key.clone()), value.clone())))
            })),
            value => box_once(Err(no_values(&value))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR>> {
        match self {
            Val::Arr(array) if Arc::strong_count(&array) == 1 => Box::new(Array::take(array).into_iter().map(Ok)),
            Val::Arr(array) => Box::new((0..array.len()).map_while(move |at| Some(Ok(array.get(at)?.clone())))),
            Val::Obj(object) => Box::new((0..object.len()).map_while(move |at| Some(Ok(object.at(at)?.1.clone())))),
            value => box_once(Err(no_values(&value))),
        }
    }

    fn index(self, key: &Val) -> ValR {
        match (&self, key) {
            (Val::Obj(object), Val::Str(key)) => Ok(object.get(key).cloned().unwrap_or_default()),
            (Val::Arr(array), number) if number.is_number() => {
                Ok(place(number, array.len()).and_then(|at| array.get(at)).cloned().unwrap_or_default())
            }
            (Val::Arr(_), Val::Arr(_)) => super::natives::indices(&self, key),
            (Val::Null, Val::Null | Val::Str(_)) => Ok(Val::Null),
            (Val::Null, number) if number.is_number() => Ok(Val::Null),
            (Val::Null | Val::Arr(_) | Val::Str(_), Val::Obj(slice)) => {
                self.range(slice.get("start")..slice.get("end"))
            }
            _ => Err(no_index(&self, key)),
        }
    }

    fn range(self, range: std::ops::Range<Option<&Val>>) -> ValR {
        match &self {
            Val::Null => Ok(Val::Null),
            Val::Arr(array) => {
                let (from, to) = bounds(&range, array.len())?;
                Ok(array.get(from..to).unwrap_or_default().iter().cloned().collect())
            }
            Val::Str(text) => super::slice::of_text(text, &range),
            value => Err(no_index(value, &Val::object([]))),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a>>>(self, opt: Opt, f: impl Fn(Val) -> I) -> ValX<'a> {
        match self {
            Val::Arr(array) => {
                let changed = Array::take(array).into_iter().filter_map(|value| f(value).next());
                changed.collect()
            }
            Val::Obj(mut object) => {
                Arc::make_mut(&mut object).try_map(|value| f(value).next().transpose())?;
                Ok(Val::Obj(object))
            }
            value => opt.fail(value, |value| no_values(&value).into()),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a>>>(self, key: &Val, opt: Opt, f: impl Fn(Val) -> I) -> ValX<'a> {
        match (self, key) {
            (Val::Null, Val::Str(key)) => match f(Val::Null).next().transpose()? {
                Some(value) => Ok(Val::object([(key.clone(), value)])),
                None => Ok(Val::Null),
            },
            (Val::Obj(mut object), Val::Str(key)) => {
                change_member(Arc::make_mut(&mut object), key, f)?;
                Ok(Val::Obj(object))
            }
            (Val::Null, number) if number.is_number() => match f(Val::Null).next().transpose()? {
                Some(value) => put(Array::default(), number, value).map_err(Into::into),
                None => Ok(Val::Null),
            },
            (Val::Arr(array), number) if number.is_number() => change_element(array, number, f),
            (value @ (Val::Null | Val::Arr(_)), Val::Obj(slice)) => {
                value.map_range(slice.get("start")..slice.get("end"), opt, f)
            }
            (value, key) => opt.fail(value, |value| no_index(&value, key).into()),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a>>>(
        self,
        range: std::ops::Range<Option<&Val>>,
        opt: Opt,
        f: impl Fn(Val) -> I,
    ) -> ValX<'a> {
        let (mut array, old) = match self {
            Val::Null => (Arc::default(), Val::Null),
            Val::Arr(array) => {
                let (from, to) = bounds(&range, array.len())?;
                let old = array.get(from..to).unwrap_or_default().iter().cloned().collect();
                (array, old)
            }
            value => {
                return opt.fail(value, |value| {
                    error(format!("Cannot update field at array index of {}", value.kind())).into()
                });
            }
        };
        let new = match f(old).next().transpose()? {
            Some(Val::Arr(new)) => Array::take(new),
            None => Vec::new(),
            Some(_) => return Err(error("A slice of an array can only be assigned another array").into()),
        };
        let (from, to) = bounds(&range, array.len())?;
        Arc::make_mut(&mut array).values_mut().splice(from..to, new);
        Ok(Val::Arr(array))
    }

    fn as_bool(&self) -> bool {
        self.is_true()
    }

    fn into_string(self) -> Val {
        match self {
            Val::Str(_) => self,
            value => Val::from(value.to_json()),
        }
    }
}

/// The element that a number means: truncated, negative ones from the end.
pub(super) fn place(number: &Val, length: usize) -> Option<usize> {
    if number.is_nan() {
        return None;
    }
    let at = number.as_i64()?;
    let at = if at < 0 { at.checked_add(i64::try_from(length).ok()?)? } else { at };
    usize::try_from(at).ok()
}

fn change_member<'a, I: Iterator<Item = ValX<'a>>>(
    object: &mut Object,
    key: &SmolStr,
    f: impl Fn(Val) -> I,
) -> Result<(), jaq_core::Exn<'a, Val>> {
    let old = object.get_mut(key).map(std::mem::take);
    match f(old.unwrap_or_default()).next().transpose()? {
        Some(value) => object.insert(key.clone(), value),
        None => drop(object.remove(key)),
    }
    Ok(())
}

fn change_element<'a, I: Iterator<Item = ValX<'a>>>(
    mut array: Arc<Array>,
    number: &Val,
    f: impl Fn(Val) -> I,
) -> ValX<'a> {
    let found = place(number, array.len()).filter(|at| *at < array.len());
    let values = Arc::make_mut(&mut array).values_mut();
    let old = found.and_then(|at| values.get_mut(at)).map(std::mem::take);
    match (f(old.unwrap_or_default()).next().transpose()?, found) {
        (Some(value), Some(at)) => values[at] = value,
        (None, Some(at)) => drop(values.remove(at)),
        (None, None) => {}
        (Some(value), None) => return Ok(put(Arc::unwrap_or_clone(array), number, value)?),
    }
    Ok(Val::Arr(array))
}

/// Writes past the end of an array: `null` fills what is between.
fn put(mut array: Array, number: &Val, value: Val) -> ValR {
    let length = array.len();
    let at = place(number, length).ok_or_else(|| error("Out of bounds negative array index"))?;
    let values = array.values_mut();
    if at > LONGEST || values.try_reserve(at.saturating_sub(length) + 1).is_err() {
        return Err(error("Array index too large"));
    }
    values.resize(at + 1, Val::Null);
    values[at] = value;
    Ok(Val::Arr(Arc::new(array)))
}
