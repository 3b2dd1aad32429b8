//! `+`, `-`, `*`, `/`, `%` and the sign. Integers are exact; a number with a fraction or an exponent makes it doubles.

use super::fault::{ValR, about, both, error};
use super::number::{self, Number};
use super::value::{Array, Val};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use smol_str::SmolStr;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::sync::Arc;

/// No string gets longer than this by repetition.
const LONGEST: usize = 1 << 29;

/// Both as integers, or both as doubles.
enum Pair {
    Ints(i64, i64),
    Bigs(BigInt, BigInt),
    Floats(f64, f64),
}

fn pair(a: &Val, b: &Val) -> Option<Pair> {
    Some(match (a.operand()?, b.operand()?) {
        (Number::Int(a), Number::Int(b)) => Pair::Ints(a, b),
        (Number::Float(a), b) => Pair::Floats(a, float(&b)),
        (a, Number::Float(b)) => Pair::Floats(float(&a), b),
        (a, b) => Pair::Bigs(big(a), big(b)),
    })
}

fn float(number: &Number<'_>) -> f64 {
    match number {
        Number::Int(value) => *value as f64,
        Number::Big(value) => number::big_to_f64(value),
        Number::Float(value) => *value,
    }
}

fn big(number: Number<'_>) -> BigInt {
    match number {
        Number::Int(value) => value.into(),
        Number::Big(value) => value.into_owned(),
        Number::Float(value) => BigInt::from(value.to_i64().unwrap_or(0)),
    }
}

fn calculate(
    pair: Pair,
    small: impl Fn(i64, i64) -> Option<i64>,
    large: impl Fn(BigInt, BigInt) -> BigInt,
    double: impl Fn(f64, f64) -> f64,
) -> Val {
    match pair {
        Pair::Ints(a, b) => small(a, b).map_or_else(|| number::integer(large(a.into(), b.into())), Val::Int),
        Pair::Bigs(a, b) => number::integer(large(a, b)),
        Pair::Floats(a, b) => Val::Float(double(a, b)),
    }
}

impl Add for Val {
    type Output = ValR;

    fn add(self, other: Val) -> ValR {
        if let Some(pair) = pair(&self, &other) {
            return Ok(calculate(pair, i64::checked_add, |a, b| a + b, |a, b| a + b));
        }
        match (self, other) {
            (Val::Null, other) => Ok(other),
            (one, Val::Null) => Ok(one),
            (Val::Str(a), Val::Str(b)) if a.is_empty() => Ok(Val::Str(b)),
            (Val::Str(a), Val::Str(b)) => {
                let mut text = String::with_capacity(a.len() + b.len());
                text.push_str(&a);
                text.push_str(&b);
                Ok(Val::from(text))
            }
            (Val::Arr(mut a), Val::Arr(b)) => {
                Arc::make_mut(&mut a).values_mut().extend(Array::take(b));
                Ok(Val::Arr(a))
            }
            (Val::Obj(mut a), Val::Obj(b)) => {
                let object = Arc::make_mut(&mut a);
                for (key, value) in b.iter() {
                    object.insert(key.clone(), value.clone());
                }
                Ok(Val::Obj(a))
            }
            (a, b) => Err(both(&a, &b, "cannot be added")),
        }
    }
}

impl Sub for Val {
    type Output = ValR;

    fn sub(self, other: Val) -> ValR {
        if let Some(pair) = pair(&self, &other) {
            return Ok(calculate(pair, i64::checked_sub, |a, b| a - b, |a, b| a - b));
        }
        match (self, other) {
            (Val::Arr(mut a), Val::Arr(b)) => {
                Arc::make_mut(&mut a).values_mut().retain(|value| !b.contains(value));
                Ok(Val::Arr(a))
            }
            (a, b) => Err(both(&a, &b, "cannot be subtracted")),
        }
    }
}

impl Mul for Val {
    type Output = ValR;

    fn mul(self, other: Val) -> ValR {
        match pair(&self, &other) {
            // As doubles where the product would be enormous: nothing may grow without bound.
            Some(Pair::Bigs(a, b)) if a.bits() + b.bits() > 1 << 15 => {
                return Ok(Val::Float(number::big_to_f64(&a) * number::big_to_f64(&b)));
            }
            Some(pair) => return Ok(calculate(pair, i64::checked_mul, |a, b| a * b, |a, b| a * b)),
            None => {}
        }
        match (self, other) {
            (Val::Str(text), times) if times.is_number() => repeat(&text, &times),
            (times, Val::Str(text)) if times.is_number() => repeat(&text, &times),
            (Val::Obj(a), Val::Obj(b)) => Ok(merge(Val::Obj(a), Val::Obj(b))),
            (a, b) => Err(both(&a, &b, "cannot be multiplied")),
        }
    }
}

fn repeat(text: &SmolStr, times: &Val) -> ValR {
    let times = times.as_f64().unwrap_or(0.0);
    if times <= 0.0 || times.is_nan() {
        return Ok(Val::Null);
    }
    let times = if times < 1.0 { 1 } else { times.to_usize().unwrap_or(usize::MAX) };
    match text.len().checked_mul(times) {
        Some(length) if length <= LONGEST => Ok(Val::from(text.repeat(times))),
        _ => Err(error("Repeat string result too long")),
    }
}

/// Merges objects, and those in them, the right one's values winning.
fn merge(a: Val, b: Val) -> Val {
    match (a, b) {
        (Val::Obj(mut a), Val::Obj(b)) => {
            let object = Arc::make_mut(&mut a);
            for (key, value) in b.iter() {
                let value = match (object.get_mut(key), value) {
                    (Some(old @ Val::Obj(_)), Val::Obj(_)) => merge(std::mem::take(old), value.clone()),
                    _ => value.clone(),
                };
                object.insert(key.clone(), value);
            }
            Val::Obj(a)
        }
        (_, b) => b,
    }
}

impl Div for Val {
    type Output = ValR;

    fn div(self, other: Val) -> ValR {
        match pair(&self, &other) {
            Some(Pair::Ints(_, 0) | Pair::Floats(_, 0.0)) => {
                Err(both(&self, &other, "cannot be divided because the divisor is zero"))
            }
            Some(Pair::Ints(a, b)) => Ok(match a.checked_rem(b) {
                Some(0) => Val::Int(a / b),
                _ => Val::Float(a as f64 / b as f64),
            }),
            Some(Pair::Bigs(a, b)) if (&a % &b).is_zero() => Ok(number::integer(a / b)),
            Some(Pair::Bigs(a, b)) => Ok(Val::Float(number::big_to_f64(&a) / number::big_to_f64(&b))),
            Some(Pair::Floats(a, b)) => Ok(Val::Float(a / b)),
            None => match (&self, &other) {
                (Val::Str(text), Val::Str(separator)) => Ok(split(text, separator)),
                _ => Err(both(&self, &other, "cannot be divided")),
            },
        }
    }
}

/// The parts of a text between separators; its characters where the separator is empty.
pub(super) fn split(text: &str, separator: &str) -> Val {
    if text.is_empty() {
        return Val::array(Vec::new());
    }
    if separator.is_empty() {
        return text.chars().map(|char| Val::string(char.encode_utf8(&mut [0; 4]))).collect();
    }
    text.split(separator).map(Val::string).collect()
}

impl Rem for Val {
    type Output = ValR;

    /// The remainder of the truncated numbers, with the sign of the left one.
    fn rem(self, other: Val) -> ValR {
        let zero = || both(&self, &other, "cannot be divided (remainder) because the divisor is zero");
        let (a, b) = match (self.operand(), other.operand()) {
            (Some(Number::Float(value)), Some(_)) if value.is_nan() => return Ok(Val::Float(value)),
            (Some(_), Some(Number::Float(value))) if value.is_nan() => return Ok(Val::Float(value)),
            (Some(Number::Big(a)), Some(b)) => (a.into_owned(), big(b)),
            (Some(a), Some(Number::Big(b))) => (big(a), b.into_owned()),
            (Some(_), Some(_)) => {
                let (a, b) = (self.as_i64().unwrap_or(0), other.as_i64().unwrap_or(0));
                return match b.unsigned_abs() {
                    0 => Err(zero()),
                    // Of magnitudes, so that the least integer has one; the result is below it.
                    b => Ok(Val::Int((i128::from(a) % i128::from(b)).to_i64().unwrap_or(0))),
                };
            }
            _ => return Err(both(&self, &other, "cannot be divided")),
        };
        if b.is_zero() { Err(zero()) } else { Ok(number::integer(a % b.abs())) }
    }
}

impl Neg for Val {
    type Output = ValR;

    fn neg(self) -> ValR {
        match self.operand() {
            Some(Number::Int(value)) => {
                Ok(value.checked_neg().map_or_else(|| number::integer(-BigInt::from(value)), Val::Int))
            }
            Some(Number::Big(value)) => Ok(number::integer(-value.into_owned())),
            Some(Number::Float(value)) => Ok(Val::Float(-value)),
            None => Err(about(&self, "cannot be negated")),
        }
    }
}
