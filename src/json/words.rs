//! A document as light words beside its text. A line that is being read has them in buffers of the parser (`outline`);
//! a document that owns its text has them in one slice of bytes, relocatable and without pointers, in which all numbers
//! are four little-endian bytes:
//!
//! ```text
//! nodes    how many values there are, keys included
//! parts    how many of them are arrays or objects
//! word     one for each value in document order: three bits kind, 29 bits payload, which is
//!            null false true number   where the value starts in the text
//!            string, escaped string   where its content starts, after the opening quote
//!            array, object            which part describes it
//! part     four numbers for each array or object, in document order:
//!            the values in it, itself included; where it starts and ends; its elements or members
//! text
//! ```
//!
//! Readers are total: bytes that are no such document give wrong answers, never a panic.

use super::text;
use memchr::memchr;
use std::borrow::Cow;

/// The longest text that a document may have. With it every payload fits, for a text has less values than bytes.
pub(super) const MAX_TEXT: usize = 1 << 28;

const PAYLOAD_BITS: u32 = 29;
const PAYLOAD: u32 = (1 << PAYLOAD_BITS) - 1;

/// The bytes before the first word.
const HEADER: usize = 8;
/// The bytes of one part.
const PART: usize = 16;

pub(super) const NULL: u32 = 0;
pub(super) const FALSE: u32 = 1;
pub(super) const TRUE: u32 = 2;
pub(super) const NUMBER: u32 = 3;
pub(super) const STRING: u32 = 4;
pub(super) const ESCAPED: u32 = 5;
pub(super) const ARRAY: u32 = 6;
pub(super) const OBJECT: u32 = 7;

/// One word from its parts.
#[inline]
pub(super) fn word(kind: u32, payload: u32) -> u32 {
    kind << PAYLOAD_BITS | payload & PAYLOAD
}

/// A length or position of a document, which fits, because [`MAX_TEXT`] is checked before a document is made.
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub(super) fn plain(value: usize) -> u32 {
    value as u32
}

/// What is known of one array or object.
#[derive(Clone, Copy, Default)]
pub(super) struct Part {
    /// The values in it, itself and keys included.
    pub(super) span: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Its elements or members.
    pub(super) len: u32,
}

impl Part {
    #[inline]
    pub(super) fn bytes(self) -> [u8; PART] {
        let [a, b, c, d] = self.span.to_le_bytes();
        let [e, f, g, h] = self.start.to_le_bytes();
        let [i, j, k, l] = self.end.to_le_bytes();
        let [m, n, o, p] = self.len.to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }
}

/// Reading of words, wherever they lie.
pub(super) trait Document<'a>: Copy {
    fn word(self, index: usize) -> u32;
    /// The description of an array or object.
    fn part(self, index: usize) -> Part;
    fn text(self) -> &'a [u8];
    /// The decoded text of the string whose content starts at `from`.
    fn unescaped(self, from: usize, content: &'a [u8]) -> Cow<'a, str>;

    #[inline]
    fn kind(self, index: usize) -> u32 {
        self.word(index) >> PAYLOAD_BITS
    }

    #[inline]
    fn payload(self, index: usize) -> usize {
        (self.word(index) & PAYLOAD) as usize
    }

    /// How many values the one at `index` takes.
    #[inline]
    fn span(self, index: usize) -> usize {
        if self.kind(index) < ARRAY { 1 } else { (self.part(self.payload(index)).span as usize).max(1) }
    }

    /// How many elements or members the value at `index` has.
    #[inline]
    fn len(self, index: usize) -> usize {
        if self.kind(index) < ARRAY { 0 } else { self.part(self.payload(index)).len as usize }
    }

    /// Where the value at `index` starts in the text.
    fn start(self, index: usize) -> usize {
        let payload = self.payload(index);
        match self.kind(index) {
            STRING | ESCAPED => payload.saturating_sub(1),
            ARRAY | OBJECT => self.part(payload).start as usize,
            _ => payload,
        }
    }

    /// The text of the value at `index`, exactly as it was written.
    fn raw(self, index: usize) -> &'a [u8] {
        let (text, payload) = (self.text(), self.payload(index));
        let range = match self.kind(index) {
            NULL | TRUE => payload..payload + 4,
            FALSE => payload..payload + 5,
            NUMBER => payload..text::number(text, payload).unwrap_or(payload),
            STRING | ESCAPED => payload.saturating_sub(1)..text::string_end(text, payload),
            _ => {
                let part = self.part(payload);
                part.start as usize..part.end as usize
            }
        };
        text.get(range).unwrap_or_default()
    }

    /// The content of the string at `index`, if it is one and has no escapes.
    #[inline]
    fn plain(self, index: usize) -> Option<&'a [u8]> {
        if self.kind(index) != STRING {
            return None;
        }
        let content = self.text().get(self.payload(index)..)?;
        content.get(..memchr(b'"', content)?)
    }

    /// The decoded text of the string at `index`.
    #[inline]
    fn string(self, index: usize) -> Option<Cow<'a, str>> {
        if let Some(plain) = self.plain(index) {
            return Some(Cow::Borrowed(text::utf8(plain)));
        }
        if self.kind(index) != ESCAPED {
            return None;
        }
        let from = self.payload(index);
        let end = text::string_end(self.text(), from).saturating_sub(1);
        Some(self.unescaped(from, self.text().get(from..end)?))
    }

    /// The index of the value of a key in the value at `index`, if that is an object; of the last one, if there are
    /// several.
    #[inline]
    fn find(self, index: usize, key: &str) -> Option<usize> {
        if self.kind(index) != OBJECT {
            return None;
        }
        let (text, key) = (self.text(), key.as_bytes());
        let mut at = index + 1;
        let mut found = None;
        for _ in 0..self.len(index) {
            let hit = match self.kind(at) {
                STRING => {
                    let from = self.payload(at);
                    // A plain string holds no quote: a key with one could match only beyond the string's end.
                    text.get(from + key.len()) == Some(&b'"')
                        && text.get(from..from + key.len()) == Some(key)
                        && memchr(b'"', key).is_none()
                }
                _ => self.string(at).is_some_and(|name| name.as_bytes() == key),
            };
            if hit {
                found = Some(at + 1);
            }
            at += 1 + self.span(at + 1);
        }
        found
    }
}

/// A document that is all bytes.
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl<'a> Words<'a> {
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

impl<'a> Document<'a> for Words<'a> {
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
    bytes.extend_from_slice(&plain(words.len()).to_le_bytes());
    bytes.extend_from_slice(&plain(parts.len()).to_le_bytes());
    words.for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    parts.for_each(|part| bytes.extend_from_slice(&part.bytes()));
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
            let words = Words(doc);
            for index in [0, 1, 7, 1000] {
                let _ = (words.kind(index), words.span(index), words.raw(index), words.string(index), words.find(index, "x"));
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
