//! A document as light words in one slice of bytes, relocatable and without pointers. All numbers are four
//! little-endian bytes:
//!
//! ```text
//! nodes    how many values there are, keys included
//! parts    how many of them are arrays or objects
//! word     one for each value in document order: three bits kind, 29 bits payload, which is
//!            null false true number   where the value starts in the text
//!            string, escaped string   where its content starts, after the opening quote
//!            array, object            which part describes it
//! part     three numbers for each array or object, in document order:
//!            the values in it, itself included; where it starts; its elements or members
//! text
//! ```
//!
//! Readers are total: bytes that are no such document give wrong answers, never a panic.

/// The longest text that a document may have. With it every payload fits, for a text has less values than bytes.
pub(super) const MAX_TEXT: usize = 1 << 28;

const PAYLOAD_BITS: u32 = 29;
const PAYLOAD: u32 = (1 << PAYLOAD_BITS) - 1;

/// The bytes before the first word.
pub(super) const HEADER: usize = 8;
/// The bytes of one part.
pub(super) const PART: usize = 12;

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
#[allow(clippy::cast_possible_truncation)] // payloads fit, because MAX_TEXT is checked before a document is made
pub(super) fn word(kind: u32, payload: usize) -> [u8; 4] {
    (kind << PAYLOAD_BITS | payload as u32 & PAYLOAD).to_le_bytes()
}

/// A plain number.
#[inline]
#[allow(clippy::cast_possible_truncation)] // as above
pub(super) fn plain(value: usize) -> [u8; 4] {
    (value as u32).to_le_bytes()
}

/// The description of one array or object.
#[inline]
pub(super) fn part(span: usize, start: usize, len: usize) -> [u8; PART] {
    let ([a, b, c, d], [e, f, g, h], [i, j, k, l]) = (plain(span), plain(start), plain(len));
    [a, b, c, d, e, f, g, h, i, j, k, l]
}

/// A view of such a document.
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl<'a> Words<'a> {
    #[inline]
    fn number_at(self, byte: usize) -> usize {
        match self.0.get(byte..byte + 4) {
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => 0,
        }
    }

    #[inline]
    fn raw(self, index: usize) -> u32 {
        u32::try_from(self.number_at(HEADER + index * 4)).unwrap_or(0)
    }

    #[inline]
    pub(super) fn kind(self, index: usize) -> u32 {
        self.raw(index) >> PAYLOAD_BITS
    }

    #[inline]
    pub(super) fn payload(self, index: usize) -> usize {
        (self.raw(index) & PAYLOAD) as usize
    }

    /// A field of the part that describes the container at `index`.
    #[inline]
    fn part(self, index: usize, field: usize) -> usize {
        self.number_at(HEADER + self.number_at(0) * 4 + self.payload(index) * PART + field * 4)
    }

    /// How many values the one at `index` takes.
    #[inline]
    pub(super) fn span(self, index: usize) -> usize {
        if self.kind(index) < ARRAY { 1 } else { self.part(index, 0).max(1) }
    }

    /// How many elements or members the container at `index` has.
    #[inline]
    pub(super) fn len(self, index: usize) -> usize {
        self.part(index, 2)
    }

    /// The text of the document.
    #[inline]
    pub(super) fn text(self) -> &'a [u8] {
        self.0.get(HEADER + self.number_at(0) * 4 + self.number_at(4) * PART..).unwrap_or_default()
    }

    /// Where the value at `index` starts in the text.
    pub(super) fn start(self, index: usize) -> usize {
        match self.kind(index) {
            STRING | ESCAPED => self.payload(index).saturating_sub(1),
            ARRAY | OBJECT => self.part(index, 1),
            _ => self.payload(index),
        }
    }

    /// The content of the string at `index` as it is written, and whether it has escapes.
    pub(super) fn string(self, index: usize) -> Option<(&'a [u8], bool)> {
        let kind = self.kind(index);
        if kind != STRING && kind != ESCAPED {
            return None;
        }
        let (text, from) = (self.text(), self.payload(index));
        let end = if kind == STRING {
            from + memchr::memchr(b'"', text.get(from..)?)?
        } else {
            super::text::string_end(text, from).saturating_sub(1)
        };
        Some((text.get(from..end)?, kind == ESCAPED))
    }

    /// The index of the value of a key in the object at `index`; of the last one, if there are several.
    pub(super) fn find(self, index: usize, key: &str) -> Option<usize> {
        let text = self.text();
        // A plain string holds no quote, and without this a key with one could match beyond the string's end.
        let may_be_plain = memchr::memchr2(b'"', b'\\', key.as_bytes()).is_none();
        let mut at = index + 1;
        let mut found = None;
        for _ in 0..self.len(index) {
            let hit = match self.kind(at) {
                STRING => {
                    let from = self.payload(at);
                    may_be_plain
                        && text.get(from + key.len()) == Some(&b'"')
                        && text.get(from..from + key.len()) == Some(key.as_bytes())
                }
                _ => {
                    self.string(at).is_some_and(|(content, _)| super::text::unescape(super::text::utf8(content)) == key)
                }
            };
            if hit {
                found = Some(at + 1);
            }
            at += 1 + self.span(at + 1);
        }
        found
    }
}

/// The document of one value that is no container, from its text.
pub(super) fn scalar(kind: u32, text: &[u8]) -> Box<[u8]> {
    let start = usize::from(kind == STRING || kind == ESCAPED);
    let mut doc = Vec::with_capacity(HEADER + 4 + text.len());
    doc.extend_from_slice(&plain(1));
    doc.extend_from_slice(&plain(0));
    doc.extend_from_slice(&word(kind, start));
    doc.extend_from_slice(text);
    doc.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        for doc in [&b""[..], b"\0", &[0xFF; 3], &[0xFF; 40], &[0x80; 16], &[0xC0, 0, 0, 0xC0]] {
            let words = Words(doc);
            for index in [0, 1, 7, 1000] {
                let _ = (words.kind(index), words.span(index), words.start(index), words.string(index), words.text());
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
