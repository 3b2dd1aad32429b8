//! Sums and means. What must stay true: they are exact until the answer, which is rounded once.

use std::marker::PhantomData;

use super::{Aggregate, Fold, Number, Project};
use crate::batch::Seq;

/// The sum of a number of every record: an `i128` for integers, an `f64` for floats; 0 for no records.
///
/// Sums are exact: floats too are rounded once, at the end, to the nearest float, so that neither the order of the
/// records nor how they were cut can be seen in the answer. Infinities and NaNs add up as they do in floats, and a sum
/// beyond the largest float is infinite only if the whole is. Costs 3 to 6 ns for a float, and a state of 32 bytes and one
/// allocation (32 to 64 bytes; 1 kB for numbers of all sizes there are); for an integer 1 ns and 16 bytes.
///
/// ```
/// use kitbag::agg::{self, sum};
/// assert_eq!(agg::apply(&sum(|line: &&str| line.len()), ["one", "three"]), 8);
/// assert_eq!(agg::apply(&sum(|x: &f64| *x), vec![0.1; 10]), 1.0);
/// ```
pub fn sum<T: ?Sized, N: Number, F: Project<T, N>>(number: F) -> Sum<F, N> {
    Sum { number, _number: PhantomData }
}

/// The mean of a number of every record, `None` for no records: the exact sum divided by the count, rounded once.
/// Costs what [`sum`] costs.
///
/// ```
/// use kitbag::agg::{self, mean};
/// assert_eq!(agg::apply(&mean(|x: &u8| *x), [1, 2]), Some(1.5));
/// assert_eq!(agg::apply(&mean(|x: &f64| *x), [f64::MAX, f64::MAX]), Some(f64::MAX));
/// ```
pub fn mean<T: ?Sized, N: Number, F: Project<T, N>>(number: F) -> Mean<F, N> {
    Mean { number, _number: PhantomData }
}

/// See [`sum`].
#[derive(Clone, Debug)]
pub struct Sum<F, N> {
    number: F,
    _number: PhantomData<fn() -> N>,
}

impl<F: Send + Sync, N: Number> Fold for Sum<F, N> {
    type State = N::Partial;
    type Out = N::Total;

    fn init(&self) -> N::Partial {
        N::Partial::default()
    }

    fn merge(&self, into: &mut N::Partial, from: N::Partial) {
        N::merge(into, from);
    }

    fn finish(&self, state: N::Partial) -> N::Total {
        N::total(state)
    }

    fn heap_size(&self, state: &N::Partial) -> usize {
        N::heap_size(state)
    }
}

impl<T: ?Sized, N: Number, F: Project<T, N>> Aggregate<T> for Sum<F, N> {
    #[inline]
    fn step(&self, state: &mut N::Partial, _: Seq, item: &T) {
        self.number.get(item).add_to(state);
    }
}

/// See [`mean`].
#[derive(Clone, Debug)]
pub struct Mean<F, N> {
    number: F,
    _number: PhantomData<fn() -> N>,
}

impl<F: Send + Sync, N: Number> Fold for Mean<F, N> {
    type State = (u64, N::Partial);
    type Out = Option<f64>;

    fn init(&self) -> Self::State {
        (0, N::Partial::default())
    }

    fn merge(&self, into: &mut Self::State, from: Self::State) {
        into.0 += from.0;
        N::merge(&mut into.1, from.1);
    }

    fn finish(&self, (count, sum): Self::State) -> Option<f64> {
        (count > 0).then(|| N::mean(sum, count))
    }

    fn heap_size(&self, state: &Self::State) -> usize {
        N::heap_size(&state.1)
    }
}

impl<T: ?Sized, N: Number, F: Project<T, N>> Aggregate<T> for Mean<F, N> {
    #[inline]
    fn step(&self, state: &mut Self::State, _: Seq, item: &T) {
        state.0 += 1;
        self.number.get(item).add_to(&mut state.1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    /// The sum of floats by another algorithm: expansions of Shewchuk, "Adaptive precision floating-point arithmetic"
    /// (1997), with the rounding of Python's `math.fsum`.
    fn fsum(items: &[f64]) -> f64 {
        let mut partials: Vec<f64> = Vec::new();
        for item in items {
            let (mut x, mut kept) = (*item, 0);
            for i in 0..partials.len() {
                let mut y = partials[i];
                if x.abs() < y.abs() {
                    (x, y) = (y, x);
                }
                let high = x + y;
                let low = y - (high - x);
                if low != 0.0 {
                    partials[kept] = low;
                    kept += 1;
                }
                x = high;
            }
            partials.truncate(kept);
            partials.push(x);
        }
        let (mut high, mut low) = (partials.pop().unwrap_or(0.0), 0.0);
        while let Some(y) = partials.pop() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        if partials.last().is_some_and(|next| (low < 0.0) == (*next < 0.0)) {
            let y = low * 2.0;
            let x = high + y;
            if y == x - high {
                high = x;
            }
        }
        high
    }

    /// Floats of all sizes, many of which cancel; none so large that `fsum` would overflow.
    fn floats() -> impl Strategy<Value = Vec<f64>> {
        let any_bits = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.abs() < 1e300);
        let float = prop_oneof![any_bits, -1e3..1e3, Just(1e16), Just(-1e16), Just(1.0), Just(f64::from_bits(1))];
        prop::collection::vec(float, 0..40).prop_map(|mut items| {
            let negated: Vec<f64> = items.iter().step_by(2).map(|x| -x).collect();
            items.extend(negated);
            items
        })
    }

    proptest! {
        #[test]
        fn float_laws(items in floats(), cut in any::<Cut>()) {
            holds(&(sum(Itself), mean(|x: &f64| *x)), &items, cut)?;
        }

        #[test]
        fn laws_with_infinities(items in prop::collection::vec(any::<f32>(), 0..9), cut in any::<Cut>()) {
            holds(&(sum(Itself), mean(|x: &f32| *x)), &items, cut)?;
        }

        #[test]
        fn integer_laws(items in prop::collection::vec(any::<u64>(), 0..60), cut in any::<Cut>()) {
            let expected: u128 = items.iter().map(|x| u128::from(*x)).sum();
            prop_assert_eq!(apply(&sum(Itself), items.clone()), expected as i128);
            prop_assert_eq!(apply(&sum(|x: &u64| *x as i64), vec![u64::MAX, 3]), 2);
            holds(&(sum(Itself), mean(|x: &u64| *x)), &items, cut)?;
        }

        #[test]
        fn sums_are_those_of_another_algorithm(items in floats()) {
            prop_assert_eq!(apply(&sum(|x: &f64| *x), items.clone()), fsum(&items));
        }
    }

    fn total(items: &[f64]) -> f64 {
        apply(&sum(|x: &f64| *x), items.iter().copied())
    }

    #[test]
    fn sums_by_hand() {
        let (tiny, half_ulp) = (f64::from_bits(1), 2f64.powi(-53));
        assert_eq!(total(&[]).to_bits(), 0);
        assert_eq!(total(&[-0.0]).to_bits(), 0);
        assert_eq!(total(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!(total(&[1e16, 1.0, 1e-16]), 10_000_000_000_000_002.0);
        // Half way between two floats: to the even one, unless something small is beyond.
        assert_eq!(total(&[1.0, half_ulp]), 1.0);
        assert_eq!(total(&[1.0, half_ulp, tiny]), 1.0 + 2.0 * half_ulp);
        assert_eq!(total(&[1.0 + 2.0 * half_ulp, half_ulp, -tiny]), 1.0 + 2.0 * half_ulp);
        // Overflow on the way is none; overflow of the whole is.
        assert_eq!(total(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(total(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
        assert_eq!(total(&[f64::MAX, 2f64.powi(970)]), f64::INFINITY);
        assert_eq!(total(&[f64::MAX, 2f64.powi(970), -tiny]), f64::MAX);
        assert_eq!(total(&[f64::INFINITY, -1e300]), f64::INFINITY);
        assert!(total(&[f64::INFINITY, 1.0, f64::NEG_INFINITY]).is_nan());
        assert!(total(&[f64::NAN, f64::INFINITY]).is_nan());
    }

    #[test]
    fn means_by_hand() {
        let mean = |items: &[f64]| apply(&mean(|x: &f64| *x), items.iter().copied());
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[0.1, 0.2, 0.3]), Some(0.2));
        assert_eq!(mean(&[f64::from_bits(1), f64::from_bits(2)]), Some(f64::from_bits(2)));
        assert_eq!(mean(&[f64::INFINITY]), Some(f64::INFINITY));
        assert_eq!(apply(&super::mean(|x: &i64| *x), [i64::MIN, i64::MIN]), Some(-2f64.powi(63)));
    }

    #[test]
    fn states_of_floats_say_what_they_hold() {
        let sum = sum(|x: &f64| *x);
        let mut state = sum.init();
        assert_eq!(sum.heap_size(&state), 0);
        [1.5, 1e300].iter().for_each(|x| sum.step(&mut state, Seq::default(), x));
        assert!((200..1100).contains(&sum.heap_size(&state)));
    }
}
