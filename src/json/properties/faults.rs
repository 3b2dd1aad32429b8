//! What the strict scanner says of text that is not JSON.

use crate::json::fault::FaultKind;
use crate::json::scan::check;

#[test]
fn faults_name_the_column_and_what_was_expected() {
    let deep = "[".repeat(9);
    for (text, column, expected) in [
        ("", 1, "a value, found the end of the line"),
        (r#"{"a" 1}"#, 6, "`:` after the key"),
        (r#"{"a":1 "b":2}"#, 8, "`,` or `}`"),
        (r#"{"a":1,}"#, 8, "a key in quotes"),
        ("[1,]", 4, "a value"),
        ("[1 2]", 4, "`,` or `]`"),
        ("{\"a\":1", 7, "`,` or `}`, found the end of the line"),
        ("1 2", 3, "the end of the line after the value"),
        ("01", 2, "a number without leading zeros"),
        ("1.", 3, "a digit after the decimal point, found the end of the line"),
        ("-", 2, "a digit, found the end of the line"),
        ("1e+", 4, "a digit in the exponent, found the end of the line"),
        ("nul", 4, "`null`, found the end of the line"),
        ("[trie]", 4, "`true`"),
        ("\"a\tb\"", 3, "control characters in strings to be escaped"),
        (r#""\ud83d x""#, 2, "both halves of a surrogate pair"),
        (r#""\ude00""#, 2, "both halves of a surrogate pair"),
        (r#""\u00zz""#, 2, "four hexadecimal digits after `\\u`"),
        (r#""\x""#, 2, "one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u"),
        ("\"abc", 5, "`\"` to end the string, found the end of the line"),
        ("{\"a\":1}\0", 8, "the end of the line after the value"),
        ("\u{feff}{}", 1, "a value, found a byte order mark"),
        (&deep, 9, "at most 8 levels of arrays and objects"),
    ] {
        let fault = check(text.as_bytes(), 8).unwrap_err();
        assert_eq!((fault.column, fault.expected.as_str()), (column, &*format!("expected {expected}")), "{text}");
    }
    let fault = check(b"\"ab\xff\"", 8).unwrap_err();
    assert_eq!((fault.kind, fault.column), (FaultKind::Utf8, 4));
}
