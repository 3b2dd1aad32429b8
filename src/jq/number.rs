//! Numbers: what text of them means, and what text they print. Integers are exact at any size; what has a fraction or an
//! exponent is a double as soon as something is computed with it. Doubles print as jq prints them: the shortest digits
//! that read back as the same double, plain unless that takes more than fifteen zeros.

use super::value::Val;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

/// Integers with more digits than this are doubles: nothing may make a number grow without bound.
const MOST_DIGITS: usize = 4096;
const MOST_BITS: u64 = 13_600;

/// A number by its value, whatever it was written as.
pub(super) enum Number<'v> {
    Int(i64),
    Big(Cow<'v, BigInt>),
    /// No integer beyond 2^53 that was written out in digits.
    Float(f64),
}

/// The number that valid JSON text stands for.
pub(super) fn parse(text: &str) -> Val {
    let bytes = text.as_bytes();
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.iter().all(u8::is_ascii_digit) {
        if digits == b"0" && bytes.len() > 1 {
            return Val::Float(-0.0);
        }
        if digits.len() < 19 {
            let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
            return Val::Int(if bytes.len() > digits.len() { -value } else { value });
        }
        if let Ok(value) = text.parse() {
            return Val::Int(value);
        }
        if digits.len() <= MOST_DIGITS
            && let Ok(value) = text.parse::<BigInt>()
        {
            return Val::Big(Arc::new(value));
        }
    } else if prints_alike(digits)
        && let Ok(value) = text.parse()
    {
        return Val::Float(value);
    }
    Val::Lit(text.into())
}

/// Whether a number that is no integer is written as its double would be, told by its look: at most 15 digits (which
/// every double keeps), no exponent, no zero at the end, not so small that it would print with an exponent.
fn prints_alike(digits: &[u8]) -> bool {
    let Some(point) = digits.iter().position(|&byte| byte == b'.') else { return false };
    let (whole, fraction) = (&digits[..point], &digits[point + 1..]);
    let zeros = if whole == b"0" { fraction.iter().take_while(|&&byte| byte == b'0').count() } else { 0 };
    let counted = whole.len() + fraction.len();
    counted <= 16
        && zeros <= 3
        && fraction.iter().all(u8::is_ascii_digit)
        && fraction.last() != Some(&b'0')
        && (counted <= 15 || whole == b"0")
}

/// The integer, as it is kept.
pub(super) fn integer(value: BigInt) -> Val {
    match value.to_i64() {
        Some(value) => Val::Int(value),
        None if value.bits() > MOST_BITS => Val::Float(big_to_f64(&value)),
        None => Val::Big(Arc::new(value)),
    }
}

pub(super) fn big_to_f64(value: &BigInt) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

impl Val {
    /// The number as a double.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Val::Int(value) => Some(*value as f64),
            Val::Float(value) => Some(*value),
            Val::Big(value) => Some(big_to_f64(value)),
            Val::Lit(text) => Some(text.parse().unwrap_or(f64::NAN)),
            _ => None,
        }
    }

    /// The number to compute with: what was not written as an integer is a double.
    pub(super) fn operand(&self) -> Option<Number<'_>> {
        match self {
            Val::Int(value) => Some(Number::Int(*value)),
            Val::Float(value) => Some(Number::Float(*value)),
            Val::Big(value) => Some(Number::Big(Cow::Borrowed(value))),
            Val::Lit(text) => Some(Number::Float(text.parse().unwrap_or(f64::NAN))),
            _ => None,
        }
    }

    /// The number to compare by: `1.0` and `1e0` are the integer 1, at any size.
    pub(super) fn exact(&self) -> Option<Number<'_>> {
        match self {
            Val::Lit(text) => {
                let near: f64 = text.parse().unwrap_or(f64::NAN);
                // Below that, an integer is its double.
                let large = near.is_finite() && near.abs() >= 9_007_199_254_740_992.0;
                Some(large.then(|| written_out(text)).flatten().map_or(Number::Float(near), exact_integer))
            }
            other => other.operand(),
        }
    }

    /// The number, truncated to an integer that `i64` holds; beyond its range, the nearest.
    pub(super) fn as_i64(&self) -> Option<i64> {
        match self.operand()? {
            Number::Int(value) => Some(value),
            Number::Big(value) => Some(if value.sign() == num_bigint::Sign::Minus { i64::MIN } else { i64::MAX }),
            #[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant; NaN is 0")]
            Number::Float(value) => Some(value as i64),
        }
    }
}

fn exact_integer(value: BigInt) -> Number<'static> {
    value.to_i64().map_or(Number::Big(Cow::Owned(value)), Number::Int)
}

/// The integer that text with a fraction or an exponent is, if it is one. Only for text whose double is finite.
fn written_out(text: &str) -> Option<BigInt> {
    let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let zeros = power.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let written = format!("{whole}{fraction}");
    if written.len() > MOST_DIGITS {
        return None;
    }
    let value: BigInt = written.parse().ok()?;
    match u32::try_from(zeros) {
        Ok(zeros) => Some(value * BigInt::from(10).pow(zeros)),
        Err(_) => {
            let divisor = BigInt::from(10).pow(u32::try_from(zeros.checked_neg()?).ok()?);
            (&value % &divisor == BigInt::ZERO).then(|| value / divisor)
        }
    }
}

/// Appends the text of a double by jq's rule. `nan` is `null`, infinities are the largest doubles.
pub(super) fn write_f64(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"null");
        return;
    }
    let value = value.clamp(f64::MIN, f64::MAX);
    if value.fract() == 0.0 && value.abs() < 1e15 {
        if value == 0.0 && value.is_sign_negative() {
            out.push(b'-');
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is an integer in range")]
        let whole = value as i64;
        // Writing to a vector does not fail, here and below.
        let _ = write!(out, "{whole}");
        return;
    }
    let start = out.len();
    let _ = write!(out, "{value:e}");
    let text = out.split_off(start);
    let (mantissa, power) = match text.iter().position(|&byte| byte == b'e') {
        Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok().and_then(|power| power.parse().ok())),
        None => (&text[..], None),
    };
    place_point(mantissa, power.unwrap_or(0), out);
}

/// Writes `d.ddd` times ten to the `power`.
fn place_point(mantissa: &[u8], power: i32, out: &mut Vec<u8>) {
    let (sign, mantissa) = match mantissa {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if sign {
        out.push(b'-');
    }
    let digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    let count = i32::try_from(digits.len()).unwrap_or(0);
    // The value is 0.DIGITS times ten to the `point`.
    let point = power + 1;
    if point <= -4 || point > count + 15 {
        out.extend_from_slice(mantissa);
        let _ = write!(out, "e{}{:02}", if power < 0 { '-' } else { '+' }, power.unsigned_abs());
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend((point..0).map(|_| b'0'));
        out.extend_from_slice(&digits);
    } else {
        let (whole, fraction) = digits.split_at(digits.len().min(point.unsigned_abs() as usize));
        out.extend_from_slice(whole);
        out.extend((count..point).map(|_| b'0'));
        if !fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_print_by_the_rule_of_jq() {
        for (value, text) in [
            (1e17, "1e+17"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (123456789012345678.0, "123456789012345680"),
            (12345678901234567000.0, "12345678901234567000"),
            (3.0, "3"),
            (-0.0, "-0"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::INFINITY, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-1.7976931348623157e+308"),
            (f64::NAN, "null"),
            (-1.25, "-1.25"),
            (1e20, "1e+20"),
            (123.456, "123.456"),
        ] {
            assert_eq!(printed(value), text);
        }
    }

    proptest! {
        #[test]
        fn what_prints_reads_back(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            prop_assert_eq!(printed(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }

        /// A number that is kept as a double prints the text that it was read from.
        #[test]
        fn text_is_kept(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?") {
            let mut out = Vec::new();
            parse(&text).write(&super::super::Style::default(), &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
