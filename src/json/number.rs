//! Numbers by their exact decimal value, whatever their size: 1, 1.0 and 1e0 are equal, 2^64 is not 2^64 + 1. Time is
//! linear in the text, memory constant: digits are compared where they stand, never converted.
//!
//! What keeps it cheap: rounding to `f64` keeps order, so two numbers whose nearest `f64` differ are decided, and the
//! digits are only looked at when those are equal.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Integers below this magnitude are exact in `f64`, and every `f64` below it rounds from decimals below it.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as far as it is known without its text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// An integer in the range of `i64` or `u64`, not written as -0.
    Int(i128),
    /// Anything else: the nearest `f64`, infinite beyond its range. The text holds the exact value.
    Float(f64),
}

impl Number {
    /// The number that a valid JSON text stands for.
    pub(super) fn parse(text: &[u8]) -> Number {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        if digits.len() <= 20 && digits.iter().all(u8::is_ascii_digit) {
            let value = |digits: &[u8]| digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
            // 19 digits fit a word; a last one may not.
            let (most, last) = digits.split_at(digits.len().min(19));
            let magnitude =
                last.iter().fold(i128::from(value(most)), |value, digit| value * 10 + i128::from(digit - b'0'));
            let value = if negative { -magnitude } else { magnitude };
            if in_range(value) && !(negative && value == 0) {
                return Number::Int(value);
            }
        }
        Number::Float(super::text::utf8(text).parse().unwrap_or(0.0))
    }

    /// The nearest `f64`.
    pub(super) fn nearest(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// The integer that the number is, if it is one that `i64` or `u64` can hold. 1.0 and 1e0 are integers too.
    pub(super) fn integer<'t>(self, text: impl FnOnce() -> &'t [u8]) -> Option<i128> {
        match self {
            Number::Int(value) => Some(value),
            Number::Float(value) if value.abs() <= 1e20 && value.fract() == 0.0 => Decimal::of(text()).integer(),
            Number::Float(_) => None,
        }
    }

    /// Exact order by value.
    pub(super) fn compare<'t>(
        self,
        other: Number,
        text: impl FnOnce() -> &'t [u8],
        other_text: impl FnOnce() -> &'t [u8],
    ) -> Ordering {
        if let (Number::Int(a), Number::Int(b)) = (self, other) {
            return a.cmp(&b);
        }
        match self.nearest().partial_cmp(&other.nearest()) {
            Some(Ordering::Equal) | None => Decimal::of(text()).cmp(&Decimal::of(other_text())),
            Some(order) => order,
        }
    }

    /// Hashes the value: a function of it alone, so that equal numbers agree however they are written.
    pub(super) fn hash<'t, H: Hasher>(self, text: impl FnOnce() -> &'t [u8], state: &mut H) {
        let nearest = self.nearest();
        if nearest.abs() < EXACT {
            // Adding zero turns -0 into 0.
            (nearest + 0.0).to_bits().hash(state);
        } else if let Some(value) = self.integer(text) {
            value.hash(state);
        } else {
            nearest.to_bits().hash(state);
        }
    }
}

fn in_range(value: i128) -> bool {
    value >= i128::from(i64::MIN) && value <= i128::from(u64::MAX)
}

/// A decimal in normal form: `0.HEADTAIL` times ten to the `exponent`, with neither leading nor trailing zeros. Zero has
/// no digits. Exponents beyond `i128`, which take forty digits to write, count as its limits.
struct Decimal<'t> {
    negative: bool,
    exponent: i128,
    head: &'t [u8],
    tail: &'t [u8],
}

impl<'t> Decimal<'t> {
    fn of(text: &'t [u8]) -> Decimal<'t> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (digits, power) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])),
            None => (text, 0),
        };
        let (whole, fraction) = match digits.iter().position(|&byte| byte == b'.') {
            Some(at) => (&digits[..at], &digits[at + 1..]),
            None => (digits, &digits[..0]),
        };
        let whole = without_leading_zeros(whole);
        let tail = without_trailing_zeros(fraction);
        let (head, tail, shift) = match (whole, tail) {
            ([], tail) => {
                let digits = without_leading_zeros(tail);
                (digits, &tail[..0], -((tail.len() - digits.len()) as i128))
            }
            (whole, []) => (without_trailing_zeros(whole), tail, whole.len() as i128),
            (whole, tail) => (whole, tail, whole.len() as i128),
        };
        if head.is_empty() {
            return Decimal { negative: false, exponent: 0, head, tail };
        }
        Decimal { negative, exponent: power.saturating_add(shift), head, tail }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.head.iter().chain(self.tail).copied()
    }

    fn sign(&self) -> i8 {
        if self.head.is_empty() {
            0
        } else if self.negative {
            -1
        } else {
            1
        }
    }

    fn integer(&self) -> Option<i128> {
        let count = (self.head.len() + self.tail.len()) as i128;
        if count > self.exponent || self.exponent > 20 {
            return (count == 0).then_some(0);
        }
        let digits = self.digits().fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
        let magnitude = (count..self.exponent).fold(digits, |value, _| value * 10);
        Some(if self.negative { -magnitude } else { magnitude }).filter(|&value| in_range(value))
    }

    fn cmp(&self, other: &Decimal<'_>) -> Ordering {
        let magnitude = || self.exponent.cmp(&other.exponent).then_with(|| self.digits().cmp(other.digits()));
        self.sign().cmp(&other.sign()).then_with(|| match self.sign() {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

fn exponent(text: &[u8]) -> i128 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let value = digits
        .iter()
        .fold(0i128, |value, digit| value.saturating_mul(10).saturating_add(i128::from(digit.wrapping_sub(b'0'))));
    if negative { -value } else { value }
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    &digits[..digits.len() - zeros]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Ordering {
        Number::parse(a.as_bytes()).compare(Number::parse(b.as_bytes()), || a.as_bytes(), || b.as_bytes())
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        for group in [
            &["1", "1.0", "1e0", "1.00", "10e-1", "0.1e1", "0.001E+3"][..],
            &["0", "-0", "0.0", "-0.00e5", "0e999999999999999999999999"],
            &["18446744073709551616", "1.8446744073709551616e19", "184467440737095516160e-1"],
            &["1e999", "10e998", "0.1e1000", "1000e996"],
            &["-12.5", "-1.25e1", "-0.0125E3"],
        ] {
            for a in group {
                for b in group {
                    assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn near_values_differ() {
        let ascending = [
            "-1e1000",
            "-1e999",
            "-18446744073709551617",
            "-18446744073709551616",
            "-9007199254740993.5",
            "-9007199254740993",
            "-9007199254740992",
            "-1.0000000000000000001",
            "-1",
            "-1e-999",
            "0",
            "1e-1000",
            "1e-999",
            "0.1",
            "0.1000000000000000055511151231257827021181583404541015625",
            "1",
            "9007199254740992",
            "9007199254740993",
            "9007199254740993.5",
            "18446744073709551615",
            "18446744073709551616",
            "1e999",
            "1e1000",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn integers_are_told_by_value() {
        let integer = |text: &'static str| Number::parse(text.as_bytes()).integer(|| text.as_bytes());
        assert_eq!(integer("1.0"), Some(1));
        assert_eq!(integer("-0"), Some(0));
        assert_eq!(integer("1e3"), Some(1000));
        assert_eq!(integer("1.00000000000000000001"), None);
        assert_eq!(integer("18446744073709551615.0"), Some(i128::from(u64::MAX)));
        assert_eq!(integer("18446744073709551616"), None);
        assert_eq!(integer("-9223372036854775808"), Some(i128::from(i64::MIN)));
        assert_eq!(integer("-9223372036854775809"), None);
    }
}
