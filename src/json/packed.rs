//! A document in one slice of bytes, relocatable and without pointers. All numbers are four little-endian bytes:
//!
//! ```text
//! nodes    how many words there are
//! parts    how many parts
//! word     as in `words`, for each value
//! part     for each array or object: the values in it, itself included; where it starts and ends; its elements
//! text
//! ```

use super::text;
use super::words::{Document, ESCAPED, Part, STRING, short, word};
use std::borrow::Cow;

/// The bytes before the first word.
const HEADER: usize = 8;
/// The bytes of one part.
const PART: usize = 16;

/// A document that is all bytes.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a>(pub(super) &'a [u8]);

impl<'a> Packed<'a> {
    #[inline]
    fn number_at(self, byte: usize) -> u32 {
        match self.0.get(byte..byte + 4) {
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            _ => 0,
        }
    }

    /// Where the parts start.
    #[inline]
    fn parts(self) -> usize {
        HEADER + self.number_at(0) as usize * 4
    }
}

impl<'a> Document<'a> for Packed<'a> {
    #[inline]
    fn word(self, index: usize) -> u32 {
        self.number_at(HEADER + index * 4)
    }

    #[inline]
    fn part(self, index: usize) -> Part {
        let at = self.parts() + index * PART;
        let field = |number: usize| self.number_at(at + number * 4);
        Part { span: field(0), start: field(1), end: field(2), len: field(3) }
    }

    #[inline]
    fn text(self) -> &'a [u8] {
        self.0.get(self.parts() + self.number_at(4) as usize * PART..).unwrap_or_default()
    }

    fn unescaped(self, _: usize, content: &'a [u8]) -> Cow<'a, str> {
        Cow::Owned(text::unescape(text::utf8(content)))
    }
}

/// The document of these words, parts and text, in one allocation.
pub(super) fn assemble(
    words: impl ExactSizeIterator<Item = u32>,
    parts: impl ExactSizeIterator<Item = Part>,
    text: &[u8],
) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(HEADER + words.len() * 4 + parts.len() * PART + text.len());
    bytes.extend_from_slice(&short(words.len()).to_le_bytes());
    bytes.extend_from_slice(&short(parts.len()).to_le_bytes());
    words.for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    let fields = parts.flat_map(|part| [part.span, part.start, part.end, part.len]);
    fields.for_each(|field| bytes.extend_from_slice(&field.to_le_bytes()));
    bytes.extend_from_slice(text);
    bytes.into_boxed_slice()
}

/// The document of one value that is no container, from its text.
pub(super) fn scalar(kind: u32, text: &[u8]) -> Box<[u8]> {
    let start = u32::from(kind == STRING || kind == ESCAPED);
    assemble([word(kind, start)].into_iter(), [].into_iter(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        for doc in [&b""[..], b"\0", &[0xFF; 3], &[0xFF; 40], &[0x80; 16], &[0xC0, 0, 0, 0xC0]] {
            let words = Packed(doc);
            for index in [0, 1, 7, 1000] {
                let _ = (
                    words.kind(index),
                    words.span(index),
                    words.raw(index),
                    words.string(index),
                    words.find(index, "x"),
                );
            }
        }
    }

    #[test]
    fn a_key_with_a_quote_matches_no_plain_string() {
        // The text between the first quote and the last but one, as a key, matches the bytes beyond the first key.
        let json = crate::json::Json::parse(r#"{"a":1,"b":2,"c\"":3,"d\\e":4}"#).unwrap();
        assert!(json.get("a\":1,\"b").is_none());
        assert!(json.get("d\\\\e").is_none());
        assert_eq!(json.get("c\"").unwrap(), 3i64);
        assert_eq!(json.get("d\\e").unwrap(), 4i64);
    }
}
