//! Every lane of the JSON reader accepts what serde_json accepts, and reads the same values.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::json::{Json, JsonKind, JsonParser, JsonRef, is_container};

/// Levels of nesting that serde_json takes.
const DEPTH: usize = 127;

pub fn json(data: &[u8]) {
    for mut parser in JsonParser::at_all_levels() {
        check(&mut parser, data);
        // The lines of a block, by the parser's own newlines.
        let mut from = 0;
        while from < data.len() {
            let end = parser.line_end(data, from);
            let newline = data[from..].iter().position(|&byte| byte == b'\n').map_or(data.len(), |at| from + at);
            assert_eq!(end, newline);
            check(&mut parser, &data[from..end]);
            from = end + 1;
        }
    }
}

fn check(parser: &mut JsonParser, line: &[u8]) {
    // What is ignored is not checked to be UTF-8.
    let accepted = std::str::from_utf8(line).is_ok() && serde_json::from_slice::<IgnoredAny>(line).is_ok();
    let value = serde_json::from_slice::<Value>(line);
    // Numbers beyond doubles are no `Value`s, but JSON; and it gives up there before it has seen the rest's strings.
    let out_of_range = value.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
    let accepted = accepted && (value.is_ok() || out_of_range);
    let unsure = out_of_range && line.contains(&b'\\');
    let typed = parser.read_as::<Value>(line);
    assert_eq!(typed.as_ref().ok(), value.as_ref().ok());
    match parser.read(line) {
        Ok(document) => {
            let view = document.view();
            let deep = serde_json::from_slice::<IgnoredAny>(line)
                .is_err_and(|error| error.to_string().starts_with("recursion"));
            assert!(accepted || unsure || deep, "{:?}", String::from_utf8_lossy(line));
            if let Ok(value) = &value {
                same(view, value);
            }
            let kept = view.to_json();
            assert_eq!(kept.raw(), view.raw());
            assert_eq!(Json::parse(kept.raw()).unwrap(), kept);
            let mut compact = Vec::new();
            view.compact(&mut compact);
            let again = Json::parse(std::str::from_utf8(&compact).unwrap()).unwrap();
            assert_eq!(again.view(), view, "{}", again.raw());
            assert_eq!(is_container(line, DEPTH), matches!(view.kind(), JsonKind::Array | JsonKind::Object));
        }
        Err(error) => {
            assert!(!accepted || unsure, "{error}");
            assert!(!is_container(line, DEPTH));
        }
    }
}

/// A view is what serde_json makes of the same text.
pub(crate) fn same(view: JsonRef<'_>, value: &Value) {
    match value {
        Value::Null => assert!(view.is_null()),
        Value::Bool(value) => assert_eq!(view.as_bool(), Some(*value)),
        Value::String(value) => assert_eq!(view.as_str().as_deref(), Some(value.as_str())),
        Value::Number(value) => {
            assert_eq!(view.as_f64().map(f64::to_bits), value.as_f64().map(f64::to_bits));
            // A whole number that is spelt otherwise is an integer here and none there.
            assert!(value.as_i64().is_none_or(|value| view.as_i64() == Some(value)));
            assert!(value.as_u64().is_none_or(|value| view.as_u64() == Some(value)));
        }
        Value::Array(values) => {
            assert_eq!((view.kind(), view.len()), (JsonKind::Array, values.len()));
            view.elements().zip(values).for_each(|(view, value)| same(view, value));
        }
        Value::Object(members) => {
            assert_eq!(view.kind(), JsonKind::Object);
            assert!(members.iter().all(|(key, value)| view.get(key).is_some_and(|view| {
                same(view, value);
                true
            })));
        }
    }
}
