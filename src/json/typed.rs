//! serde's view of a parsed line: types are made from its words, and what they ignore is passed over in one step.
//!
//! Whatever this accepts, serde_json accepts with the same result; what it is unsure of it refuses, for serde_json is
//! asked then. Its error therefore says nothing and costs nothing.

use super::access::{Key, Members, Sequence, Variant};
use super::kind::JsonKind;
use super::number::Number;
use super::serialize::RAW;
use super::value::JsonRef;
use serde::de::value::MapDeserializer;
use serde::de::{self, Deserializer, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The value is not of the type, or serde_json has to be asked.
#[derive(Debug)]
pub(super) struct Unsure;

impl fmt::Display for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not of this type")
    }
}

impl std::error::Error for Unsure {}

impl de::Error for Unsure {
    fn custom<T: fmt::Display>(_: T) -> Unsure {
        Unsure
    }
}

pub(super) type Outcome<T> = Result<T, Unsure>;

/// A value as serde's source of a value.
#[derive(Clone, Copy)]
pub(super) struct Source<'de>(pub(super) JsonRef<'de>);

impl<'de> Source<'de> {
    fn number<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0.number().ok_or(Unsure)? {
            Number::Int(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => Err(Unsure),
            },
            Number::Float(value) if value.is_finite() => visitor.visit_f64(value),
            Number::Float(_) => Err(Unsure),
        }
    }

    pub(super) fn string<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0.as_str().ok_or(Unsure)? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn array<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        let mut elements = Sequence(self.0.elements());
        let value = visitor.visit_seq(&mut elements)?;
        // A tuple stops when it is complete; elements beyond it are an error.
        if elements.0.len() == 0 { Ok(value) } else { Err(Unsure) }
    }

    fn object<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        let mut members = Members { entries: self.0.entries(), value: None };
        let value = visitor.visit_map(&mut members)?;
        if members.entries.len() == 0 { Ok(value) } else { Err(Unsure) }
    }
}

macro_rules! forward {
    ($($method:ident)* => $to:ident) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
            self.$to(visitor)
        }
    )*};
}
pub(super) use forward;

impl<'de> Deserializer<'de> for Source<'de> {
    type Error = Unsure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0.kind() {
            JsonKind::Null => visitor.visit_unit(),
            JsonKind::Bool => self.deserialize_bool(visitor),
            JsonKind::Number => self.number(visitor),
            JsonKind::String => self.string(visitor),
            JsonKind::Array => self.array(visitor),
            JsonKind::Object => self.object(visitor),
        }
    }

    forward! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f64 => number
    }
    forward! { deserialize_char deserialize_str deserialize_string deserialize_identifier => string }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        visitor.visit_bool(self.0.as_bool().ok_or(Unsure)?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0.number().ok_or(Unsure)? {
            // From the text, for rounding twice is not rounding once.
            Number::Float(_) => match self.0.raw().parse::<f32>() {
                Ok(value) if value.is_finite() => visitor.visit_f32(value),
                _ => Err(Unsure),
            },
            Number::Int(_) => self.number(visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0.number() {
            Some(Number::Int(value)) => visitor.visit_i128(value),
            _ => Err(Unsure),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0.number() {
            Some(Number::Int(value)) => visitor.visit_u128(u128::try_from(value).map_err(|_| Unsure)?),
            _ => Err(Unsure),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0.as_str() {
            Some(Cow::Borrowed(text)) => visitor.visit_borrowed_bytes(text.as_bytes()),
            Some(Cow::Owned(text)) => visitor.visit_byte_buf(text.into_bytes()),
            None => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(Unsure) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Outcome<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Outcome<V::Value> {
        if name == RAW {
            return visitor.visit_map(MapDeserializer::new(std::iter::once((RAW, self.0.raw()))));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        if self.0.kind() == JsonKind::Array { self.array(visitor) } else { Err(Unsure) }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Outcome<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Outcome<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        if self.0.kind() == JsonKind::Object { self.object(visitor) } else { Err(Unsure) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Outcome<V::Value> {
        match self.0.kind() {
            JsonKind::Array => self.array(visitor),
            JsonKind::Object => self.object(visitor),
            _ => Err(Unsure),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Outcome<V::Value> {
        match self.0.kind() {
            JsonKind::String => Key(self.0).deserialize_enum(name, variants, visitor),
            JsonKind::Object if self.0.len() == 1 => {
                let (key, value) = self.0.entries().next_pair().ok_or(Unsure)?;
                visitor.visit_enum(Variant { key, value })
            }
            _ => Err(Unsure),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        visitor.visit_unit()
    }
}
