//! Reading `Json` through serde: the text verbatim where the format hands it out (lines, serde_json, and the
//! string that formats without text carry), else a document written from the values that the format gives.
//!
//! serde's own buffers (untagged enums, flattened fields) hold values and no text: numbers come out of them in their
//! shortest spelling, equal by value.

use super::owned::Json;
use super::serialize::RAW;
use super::text;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_str(Verbatim);
        }
        let mut out = Vec::new();
        deserializer.deserialize_newtype_struct(RAW, Values { out: &mut out, raw: true })?;
        Json::parse_bytes(&out).map_err(|fault| D::Error::custom(fault.expected))
    }
}

/// Text that is a document.
struct Verbatim;

impl Visitor<'_> for Verbatim {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Json::parse_bytes(text.as_bytes()).map_err(|fault| E::custom(fault.expected))
    }
}

/// Writes the value that is visited as JSON. Keys of maps become strings.
struct Values<'o> {
    out: &'o mut Vec<u8>,
    /// The deserializer was asked for raw text, and may answer with a map of one entry that holds it.
    raw: bool,
}

impl Values<'_> {
    fn inner(&mut self) -> Values<'_> {
        Values { out: self.out, raw: false }
    }

    fn push(self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! visit_numbers {
    ($($visit:ident: $number:ty;)*) => {$(
        fn $visit<E: Error>(self, value: $number) -> Result<(), E> {
            self.push(&value.to_string());
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    visit_numbers! {
        visit_i64: i64;
        visit_u64: u64;
        visit_i128: i128;
        visit_u128: u128;
        visit_bool: bool;
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(&if value.is_finite() { format!("{value:?}") } else { "null".into() });
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push("null");
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Values { out: self.out, raw: false })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Values { out: self.out, raw: false })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        text::quote(value, self.out);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let start = self.out.len();
        loop {
            let end = self.out.len();
            if end > start {
                self.out.push(b',');
            }
            if elements.next_element_seed(self.inner())?.is_none() {
                self.out.truncate(end);
                break;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut first = true;
        while let Some(key) = members.next_key::<String>()? {
            if self.raw && first && key == RAW {
                let text: String = members.next_value()?;
                self.push(&text);
                return Ok(());
            }
            self.out.push(if first { b'{' } else { b',' });
            first = false;
            text::quote(&key, self.out);
            self.out.push(b':');
            members.next_value_seed(self.inner())?;
        }
        if first {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    const ODD: &str = r#"{"b": 1.50, "a": [18446744073709551616, -0, 1e999, "\u00e9"], "c": {}, "d": []}"#;

    #[test]
    fn serde_json_hands_out_the_text() {
        #[derive(Deserialize)]
        struct Row {
            doc: Json,
            all: Vec<Option<Json>>,
        }
        let row: Row = serde_json::from_str(&format!(r#"{{"doc": {ODD} , "all": [{ODD}, null]}}"#)).unwrap();
        assert_eq!(row.doc.raw(), ODD);
        assert_eq!(row.all[0].as_ref().unwrap().raw(), ODD);
        assert!(row.all[1].is_none());
        assert_eq!(serde_json::from_str::<Json>(ODD).unwrap().raw(), ODD);
    }

    #[test]
    fn values_without_text_are_written_anew() {
        #[derive(Deserialize, Debug)]
        #[serde(untagged)]
        enum Either {
            #[allow(dead_code)]
            Number(u8),
            Other(Json),
        }
        let text = r#"{"a":[1.0,null,true,"x\n",-7],"b":{"c":{}}}"#;
        let Either::Other(json) = serde_json::from_str(text).unwrap() else { panic!() };
        assert_eq!(json.raw(), text);
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::from_value::<Json>(value).unwrap(), json);
        let mut bytes = text.as_bytes().to_vec();
        assert_eq!(simd_json::serde::from_slice::<Json>(&mut bytes).unwrap(), json);
    }

    #[test]
    fn damaged_text_is_an_error() {
        let bytes = rmp_serde::to_vec("{\"a\":").unwrap();
        assert!(rmp_serde::from_slice::<Json>(&bytes).is_err());
        assert!(rmp_serde::from_slice::<Json>(&[0xC0]).is_err());
    }
}
