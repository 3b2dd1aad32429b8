//! Values from records and from text.

use super::number;
use super::object::Object;
use super::value::Val;
use kitbag::{Json, JsonKind, JsonRef};
use smol_str::SmolStr;
use std::sync::Arc;

impl Val {
    /// Reads one JSON value.
    ///
    /// # Errors
    ///
    /// If the text is anything else.
    pub(crate) fn parse(text: &[u8]) -> kitbag::Result<Val> {
        // Bytes that are not UTF-8 are replaced, as jq does.
        Ok(Val::from_json(&Json::parse(&String::from_utf8_lossy(text))?.view()))
    }

    /// The value of a record. Of duplicate keys the last value counts, at the first one's place.
    pub(crate) fn from_json(json: &JsonRef<'_>) -> Val {
        match json.kind() {
            JsonKind::Null => Val::Null,
            JsonKind::Bool => Val::Bool(json.as_bool() == Some(true)),
            JsonKind::Number => number::parse(json.raw()),
            JsonKind::String => Val::Str(json.as_str().map_or_else(SmolStr::default, SmolStr::new)),
            JsonKind::Array => {
                let mut values = Vec::with_capacity(json.len());
                values.extend(json.elements().map(|element| Val::from_json(&element)));
                Val::array(values)
            }
            JsonKind::Object => {
                let mut object = Object::with_capacity(json.len());
                for (key, value) in json.entries() {
                    object.insert(SmolStr::new(key), Val::from_json(&value));
                }
                Val::Obj(Arc::new(object))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_strict_value() {
        for wrong in ["", "1 2", "[1,]", "NaN", "01", "{'a':1}"] {
            assert!(Val::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert_eq!(Val::parse(b" \"a\xffb\" ").unwrap().as_str(), Some("a\u{fffd}b"));
    }
}
