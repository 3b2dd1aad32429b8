//! The key that a table is asked for: it need not exist before it must be kept.

/// A record's key, before it is known whether it must be kept: a test for it, and what makes it.
pub(crate) trait Sought<K> {
    fn is(&self, known: &K) -> bool;
    fn into_key(self) -> K;
}

impl<K, I: Fn(&K) -> bool, M: FnOnce() -> K> Sought<K> for (I, M) {
    fn is(&self, known: &K) -> bool {
        self.0(known)
    }

    fn into_key(self) -> K {
        self.1()
    }
}

/// A key that exists already.
pub(crate) struct Owned<K>(pub(crate) K);

impl<K: Eq> Sought<K> for Owned<K> {
    fn is(&self, known: &K) -> bool {
        self.0 == *known
    }

    fn into_key(self) -> K {
        self.0
    }
}
