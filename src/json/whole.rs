//! [`is_container`]: whether text whose beginning may be lost is whole.

use super::parser::{JsonParser, Limits};
use super::text;

/// Whether a line is a JSON object or array. If it is, it is no proper end of a longer line of JSON: an end that begins
/// outside a string lacks the opening of a bracket that it closes; one that begins inside a string reads each quote of
/// the line the other way round, and ends inside a string. Numbers, words and strings do have ends that are JSON.
pub(crate) fn is_container(line: &[u8], depth: usize) -> bool {
    begins_container(line) && JsonParser::new(Limits { depth, ..Limits::default() }).parse(line).is_ok()
}

/// Whether a line begins as one. Then the same holds of several values: the end of a longer line that is only values and
/// begins so would lack an opening bracket, or end inside a string.
pub(crate) fn begins_container(line: &[u8]) -> bool {
    matches!(text::trim(line).first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = String> {
        // Strings that look like structure, and escapes, are what could deceive.
        let string = r#"([{}\[\]:, 0-9]|\\\\|\\"|\\u007b|n){0,6}"#.prop_map(|inner| format!("\"{inner}\""));
        let leaf = prop_oneof![string.clone(), Just("null".to_owned()), Just("-1.5e3".to_owned()), Just("{}".into())];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            let member = (string.clone(), inner.clone()).prop_map(|(key, value)| format!("{key}: {value}"));
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|parts| format!("[{}]", parts.join(" ,"))),
                prop::collection::vec(member, 0..4).prop_map(|parts| format!("{{ {}}}", parts.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_proper_end_of_a_line_of_json_is_an_object_or_array(line in json()) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
            prop_assert_eq!(is_container(line.as_bytes(), 100), line.starts_with(['{', '[']));
            for from in 1..line.len() {
                prop_assert!(!is_container(&line.as_bytes()[from..], 100), "{}", &line[from..]);
            }
        }
    }

    #[test]
    fn scalars_and_what_is_no_json_are_none() {
        for text in ["5", "\"a\"", "null", "", " ", "{", "[1]]", "{}{}", "\u{feff}{}"] {
            assert!(!is_container(text.as_bytes(), 100), "{text}");
        }
        assert!(is_container(b" {\"a\": [1]} ", 100) && is_container(b"[]", 100) && !is_container(b"[[1]]", 1));
    }
}
