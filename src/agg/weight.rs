//! How much memory kept records hold on the heap: an estimate, since their types are the caller's.

use std::io;

use serde::{Deserialize, Serialize};

/// The bytes that a value holds on the heap, taken to be the length of its serialised form; 0 for types that own
/// nothing. Costs a serialisation without memory.
pub(crate) fn heap_of<T: Serialize>(value: &T) -> usize {
    if !std::mem::needs_drop::<T>() {
        return 0;
    }
    let mut length = Length(0);
    // What cannot be serialised cannot be spilled either: that error is the spill's to report.
    let _ = rmp_serde::encode::write(&mut length, value);
    length.0
}

/// What many values hold on the heap, by the mean of every sixteenth: an estimate that costs next to nothing.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Weights {
    total: usize,
    weighed: usize,
}

impl Weights {
    /// Sees a value that comes after this many others.
    #[inline]
    pub(crate) fn see<T: Serialize>(&mut self, before: usize, value: &T) {
        if before.is_multiple_of(16) {
            self.total += heap_of(value);
            self.weighed += 1;
        }
    }

    pub(crate) fn merge(&mut self, from: Weights) {
        self.total += from.total;
        self.weighed += from.weighed;
    }

    /// What this many values hold.
    pub(crate) fn of(&self, count: usize) -> usize {
        self.total.saturating_mul(count) / self.weighed.max(1)
    }
}

/// The bytes of a hash table of the standard library with room for `capacity` entries: a power of two of buckets, of
/// which an eighth stays empty, a control byte for each, and 16 more.
pub(crate) fn table_of<E>(capacity: usize) -> usize {
    if capacity == 0 { 0 } else { capacity.next_power_of_two() * (size_of::<E>() + 1) + 16 }
}

struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_owns_nothing_weighs_nothing_and_text_its_length() {
        assert_eq!(heap_of(&(1u64, 2.5f64)), 0);
        assert!((1000..1010).contains(&heap_of(&"x".repeat(1000))));
        assert!((2000..2020).contains(&heap_of(&vec!["x".repeat(1000); 2])));
    }
}
