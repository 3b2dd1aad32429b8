//! What reading a text takes in memory beside it: tokens, words and parts, as `structure` and `outline` keep them. A text
//! of a few megabytes may have as many values as bytes, nearly, so very long ones are weighed before they are read.

use super::fault::{Fault, FaultKind};
use super::words::{MAX_TEXT, Part};

/// Bytes that a byte of text can take at most: a token, half a word, and a third of a part whose list has doubled.
pub(super) const MOST: usize = size_of::<u32>() + size_of::<u32>() / 2 + 2 * size_of::<Part>() / 3 + 1;

/// Refuses a text that is too long for any limit, or takes more than `most` bytes to be read.
#[cold]
pub(super) fn check(text: &[u8], most: usize) -> Result<(), Fault> {
    if text.len() > MAX_TEXT {
        return Err(Fault::new(FaultKind::Size, MAX_TEXT, "expected a record of at most 256 MiB"));
    }
    let takes = weight(text);
    if takes > most {
        let text = format!(
            "expected a record whose values take at most {most} bytes to be read, half of the memory budget: these take \
             {takes}; the smallest budget that would do is {}",
            2 * takes
        );
        return Err(Fault::new(FaultKind::Size, 0, text));
    }
    Ok(())
}

/// What the lists come to for JSON; of other text it is a number.
fn weight(text: &[u8]) -> usize {
    let (mut tokens, mut containers, mut escapes, mut strings, mut decoded) = (0_usize, 0_usize, 0_usize, 0_usize, 0);
    let (mut in_string, mut escaped, mut in_scalar) = (false, false, false);
    let (mut length, mut escapes_before) = (0_usize, 0_usize);
    for &byte in text {
        if in_string {
            length += 1;
            in_string = escaped || byte != b'"';
            escapes += usize::from(escaped);
            escaped = !escaped && byte == b'\\';
            if !in_string && escapes > escapes_before {
                // It is decoded.
                (strings, decoded) = (strings + 1, decoded + length);
            }
            continue;
        }
        let mark = matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':');
        let scalar = !mark && !matches!(byte, b'"' | b' ' | b'\t' | b'\r' | b'\n');
        tokens += usize::from(mark || byte == b'"' || scalar && !in_scalar);
        containers += usize::from(byte == b'{' || byte == b'[');
        (in_string, in_scalar, length, escapes_before) = (byte == b'"', scalar, 0, escapes);
    }
    // Lists double, but for that of the tokens at its end.
    let doubled = |length: usize| length.next_power_of_two();
    let words = doubled(tokens).min(text.len()) + tokens / 2 + doubled(escapes) + 3 * doubled(strings);
    words * size_of::<u32>() + doubled(containers) * size_of::<Part>() + doubled(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{JsonParser, Limits};

    /// What it says is what the parser then holds, within what growing lists round to.
    #[test]
    fn the_weight_is_what_the_buffers_take() {
        for piece in ["1", "[]", "{}", "[[]]", "\"a,b:[\\\"\"", "{\"a\":[1,{\"b\":null}]}", "-1.5e3", "\"\""] {
            let text = format!("[{}]", vec![piece; 40_000].join(","));
            let mut parser = JsonParser::default();
            parser.parse(text.as_bytes()).unwrap();
            let (held, weight) = (parser.heap_size(), weight(text.as_bytes()));
            let bound = held <= weight + weight / 4 + 4096 && weight <= held + held / 2 + 4096;
            assert!(bound && held <= MOST * text.len() + 4096, "{piece}: held {held}, weighed {weight}");
            let mut parser = JsonParser::new(Limits { depth: 128, most: weight - 1 });
            let fault = parser.parse(text.as_bytes()).unwrap_err();
            assert!(fault.kind == FaultKind::Size && fault.expected.ends_with(&format!("{}", 2 * weight)), "{fault:?}");
            assert!(JsonParser::new(Limits { depth: 128, most: weight }).parse(text.as_bytes()).is_ok());
        }
    }
}
