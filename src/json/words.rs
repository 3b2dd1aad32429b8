//! A document as light words beside its text, one for each value in document order: three bits kind, 29 bits payload,
//! which is
//!
//! ```text
//! null false true number   where the value starts in the text
//! string, escaped string   where its content starts, after the opening quote
//! array, object            which part describes it
//! ```
//!
//! Parts are four numbers for each array or object. A line that is being read has its words and parts in buffers of the
//! parser (`outline`); a document that owns its text has them in one slice with it (`packed`).
//!
//! Readers are total: words that are no document give wrong answers, never a panic.

use super::text;
use memchr::memchr;
use std::borrow::Cow;

/// The longest text that a document may have. With it every payload fits, for a text has less values than bytes.
pub(super) const MAX_TEXT: usize = 1 << 28;

const PAYLOAD_BITS: u32 = 29;
const PAYLOAD: u32 = (1 << PAYLOAD_BITS) - 1;

pub(super) const NULL: u32 = 0;
pub(super) const FALSE: u32 = 1;
pub(super) const TRUE: u32 = 2;
pub(super) const NUMBER: u32 = 3;
pub(super) const STRING: u32 = 4;
pub(super) const ESCAPED: u32 = 5;
pub(super) const ARRAY: u32 = 6;
pub(super) const OBJECT: u32 = 7;

/// One word from its parts. The payload fits, because [`MAX_TEXT`] is checked before.
#[inline]
pub(super) fn word(kind: u32, payload: u32) -> u32 {
    kind << PAYLOAD_BITS | payload
}

/// A length or position of a document, which fits, because [`MAX_TEXT`] is checked before a document is made.
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub(super) fn short(value: usize) -> u32 {
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
        let object = self.word(index);
        if object >> PAYLOAD_BITS != OBJECT {
            return None;
        }
        let (text, key) = (self.text(), key.as_bytes());
        let mut at = index + 1;
        let mut found = None;
        for _ in 0..self.part((object & PAYLOAD) as usize).len {
            let (name, value) = (self.word(at), self.word(at + 1));
            let hit = if name >> PAYLOAD_BITS == STRING {
                let from = (name & PAYLOAD) as usize;
                let content = text.get(from..).and_then(|rest| rest.get(..=key.len())).unwrap_or_default();
                // A plain string holds no quote: a key with one could match only beyond the string's end.
                matches!(content, [content @ .., b'"'] if content == key) && memchr(b'"', key).is_none()
            } else {
                self.string(at).is_some_and(|name| name.as_bytes() == key)
            };
            if hit {
                found = Some(at + 1);
            }
            at += 2;
            if value >> PAYLOAD_BITS >= ARRAY {
                at += (self.part((value & PAYLOAD) as usize).span as usize).saturating_sub(1);
            }
        }
        found
    }
}
