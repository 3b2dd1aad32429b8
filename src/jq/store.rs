//! Values on their way to disk and back, in a self-describing format: JSON's types are the format's own, and a number whose
//! text is kept goes as bytes.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use super::number;
use super::object::Object;
use super::value::Val;

impl Serialize for Val {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Val::Null => to.serialize_unit(),
            Val::Bool(value) => to.serialize_bool(*value),
            Val::Int(value) => to.serialize_i64(*value),
            Val::Float(value) => to.serialize_f64(*value),
            Val::Big(value) => to.serialize_bytes(value.to_string().as_bytes()),
            Val::Lit(text) => to.serialize_bytes(text.as_bytes()),
            Val::Str(text) => to.serialize_str(text),
            Val::Arr(array) => {
                let mut list = to.serialize_seq(Some(array.len()))?;
                array.iter().try_for_each(|value| list.serialize_element(value))?;
                list.end()
            }
            Val::Obj(object) => {
                let mut map = to.serialize_map(Some(object.len()))?;
                object.iter().try_for_each(|(key, value)| map.serialize_entry(key.as_str(), value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Val {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Val, D::Error> {
        from.deserialize_any(Visit)
    }
}

struct Visit;

impl<'de> Visitor<'de> for Visit {
    type Value = Val;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored value")
    }

    fn visit_unit<E>(self) -> Result<Val, E> {
        Ok(Val::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Val, E> {
        Ok(Val::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Val, E> {
        Ok(Val::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Val, E> {
        i64::try_from(value).map(Val::Int).map_err(E::custom)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Val, E> {
        Ok(Val::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Val, E> {
        Ok(Val::Str(SmolStr::new(text)))
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Val, E> {
        std::str::from_utf8(text).map(number::parse).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Val, A::Error> {
        let mut values = Vec::with_capacity(list.size_hint().unwrap_or(0).min(1024));
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Val::array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Val, A::Error> {
        let mut object = Object::with_capacity(map.size_hint().unwrap_or(0).min(1024));
        while let Some((key, value)) = map.next_entry::<String, Val>()? {
            object.insert(SmolStr::new(key), value);
        }
        Ok(Val::Obj(Arc::new(object)))
    }
}

impl Val {
    /// The bytes that the value has beside its own size, about.
    pub(crate) fn weight(&self) -> usize {
        // Two counts, and what the allocator adds.
        const ARC: usize = 24;
        match self {
            Val::Null | Val::Bool(_) | Val::Int(_) | Val::Float(_) => 0,
            Val::Big(_) => 64,
            Val::Lit(text) => ARC + text.len(),
            Val::Str(text) => {
                if text.is_heap_allocated() {
                    ARC + text.len()
                } else {
                    0
                }
            }
            Val::Arr(array) => {
                ARC + size_of::<Vec<Val>>() + array.iter().map(|value| size_of::<Val>() + value.weight()).sum::<usize>()
            }
            Val::Obj(object) => {
                let entry = |(key, value): (&SmolStr, &Val)| {
                    2 * size_of::<Val>()
                        + size_of::<Val>() / 2
                        + value.weight()
                        + if key.is_heap_allocated() { ARC + key.len() } else { 0 }
                };
                ARC + size_of::<Object>() + object.iter().map(entry).sum::<usize>()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_comes_back_as_it_went() {
        let text = r#"{"a":[null,true,false,-1,9223372036854775807,-9223372036854775808,1.50,1e400,0.1,-0,100000000000000000000,""],"b":{"é":"a rather long text of many words","":{}}}"#;
        let value = Val::parse(text.as_bytes()).unwrap();
        for value in [value, Val::from(f64::INFINITY), Val::from(-0.0)] {
            let stored = rmp_serde::to_vec_named(&value).unwrap();
            let back: Val = rmp_serde::from_slice(&stored).unwrap();
            assert_eq!((format!("{back:?}"), back.to_json()), (format!("{value:?}"), value.to_json()));
        }
        assert_eq!(Val::parse(text.as_bytes()).unwrap().to_json(), text);
    }
}
