//! Keys of several parts, as they are found in a borrowed record and as they are kept.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{Json, JsonRef};

/// The parts of a key, kept. Arrays of any length have no serde of their own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys<const N: usize>(pub(super) [Json; N]);

/// The parts of a record's key, in the record.
pub(super) struct KeysRef<'a, const N: usize>(pub(super) [JsonRef<'a>; N]);

impl<const N: usize> KeysRef<'_, N> {
    pub(super) fn is(&self, known: &Keys<N>) -> bool {
        self.0.iter().zip(&known.0).all(|(part, known)| *part == known.view())
    }

    pub(super) fn to_keys(&self) -> Keys<N> {
        Keys(self.0.each_ref().map(JsonRef::to_json))
    }
}

// Both hash as their parts do, one after the other: each part's hash tells where it ends.
impl<const N: usize> Hash for KeysRef<'_, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|part| part.hash(state));
    }
}

impl<const N: usize> Hash for Keys<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|part| part.view().hash(state));
    }
}

impl<const N: usize> Serialize for Keys<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut tuple = to.serialize_tuple(N)?;
        self.0.iter().try_for_each(|part| tuple.serialize_element(part))?;
        tuple.end()
    }
}

impl<'de, const N: usize> Deserialize<'de> for Keys<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Keys<N>, D::Error> {
        struct Parts<const N: usize>;

        impl<'de, const N: usize> Visitor<'de> for Parts<N> {
            type Value = Keys<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a key of {N} parts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys<N>, A::Error> {
                let mut parts = Vec::with_capacity(N);
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                let parts: Result<[Json; N], _> = parts.try_into();
                parts.map(Keys).map_err(|parts: Vec<Json>| Error::invalid_length(parts.len(), &self))
            }
        }

        from.deserialize_tuple(N, Parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spill::HashKey;

    #[test]
    fn a_key_in_a_record_is_the_one_that_was_kept_of_another() {
        let record = Json::parse(r#"{"a": 1.0, "b": "x", "c": [1, {"d": null}]}"#).unwrap();
        let same = Json::parse(r#"{"c": [1e0, {"d": null}], "b": "\u0078", "a": 1}"#).unwrap();
        let found = |record: &Json| KeysRef(["a", "b", "c"].map(|key| record.get(key).unwrap())).to_keys();
        let keys = KeysRef(["a", "b", "c"].map(|key| record.get(key).unwrap()));
        let kept = found(&same);
        assert!(keys.is(&kept));
        let hash = HashKey::fixed(7, 9);
        assert_eq!(hash.hash(&keys), hash.hash(&kept));
        let stored = rmp_serde::to_vec_named(&kept).unwrap();
        assert_eq!(rmp_serde::from_slice::<Keys<3>>(&stored).unwrap(), kept);
        assert!(rmp_serde::from_slice::<Keys<2>>(&stored).is_err());
    }
}
