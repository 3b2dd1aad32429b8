//! When two stored keys are the same key. Rows carry keys as bytes, and equal bytes are equal keys; but equal keys need
//! not have equal bytes (`1` and `1.0` as JSON), so whoever stores such keys says how they compare. It is asked only
//! when the hashes are equal and the bytes are not.

use crate::os::sync::Arc;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::hash::HashKey;

/// The rule by which keys are compared.
pub(crate) trait Keys: Send + Sync {
    /// Whether keys whose bytes differ are equal all the same.
    fn same(&self, a: &[u8], b: &[u8]) -> bool;
    /// Another hash of a key; equal keys must have equal hashes.
    fn hash(&self, with: &HashKey, key: &[u8]) -> u64;
}

/// The rule of a store. Clones share it.
#[derive(Clone)]
pub(crate) struct KeyRule(Arc<dyn Keys>);

impl std::fmt::Debug for KeyRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRule")
    }
}

impl KeyRule {
    /// Keys are equal if their bytes are.
    pub(crate) fn bytes() -> KeyRule {
        struct Bytes;
        impl Keys for Bytes {
            fn same(&self, _: &[u8], _: &[u8]) -> bool {
                false
            }
            fn hash(&self, with: &HashKey, key: &[u8]) -> u64 {
                with.hash(key)
            }
        }
        KeyRule(Arc::new(Bytes))
    }

    /// Keys are equal if the values that they were written from are.
    pub(crate) fn values<K: Hash + Eq + DeserializeOwned + 'static>() -> KeyRule {
        struct Values<K>(PhantomData<fn() -> K>);
        impl<K: Hash + Eq + DeserializeOwned> Keys for Values<K> {
            fn same(&self, a: &[u8], b: &[u8]) -> bool {
                // What does not read back is an error where the key is handed out; here it is just another key.
                match (rmp_serde::from_slice::<K>(a), rmp_serde::from_slice::<K>(b)) {
                    (Ok(a), Ok(b)) => a == b,
                    _ => false,
                }
            }
            fn hash(&self, with: &HashKey, key: &[u8]) -> u64 {
                rmp_serde::from_slice::<K>(key).map_or_else(|_| with.hash(key), |key| with.hash(&key))
            }
        }
        KeyRule(Arc::new(Values(PhantomData::<fn() -> K>)))
    }

    #[inline]
    pub(crate) fn same(&self, a: &[u8], b: &[u8]) -> bool {
        a == b || self.0.same(a, b)
    }

    pub(crate) fn hash(&self, with: &HashKey, key: &[u8]) -> u64 {
        self.0.hash(with, key)
    }
}
