//! Values that stand one behind the other in a line ("concatenated JSON").

use std::ops::Range;

use super::fault::{Fault, FaultKind};
use super::parser::MAX_DEPTH;
use super::scan::Pass;
use crate::error::Result;

/// Where the values of a line stand that may hold several of them, as jq accepts them: with white space between them, or
/// without where quotes and brackets tell them apart. Holds nothing; looks at the line twice.
///
/// ```
/// let line = br#"{"a":1}{"a":2} 3"#;
/// let values: Vec<&[u8]> = kitbag::values_in(line)?.map(|range| &line[range]).collect();
/// assert_eq!(values, [&br#"{"a":1}"#[..], br#"{"a":2}"#, b"3"]);
/// # Ok::<(), kitbag::Error>(())
/// ```
///
/// # Errors
///
/// If any of it is no JSON, with the column and what was expected there, or is nested deeper than 1024 levels.
pub fn values_in(line: &[u8]) -> Result<impl Iterator<Item = Range<usize>>> {
    check(line, MAX_DEPTH).map_err(|fault| fault.in_text(line))?;
    Ok(ranges(line))
}

/// How many values a line holds; says why it is not all values, or nested deeper than `depth`.
pub(crate) fn check(line: &[u8], depth: usize) -> std::result::Result<usize, Fault> {
    if let Err(error) = std::str::from_utf8(line) {
        return Err(Fault::new(FaultKind::Utf8, error.valid_up_to(), "expected UTF-8"));
    }
    let (mut pass, mut count) = (Pass::new(line, depth), 0);
    pass.space();
    while pass.at < line.len() {
        pass.whole_value()?;
        count += 1;
        let end = pass.at;
        pass.space();
        // Two numbers or words are told apart by what is between them.
        let closed = |byte: &u8| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}');
        let apart = pass.at > end || line[..end].last().is_some_and(closed) || line.get(end).is_none_or(closed);
        if !apart || matches!(line.get(pass.at), Some(b']' | b'}' | b',' | b':')) {
            return Err(pass.behind());
        }
    }
    Ok(count)
}

/// Where the values of a line stand that is nothing but values.
pub(crate) fn ranges(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut pass = Pass::new(line, usize::MAX);
    std::iter::from_fn(move || {
        pass.space();
        let start = pass.at;
        pass.whole_value().ok().map(|()| start..pass.at)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(line: &str) -> Option<Vec<&str>> {
        values_in(line.as_bytes()).ok().map(|found| found.map(|range| &line[range]).collect())
    }

    #[test]
    fn values_end_where_jq_ends_them() {
        for (line, values) in [
            ("", &[][..]),
            (" \t ", &[]),
            (" 1 ", &["1"]),
            ("1 2\t-3e4", &["1", "2", "-3e4"]),
            ("1\"a\"[2]{}true", &["1", "\"a\"", "[2]", "{}", "true"]),
            ("{\"a\": [1, {}]}  {\"b\":\"}{\"}", &["{\"a\": [1, {}]}", "{\"b\":\"}{\"}"]),
            ("\"a\"\"\\\"\"1", &["\"a\"", "\"\\\"\"", "1"]),
        ] {
            assert_eq!(split(line).unwrap(), values, "{line}");
        }
        for (line, column) in [
            ("1.2.3", 4),
            ("[1] truefalse", 9),
            ("1 01 2", 4),
            ("1, 2", 2),
            ("1 , 2", 3),
            ("{}]{}", 3),
            ("{\"a\":1}{\"b\":", 13),
            ("1 x", 3),
            ("true}", 5),
        ] {
            assert_eq!(check(line.as_bytes(), 9).unwrap_err().column, column, "{line}");
        }
        let deep = check(b"1 [[[]]]", 2).unwrap_err();
        assert_eq!((deep.kind, deep.column), (FaultKind::Depth, 5));
        assert_eq!(check(b"1 \"\xff\"", 2).unwrap_err().kind, FaultKind::Utf8);
    }

    proptest! {
        #[test]
        fn they_are_those_of_serde_json(line in r#"([0-9.e-]{1,3}|true|null|"[a,\]\[{}]{0,3}"|\[|\]|\{|\}|,| |"a":){0,12}"#) {
            use serde_json::value::RawValue;
            let stream = serde_json::Deserializer::from_str(&line).into_iter::<Box<RawValue>>();
            let theirs: Option<Vec<_>> = stream.map(|value| value.ok().map(|value| value.get().to_owned())).collect();
            let ours = split(&line).map(|values| values.into_iter().map(str::to_owned).collect::<Vec<_>>());
            prop_assert_eq!(ours, theirs);
        }
    }
}
