//! The functions of the C library for numbers. Rounding keeps an integer as it is.

use super::{Native, Val, ValR, general, plain, pop_two, v};
use crate::jq::fault::about;
use crate::jq::number::{self, Number};
use jaq_core::native::bome;
use num_bigint::BigInt;
use num_traits::FromPrimitive;

/// `name: f(f64) -> f64` for each.
macro_rules! of_one {
    ($($name:literal: $f:expr),* $(,)?) => {
        vec![$(plain!($name, |value| double(&value).map(|x| { let f: fn(f64) -> f64 = $f; Val::Float(f(x)) }))),*]
    };
}

/// `name: f(f64, f64) -> f64` for each.
macro_rules! of_two {
    ($($name:literal: $f:expr),* $(,)?) => {
        vec![$(general!($name, v(2), |mut cv| {
            let f: fn(f64, f64) -> f64 = $f;
            let (x, y) = pop_two(&mut cv);
            bome(double(&x).and_then(|x| Ok(Val::Float(f(x, double(&y)?)))))
        })),*]
    };
}

fn double(value: &Val) -> Result<f64, super::Error> {
    value.as_f64().ok_or_else(|| about(value, "number required"))
}

pub(super) fn natives() -> Vec<Native> {
    let mut all: Vec<Native> = of_one! {
        "sqrt": f64::sqrt, "cbrt": f64::cbrt, "exp": f64::exp, "exp2": f64::exp2, "expm1": f64::exp_m1,
        "exp10": libm::exp10, "pow10": libm::exp10, "log": f64::ln, "log2": f64::log2, "log10": f64::log10,
        "log1p": f64::ln_1p, "sin": f64::sin, "cos": f64::cos, "tan": f64::tan, "asin": f64::asin, "acos": f64::acos,
        "atan": f64::atan, "sinh": f64::sinh, "cosh": f64::cosh, "tanh": f64::tanh, "asinh": libm::asinh,
        "acosh": libm::acosh, "atanh": libm::atanh, "gamma": libm::lgamma, "lgamma": libm::lgamma,
        "lgamma_r": libm::lgamma, "tgamma": libm::tgamma, "erf": libm::erf, "erfc": libm::erfc, "j0": libm::j0,
        "j1": libm::j1, "y0": libm::y0, "y1": libm::y1, "logb": logb, "significand": significand,
    };
    let two: Vec<Native> = of_two! {
        "pow": f64::powf, "atan2": f64::atan2, "copysign": f64::copysign, "fdim": libm::fdim, "fmax": libm::fmax,
        "fmin": libm::fmin, "fmod": |x, y| x % y, "hypot": f64::hypot, "nextafter": libm::nextafter,
        "nexttoward": libm::nextafter, "drem": libm::remainder, "remainder": libm::remainder,
        "scalb": |x, e| x * e.exp2(), "scalbln": |x, e| libm::ldexp(x, whole(e)), "ldexp": |x, e| libm::ldexp(x, whole(e)),
        "jn": |n, x| libm::jn(whole(n), x), "yn": |n, x| libm::yn(whole(n), x),
    };
    all.extend(two);
    all.extend::<[Native; 14]>([
        general!("nan", v(0), |_| bome(Ok(Val::Float(f64::NAN)))),
        general!("infinite", v(0), |_| bome(Ok(Val::Float(f64::INFINITY)))),
        plain!("isnan", |value| double(&value).map(|x| Val::Bool(x.is_nan()))),
        plain!("isinfinite", |value| double(&value).map(|x| Val::Bool(x.is_infinite()))),
        plain!("floor", |value| rounded(value, f64::floor)),
        plain!("ceil", |value| rounded(value, f64::ceil)),
        plain!("round", |value| rounded(value, f64::round)),
        plain!("trunc", |value| rounded(value, f64::trunc)),
        plain!("rint", |value| rounded(value, f64::round_ties_even)),
        plain!("nearbyint", |value| rounded(value, f64::round_ties_even)),
        plain!("fabs", |value| double(&value).map(|x| Val::Float(x.abs()))),
        general!("frexp", v(0), |cv| {
            bome(double(&cv.1).map(|x| {
                let (mantissa, exponent) = libm::frexp(x);
                Val::array(vec![Val::Float(mantissa), Val::Int(exponent.into())])
            }))
        }),
        general!("modf", v(0), |cv| {
            bome(double(&cv.1).map(|x| {
                let fraction = if x.is_infinite() { 0.0_f64.copysign(x) } else { (x - x.trunc()).copysign(x) };
                Val::array(vec![Val::Float(fraction), Val::Float(x.trunc())])
            }))
        }),
        general!("fma", v(3), |mut cv| {
            let (y, z) = pop_two(&mut cv);
            let x = cv.0.pop_var();
            bome(double(&x).and_then(|x| Ok(Val::Float(x.mul_add(double(&y)?, double(&z)?)))))
        }),
    ]);
    all
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
fn whole(value: f64) -> i32 {
    value as i32
}

fn rounded(value: Val, round: fn(f64) -> f64) -> ValR {
    match value.operand() {
        Some(Number::Int(_) | Number::Big(_)) => Ok(value),
        Some(Number::Float(number)) => {
            let number = round(number);
            // As an integer, so that what comes after is exact; -0 stays what it is.
            let kept = number == 0.0 && number.is_sign_negative();
            Ok(BigInt::from_f64(number)
                .filter(|_| !kept && number.abs() < 1e18)
                .map_or(Val::Float(number), number::integer))
        }
        None => Err(about(&value, "number required")),
    }
}

fn logb(value: f64) -> f64 {
    match value {
        0.0 => f64::NEG_INFINITY,
        value if value.is_infinite() => f64::INFINITY,
        value if value.is_nan() => value,
        value => f64::from(libm::ilogb(value)),
    }
}

fn significand(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() { value } else { libm::ldexp(value, -libm::ilogb(value)) }
}
