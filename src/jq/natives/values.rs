//! Functions of values of any type: lengths, keys, membership, conversions.

use super::{Native, Val, ValR, general, plain, with_one, wrong};
use crate::jq::fault::{about, no_values};
use crate::jq::number::{self, Number};
use crate::jq::object::Object;
use crate::jq::value::Array;
use jaq_core::ValT;
use num_traits::Signed;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) fn natives() -> Vec<Native> {
    vec![
        plain!("type", |v| Ok(Val::string(v.kind()))),
        plain!("not", |v| Ok(Val::Bool(!v.is_true()))),
        plain!("length", length),
        plain!("utf8bytelength", |v| match &v {
            Val::Str(text) => Ok(Val::count(text.len())),
            _ => Err(about(&v, "only strings have UTF-8 byte length")),
        }),
        plain!("keys", |v| keys(&v, true)),
        plain!("keys_unsorted", |v| keys(&v, false)),
        plain!("to_entries", to_entries),
        plain!("from_entries", from_entries),
        plain!("_from_entries", from_entries),
        plain!("tojson", |v| Ok(Val::from(v.to_json()))),
        plain!("fromjson", |v| match &v {
            Val::Str(text) => Val::parse(text.as_bytes())
                .map_err(|error| wrong(format!("{} (while parsing '{text}')", error.message()))),
            _ => Err(about(&v, "only strings can be parsed")),
        }),
        plain!("tonumber", tonumber),
        plain!("toboolean", |v| match v.as_str() {
            Some(text @ ("true" | "false")) => Ok(Val::Bool(text == "true")),
            _ if matches!(v, Val::Bool(_)) => Ok(v),
            _ => Err(about(&v, "cannot be parsed as a boolean")),
        }),
        plain!("toarray", |v| Ok(if v.as_array().is_some() { v } else { Val::array(vec![v]) })),
        plain!("abs", abs),
        with_one!("has", |v, key| has(&v, &key)),
        with_one!("contains", |v, other| contains(&v, &other).map(Val::Bool)),
        with_one!("indices", |v, other| indices(&v, &other)),
        with_one!("_index", |v, other| indices(&v, &other).map(|all| end(&all, <[Val]>::first))),
        with_one!("_rindex", |v, other| indices(&v, &other).map(|all| end(&all, <[Val]>::last))),
    ]
}

fn end(values: &Val, which: fn(&[Val]) -> Option<&Val>) -> Val {
    values.as_array().and_then(which).cloned().unwrap_or_default()
}

fn length(value: Val) -> ValR {
    match &value {
        Val::Null => Ok(Val::Int(0)),
        Val::Bool(_) => Err(about(&value, "has no length")),
        Val::Str(text) => Ok(Val::count(text.chars().count())),
        Val::Arr(array) => Ok(Val::count(array.len())),
        Val::Obj(object) => Ok(Val::count(object.len())),
        Val::Int(_) | Val::Big(_) | Val::Float(_) | Val::Lit(_) => absolute(value),
    }
}

fn absolute(value: Val) -> ValR {
    Ok(match value.operand() {
        Some(Number::Int(number)) if number >= 0 => value,
        Some(Number::Int(number)) => number::integer(num_bigint::BigInt::from(number).abs()),
        Some(Number::Big(number)) => number::integer(number.abs()),
        Some(Number::Float(number)) => Val::Float(number.abs()),
        None => return Err(about(&value, "has no absolute value")),
    })
}

/// Unlike `length`, this leaves alone what is not negative: a string, an array, an object too.
fn abs(value: Val) -> ValR {
    match value.as_f64() {
        Some(number) if number < 0.0 => absolute(value),
        None if value < Val::Int(0) => Err(about(&value, "cannot be negated")),
        _ => Ok(value),
    }
}

fn keys(value: &Val, sorted: bool) -> ValR {
    match value {
        Val::Arr(array) => Ok((0..array.len()).map(Val::count).collect()),
        Val::Obj(object) if sorted => Ok(object.sorted().into_iter().map(|(key, _)| Val::Str(key.clone())).collect()),
        Val::Obj(object) => Ok(object.iter().map(|(key, _)| Val::Str(key.clone())).collect()),
        _ => Err(about(value, "has no keys")),
    }
}

fn to_entries(value: Val) -> ValR {
    let entry = |key, value: &Val| Val::object([("key".into(), key), ("value".into(), value.clone())]);
    match &value {
        Val::Obj(object) => Ok(object.iter().map(|(key, value)| entry(Val::Str(key.clone()), value)).collect()),
        Val::Arr(array) => Ok(array.iter().enumerate().map(|(at, value)| entry(Val::count(at), value)).collect()),
        _ => Err(about(&value, "has no keys")),
    }
}

/// Objects with keys and values, under any of the names that jq knows, as the members of one.
fn from_entries(value: Val) -> ValR {
    let mut object = Object::with_capacity(value.as_array().map_or(0, <[Val]>::len));
    for entry in value.values() {
        let entry = entry?;
        let member = |name| entry.clone().index(&Val::string(name));
        let mut key = member("key")?;
        for name in ["Key", "name", "Name"] {
            key = if key.is_true() { key } else { member(name)? };
        }
        let Val::Str(key) = key else {
            return Err(wrong(format!("Cannot use {} as object key", crate::jq::fault::named(&key))));
        };
        let given = has(&entry, &Val::string("value"))?.is_true();
        object.insert(key, member(if given { "value" } else { "Value" })?);
    }
    Ok(Val::Obj(Arc::new(object)))
}

/// A string is read as jq reads numbers: digits may be missing on one side of the point.
fn tonumber(value: Val) -> ValR {
    let Val::Str(text) = &value else {
        return if value.is_number() { Ok(value) } else { Err(about(&value, "cannot be parsed as a number")) };
    };
    let fits = |text: &str| kitbag::Json::parse(text).is_ok_and(|json| json.kind() == kitbag::JsonKind::Number);
    let clean = text.trim();
    let clean = clean.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(clean);
    // Ours begins and ends with a digit, has one on both sides of a point, and no zeros in front.
    let (sign, digits) = clean.strip_prefix('-').map_or(("", clean), |digits| ("-", digits));
    let unpadded = digits.trim_start_matches('0');
    let mut whole = Cow::Borrowed(clean);
    if !fits(clean) {
        let zero = if unpadded.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
        let padded = format!("{sign}{zero}{unpadded}");
        let closed = padded.replace(".e", ".0e").replace(".E", ".0E");
        whole = closed.strip_suffix('.').map_or(closed.clone(), str::to_owned).into();
    }
    let any_digit = digits.starts_with(|c: char| c.is_ascii_digit())
        || digits.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if any_digit && text.trim().len() == text.len() && fits(&whole) {
        // What is no number of JSON is none that keeps its text.
        let computed = matches!(whole, Cow::Owned(_)) && whole.contains(['.', 'e', 'E']);
        Ok(if computed { Val::Float(whole.parse().unwrap_or(f64::NAN)) } else { number::parse(&whole) })
    } else {
        Err(about(&value, "cannot be parsed as a number"))
    }
}

fn has(value: &Val, key: &Val) -> ValR {
    match (value, key) {
        (Val::Null, _) => Ok(Val::Bool(false)),
        (Val::Obj(object), Val::Str(key)) => Ok(Val::Bool(object.get(key).is_some())),
        (Val::Arr(array), number) if number.is_number() => {
            let within = number.as_f64().is_some_and(|at| at >= 0.0 && at < array.len() as f64);
            Ok(Val::Bool(within))
        }
        _ => Err(wrong(format!("Cannot check whether {} has a {} key", value.kind(), key.kind()))),
    }
}

fn contains(value: &Val, other: &Val) -> Result<bool, super::Error> {
    match (value, other) {
        (Val::Obj(a), Val::Obj(b)) => {
            for (key, wanted) in b.iter() {
                let Some(found) = a.get(key) else { return Ok(false) };
                if !contains(found, wanted)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Val::Arr(a), Val::Arr(b)) => {
            // Within an array, what cannot be compared is not contained.
            let held = |wanted| a.iter().any(|found| within(found, wanted));
            Ok(b.iter().all(held))
        }
        (Val::Str(a), Val::Str(b)) => Ok(a.contains(b.as_str())),
        (a, b) if a.kind() == b.kind() => Ok(a == b),
        (a, b) => Err(crate::jq::fault::both(a, b, "cannot have their containment checked")),
    }
}

fn within(value: &Val, other: &Val) -> bool {
    value.kind() == other.kind() && contains(value, other).unwrap_or(false)
}

/// Where something occurs: a string in a string (in code points), an array in an array, a value among elements.
pub(in crate::jq) fn indices(value: &Val, other: &Val) -> ValR {
    match (value, other) {
        (Val::Null, _) => Ok(Val::Null),
        (Val::Str(text), Val::Str(wanted)) => Ok(occurrences(text, wanted)),
        (Val::Arr(_), Val::Arr(wanted)) if wanted.is_empty() => Ok(Val::Null),
        (Val::Arr(array), Val::Arr(wanted)) => {
            let found = array.windows(wanted.len()).enumerate().filter(|(_, window)| **window == ***wanted);
            Ok(found.map(|(at, _)| Val::count(at)).collect())
        }
        (Val::Arr(array), wanted) => {
            Ok(array.iter().enumerate().filter(|(_, value)| *value == wanted).map(|(at, _)| Val::count(at)).collect())
        }
        (Val::Str(_), _) => Err(crate::jq::fault::no_index(value, other)),
        _ => Err(if other.as_str().is_some() { crate::jq::fault::no_index(value, other) } else { no_values(value) }),
    }
}

fn occurrences(text: &str, wanted: &str) -> Val {
    if wanted.is_empty() {
        return Val::Null;
    }
    let starts = |rest: &str| rest.starts_with(wanted);
    let places = text.char_indices().enumerate().filter(|(_, (at, _))| starts(&text[*at..]));
    places.map(|(place, _)| Val::count(place)).collect()
}

/// The elements of an array.
pub(super) fn elements(value: Val, what: &str) -> Result<Vec<Val>, super::Error> {
    match value {
        Val::Arr(array) => Ok(Array::take(array)),
        value => Err(about(&value, what)),
    }
}
