//! Equality, order and hash by value. Order is jq's: null, false, true, numbers, strings, arrays, objects; objects by
//! their sorted keys first, then by their values in that order. Equal values hash alike, however they are written.
//!
//! Recursion goes as deep as the document, which is at most [`MAX_DEPTH`](super::parser::MAX_DEPTH) levels.

use super::kind::JsonKind;
use super::number::Number;
use super::value::JsonRef;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Objects with at most this many members are compared by looking their keys up, without allocating for keys that have no escapes.
const SMALL: usize = 16;

impl PartialEq for JsonRef<'_> {
    fn eq(&self, other: &JsonRef<'_>) -> bool {
        let kind = self.kind();
        kind == other.kind()
            && match kind {
                JsonKind::Null => true,
                JsonKind::Bool => self.as_bool() == other.as_bool(),
                JsonKind::Number => compare_numbers(self, other) == Ordering::Equal,
                JsonKind::String => match (self.plain(), other.plain()) {
                    (Some(a), Some(b)) => a == b,
                    _ => self.as_str() == other.as_str(),
                },
                JsonKind::Array => self.len() == other.len() && self.elements().eq(other.elements()),
                JsonKind::Object if self.len() <= SMALL && other.len() <= SMALL => small_objects(self, other),
                JsonKind::Object => members(self) == members(other),
            }
    }
}

impl Eq for JsonRef<'_> {}

fn compare_numbers(a: &JsonRef<'_>, b: &JsonRef<'_>) -> Ordering {
    let [x, y] = [a, b].map(|value| value.number().unwrap_or(Number::Int(0)));
    x.compare(y, || a.raw_bytes(), || b.raw_bytes())
}

/// Two small objects as maps: every last member of the one has an equal last member in the other, and the other way
/// round there are as many.
fn small_objects(a: &JsonRef<'_>, b: &JsonRef<'_>) -> bool {
    distinct(a).count() == distinct(b).count()
        && distinct(a).all(|(key, value)| b.get(&key).is_some_and(|other| value == other))
}

/// The members that count: the last ones of their keys. Looking at the others as well would take time exponential in
/// the depth of a hostile document.
fn distinct<'a>(object: &JsonRef<'a>) -> impl Iterator<Item = (Cow<'a, str>, JsonRef<'a>)> {
    let object = *object;
    object.entries().filter(move |(key, value)| object.get(key).is_some_and(|last| last.index == value.index))
}

/// The members of an object, sorted by key; of duplicate keys the last one.
fn members<'a>(object: &JsonRef<'a>) -> Vec<(Cow<'a, str>, JsonRef<'a>)> {
    let mut members: Vec<_> = object.entries().collect();
    // Later members first among equal keys, so that they are the ones kept.
    members.reverse();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members.dedup_by(|(a, _), (b, _)| a == b);
    members
}

impl Ord for JsonRef<'_> {
    fn cmp(&self, other: &JsonRef<'_>) -> Ordering {
        let kind = self.kind();
        kind.cmp(&other.kind()).then_with(|| match kind {
            JsonKind::Null => Ordering::Equal,
            JsonKind::Bool => self.as_bool().cmp(&other.as_bool()),
            JsonKind::Number => compare_numbers(self, other),
            JsonKind::String => self.as_str().cmp(&other.as_str()),
            JsonKind::Array => self.elements().cmp(other.elements()),
            JsonKind::Object => {
                let (a, b) = (members(self), members(other));
                let keys = a.iter().map(|(key, _)| key).cmp(b.iter().map(|(key, _)| key));
                keys.then_with(|| a.iter().map(|(_, value)| value).cmp(b.iter().map(|(_, value)| value)))
            }
        })
    }
}

impl PartialOrd for JsonRef<'_> {
    fn partial_cmp(&self, other: &JsonRef<'_>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for JsonRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let kind = self.kind();
        state.write_u8(kind as u8);
        match kind {
            JsonKind::Null => {}
            JsonKind::Bool => self.as_bool().hash(state),
            JsonKind::Number => {
                if let Some(number) = self.number() {
                    number.hash(|| self.raw_bytes(), state);
                }
            }
            JsonKind::String => {
                match self.plain() {
                    Some(plain) => state.write(plain),
                    None => state.write(self.as_str().unwrap_or_default().as_bytes()),
                }
                // No text has this byte: what comes next is told from more of the string.
                state.write_u8(0xFF);
            }
            JsonKind::Array => {
                self.len().hash(state);
                self.elements().for_each(|element| element.hash(state));
            }
            JsonKind::Object => {
                let members = members(self);
                members.len().hash(state);
                members.iter().for_each(|member| member.hash(state));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use std::hash::DefaultHasher;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    fn hash(value: &Json) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn equal_values_hash_alike() {
        let many = |reversed: bool| {
            let mut members: Vec<_> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
            if reversed {
                members.reverse();
            }
            format!("{{{}}}", members.join(","))
        };
        for (a, b) in [
            (r#"{"a":1,"b":[1.0,-0]}"#, r#"{"b":[1e0,0],"a":1.00}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":2,"b":3,"a":1}"#, r#"{"\u0061":1,"b":3}"#),
            (r#""\u00e9\n""#, "\"é\\n\""),
            ("9007199254740993", "9007199254740993.0"),
            ("18446744073709551616", "1.8446744073709551616e19"),
            (&many(false), &many(true)),
        ] {
            let (a, b) = (json(a), json(b));
            assert_eq!(a, b);
            assert_eq!(a.cmp(&b), Ordering::Equal);
            assert_eq!(hash(&a), hash(&b), "{a} {b}");
        }
        for (a, b) in [
            (r#"{"a":1,"a":2}"#, r#"{"a":1}"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
            (r#"{"a":1,"b":1,"b":1}"#, r#"{"a":1,"b":1,"c":1}"#),
            ("9007199254740993", "9007199254740992"),
        ] {
            assert_ne!(json(a), json(b));
        }
    }

    #[test]
    fn order_is_that_of_jq() {
        let ascending = [
            "null",
            "false",
            "true",
            "-1e400",
            "-1",
            "0",
            "0.5",
            "1e400",
            r#""""#,
            r#""a""#,
            r#""aa""#,
            r#""b""#,
            "\"\u{ffff}\"",
            "\"\u{10000}\"",
            "[]",
            "[null]",
            "[0,9]",
            "[1]",
            "[1,2]",
            "{}",
            r#"{"a":9}"#,
            r#"{"a":1,"b":2}"#,
            r#"{"b":0,"a":2}"#,
            r#"{"b":0}"#,
            r#"{"b":0,"c":0}"#,
        ]
        .map(json);
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a} {b}");
                assert_eq!(a == b, i == j, "{a} {b}");
            }
        }
    }

    #[test]
    fn duplicate_keys_do_not_multiply() {
        let deep = |leaf: &str| {
            (0..60).fold(leaf.to_owned(), |inner, _| format!("{{{}\"a\":{inner}}}", "\"a\":0,".repeat(15)))
        };
        assert_eq!(json(&deep("1")), json(&deep("1.0")));
        assert_ne!(json(&deep("1")), json(&deep("2")));
        assert_eq!(json(&deep("1")).cmp(&json(&deep("2"))), Ordering::Less);
    }
}
