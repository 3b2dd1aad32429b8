//! What must hold for any text: both lanes accept what serde_json accepts and no more and see the same (`lanes`), values
//! are equal, ordered and hashed by value (`values`), types are read as serde_json reads them (`types`). Here are the
//! texts that they are tried on.

mod ahead;
mod faults;
mod lanes;
mod types;
mod values;

use super::value::JsonRef;
use proptest::prelude::*;
use proptest::sample::select;
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) fn number() -> impl Strategy<Value = String> {
    let odd = [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1",
        "1.0",
        "1e0",
        "10e-1",
        "-1",
        "1.5",
        "-2.50",
        "1E+2",
        "100",
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740992",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e999",
        "-1e999",
        "1e1000",
        "1e-999",
        "0e999999999999",
        "0.1",
        "0.1000000000000000055511151231257827",
        "123456789012345678901234567890",
        "3.141592653589793238462643383279",
        "2.2250738585072011e-308",
        "5e-324",
        "1.7976931348623157e308",
    ];
    prop_oneof![
        select(odd.to_vec()).prop_map(str::to_owned),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:?}")),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?",
    ]
}

pub(super) fn string() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "bc",
        "é",
        "中",
        "😀",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u0061",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\u0000",
        " ",
        ",",
        ":",
        "]",
        "{",
        "0123456789abcdef0123456789abcdef",
    ];
    prop::collection::vec(select(pieces.to_vec()), 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

pub(super) fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\t \r")]
}

pub(super) fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![select(&["null", "true", "false"][..]).prop_map(str::to_owned), number(), string()];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let spaced = (space(), inner, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}")).boxed();
        let key = prop_oneof![select(&["\"a\"", "\"b\"", "\"\\u0061\"", "\"\""][..]).prop_map(str::to_owned), string()];
        let member = (key, space(), spaced.clone()).prop_map(|(key, gap, value)| format!("{key}{gap}:{value}"));
        prop_oneof![
            prop::collection::vec(spaced, 0..8).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(","))),
            prop::collection::vec(number(), 30..100).prop_map(|values| format!("[{}]", values.join(", "))),
        ]
    })
}

pub(super) fn hash(view: JsonRef<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    view.hash(&mut hasher);
    hasher.finish()
}
