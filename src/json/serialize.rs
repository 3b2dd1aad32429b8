//! Writing `Json` through serde. serde_json gets the text verbatim; formats that are no text (MessagePack, in which
//! records are spilled) get the text as one string; every other format gets the value, walked.

use super::iter::Entries;
use super::kind::JsonKind;
use super::number::Number;
use super::owned::Json;
use super::value::JsonRef;
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeStruct, Serializer};

/// The name by which serde_json's serializer and deserializer know text that is to be passed through as it is. It is
/// part of what serde_json's releases agree on among themselves; tests hold it in place.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

impl Serialize for JsonRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_str(self.raw());
        }
        if understands_raw::<S>() {
            let mut raw = serializer.serialize_struct(RAW, 1)?;
            raw.serialize_field(RAW, self.raw())?;
            return raw.end();
        }
        walk(self, serializer)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}

/// Whether `S` writes JSON text itself, and is not an adapter around such a serializer (for flattened fields, tags,
/// keys), which would take the raw text for a struct. A wrong no costs only the spelling of numbers.
fn understands_raw<S>() -> bool {
    std::any::type_name::<S>().starts_with("&mut serde_json::ser::Serializer<")
}

fn walk<S: Serializer>(value: &JsonRef<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    match value.kind() {
        JsonKind::Null => serializer.serialize_unit(),
        JsonKind::Bool => serializer.serialize_bool(value.as_bool().unwrap_or_default()),
        JsonKind::String => serializer.serialize_str(&value.as_str().unwrap_or_default()),
        JsonKind::Array => serializer.collect_seq(value.elements()),
        JsonKind::Object => {
            let entries: Entries<'_> = value.entries();
            let mut map = serializer.serialize_map(Some(entries.len()))?;
            for (key, member) in entries {
                map.serialize_entry(key.as_ref(), &member)?;
            }
            map.end()
        }
        JsonKind::Number => match value.number() {
            Some(Number::Int(number)) => match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => serializer.serialize_u64(number),
                (_, Ok(number)) => serializer.serialize_i64(number),
                _ => serializer.serialize_i128(number),
            },
            Some(Number::Float(number)) if number.is_finite() => serializer.serialize_f64(number),
            _ => Err(S::Error::custom(format!("the number {} is beyond the range of f64", value.raw()))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const ODD: &str = r#"{"b": 1.50, "a": [18446744073709551616, -0, 1e999, "\u00e9"], "b": null}"#;

    #[test]
    fn text_is_written_verbatim_at_any_depth() {
        let json = Json::parse(ODD).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), ODD);
        let nested: BTreeMap<&str, Vec<Option<JsonRef<'_>>>> = [("k", vec![Some(json.view()), None])].into();
        assert_eq!(serde_json::to_string(&nested).unwrap(), format!(r#"{{"k":[{ODD},null]}}"#));
        let pretty = serde_json::to_string_pretty(&[&json]).unwrap();
        assert!(pretty.contains(ODD));
        assert_eq!(Json::from_serialize(&nested).unwrap().get("k").unwrap().at(0).unwrap().raw(), ODD);
    }

    #[test]
    fn adapters_get_the_value() {
        #[derive(serde::Serialize)]
        struct Flat {
            id: u8,
            #[serde(flatten)]
            rest: Json,
        }
        #[derive(serde::Serialize)]
        #[serde(tag = "type")]
        enum Tagged {
            A(Json),
        }
        let rest = || Json::parse(r#"{"x": [1.0, null, true], "y": -3}"#).unwrap();
        let flat = serde_json::to_string(&Flat { id: 1, rest: rest() }).unwrap();
        assert_eq!(flat, r#"{"id":1,"x":[1.0, null, true],"y":-3}"#);
        let tagged = serde_json::to_string(&Tagged::A(rest())).unwrap();
        assert_eq!(tagged, r#"{"type":"A","x":[1.0, null, true],"y":-3}"#);
        let keyed: BTreeMap<Json, u8> = [(Json::from("k"), 1)].into();
        assert_eq!(serde_json::to_string(&keyed).unwrap(), r#"{"k":1}"#);
        let value = serde_json::to_value(rest()).unwrap();
        assert_eq!(value, serde_json::json!({"x": [1.0, null, true], "y": -3}));
        assert!(serde_json::to_value(Json::parse("1e999").unwrap()).is_err());
    }

    #[test]
    fn text_survives_messagepack() {
        let json = Json::parse(ODD).unwrap();
        let bytes = rmp_serde::to_vec(&(&json, 7)).unwrap();
        let (back, seven): (Json, u8) = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!((back.raw(), seven), (ODD, 7));
    }
}
