//! JSON text at the level of bytes: where tokens start and end, escapes, white space. Nothing here validates: every
//! function takes text that a parser of this room has accepted, and on anything else it stays within the slice and
//! gives some answer, without a panic.

use memchr::{memchr, memchr2};

/// The position after the closing quote of the string whose first byte after the opening quote is at `from`.
pub(super) fn string_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if text[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    text.len()
}

/// The position after the number that starts at `from`, if there is one.
#[inline]
pub(super) fn number(text: &[u8], from: usize) -> Option<usize> {
    let at = from + usize::from(text.get(from) == Some(&b'-'));
    let mut end = digits(text, at);
    if end == at || (end > at + 1 && text.get(at) == Some(&b'0')) {
        return None;
    }
    if text.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(text, fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = digits(text, exponent);
        if end == exponent {
            return None;
        }
    }
    Some(end)
}

/// The position after the digits that start at `from`.
#[inline]
fn digits(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// The text without white space of JSON around it.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// Appends a value's text without the white space between its tokens.
pub(super) fn compact(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let run = rest.iter().take_while(|byte| !matches!(byte, b'"' | b' ' | b'\t' | b'\r' | b'\n')).count();
        out.extend_from_slice(&rest[..run]);
        at += run;
        if text.get(at) == Some(&b'"') {
            let end = string_end(text, at + 1);
            out.extend_from_slice(&text[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
}

/// Bytes as text. They come from a validated line, so the check cannot fail; safe code has to make it all the same.
pub(super) fn utf8(bytes: &[u8]) -> &str {
    let text = std::str::from_utf8(bytes);
    debug_assert!(text.is_ok(), "text was validated when it was parsed");
    text.unwrap_or_default()
}

/// The text between the quotes of a string, with its escapes decoded.
pub(super) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let (decoded, used) = escape(&rest.as_bytes()[at..]).unwrap_or((char::REPLACEMENT_CHARACTER, 1));
        out.push(decoded);
        rest = rest.get(at + used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character that the escape sequence at the start of a text stands for, and the sequence's length.
pub(super) fn escape(sequence: &[u8]) -> Option<(char, usize)> {
    let character = match sequence.get(1)? {
        b'u' => {
            let high = hex4(sequence, 2);
            if !(0xD800..0xDC00).contains(&high) {
                return Some((char::from_u32(high)?, 6));
            }
            let low = match sequence.get(6..8) {
                Some(b"\\u") => hex4(sequence, 8),
                _ => return None,
            };
            let code = (0xDC00..0xE000).contains(&low).then(|| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
            return Some((char::from_u32(code)?, 12));
        }
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        _ => return None,
    };
    Some((character, 2))
}

/// Four hexadecimal digits at `from`, or a value beyond every code unit.
pub(super) fn hex4(text: &[u8], from: usize) -> u32 {
    let Some(digits) = text.get(from..from + 4) else { return u32::MAX };
    digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?)).unwrap_or(u32::MAX)
}

/// Appends `text` as a JSON string, with the escapes that JSON asks for and no others. True if there were any.
pub(super) fn quote(text: &str, out: &mut Vec<u8>) -> bool {
    let mut escaped = false;
    out.push(b'"');
    for &byte in text.as_bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0C => b'f',
            0..0x20 => b'u',
            _ => {
                out.push(byte);
                continue;
            }
        };
        escaped = true;
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            out.extend_from_slice(format!("{byte:04x}").as_bytes());
        }
    }
    out.push(b'"');
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_end() {
        for (text, end) in [
            ("-1.5e+3]", Some(7)),
            ("0,", Some(1)),
            ("-0.0", Some(4)),
            ("10E9", Some(4)),
            ("1.5.5", Some(3)),
            ("01", None),
            ("-", None),
            ("1.", None),
            ("1.e5", None),
            ("1e+", None),
            ("+1", None),
        ] {
            assert_eq!(number(text.as_bytes(), 0), end, "{text}");
        }
        assert_eq!(string_end(br#""a\"b\\",1"#, 1), 8);
        assert_eq!(string_end(b"\"abc\\", 1), 5);
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(unescape(r#"a\"\\\/\b\f\n\r\tz\u00e9\ud83d\ude00!"#), "a\"\\/\u{8}\u{c}\n\r\tzé😀!");
        let mut out = Vec::new();
        assert!(quote("a\"\\\u{1}\né", &mut out));
        assert_eq!(out, "\"a\\\"\\\\\\u0001\\né\"".as_bytes());
        assert!(!quote("plain é", &mut out));
    }

    #[test]
    fn compaction_keeps_strings() {
        let mut out = Vec::new();
        compact(b"{ \"a b\" : [ 1 ,\t\" \\\" \" ] }", &mut out);
        assert_eq!(out, b"{\"a b\":[1,\" \\\" \"]}");
    }
}
