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

/// Whether the string at `from` (after its quote), which is `len` bytes long when decoded, was written without escapes:
/// the first escape of a string stands where its decoded text has the escaped character, so before that length.
pub(super) fn is_plain(text: &[u8], from: usize, len: usize) -> bool {
    text.get(from..from + len).is_some_and(|content| memchr(b'\\', content).is_none())
}

/// The position after the number that starts at `from`.
#[inline]
pub(super) fn number_end(text: &[u8], from: usize) -> usize {
    after_run(text, from, NUMBER)
}

/// The start of the first value at or after `from`: white space, commas, colons and closing brackets are passed over.
#[inline]
pub(super) fn token_start(text: &[u8], from: usize) -> usize {
    after_run(text, from, BETWEEN)
}

/// Bytes that numbers are made of, and bytes that stand between values.
const NUMBER: u8 = 1;
const BETWEEN: u8 = 2;

/// A table, because the branches of a comparison with each of eight bytes cost more than all else around them.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let (numbers, between) = (b"0123456789.-+eE", b" \t\r\n,:]}");
    let mut at = 0;
    while at < numbers.len() {
        classes[numbers[at] as usize] = NUMBER;
        at += 1;
    }
    at = 0;
    while at < between.len() {
        classes[between[at] as usize] = BETWEEN;
        at += 1;
    }
    classes
};

#[inline]
fn after_run(text: &[u8], from: usize, class: u8) -> usize {
    let mut at = from;
    while text.get(at).is_some_and(|&byte| CLASSES[usize::from(byte)] == class) {
        at += 1;
    }
    at
}

/// The position after the value that starts at `start`.
pub(super) fn value_end(text: &[u8], start: usize) -> usize {
    let end = match text.get(start) {
        Some(b'"') => string_end(text, start + 1),
        Some(b'[' | b'{') => container_end(text, start),
        Some(b't' | b'n') => start + 4,
        Some(b'f') => start + 5,
        _ => number_end(text, start),
    };
    end.min(text.len())
}

fn container_end(text: &[u8], start: usize) -> usize {
    let (mut at, mut open) = (start, 0usize);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => at = string_end(text, at),
            b'[' | b'{' => open += 1,
            b']' | b'}' if open <= 1 => return at,
            b']' | b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
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
        let (decoded, used) = escape(&rest.as_bytes()[at..]);
        out.push(decoded);
        rest = rest.get(at + used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character that an escape sequence stands for, and the sequence's length.
fn escape(sequence: &[u8]) -> (char, usize) {
    match sequence.get(1) {
        Some(b'u') => {
            let high = hex4(sequence, 2);
            if (0xD800..0xDC00).contains(&high) {
                let low = hex4(sequence, 8);
                let code = 0x10000 + ((high - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
                return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
            }
            (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
        }
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(&byte) if byte.is_ascii() => (char::from(byte), 2),
        _ => (char::REPLACEMENT_CHARACTER, 1),
    }
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
    fn values_end_where_they_end() {
        for (text, value) in [
            (r#""a\"b\\",1"#, r#""a\"b\\""#),
            (r#"{"]}":[1,{"}":2}]},3"#, r#"{"]}":[1,{"}":2}]}"#),
            ("-1.5e+3]", "-1.5e+3"),
            ("true,", "true"),
            ("false}", "false"),
            ("[[[1", "[[[1"),
            ("\"abc\\", "\"abc\\"),
        ] {
            assert_eq!(value_end(text.as_bytes(), 0), value.len(), "{text}");
        }
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

    #[test]
    fn a_quote_at_the_decoded_length_is_not_the_end() {
        // `ab"` decodes to three bytes, and after three bytes of the text is the quote of the escape.
        assert!(!is_plain(br#"ab\"""#, 0, 3));
        assert!(is_plain(br#"abc""#, 0, 3));
    }
}
