//! From the tokens of a line to its outline: a word for each value and a part for each array or object, as in `words`,
//! and the decoded text of strings with escapes. Every token is checked on the way, so that a text with an outline is
//! JSON; of a text without one the strict scanner has the last word.

use super::structure::Found;
use super::text;
use super::words::{self, Document, Part};
use std::borrow::Cow;

/// The buffers of an outline, reused from line to line.
#[derive(Default)]
pub(super) struct Outline {
    words: Vec<u32>,
    parts: Vec<Part>,
    open: Vec<Open>,
    /// The decoded strings, one after the other.
    decoded: Vec<u8>,
    /// For each of them: where its content starts in the text, where it starts and ends here.
    strings: Vec<[u32; 3]>,
}

/// A container that has not ended yet.
#[derive(Clone, Copy)]
struct Open {
    object: bool,
    part: u32,
    len: u32,
}

impl Outline {
    /// Makes the outline of a text, if it is JSON and not nested deeper than `depth`.
    #[inline]
    pub(super) fn fill<'o>(&'o mut self, text: &'o [u8], found: Found<'_>, depth: usize) -> Option<Outlined<'o>> {
        self.words.clear();
        self.parts.clear();
        self.open.clear();
        self.decoded.clear();
        self.strings.clear();
        let mut walk = Walk { text, tokens: found.tokens, next: 0, escapes: found.escapes, depth, outline: self };
        walk.document()?;
        Some(Outlined { text, outline: self })
    }

    pub(super) fn heap_size(&self) -> usize {
        self.words.capacity() * size_of::<u32>()
            + self.parts.capacity() * size_of::<Part>()
            + self.open.capacity() * size_of::<Open>()
            + self.decoded.capacity()
            + self.strings.capacity() * size_of::<[u32; 3]>()
    }
}

/// A text with its outline.
#[derive(Clone, Copy)]
pub(super) struct Outlined<'o> {
    text: &'o [u8],
    outline: &'o Outline,
}

impl<'o> Outlined<'o> {
    /// The words and parts, to be copied.
    pub(super) fn tables(self) -> (&'o [u32], &'o [Part]) {
        (&self.outline.words, &self.outline.parts)
    }
}

impl<'o> Document<'o> for &'o Outlined<'o> {
    #[inline]
    fn word(self, index: usize) -> u32 {
        self.outline.words.get(index).copied().unwrap_or_default()
    }

    #[inline]
    fn part(self, index: usize) -> Part {
        self.outline.parts.get(index).copied().unwrap_or_default()
    }

    #[inline]
    fn text(self) -> &'o [u8] {
        self.text
    }

    fn unescaped(self, from: usize, content: &'o [u8]) -> Cow<'o, str> {
        let strings = &self.outline.strings;
        let found = strings.binary_search_by_key(&from, |string| string[0] as usize).ok().and_then(|at| {
            let [_, start, end] = strings[at].map(|at| at as usize);
            self.outline.decoded.get(start..end)
        });
        found.map_or_else(|| Cow::Owned(text::unescape(text::utf8(content))), |text| Cow::Borrowed(text::utf8(text)))
    }
}

struct Walk<'w> {
    text: &'w [u8],
    tokens: &'w [u32],
    next: usize,
    /// The escaped characters of strings that are still to come.
    escapes: &'w [u32],
    depth: usize,
    outline: &'w mut Outline,
}

impl Walk<'_> {
    #[inline]
    fn document(&mut self) -> Option<()> {
        // The innermost container; those around it are on the stack, with one at the bottom that is none.
        let mut open = Open { object: false, part: 0, len: 0 };
        loop {
            let at = self.token()?;
            match self.byte(at) {
                b'"' => self.string(at)?,
                start @ (b'{' | b'[') => {
                    if self.outline.open.len() == self.depth {
                        return None;
                    }
                    self.outline.open.push(open);
                    open = self.open(at, start == b'{');
                    if self.byte(self.peek()) != start + 2 {
                        if open.object {
                            self.key()?;
                        }
                        continue;
                    }
                    let end = self.token()?;
                    self.close(open, end);
                    open = self.outline.open.pop()?;
                }
                b'-' | b'0'..=b'9' => self.number(at)?,
                b't' => self.atom(at, b"true", words::TRUE)?,
                b'f' => self.atom(at, b"false", words::FALSE)?,
                b'n' => self.atom(at, b"null", words::NULL)?,
                _ => return None,
            }
            // A value has ended; so may the containers around it.
            loop {
                if self.outline.open.is_empty() {
                    return (self.next == self.tokens.len()).then_some(());
                }
                open.len += 1;
                let at = self.token()?;
                match (self.byte(at), open.object) {
                    (b',', true) => {
                        self.key()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => {
                        self.close(open, at);
                        open = self.outline.open.pop()?;
                    }
                    _ => return None,
                }
            }
        }
    }

    #[inline(always)]
    fn byte(&self, at: u32) -> u8 {
        self.text.get(at as usize).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn token(&mut self) -> Option<u32> {
        let token = self.tokens.get(self.next).copied();
        self.next += 1;
        token
    }

    /// The token after the one that was taken last, or the end of the text.
    #[inline(always)]
    fn peek(&self) -> u32 {
        self.tokens.get(self.next).copied().unwrap_or_else(|| words::plain(self.text.len()))
    }

    #[inline(always)]
    fn put(&mut self, kind: u32, payload: u32) {
        self.outline.words.push(words::word(kind, payload));
    }

    #[inline]
    fn open(&mut self, at: u32, object: bool) -> Open {
        let part = words::plain(self.outline.parts.len());
        self.outline.parts.push(Part { span: words::plain(self.outline.words.len()), start: at, end: 0, len: 0 });
        self.put(if object { words::OBJECT } else { words::ARRAY }, part);
        Open { object, part, len: 0 }
    }

    #[inline]
    fn close(&mut self, open: Open, at: u32) {
        let words = words::plain(self.outline.words.len());
        if let Some(part) = self.outline.parts.get_mut(open.part as usize) {
            *part = Part { span: words - part.span, start: part.start, end: at + 1, len: open.len };
        }
    }

    #[inline(always)]
    fn key(&mut self) -> Option<()> {
        let at = self.token()?;
        if self.byte(at) != b'"' {
            return None;
        }
        self.string(at)?;
        let colon = self.token()?;
        (self.byte(colon) == b':').then_some(())
    }

    #[inline(always)]
    fn string(&mut self, at: u32) -> Option<()> {
        let end = self.peek();
        if self.escapes.first().is_some_and(|&escape| escape < end) {
            return self.escaped(at, end);
        }
        self.put(words::STRING, at + 1);
        Some(())
    }

    /// A string with escapes, which ends before `end`.
    #[cold]
    fn escaped(&mut self, at: u32, end: u32) -> Option<()> {
        let text = self.text;
        let Outline { decoded, strings, .. } = &mut *self.outline;
        let start = decoded.len();
        let count = self.escapes.iter().take_while(|&&escape| escape < end).count();
        let (mine, later) = self.escapes.split_at(count);
        self.escapes = later;
        let mut from = at as usize + 1;
        for &escape in mine {
            let escape = escape as usize;
            if escape < from {
                continue; // the second half of a pair of surrogates
            }
            // Before the string there is nothing that could be escaped.
            decoded.extend_from_slice(text.get(from..escape - 1)?);
            let (character, length) = text::escape(text.get(escape - 1..)?)?;
            decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            from = escape - 1 + length;
        }
        let rest = text.get(from..)?;
        decoded.extend_from_slice(rest.get(..memchr::memchr(b'"', rest)?)?);
        strings.push([at + 1, words::plain(start), words::plain(decoded.len())]);
        self.put(words::ESCAPED, at + 1);
        Some(())
    }

    #[inline]
    fn number(&mut self, at: u32) -> Option<()> {
        let end = text::number(self.text, at as usize)?;
        self.delimited(end)?;
        self.put(words::NUMBER, at);
        Some(())
    }

    #[inline]
    fn atom(&mut self, at: u32, atom: &[u8], kind: u32) -> Option<()> {
        let start = at as usize;
        if self.text.get(start..start + atom.len()) != Some(atom) {
            return None;
        }
        self.delimited(start + atom.len())?;
        self.put(kind, at);
        Some(())
    }

    /// Whether a number or atom ends where its last byte was.
    #[inline]
    fn delimited(&self, end: usize) -> Option<()> {
        matches!(self.text.get(end), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')).then_some(())
    }
}
