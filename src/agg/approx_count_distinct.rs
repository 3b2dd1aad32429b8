//! About how many different values there are, in little memory. What must stay true: the hash's key is fixed, so that
//! the same values give the same estimate on every run.

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use siphasher::sip::SipHasher13;

use super::registers::Registers;
use super::{Aggregate, Fold, Project};
use crate::batch::Seq;
use crate::error::{Error, ErrorKind, Result};

/// About how many different values a closure gets out of the records, by a HyperLogLog sketch of 2^14 registers: the
/// standard error is 0.81 % (1.04/√2^14; two estimates of three are nearer than that, all but one of a thousand nearer
/// than 2.7 %), and much less below some thousand values. Of the same values it is always the same, whatever their order.
///
/// Costs a hash a record; the state is 4 bytes a value at first, and never more than 16 KiB. The hash's key is known: whoever
/// makes up values with an eye to it can make the estimate wrong. For the exact number there is
/// [`count_distinct`](super::count_distinct()).
///
/// ```
/// use kitbag::agg::{self, approx_count_distinct};
/// let users = approx_count_distinct(|id: &u32| id % 50_000);
/// let estimate = agg::apply(&users, 0..200_000);
/// assert!(estimate.abs_diff(50_000) < 1350, "{estimate}");
/// ```
#[doc(alias("nunique_approx", "hyperloglog"))]
pub fn approx_count_distinct<T, V, F>(value: F) -> ApproxCountDistinct<HashOf<F, V>>
where
    T: ?Sized,
    V: Hash,
    F: Project<T, V>,
{
    of_hashes(HashOf { value, _value: PhantomData })
}

/// The sketch of hashes, which [`hash_of`] makes.
pub(crate) fn of_hashes<H>(hash: H) -> ApproxCountDistinct<H> {
    ApproxCountDistinct { hash, precision: 14 }
}

/// The hash that sketches read: SipHash-1-3, under a key that is the same in every run.
pub(crate) fn hash_of<V: Hash + ?Sized>(value: &V) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x6b69_7462_6167, 0x736b_6574_6368);
    value.hash(&mut hasher);
    hasher.finish()
}

/// See [`approx_count_distinct`].
#[derive(Clone, Debug)]
pub struct ApproxCountDistinct<H> {
    hash: H,
    precision: u32,
}

impl<H> ApproxCountDistinct<H> {
    /// Takes 2^`bits` registers, from 4 to 18 bits: a standard error of 1.04/√2^`bits` (26 % to 0.2 %), and a state of at
    /// most as many bytes. Any other number of bits is an error.
    ///
    /// ```
    /// use kitbag::agg::{self, Itself, approx_count_distinct};
    /// let rough = approx_count_distinct(Itself).precision(8)?;
    /// assert!(agg::apply(&rough, 0..10_000).abs_diff(10_000) < 2600);
    /// assert!(approx_count_distinct::<u8, u8, _>(Itself).precision(19).is_err());
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn precision(self, bits: u32) -> Result<Self> {
        match bits {
            4..=18 => Ok(ApproxCountDistinct { precision: bits, ..self }),
            _ => Err(Error::new(ErrorKind::Usage, format!("expected a precision from 4 to 18 bits, found {bits}"))),
        }
    }
}

/// The projection of a record to the hash of a value in it.
#[derive(Clone, Debug)]
pub struct HashOf<F, V> {
    value: F,
    _value: PhantomData<fn() -> V>,
}

impl<T: ?Sized, V: Hash, F: Project<T, V>> Project<T, u64> for HashOf<F, V> {
    #[inline]
    fn get(&self, item: &T) -> u64 {
        hash_of(&self.value.get(item))
    }
}

impl<H: Send + Sync> Fold for ApproxCountDistinct<H> {
    type State = Registers;
    type Out = u64;

    fn init(&self) -> Registers {
        Registers::default()
    }

    fn merge(&self, into: &mut Registers, from: Registers) {
        into.merge(self.precision, from);
    }

    #[allow(clippy::cast_possible_truncation, reason = "what is beyond the range becomes its end")]
    fn finish(&self, state: Registers) -> u64 {
        state.estimate(self.precision).round() as u64
    }

    fn heap_size(&self, state: &Registers) -> usize {
        state.heap_size()
    }
}

impl<T: ?Sized, H: Project<T, u64>> Aggregate<T> for ApproxCountDistinct<H> {
    #[inline]
    fn step(&self, state: &mut Registers, _: Seq, item: &T) {
        state.add(self.precision, self.hash.get(item));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<u8>(), 0..300), bits in 4..10u32, cut in any::<Cut>()) {
            let rough = approx_count_distinct(Itself).precision(bits).map_err(|e| TestCaseError::fail(e.to_string()))?;
            holds(&(approx_count_distinct(Itself), rough), &items, cut)?;
        }
    }

    /// How far the estimate of a set of this size is from the truth, as a share of it.
    fn miss(bits: u32, set: u64, size: u64) -> f64 {
        let sketch = approx_count_distinct(|x: &u64| (set, *x)).precision(bits).unwrap();
        apply(&sketch, 0..size) as f64 / size as f64 - 1.0
    }

    #[test]
    fn small_sets_are_nearly_exact() {
        let exact = |size: u64| apply(&approx_count_distinct(Itself), 0..size);
        assert_eq!([0, 1, 2, 3, 10].map(exact), [0, 1, 2, 3, 10]);
        assert!(exact(1000).abs_diff(1000) <= 10, "{}", exact(1000));
    }

    #[test]
    fn the_error_is_as_stated_from_tiny_to_huge_sets() {
        let sizes =
            std::iter::successors(Some(10), |size| Some(size + size / 16 + 1)).take_while(|size| *size < 300_000);
        for size in sizes.chain([1_000_000]) {
            // Two of a small set that fall together are more than the stated share of it.
            let most = 3.5 * 0.0081 + 2.0 / size as f64;
            assert!(miss(14, size, size).abs() < most, "{size}: {}", miss(14, size, size));
        }
        // Many sets and few registers: no bias at any size, and no larger deviation than the stated one.
        for size in [20, 100, 300, 640, 1000, 5000, 40_000] {
            let misses: Vec<f64> = (0..200).map(|set| miss(8, set, size) / 0.065).collect();
            let mean = misses.iter().sum::<f64>() / 200.0;
            let spread = (misses.iter().map(|x| x * x).sum::<f64>() / 200.0).sqrt();
            assert!(mean.abs() < 0.25 && spread < 1.2, "{size}: {mean}, {spread}");
        }
    }

    #[test]
    fn values_that_come_often_count_once() {
        // Zipf: the n-th value comes up in a share of 1/n.
        let zipf = (1..3000u64).flat_map(|n| (0..3000 / n).map(move |_| n));
        let estimate = apply(&approx_count_distinct(Itself), zipf);
        assert!(estimate.abs_diff(2999) < 75, "{estimate}");
    }

    #[test]
    fn the_state_stays_small() {
        let sketch = approx_count_distinct(Itself);
        let mut state = sketch.init();
        for x in 0..100_000usize {
            sketch.step(&mut state, Seq::default(), &x);
            assert!(sketch.heap_size(&state) <= (8 * x + 16).min(1 << 14), "{x}");
        }
        assert_eq!(sketch.heap_size(&state), 1 << 14);
    }
}
