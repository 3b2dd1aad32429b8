//! [`Item`]: a value on its way through the lane – borrowed from the record or from the program as long as nothing has been
//! computed.

use super::super::access::place;
use super::super::fault::{Error, ValR, no_index, no_values};
use super::super::slice::{bounds, of_text};
use super::super::value::Val;
use jaq_core::ValT;
use kitbag::{JsonKind, JsonRef};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::ops::Range;

/// A value of the record, of the program, or a new one.
#[derive(Clone)]
pub(super) enum Item<'r> {
    Json(JsonRef<'r>),
    Ref(&'r Val),
    Val(Val),
}

impl From<Val> for Item<'_> {
    fn from(value: Val) -> Self {
        Item::Val(value)
    }
}

impl From<bool> for Item<'_> {
    fn from(value: bool) -> Self {
        Item::Val(Val::Bool(value))
    }
}

impl<'r> Item<'r> {
    pub(super) const NULL: Item<'static> = Item::Val(Val::Null);

    pub(super) fn into_val(self) -> Val {
        match self {
            Item::Json(json) => Val::from_json(&json),
            Item::Ref(value) => value.clone(),
            Item::Val(value) => value,
        }
    }

    /// The value, made anew only of what is borrowed from the record.
    pub(super) fn value(&self) -> Cow<'_, Val> {
        match self {
            Item::Json(json) => Cow::Owned(Val::from_json(json)),
            Item::Ref(value) => Cow::Borrowed(value),
            Item::Val(value) => Cow::Borrowed(value),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Item::Json(json) => match json.kind() {
                JsonKind::Null => false,
                JsonKind::Bool => json.as_bool() == Some(true),
                _ => true,
            },
            Item::Ref(value) => value.is_true(),
            Item::Val(value) => value.is_true(),
        }
    }

    /// jq's name of the type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Item::Json(json) => match json.kind() {
                JsonKind::Null => "null",
                JsonKind::Bool => "boolean",
                JsonKind::Number => "number",
                JsonKind::String => "string",
                JsonKind::Array => "array",
                JsonKind::Object => "object",
            },
            Item::Ref(value) => value.kind(),
            Item::Val(value) => value.kind(),
        }
    }

    /// The text of a string.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Item::Json(json) => json.as_str(),
            Item::Ref(value) => value.as_str().map(Cow::Borrowed),
            Item::Val(value) => value.as_str().map(Cow::Borrowed),
        }
    }

    /// `.key`
    pub(super) fn get(&self, key: &SmolStr) -> Result<Item<'r>, Error> {
        match self {
            Item::Json(json) => match json.kind() {
                JsonKind::Object => Ok(json.get(key).map_or(Item::NULL, Item::Json)),
                JsonKind::Null => Ok(Item::NULL),
                _ => Err(no_index(&self.hollow(), &Val::Str(key.clone()))),
            },
            Item::Ref(Val::Obj(object)) => Ok(object.get(key).map_or(Item::NULL, Item::Ref)),
            Item::Val(Val::Obj(object)) => Ok(object.get(key).cloned().unwrap_or_default().into()),
            Item::Ref(Val::Null) | Item::Val(Val::Null) => Ok(Item::NULL),
            other => Err(no_index(&other.hollow(), &Val::Str(key.clone()))),
        }
    }

    /// `.[key]`, whatever the key is.
    pub(super) fn index(&self, key: &Val) -> Result<Item<'r>, Error> {
        match (self, key) {
            (_, Val::Str(key)) => self.get(key),
            (Item::Json(json), number) if number.is_number() && json.kind() == JsonKind::Array => {
                let found = place(number, json.len()).and_then(|at| json.at(at));
                Ok(found.map_or(Item::NULL, Item::Json))
            }
            (Item::Ref(Val::Arr(array)), number) if number.is_number() => {
                Ok(place(number, array.len()).and_then(|at| array.get(at)).map_or(Item::NULL, Item::Ref))
            }
            _ => self.value().into_owned().index(key).map(Item::Val),
        }
    }

    /// `.[from:upto]`
    pub(super) fn slice(&self, range: Range<Option<&Val>>) -> ValR {
        match self {
            Item::Json(json) if json.kind() == JsonKind::String => of_text(&json.as_str().unwrap_or_default(), &range),
            Item::Json(json) if json.kind() == JsonKind::Array => {
                let (from, upto) = bounds(&range, json.len())?;
                let taken = json.elements().skip(from).take(upto.saturating_sub(from));
                Ok(taken.map(|element| Val::from_json(&element)).collect())
            }
            other => other.value().into_owned().range(range),
        }
    }

    /// Hands on `.[]`.
    pub(super) fn each<F: From<Error>>(&self, sink: &mut dyn FnMut(Item<'r>) -> Result<(), F>) -> Result<(), F> {
        match self {
            Item::Json(json) => match json.kind() {
                JsonKind::Array => json.elements().try_for_each(|element| sink(Item::Json(element))),
                JsonKind::Object if distinct(json) => json.entries().try_for_each(|(_, value)| sink(Item::Json(value))),
                JsonKind::Object => Item::Val(Val::from_json(json)).each(sink),
                _ => Err(no_values(&Val::from_json(json)).into()),
            },
            Item::Ref(Val::Arr(array)) => array.iter().try_for_each(|element| sink(Item::Ref(element))),
            Item::Ref(Val::Obj(object)) => object.iter().try_for_each(|(_, value)| sink(Item::Ref(value))),
            other => other.value().into_owned().values().try_for_each(|value| sink(Item::Val(value?))),
        }
    }

    /// The number of members or elements of what is borrowed from the record.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Item::Json(json) => match json.kind() {
                JsonKind::Array => Some(json.len()),
                JsonKind::Object if distinct(json) => Some(json.len()),
                JsonKind::String => Some(json.as_str().unwrap_or_default().chars().count()),
                JsonKind::Null => Some(0),
                _ => None,
            },
            _ => None,
        }
    }

    /// A value of the same kind, for errors that name nothing else.
    fn hollow(&self) -> Val {
        match self.kind() {
            "boolean" => Val::Bool(true),
            "number" => Val::Int(0),
            "string" => Val::Str(SmolStr::default()),
            "array" => Val::array(Vec::new()),
            "object" => Val::object([]),
            _ => Val::Null,
        }
    }
}

/// Whether no two members of an object have the same key: otherwise the last value counts, at the first one's place.
pub(super) fn distinct(json: &JsonRef<'_>) -> bool {
    let members = json.len();
    if members < 2 {
        return true;
    }
    let mut seen: Vec<Cow<'_, str>> = json.entries().map(|(key, _)| key).collect();
    if members > 16 {
        seen.sort_unstable();
        return seen.windows(2).all(|pair| pair[0] != pair[1]);
    }
    (1..members).all(|at| seen[..at].iter().all(|key| *key != seen[at]))
}
