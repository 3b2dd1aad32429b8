//! jq's order: null < false < true < numbers < strings < arrays < objects. Numbers compare by their exact value, strings by
//! code point, arrays element by element, objects by their sorted keys first and then by the values in that order. NaN
//! is below every number and equal to nothing; only [`Ord`], which has to be lawful, takes two of them for equal.

use super::number::Number;
use super::value::Val;
use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive, ToPrimitive};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

impl Val {
    pub(super) fn is_nan(&self) -> bool {
        matches!(self, Val::Float(value) if value.is_nan())
    }

    /// The place of its kind in the order, and of its colour in the list of colours.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Val::Null => 0,
            Val::Bool(false) => 1,
            Val::Bool(true) => 2,
            Val::Int(_) | Val::Big(_) | Val::Float(_) | Val::Lit(_) => 3,
            Val::Str(_) => 4,
            Val::Arr(_) => 5,
            Val::Obj(_) => 6,
        }
    }
}

impl Ord for Val {
    fn cmp(&self, other: &Val) -> Ordering {
        match (self, other) {
            (Val::Int(a), Val::Int(b)) => a.cmp(b),
            (Val::Str(a), Val::Str(b)) => a.cmp(b),
            (Val::Arr(a), Val::Arr(b)) => a.iter().cmp(b.iter()),
            (Val::Obj(a), Val::Obj(b)) => {
                let (a, b) = (a.sorted(), b.sorted());
                let keys = a.iter().map(|(key, _)| key).cmp(b.iter().map(|(key, _)| key));
                keys.then_with(|| a.iter().map(|(_, value)| value).cmp(b.iter().map(|(_, value)| value)))
            }
            _ => match (self.exact(), other.exact()) {
                (Some(a), Some(b)) => compare(&a, &b),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }
}

fn compare(a: &Number<'_>, b: &Number<'_>) -> Ordering {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => a.cmp(b),
        (Number::Big(a), Number::Big(b)) => a.cmp(b),
        (Number::Big(a), Number::Int(_)) => of_sign(a),
        (Number::Int(_), Number::Big(b)) => of_sign(b).reverse(),
        (Number::Float(a), Number::Float(b)) => floats(*a, *b),
        (Number::Int(a), Number::Float(b)) => int_float(*a, *b),
        (Number::Float(a), Number::Int(b)) => int_float(*b, *a).reverse(),
        (Number::Big(a), Number::Float(b)) => big_float(a, *b),
        (Number::Float(a), Number::Big(b)) => big_float(b, *a).reverse(),
    }
}

/// How a big integer compares with any that `i64` holds.
fn of_sign(value: &BigInt) -> Ordering {
    if value.sign() == Sign::Minus { Ordering::Less } else { Ordering::Greater }
}

fn floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

fn int_float(a: i64, b: f64) -> Ordering {
    // 2^63, which is no i64; -2^63 is one.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() || b < -END {
        Ordering::Greater
    } else if b >= END {
        Ordering::Less
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "in range")]
        let whole = b.trunc() as i64;
        a.cmp(&whole).then_with(|| floats(0.0, b.fract()))
    }
}

fn big_float(a: &BigInt, b: f64) -> Ordering {
    match BigInt::from_f64(b) {
        // A fraction only has what is much nearer to zero than any big integer.
        Some(b) => a.cmp(&b),
        None if b.is_nan() => Ordering::Greater,
        None => floats(0.0, b),
    }
}

impl PartialOrd for Val {
    fn partial_cmp(&self, other: &Val) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    /// NaN is less than itself too.
    fn lt(&self, other: &Val) -> bool {
        (self.is_nan() && other.is_nan()) || self.cmp(other) == Ordering::Less
    }

    fn le(&self, other: &Val) -> bool {
        self.cmp(other) != Ordering::Greater
    }

    fn ge(&self, other: &Val) -> bool {
        !(self.is_nan() && other.is_nan()) && self.cmp(other) != Ordering::Less
    }
}

impl PartialEq for Val {
    fn eq(&self, other: &Val) -> bool {
        match (self, other) {
            (Val::Str(a), Val::Str(b)) => a == b,
            (Val::Arr(a), Val::Arr(b)) => a.len() == b.len() && a.iter().eq(b.iter()),
            (Val::Obj(a), Val::Obj(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| value == other))
            }
            _ => !self.is_nan() && self.cmp(other) == Ordering::Equal,
        }
    }
}

/// But for NaN, which a table keeps and does not find again: each is its own.
impl Eq for Val {}

/// A function of the value alone: equal numbers agree, however they are written or were computed.
impl Hash for Val {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.rank());
        match self {
            Val::Null | Val::Bool(_) => {}
            Val::Str(text) => text.hash(state),
            Val::Arr(array) => {
                state.write_usize(array.len());
                array.iter().for_each(|value| value.hash(state));
            }
            Val::Obj(object) => {
                state.write_usize(object.len());
                for (key, value) in object.sorted() {
                    key.hash(state);
                    value.hash(state);
                }
            }
            Val::Int(_) | Val::Big(_) | Val::Float(_) | Val::Lit(_) => match self.exact() {
                Some(Number::Int(value)) => state.write_i64(value),
                Some(Number::Float(value)) => hash_f64(value, state),
                // As the double next to it: other integers with the same one merely meet.
                Some(Number::Big(value)) => state.write_u64(super::number::big_to_f64(&value).to_bits()),
                None => {}
            },
        }
    }
}

fn hash_f64(value: f64, state: &mut impl Hasher) {
    match value.to_i64().filter(|whole| int_float(*whole, value) == Ordering::Equal) {
        Some(whole) => state.write_i64(whole),
        None => state.write_u64(value.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::BuildHasher;

    fn val(text: &str) -> Val {
        Val::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_order_of_jq() {
        let ascending = [
            "null",
            "false",
            "true",
            "-1e400",
            "-9223372036854775809",
            "-9223372036854775808",
            "-1.5",
            "0",
            "1e-300",
            "0.1",
            "1",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808.0",
            "18446744073709551617",
            "1e23",
            "1e300",
            "\"\"",
            "\"a\"",
            "\"\\uffff\"",
            "\"😀\"",
            "[]",
            "[null]",
            "[1]",
            "[1,0]",
            "[2]",
            "{}",
            "{\"a\":2}",
            "{\"a\":1,\"b\":0}",
            "{\"b\":0}",
        ]
        .map(val);
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a} {b}");
                assert_eq!(a == b, i == j, "{a} {b}");
            }
        }
    }

    #[test]
    fn spellings_of_a_number_are_equal_and_hash_alike() {
        let state = hashbrown::DefaultHashBuilder::default();
        for group in [
            &["1", "1.0", "1e0", "10e-1", "0.1e1"][..],
            &["0", "-0", "0.0", "0e5"],
            &["9007199254740993", "9007199254740993.0", "9007199254740993000e-3"],
            &["1e23", "100000000000000000000000", "100000000000000000000000.00"],
            &["0.1", "0.10", "1e-1"],
            &["{\"a\":1,\"b\":2}", "{\"b\":2.0,\"a\":1}"],
        ] {
            for (a, b) in group.iter().flat_map(|a| group.iter().map(move |b| (val(a), val(b)))) {
                assert!(a == b && a.cmp(&b) == Ordering::Equal && state.hash_one(&a) == state.hash_one(&b), "{a} {b}");
            }
        }
        let nan = Val::Float(f64::NAN);
        assert!(nan != nan && nan < nan && nan < val("-1e300") && val("true") < nan);
    }

    fn number() -> impl Strategy<Value = Val> {
        let text = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][-+]?[0-9]{1,2})?".prop_map(|text| val(&text));
        let near =
            (-3i64..4, 50u32..70).prop_map(|(step, power)| Val::Float(2f64.powi(power.cast_signed()) + step as f64));
        prop_oneof![text, near, any::<i64>().prop_map(Val::Int), any::<f64>().prop_map(Val::Float)]
    }

    proptest! {
        #[test]
        fn numbers_have_one_order(a in number(), b in number(), c in number()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a.cmp(&b) != Ordering::Greater && b.cmp(&c) != Ordering::Greater {
                prop_assert_ne!(a.cmp(&c), Ordering::Greater);
            }
            if a == b {
                let state = hashbrown::DefaultHashBuilder::default();
                prop_assert_eq!(state.hash_one(&a), state.hash_one(&b));
            }
        }
    }
}
