//! Reads jaq's tests, which are calls of Rust: `yields!(name, program, output)`, `give(input, program, output)` and
//! `gives(input, program, [output, …])`, where values are JSON but for a macro's name and commas at the end.

use std::path::Path;

use super::{Case, Expected, Suite};

const FILES: [&str; 8] = [
    "jaq-core/tests/defs",
    "jaq-core/tests/funs",
    "jaq-core/tests/path",
    "jaq-core/tests/tests",
    "jaq-json/tests/defs",
    "jaq-json/tests/funs",
    "jaq-std/tests/defs",
    "jaq-std/tests/funs",
];

pub(super) fn tests(folder: &Path) -> Suite {
    let mut suite = Suite { name: "jaq's tests", cases: Vec::new(), unread: 0 };
    for file in FILES {
        let place = format!("jaq/{file}.rs");
        let text = std::fs::read_to_string(folder.join(&place)).unwrap_or_else(|error| panic!("{place}: {error}"));
        let kept =
            |line: &str| if line.trim_start().starts_with("//") { "\n".to_owned() } else { line.to_owned() + "\n" };
        let text: String = text.lines().map(kept).collect();
        for call in ["yields!(", "give(", "gives(", "fail("] {
            for (at, _) in text.match_indices(call) {
                if text[..at].ends_with(|c: char| c.is_alphanumeric()) {
                    continue;
                }
                let number = text[..at].matches('\n').count() + 1;
                match case(call, &text[at + call.len()..]) {
                    Some((program, input, outputs)) => suite.cases.push(Case {
                        place: format!("{place}:{number}"),
                        program,
                        input: format!("{input}\n"),
                        expected: Expected::Outputs(outputs),
                    }),
                    None => suite.unread += 1,
                }
            }
        }
    }
    suite
}

/// The program, the input and the outputs of a call, if they are there as text.
fn case(call: &str, text: &str) -> Option<(String, serde_json::Value, Vec<serde_json::Value>)> {
    let arguments = arguments(text);
    let [first, program, output] = &arguments[..] else { return None };
    let program = string(program)?;
    Some(match call {
        "yields!(" => (program, serde_json::Value::Null, vec![value(output)?]),
        "give(" => (program, value(first)?, vec![value(output)?]),
        "gives(" => (program, value(first)?, value(output)?.as_array()?.clone()),
        _ => return None,
    })
}

/// What stands between commas, up to the closing parenthesis.
fn arguments(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start, mut at) = (Vec::new(), 0, 0, 0);
    while let Some(char) = text[at..].chars().next() {
        match char {
            '"' => at += string_end(&text[at..], 0) - 1,
            'r' if text[at..].starts_with("r#\"") => at += string_end(&text[at + 2..], 1) + 1,
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                found.push(text[start..at].trim());
                found.retain(|argument| !argument.is_empty());
                return found;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        at += text[at..].chars().next().map_or(1, char::len_utf8);
    }
    Vec::new()
}

/// The length of a string from its quotation mark on, with so many `#` behind the closing one.
fn string_end(text: &str, hashes: usize) -> usize {
    let mut at = 1;
    while at < text.len() {
        match (text.as_bytes()[at], hashes) {
            (b'\\', 0) => at += 2,
            (b'"', 0) => return at + 1,
            (b'"', _) if text[at + 1..].starts_with('#') => return at + 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The text of a string of Rust.
fn string(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix("r#\"") {
        return Some(raw.strip_suffix("\"#")?.to_owned());
    }
    if let Some(raw) = literal.strip_prefix("r\"") {
        return Some(raw.strip_suffix('"')?.to_owned());
    }
    // The escapes that occur are those of JSON too.
    serde_json::from_str(&literal.replace('\n', "\\n")).ok().filter(|_| literal.starts_with('"'))
}

/// The value of a JSON literal within Rust.
fn value(expression: &str) -> Option<serde_json::Value> {
    let mut text = String::new();
    let mut rest = expression;
    while let Some(char) = rest.chars().next() {
        let length = match char {
            '"' => string_end(rest, 0),
            'r' if rest.starts_with("r#\"") => string_end(&rest[2..], 1) + 2,
            _ => char.len_utf8(),
        };
        match char {
            '"' => text.push_str(&rest[..length]),
            'r' if length > 1 => text.push_str(&serde_json::to_string(&string(&rest[..length])?).ok()?),
            'j' if rest.starts_with("json!(") => {
                rest = &rest["json!(".len()..];
                continue;
            }
            // Of a macro.
            ')' => {}
            ',' if rest[1..].trim_start().starts_with([']', '}', ')']) || rest[1..].trim().is_empty() => {}
            char => text.push(char),
        }
        rest = &rest[length..];
    }
    serde_json::from_str(&text).ok()
}
