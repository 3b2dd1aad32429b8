//! Large natural numbers, only as much of their arithmetic as exact sums need, and the one place where a float is
//! rounded. What must stay true: nothing here loses a bit before [`Big::round`].

/// digits · 2^exponent, the lowest digit first; the exponent is a multiple of 32.
#[derive(Clone, Debug)]
pub(super) struct Big {
    exponent: i32,
    digits: Vec<u32>,
}

impl From<u64> for Big {
    fn from(word: u64) -> Big {
        Big::new(0, vec![low(word), low(word >> 32)])
    }
}

impl Big {
    pub(super) fn new(exponent: i32, digits: Vec<u32>) -> Big {
        Big { exponent, digits }
    }

    pub(super) fn times(&self, other: &Big) -> Big {
        let mut digits = vec![0; self.digits.len() + other.digits.len()];
        for (i, left) in self.digits.iter().enumerate() {
            let mut carry = 0;
            for (digit, right) in digits[i..].iter_mut().zip(other.digits.iter().chain([&0])) {
                let value = u64::from(*left) * u64::from(*right) + u64::from(*digit) + carry;
                (*digit, carry) = (low(value), value >> 32);
            }
        }
        Big::new(self.exponent + other.exponent, digits)
    }

    /// The difference to a number that is not larger.
    pub(super) fn minus(mut self, mut other: Big) -> Big {
        let lowest = self.exponent.min(other.exponent);
        self.lower_to(lowest);
        other.lower_to(lowest);
        let mut borrow = 0;
        for (i, digit) in self.digits.iter_mut().enumerate() {
            let value = i64::from(*digit) - i64::from(other.digits.get(i).copied().unwrap_or(0)) + borrow;
            (*digit, borrow) = ((value & 0xFFFF_FFFF) as u32, value >> 32);
        }
        self
    }

    /// The quotient, with at least 64 significant bits, and whether it is too small: whether something is left over.
    /// Quotients may be divided again, for ⌊⌊x/a⌋/b⌋ = ⌊x/(ab)⌋.
    pub(super) fn over(mut self, divisor: u64) -> (Big, bool) {
        if divisor <= 1 {
            return (self, false);
        }
        self.lower_to(self.exponent - 128);
        let (divisor, mut rest) = (u128::from(divisor), 0);
        for digit in self.digits.iter_mut().rev() {
            let value = rest << 32 | u128::from(*digit);
            // The rest is smaller than the divisor, so that the quotient is a digit.
            (*digit, rest) = (((value / divisor) & 0xFFFF_FFFF) as u32, value % divisor);
        }
        (self, rest != 0)
    }

    /// The nearest float, the even one of two that are equally near; `inexact` says that the true number lies a
    /// little above this one.
    pub(super) fn round(&self, negative: bool, inexact: bool) -> f64 {
        let Some(top) = self.digits.iter().rposition(|digit| *digit != 0) else { return 0.0 };
        let length = 32 * index(top) + 32 - self.digits[top].leading_zeros().cast_signed();
        // The exponent of the last bit that a float of this size has; subnormal floats have fewer bits.
        let mut last = (self.exponent + length - 53).max(-1074);
        let cut = last - self.exponent;
        let mut mantissa = self.bits(cut);
        let half = cut > 0 && self.bits(cut - 1) & 1 == 1;
        if half && (mantissa & 1 == 1 || inexact || self.any_below(cut - 1)) {
            mantissa += 1;
        }
        if mantissa == 1 << 53 {
            (mantissa, last) = (1 << 52, last + 1);
        }
        let bits = match u64::try_from(last + 1075) {
            Ok(exponent) if exponent >= 2047 => f64::INFINITY.to_bits(),
            Ok(exponent) if mantissa >= 1 << 52 => exponent << 52 | (mantissa & ((1 << 52) - 1)),
            _ => mantissa,
        };
        let value = f64::from_bits(bits);
        if negative { -value } else { value }
    }

    /// Up to 64 bits from bit `start` on; bits below the lowest digit are 0.
    fn bits(&self, start: i32) -> u64 {
        let word = |digit: i32| {
            let digit = usize::try_from(digit).ok().and_then(|digit| self.digits.get(digit));
            u128::from(digit.copied().unwrap_or(0))
        };
        let (digit, shift) = (start.div_euclid(32), start.rem_euclid(32));
        let wide = word(digit) | word(digit + 1) << 32 | word(digit + 2) << 64;
        low_word(wide >> shift)
    }

    fn any_below(&self, bit: i32) -> bool {
        let digit = usize::try_from(bit / 32).unwrap_or(0);
        self.digits.iter().take(digit).any(|digit| *digit != 0)
            || self.digits.get(digit).is_some_and(|digit| digit & ((1 << (bit % 32)) - 1) != 0)
    }

    /// The same number with a lower exponent.
    fn lower_to(&mut self, exponent: i32) {
        let zeros = usize::try_from((self.exponent - exponent) / 32).unwrap_or(0);
        self.digits.splice(0..0, std::iter::repeat_n(0, zeros));
        self.exponent = exponent;
    }
}

/// The low 64 bits.
#[allow(clippy::cast_possible_truncation, reason = "it is what is asked for")]
#[inline]
pub(super) fn low_word(wide: u128) -> u64 {
    wide as u64
}

/// The low 32 bits.
fn low(word: u64) -> u32 {
    (word & 0xFFFF_FFFF) as u32
}

/// Sums have fewer than 300 digits.
fn index(digit: usize) -> i32 {
    i32::try_from(digit).unwrap_or(i32::MAX / 64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn big(value: u128, exponent: i32) -> Big {
        Big::new(exponent, (0..4).map(|k| (value >> (32 * k) & 0xFFFF_FFFF) as u32).collect())
    }

    proptest! {
        #[test]
        fn rounding_is_that_of_the_processor(value: u128, shift in 0..128u32) {
            prop_assert_eq!(big(value >> shift, 0).round(false, false), (value >> shift) as f64);
        }

        #[test]
        fn quotients_are_rounded_once(a in 1u64..1 << 53, b in 1u64..1 << 53) {
            // Both are floats, so that the processor's division rounds the true quotient.
            let (quotient, inexact) = Big::from(a).over(b);
            prop_assert_eq!(quotient.round(true, inexact), -(a as f64 / b as f64));
        }

        #[test]
        fn products_and_differences(a: u64, b: u64, c: u64) {
            let product = u128::from(a) * u128::from(b);
            let sum = big(product, 0).minus(Big::from(c.min(a)).times(&Big::from(b)));
            prop_assert_eq!(sum.round(false, false), (product - u128::from(c.min(a)) * u128::from(b)) as f64);
        }
    }

    #[test]
    fn rounding_at_the_ends_of_the_floats() {
        let tiny = f64::from_bits(1);
        // One bit at −1088, of digits that begin at −1088, is far below half of the smallest float.
        assert_eq!(big(1, -1088).round(false, false), 0.0);
        // Bit 13 is 2^-1075, half of the smallest float: to even, that is to zero, unless there is more.
        assert_eq!(big(1 << 13, -1088).round(false, false), 0.0);
        assert_eq!(big(1 << 13, -1088).round(false, true), tiny);
        assert_eq!(big((1 << 13) + 1, -1088).round(true, false), -tiny);
        assert_eq!(big(3 << 13, -1088).round(false, false), 2.0 * tiny);
        assert_eq!(big((1 << 66) - 1, -1088).round(false, false), f64::MIN_POSITIVE);
        // 54 ones at the top are half way from the largest float to 2^1024.
        let ones = (1 << 54) - 1;
        assert_eq!(big(ones << 10, 960).round(false, false), f64::INFINITY);
        assert_eq!(big((ones << 10) - 1, 960).round(false, false), f64::MAX);
        assert_eq!(big(1 << 64, 960).round(true, false), f64::NEG_INFINITY);
    }
}
