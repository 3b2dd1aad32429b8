//! Quantiles of a number of every record, with a bound on the relative error. What must stay true: see
//! [`Buckets`](super::buckets::Buckets), which count the numbers.

use std::marker::PhantomData;

use super::buckets::Buckets;
use super::{Aggregate, Fold, Map, Number, Project};
use crate::batch::Seq;
use crate::error::{Error, ErrorKind, Result};

/// About the `p`-quantile of a number of every record, for `p` from 0 to 1 (else it is an error): of n numbers in order,
/// the one at index ⌊p · (n − 1)⌋. `None` for no records.
///
/// The answer is within 0.4 % (1/256) of that number, whatever the numbers are; the smallest and the largest one
/// are exact. Numbers nearer to 0 than 2.3e-308 count as 0. Infinities have their place in the order; if a number is
/// NaN the answer is. Of the same numbers it is always the same, whatever their order.
///
/// Costs 5 to 7 ns a number. The state is a count for each bucket that a number fell into, of which there are 128 between
/// a power of two and the next: some 30 bytes each, so 80 KiB for all from a microsecond to a second, and 18 MiB for
/// numbers that fill the whole range of floats.
///
/// ```
/// use kitbag::agg::{self, quantile};
/// let median = agg::apply(&quantile(0.5, |ms: &u32| *ms)?, 1..=9999);
/// assert!(median.is_some_and(|median| (median - 5000.0).abs() <= 5000.0 / 256.0));
/// assert!(quantile(1.5, |ms: &u32| *ms).is_err());
/// # Ok::<(), kitbag::Error>(())
/// ```
#[doc(alias("median", "percentile"))]
pub fn quantile<T: ?Sized, V: Number, F: Project<T, V>>(p: f64, number: F) -> Result<Quantile<F, V>> {
    let only: fn(Option<[f64; 1]>) -> Option<f64> = |all| all.map(|[only]| only);
    Ok(quantiles([p], number)?.map(only))
}

/// Several quantiles from one state, in the order in which they are asked for; see [`quantile`](quantile()).
///
/// ```
/// use kitbag::agg::{self, Itself, quantiles};
/// let [least, most] = agg::apply(&quantiles([0.0, 1.0], Itself)?, [2.5, -1.0, 7.25]).unwrap_or_default();
/// assert_eq!((least, most), (-1.0, 7.25));
/// # Ok::<(), kitbag::Error>(())
/// ```
#[doc(alias("median", "percentiles"))]
pub fn quantiles<T, V, F, const N: usize>(ps: [f64; N], number: F) -> Result<Quantiles<F, V, N>>
where
    T: ?Sized,
    V: Number,
    F: Project<T, V>,
{
    match ps.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        Some(p) => Err(Error::new(ErrorKind::Usage, format!("expected a quantile from 0 to 1, found {p}"))),
        None => Ok(Quantiles { ps, number, _number: PhantomData }),
    }
}

/// See [`quantiles`].
#[derive(Clone, Debug)]
pub struct Quantiles<F, V, const N: usize> {
    ps: [f64; N],
    number: F,
    _number: PhantomData<fn() -> V>,
}

/// See [`quantile`](quantile()).
pub type Quantile<F, V> = Map<Quantiles<F, V, 1>, fn(Option<[f64; 1]>) -> Option<f64>>;

impl<F: Send + Sync, V: Number, const N: usize> Fold for Quantiles<F, V, N> {
    type State = Buckets;
    type Out = Option<[f64; N]>;

    fn init(&self) -> Buckets {
        Buckets::default()
    }

    fn merge(&self, into: &mut Buckets, from: Buckets) {
        into.merge(from);
    }

    fn finish(&self, state: Buckets) -> Option<[f64; N]> {
        state.quantiles(self.ps)
    }

    fn heap_size(&self, state: &Buckets) -> usize {
        state.heap_size()
    }
}

impl<T: ?Sized, V: Number, F: Project<T, V>, const N: usize> Aggregate<T> for Quantiles<F, V, N> {
    #[inline]
    fn step(&self, state: &mut Buckets, _: Seq, item: &T) {
        state.add(self.number.get(item).float());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::TestCaseError;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    const PS: [f64; 7] = [0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0];

    /// Compares with the sorted numbers.
    #[allow(clippy::cast_possible_truncation, reason = "an index is what it is")]
    fn near(numbers: &[f64]) -> Result<(), TestCaseError> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let answers = apply(&quantiles(PS, Itself).unwrap(), numbers.iter().copied());
        prop_assert_eq!(answers.is_some(), !sorted.is_empty());
        for (p, found) in PS.into_iter().zip(answers.into_iter().flatten()) {
            let exact = sorted[(p * (sorted.len() - 1) as f64) as usize];
            let error = (found - exact).abs();
            prop_assert!(found == exact || error <= exact.abs() / 256.0 + 2.3e-308, "{}: {} for {}", p, found, exact);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<(f64, i16)>(), 0..80), cut in any::<Cut>()) {
            let numbers = || |item: &(f64, i16)| item.0;
            let whole = quantiles([0.9, 0.5], |item: &(f64, i16)| item.1).unwrap();
            holds(&(quantile(0.5, numbers()).unwrap(), quantiles(PS, numbers()).unwrap(), whole), &items, cut)?;
        }

        #[test]
        fn any_numbers(numbers in prop::collection::vec(any::<f64>().prop_filter("a number", |x| !x.is_nan()), 0..60)) {
            near(&numbers)?;
        }

        #[test]
        fn skewed_numbers(numbers in prop::collection::vec((1e-9..1.0f64).prop_map(|x| x.powi(-3)), 1..300), sign: bool) {
            near(&numbers.into_iter().map(|x| if sign { x } else { -x }).collect::<Vec<_>>())?;
        }
    }

    #[test]
    fn uniform_and_zipf_from_tiny_to_huge() {
        for size in [1, 2, 3, 10, 1000, 1_000_000] {
            near(&(0..size).map(|n| f64::from(n) * 0.37 - 1000.0).collect::<Vec<_>>()).unwrap();
            near(&(1..=size).map(|n| 1e6 / f64::from(n)).collect::<Vec<_>>()).unwrap();
        }
    }

    #[test]
    fn what_is_no_number_and_what_is_no_quantile() {
        let median = |numbers: &[f64]| apply(&quantile(0.5, |x: &f64| *x).unwrap(), numbers.iter().copied());
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7.3]), Some(7.3));
        assert_eq!(median(&[-0.0, f64::INFINITY, f64::NEG_INFINITY]), Some(0.0));
        assert_eq!(median(&[1.0, f64::INFINITY, f64::INFINITY]), Some(f64::INFINITY));
        assert!(median(&[1.0, f64::NAN, 3.0]).is_some_and(f64::is_nan));
        assert!(median(&[f64::NAN]).is_some_and(f64::is_nan));
        for p in [-0.1, 1.0000001, f64::NAN, f64::INFINITY] {
            let error = quantiles([0.5, p], |x: &f64| *x).map(drop).unwrap_err();
            assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
        }
    }

    #[test]
    fn the_state_depends_on_what_the_numbers_span() {
        let median = quantile(0.5, |x: &f64| *x).unwrap();
        let mut state = median.init();
        assert_eq!(median.heap_size(&state), 0);
        (1..2_000_000).step_by(3).for_each(|us| median.step(&mut state, Seq::default(), &(f64::from(us) * 1e-6)));
        assert!((30_000..100_000).contains(&median.heap_size(&state)), "{}", median.heap_size(&state));
    }
}
