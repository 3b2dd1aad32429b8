//! Numbers counted in buckets whose width is in proportion to the numbers. What must stay true: the bucket of a number
//! depends on the number alone, so that counts merge by addition, in any order, and nothing is ever thrown together.
//!
//! It is the DDSketch of Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees" (VLDB 2019), with buckets that are equally wide between two powers of two ("linearly interpolated"): a
//! bucket is the leading bits of a float, and no logarithm is taken, which no two systems compute alike. There are
//! 1/ln 2 = 1.44 times as many buckets as with logarithms; their number is not limited, since the paper's way to do so
//! gives up the error's bound for small numbers.

use std::collections::HashMap;

use hashbrown::DefaultHashBuilder;
use serde::{Deserialize, Serialize};

use super::Float;
use super::weight::table_of;

/// Bits of the mantissa that are left away: 7 of 52 stay, so that a power of two has 128 buckets.
const LEFT_AWAY: u32 = 45;

/// The bucket of infinity.
const INFINITY: i32 = 0x7FF << 7;

/// How many numbers fell into which bucket.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Buckets {
    // A quick hash will do: whoever chooses the numbers does not know its seed.
    counts: HashMap<i32, u64, DefaultHashBuilder>,
    /// The smallest and the largest number.
    ends: Option<(Float, Float)>,
    /// Whether there was a number that is none.
    nan: bool,
}

/// The bucket of a number: buckets are ordered as numbers are, and that of −x is minus that of x.
#[inline]
fn bucket(x: f64) -> i32 {
    let magnitude = x.abs();
    if magnitude < f64::MIN_POSITIVE {
        return 0;
    }
    let bucket = ((magnitude.to_bits() >> LEFT_AWAY) & 0x7_FFFF) as i32;
    if x < 0.0 { -bucket } else { bucket }
}

/// The middle of a bucket: half a bucket, at most 1/256 of the number, away from any number in it.
fn middle(bucket: i32) -> f64 {
    let magnitude = match bucket.unsigned_abs() {
        0 => 0.0,
        high if high >= INFINITY.unsigned_abs() => f64::INFINITY,
        high => f64::from_bits(u64::from(high) << LEFT_AWAY | 1 << (LEFT_AWAY - 1)),
    };
    if bucket < 0 { -magnitude } else { magnitude }
}

impl Buckets {
    #[inline]
    pub(super) fn add(&mut self, x: f64) {
        if x.is_nan() {
            self.nan = true;
            return;
        }
        *self.counts.entry(bucket(x)).or_insert(0) += 1;
        self.stretch((Float(x), Float(x)));
    }

    #[inline]
    fn stretch(&mut self, (low, high): (Float, Float)) {
        let ends = self.ends.get_or_insert((low, high));
        *ends = (ends.0.min(low), ends.1.max(high));
    }

    pub(super) fn merge(&mut self, mut from: Buckets) {
        if self.counts.len() < from.counts.len() {
            std::mem::swap(&mut self.counts, &mut from.counts);
        }
        for (bucket, count) in from.counts {
            *self.counts.entry(bucket).or_insert(0) += count;
        }
        if let Some(ends) = from.ends {
            self.stretch(ends);
        }
        self.nan |= from.nan;
    }

    /// For each p about the number at index ⌊p · (n − 1)⌋ of the n numbers in order; `None` if there are none.
    pub(super) fn quantiles<const N: usize>(self, ps: [f64; N]) -> Option<[f64; N]> {
        if self.nan {
            return Some([f64::NAN; N]);
        }
        let ends = self.ends?;
        let mut counts: Vec<(i32, u64)> = self.counts.into_iter().collect();
        counts.sort_unstable();
        // From here on how many numbers there are up to the end of the bucket.
        let mut numbers = 0;
        for (_, count) in &mut counts {
            numbers += *count;
            *count = numbers;
        }
        Some(ps.map(|p| at(p, &counts, numbers, ends).0))
    }

    pub(super) fn heap_size(&self) -> usize {
        table_of::<(i32, u64)>(self.counts.capacity())
    }
}

#[allow(clippy::cast_possible_truncation, reason = "p is at most 1")]
fn at(p: f64, up_to: &[(i32, u64)], numbers: u64, (low, high): (Float, Float)) -> Float {
    let last = numbers.saturating_sub(1);
    let index = ((p * last as f64) as u64).min(last);
    if index == 0 || index == last {
        return if index == 0 { low } else { high };
    }
    let found = up_to.partition_point(|(_, up_to)| *up_to <= index);
    up_to.get(found).map_or(high, |(bucket, _)| Float(middle(*bucket)).max(low).min(high))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_near_the_middle_of_its_bucket(x in any::<f64>().prop_filter("a number", |x| !x.is_nan())) {
            let middle = middle(bucket(x));
            if x.abs() < f64::MIN_POSITIVE || x.is_infinite() {
                prop_assert_eq!(middle, if x.is_infinite() { x } else { 0.0 });
            } else {
                prop_assert!((middle - x).abs() <= x.abs() / 256.0, "{} {}", x, middle);
            }
            prop_assert_eq!(bucket(-x), -bucket(x));
        }

        #[test]
        fn buckets_are_ordered_as_numbers_are(x in any::<f64>(), y in any::<f64>()) {
            prop_assume!(x <= y);
            prop_assert!(bucket(x) <= bucket(y));
        }
    }

    #[test]
    fn the_ends_of_the_floats() {
        assert_eq!(bucket(f64::MIN_POSITIVE), 128);
        assert_eq!([f64::MAX, f64::INFINITY, f64::NEG_INFINITY].map(bucket), [INFINITY - 1, INFINITY, -INFINITY]);
        assert_eq!([0.0, -0.0, 5e-324].map(bucket), [0; 3]);
        assert!(middle(INFINITY - 1).is_finite());
    }
}
