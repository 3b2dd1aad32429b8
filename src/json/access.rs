//! What serde asks of a value that holds others: elements, members with their names, variants of enums.

use super::iter::{Elements, Entries};
use super::serialize::RAW;
use super::typed::{Outcome, Source, Unsure, forward};
use super::value::JsonRef;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;

pub(super) struct Sequence<'de>(pub(super) Elements<'de>);

impl<'de> de::SeqAccess<'de> for Sequence<'de> {
    type Error = Unsure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Outcome<Option<T::Value>> {
        self.0.next().map(|element| seed.deserialize(Source(element))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

pub(super) struct Members<'de> {
    pub(super) entries: Entries<'de>,
    /// The value of the key that was given out last.
    pub(super) value: Option<JsonRef<'de>>,
}

impl<'de> de::MapAccess<'de> for Members<'de> {
    type Error = Unsure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Outcome<Option<K::Value>> {
        let Some((key, value)) = self.entries.next_pair() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Outcome<T::Value> {
        seed.deserialize(Source(self.value.take().ok_or(Unsure)?))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A member's name. Keys that are numbers are read from their text where that is beyond doubt.
#[derive(Clone, Copy)]
pub(super) struct Key<'de>(pub(super) JsonRef<'de>);

impl<'de> Key<'de> {
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        let text = self.0.as_str().ok_or(Unsure)?;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if digits.starts_with('0') && text != "0" || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unsure);
        }
        match (text.parse::<u64>(), text.parse::<i64>()) {
            (Ok(value), _) => visitor.visit_u64(value),
            (_, Ok(value)) => visitor.visit_i64(value),
            _ => Err(Unsure),
        }
    }

    fn unsure<V: Visitor<'de>>(self, _: V) -> Outcome<V::Value> {
        Err(Unsure)
    }
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Unsure;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        Source(self.0).string(visitor)
    }

    forward! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 => integer
    }
    forward! { deserialize_i128 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_bool => unsure }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Outcome<V::Value> {
        if name == RAW { Err(Unsure) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Outcome<V::Value> {
        match self.0.as_str() {
            Some(Cow::Borrowed(text)) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            _ => Err(Unsure),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        Source(self.0).deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        Source(self.0).deserialize_bytes(visitor)
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// An enum's variant that is written as an object of one member.
pub(super) struct Variant<'de> {
    pub(super) key: JsonRef<'de>,
    pub(super) value: JsonRef<'de>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Unsure;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Outcome<(T::Value, Self)> {
        seed.deserialize(Source(self.key)).map(|name| (name, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Unsure;

    fn unit_variant(self) -> Outcome<()> {
        de::Deserialize::deserialize(Source(self.value))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Outcome<T::Value> {
        seed.deserialize(Source(self.value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Outcome<V::Value> {
        Source(self.value).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Outcome<V::Value> {
        Source(self.value).deserialize_struct("", fields, visitor)
    }
}
