//! The numbers that can be summed, and how each kind is summed exactly. What must stay true: no addition rounds.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::exact::Exact;

/// A number that [`sum`](super::sum), [`mean`](super::mean), [`var`](super::var) and [`quantile`](super::quantile())
/// take: the integers of up to 64 bits, `f32` and `f64`. No other type can be one.
///
/// ```
/// fn total<N: kitbag::agg::Number>(numbers: Vec<N>) -> N::Total {
///     kitbag::agg::apply(&kitbag::agg::sum(|n: &N| *n), numbers)
/// }
/// assert_eq!(total(vec![u64::MAX, 1]), 1 << 64);
/// assert_eq!(total(vec![0.1, 0.2, 0.3]), 0.6);
/// ```
pub trait Number: sealed::Parts + Copy + Send + Sync {
    /// The sum of many: `i128` for integers, `f64` for floats.
    type Total;

    /// A sum that has not been rounded yet.
    #[doc(hidden)]
    type Partial: Default + Send + Serialize + DeserializeOwned;

    #[doc(hidden)]
    fn add_to(self, partial: &mut Self::Partial);

    #[doc(hidden)]
    fn merge(into: &mut Self::Partial, from: Self::Partial);

    #[doc(hidden)]
    fn total(partial: Self::Partial) -> Self::Total;

    #[doc(hidden)]
    fn mean(partial: Self::Partial, count: u64) -> f64;

    #[doc(hidden)]
    fn heap_size(partial: &Self::Partial) -> usize;
}

pub(super) mod sealed {
    use super::super::part::Part;

    /// Closes [`Number`](super::Number), and takes numbers apart.
    pub trait Parts {
        #[doc(hidden)]
        fn part(self) -> Part;

        /// The nearest float.
        #[doc(hidden)]
        fn float(self) -> f64;
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl sealed::Parts for $integer {
            #[inline]
            fn part(self) -> super::part::Part {
                super::part::Part::integer(self as i128)
            }

            #[inline]
            fn float(self) -> f64 {
                self as f64
            }
        }

        impl Number for $integer {
            type Total = i128;
            // It takes 2^63 records to leave its range.
            type Partial = i128;

            #[inline]
            fn add_to(self, partial: &mut i128) {
                *partial += self as i128;
            }

            fn merge(into: &mut i128, from: i128) {
                *into += from;
            }

            fn total(partial: i128) -> i128 {
                partial
            }

            fn mean(partial: i128, count: u64) -> f64 {
                Exact::from(partial).mean(count)
            }

            fn heap_size(_: &i128) -> usize {
                0
            }
        }
    )+};
}

integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! floats {
    ($($float:ty),+) => {$(
        impl sealed::Parts for $float {
            #[inline]
            fn part(self) -> super::part::Part {
                super::part::Part::float(f64::from(self))
            }

            #[inline]
            fn float(self) -> f64 {
                f64::from(self)
            }
        }

        impl Number for $float {
            type Total = f64;
            type Partial = Exact;

            #[inline]
            fn add_to(self, partial: &mut Exact) {
                partial.add(sealed::Parts::part(self));
            }

            fn merge(into: &mut Exact, from: Exact) {
                into.merge(from);
            }

            fn total(partial: Exact) -> f64 {
                partial.total()
            }

            fn mean(partial: Exact, count: u64) -> f64 {
                partial.mean(count)
            }

            fn heap_size(partial: &Exact) -> usize {
                partial.heap_size()
            }
        }
    )+};
}

floats!(f32, f64);
