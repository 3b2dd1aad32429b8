//! From the tokens of a line to its outline: a word for each value and a part for each array or object, as in `words`,
//! and the decoded text of strings with escapes. Every token is checked on the way, so that a text with an outline is
//! JSON; of a text without one the strict scanner has the last word.

use super::structure::Found;
use super::text;
use super::words::{self, Document, Part};
use std::borrow::Cow;
use std::ops::Range;

/// The buffers of an outline, reused from line to line.
#[derive(Default)]
pub(super) struct Outline {
    /// What is behind the number of words that the last text has is left over from others.
    words: Vec<u32>,
    parts: Vec<Part>,
    open: Vec<Open>,
    strings: Strings,
}

/// An array or object that has not ended yet.
#[derive(Clone, Copy)]
struct Open {
    /// The byte that ends it. The text itself is ended by the zero that stands for its end.
    close: u8,
    part: u32,
    len: u32,
}

impl Outline {
    /// Makes the outline of a text, if it is JSON and not nested deeper than `depth`.
    #[inline]
    pub(super) fn fill<'o>(&'o mut self, text: &'o [u8], found: Found<'_>, depth: usize) -> Option<Outlined<'o>> {
        self.parts.clear();
        self.open.clear();
        self.strings.clear();
        // Every value but the record comes with a comma, a colon or a bracket.
        if self.words.len() < found.tokens.len() / 2 {
            self.words.resize(found.tokens.len() / 2, 0);
        }
        let count = self.walk(text, found, depth)?;
        let Outline { words, parts, strings, .. } = self;
        Some(Outlined { text, words: words.get(..count)?, parts, strings, dense: found.dense })
    }

    /// Checks all tokens and says how many words they made. What is needed for every token is in local variables, and
    /// members of objects are taken whole: a member has at least four tokens, with the one after its value.
    #[inline(always)]
    fn walk(&mut self, text: &[u8], found: Found<'_>, depth: usize) -> Option<usize> {
        let Outline { words, parts, open: outer, strings, .. } = self;
        let byte = |at: u32| text.get(at as usize).copied().unwrap_or(0);
        let Found { tokens: mut rest, mut escapes, start, .. } = found;
        let first = |escapes: &[u32]| escapes.first().map_or(u32::MAX, |escape| escape.wrapping_sub(start));
        let mut escape = first(escapes);
        let mut count = 0;
        let mut open = Open { close: 0, part: 0, len: 0 };
        loop {
            let (value, after);
            if open.close == b'}' {
                let (key, colon);
                [key, colon, value, after] = rest.first_chunk()?.map(|at: u32| at.wrapping_sub(start));
                if byte(key) != b'"' || byte(colon) != b':' {
                    return None;
                }
                let mut kind = words::STRING;
                if escape < colon {
                    escapes = strings.decode(text, start, key..colon, escapes)?;
                    escape = first(escapes);
                    kind = words::ESCAPED;
                }
                *words.get_mut(count)? = words::word(kind, key + 1);
                count += 1;
                rest = rest.get(3..)?;
            } else {
                [value, after] = rest.first_chunk()?.map(|at: u32| at.wrapping_sub(start));
                rest = rest.get(1..)?;
            }
            let mut opened = false;
            let word = match byte(value) {
                b'"' => {
                    let mut kind = words::STRING;
                    if escape < after {
                        escapes = strings.decode(text, start, value..after, escapes)?;
                        escape = first(escapes);
                        kind = words::ESCAPED;
                    }
                    words::word(kind, value + 1)
                }
                byte @ (b'{' | b'[') => {
                    if outer.len() == depth {
                        return None;
                    }
                    outer.push(open);
                    let kind = if byte == b'{' { words::OBJECT } else { words::ARRAY };
                    open = Open { close: byte + 2, part: words::short(parts.len()), len: 0 };
                    parts.push(Part { span: words::short(count), start: value, end: 0, len: 0 });
                    opened = true;
                    words::word(kind, open.part)
                }
                b'-' | b'0'..=b'9' => {
                    let end = text::number(text, value as usize)?;
                    delimited(text, end)?;
                    words::word(words::NUMBER, value)
                }
                b't' => atom(text, value, b"true", words::TRUE)?,
                b'f' => atom(text, value, b"false", words::FALSE)?,
                b'n' => atom(text, value, b"null", words::NULL)?,
                _ => return None,
            };
            *words.get_mut(count)? = word;
            count += 1;
            if !opened {
                open.len += 1;
            } else if byte(after) != open.close {
                continue;
            }
            // A value has ended, or an array or object without any; so may the containers around it.
            loop {
                let (&at, behind) = rest.split_first()?;
                rest = behind;
                let at = at.wrapping_sub(start);
                let mark = byte(at);
                if mark == b',' && open.close != 0 {
                    break;
                }
                if mark != open.close {
                    return None;
                }
                if open.close == 0 {
                    return rest.is_empty().then_some(count);
                }
                let part = parts.get_mut(open.part as usize)?;
                *part = Part { span: words::short(count) - part.span, end: at + 1, len: open.len, ..*part };
                open = outer.pop()?;
                open.len += 1;
            }
        }
    }

    pub(super) fn heap_size(&self) -> usize {
        self.words.capacity() * size_of::<u32>()
            + self.parts.capacity() * size_of::<Part>()
            + self.open.capacity() * size_of::<Open>()
            + self.strings.decoded.capacity()
            + self.strings.places.capacity() * size_of::<[u32; 3]>()
    }
}

#[inline]
fn atom(text: &[u8], at: u32, atom: &[u8], kind: u32) -> Option<u32> {
    let (start, end) = (at as usize, at as usize + atom.len());
    if text.get(start..end) != Some(atom) {
        return None;
    }
    delimited(text, end)?;
    Some(words::word(kind, at))
}

/// Whether a number or atom ends where its last byte was.
#[inline]
fn delimited(text: &[u8], end: usize) -> Option<()> {
    matches!(text.get(end), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')).then_some(())
}

/// The strings with escapes, decoded.
#[derive(Default)]
struct Strings {
    /// One after the other.
    decoded: Vec<u8>,
    /// For each of them: where its content starts in the text, where it starts and ends here.
    places: Vec<[u32; 3]>,
}

impl Strings {
    #[inline]
    fn clear(&mut self) {
        self.decoded.clear();
        self.places.clear();
    }

    /// Decodes the string that starts and ends within a range of the text, and gives the escapes behind it.
    #[cold]
    fn decode<'e>(&mut self, text: &[u8], line: u32, range: Range<u32>, escapes: &'e [u32]) -> Option<&'e [u32]> {
        let Strings { decoded, places } = self;
        let start = decoded.len();
        let (mine, later) = escapes.split_at(escapes.partition_point(|&escape| escape.wrapping_sub(line) < range.end));
        let mut from = range.start as usize + 1;
        for &escape in mine {
            let backslash = (escape.wrapping_sub(line) as usize).checked_sub(1)?;
            if backslash < from {
                continue; // the second half of a pair of surrogates
            }
            decoded.extend_from_slice(text.get(from..backslash)?);
            let (character, length) = text::escape(text.get(backslash..)?)?;
            decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            from = backslash + length;
        }
        let rest = text.get(from..)?;
        decoded.extend_from_slice(rest.get(..memchr::memchr(b'"', rest)?)?);
        places.push([range.start + 1, words::short(start), words::short(decoded.len())]);
        Some(later)
    }

    fn get(&self, from: usize) -> Option<&[u8]> {
        let at = self.places.binary_search_by_key(&from, |place| place[0] as usize).ok()?;
        let [_, start, end] = self.places[at].map(|at| at as usize);
        self.decoded.get(start..end)
    }
}

/// A text with its outline.
#[derive(Clone, Copy)]
pub(super) struct Outlined<'o> {
    pub(super) text: &'o [u8],
    pub(super) words: &'o [u32],
    pub(super) parts: &'o [Part],
    strings: &'o Strings,
    /// There is no white space between tokens.
    pub(super) dense: bool,
}

impl<'o> Document<'o> for &'o Outlined<'o> {
    #[inline]
    fn word(self, index: usize) -> u32 {
        self.words.get(index).copied().unwrap_or_default()
    }

    #[inline]
    fn part(self, index: usize) -> Part {
        self.parts.get(index).copied().unwrap_or_default()
    }

    #[inline]
    fn text(self) -> &'o [u8] {
        self.text
    }

    fn unescaped(self, from: usize, content: &'o [u8]) -> Cow<'o, str> {
        match self.strings.get(from) {
            Some(text) => Cow::Borrowed(text::utf8(text)),
            None => Cow::Owned(text::unescape(text::utf8(content))),
        }
    }
}
