//! Equality, order and hash see values and not spellings.

use super::{hash, number, text};
use crate::json::kind::JsonKind;
use crate::json::number::Number;
use crate::json::owned::Json;
use crate::json::value::JsonRef;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The same value in another spelling: members reversed where their keys differ, strings escaped, numbers moved.
fn respelled(view: JsonRef<'_>) -> String {
    match view.kind() {
        JsonKind::Array => {
            format!("[ {} ]", view.elements().map(respelled).collect::<Vec<_>>().join(" , "))
        }
        JsonKind::Object => {
            let mut members = BTreeMap::new();
            for (key, value) in view.entries() {
                members.insert(key, respelled(value));
            }
            let members = members.iter().rev().map(|(key, value)| format!("{}:{value}", escaped(key)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        JsonKind::String => escaped(&view.as_str().unwrap()),
        JsonKind::Number if !view.raw().contains(['e', 'E']) => {
            let (sign, digits) = view.raw().split_at(view.raw().find(|c: char| c != '-').unwrap_or(0));
            match digits.split_once('.') {
                Some((whole, fraction)) => {
                    let digits = format!("{whole}{fraction}");
                    let digits = digits.trim_start_matches('0');
                    let digits = if digits.is_empty() { "0" } else { digits };
                    format!("{sign}{digits}e-{}", fraction.len())
                }
                None => format!("{sign}{digits}.000"),
            }
        }
        _ => view.raw().to_owned(),
    }
}

fn escaped(text: &str) -> String {
    format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn spelling_does_not_matter(text in text()) {
        let json = Json::parse(&text).unwrap();
        let other = Json::parse(&respelled(json.view())).unwrap();
        prop_assert_eq!(&json, &other);
        prop_assert_eq!(json.cmp(&other), std::cmp::Ordering::Equal);
        prop_assert_eq!(hash(json.view()), hash(other.view()));
    }

    #[test]
    fn order_is_total(a in text(), b in text(), c in text()) {
        let [a, b, c] = [a, b, c].map(|text| Json::parse(&text).unwrap());
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        if a == b {
            prop_assert_eq!(hash(a.view()), hash(b.view()));
        }
        let mut sorted = [&a, &b, &c];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
    }

    #[test]
    fn numbers_are_ordered_and_hashed(a in number(), b in number()) {
        let (x, y) = (Number::parse(a.as_bytes()), Number::parse(b.as_bytes()));
        let order = x.compare(y, || a.as_bytes(), || b.as_bytes());
        prop_assert_eq!(order, y.compare(x, || b.as_bytes(), || a.as_bytes()).reverse());
        if order.is_eq() {
            let [x, y] = [&a, &b].map(|text| hash(Json::parse(text).unwrap().view()));
            prop_assert_eq!(x, y);
        }
    }

    #[test]
    fn compaction_changes_no_value(text in text()) {
        let json = Json::parse(&text).unwrap();
        let mut out = Vec::new();
        json.view().compact(&mut out);
        prop_assert_eq!(json, Json::parse(std::str::from_utf8(&out).unwrap()).unwrap());
    }
}
