//! The hash that partitions: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) under a key
//! that is drawn once per run, so that no input can be made to fall into one partition. No result depends on the key.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use crate::os::Os;

/// The 128-bit key of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashKey {
    k0: u64,
    k1: u64,
}

impl HashKey {
    pub(crate) fn random(os: &Os) -> HashKey {
        HashKey { k0: os.random(), k1: os.random() }
    }

    /// A known key, for tests and for hashing again.
    pub(crate) fn fixed(k0: u64, k1: u64) -> HashKey {
        HashKey { k0, k1 }
    }

    pub(crate) fn hash<T: Hash + ?Sized>(&self, value: &T) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.k0, self.k1);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_decides() {
        let os = Os::default();
        assert_eq!(HashKey::fixed(1, 2).hash("a"), HashKey::fixed(1, 2).hash("a"));
        assert_ne!(HashKey::fixed(1, 2).hash("a"), HashKey::fixed(1, 3).hash("a"));
        assert_ne!(HashKey::random(&os).hash("a"), HashKey::random(&os).hash("a"));
    }
}
