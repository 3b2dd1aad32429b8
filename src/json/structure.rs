//! Where a line's tokens are, found 64 bytes at a time without a branch on any of them: brackets, colons and commas
//! outside of strings, the quotes that open strings, the first bytes of numbers and atoms. The method is that of Langdale
//! and Lemire, "Parsing Gigabytes of JSON per Second" (2019), stage 1, with the newer carry for runs of backslashes.
//!
//! Nothing is checked here but what only this pass sees: that strings end and hold no control
//! characters, and that backslashes are within strings.

use super::bits::{self, BLOCK};
use super::words;
use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};
use std::ops::Range;

/// Finds tokens, in buffers that are reused from line to line.
pub(super) struct Structure {
    level: Level,
    /// Positions of tokens; what is behind the number that the last line has is left over from other lines.
    tokens: Vec<u32>,
    escapes: Vec<u32>,
    /// Which tokens are the newlines that end lines.
    newlines: Vec<u32>,
    /// The blocks of text that are not all ASCII.
    wide: Vec<u32>,
    /// The blocks that have white space between tokens.
    spaced: Vec<u32>,
}

/// What is known of a line.
#[derive(Clone, Copy)]
pub(super) struct Found<'s> {
    /// Where each token starts, in order, and last where the line ends.
    pub(super) tokens: &'s [u32],
    /// The characters that are escaped by a backslash, in order.
    pub(super) escapes: &'s [u32],
    /// Where the line starts, to be subtracted from the positions.
    pub(super) start: u32,
    /// All of it is ASCII. Where it is not, nobody has looked whether it is UTF-8.
    pub(super) ascii: bool,
    /// There is no white space between tokens.
    pub(super) dense: bool,
}

/// A part of the text: where it starts, and which tokens and escapes are its own, the token that ends it included.
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) tokens: Range<usize>,
    pub(super) escapes: Range<usize>,
    /// The first block in or behind it that is not ASCII, and the first that has white space between tokens.
    pub(super) wide: usize,
    pub(super) spaced: usize,
}

impl Structure {
    pub(super) fn new() -> Structure {
        Structure {
            level: Level::new(),
            tokens: Vec::new(),
            escapes: Vec::new(),
            newlines: Vec::new(),
            wide: Vec::new(),
            spaced: Vec::new(),
        }
    }

    /// One that uses these instructions of the processor and no better ones.
    #[cfg(any(test, fuzzing))]
    pub(super) fn at(level: Level) -> Structure {
        Structure { level, ..Structure::new() }
    }

    /// The tokens of one text, in which newlines are white space. `None` if a string does not end or has a control
    /// character, or if a backslash is outside of strings.
    #[inline]
    pub(super) fn find(&mut self, text: &[u8]) -> Option<Found<'_>> {
        let count = self.run::<false>(text)?;
        let tokens = self.tokens.get(..=count)?;
        let (ascii, dense) = (self.wide.is_empty(), self.spaced.is_empty());
        Some(Found { tokens, escapes: &self.escapes, start: 0, ascii, dense })
    }

    /// Finds the tokens of many lines. `None` if any of the lines has a string that does not end or has a control
    /// character, or a backslash outside of strings.
    pub(super) fn find_lines(&mut self, text: &[u8]) -> Option<()> {
        self.newlines.clear();
        let count = self.run::<true>(text)?;
        if text.last() != Some(&b'\n') {
            self.newlines.push(words::short(count));
        }
        Some(())
    }

    /// Texts are shorter than 2^32 bytes.
    #[inline]
    fn run<const LINES: bool>(&mut self, text: &[u8]) -> Option<usize> {
        self.escapes.clear();
        self.wide.clear();
        self.spaced.clear();
        let count = dispatch!(self.level, simd => find::<_, LINES>(simd, text, self))?;
        *self.tokens.get_mut(count)? = words::short(text.len());
        Some(count)
    }

    /// The token that ends a line, by the line's number, and where it is.
    #[inline]
    pub(super) fn line(&self, number: usize) -> Option<(usize, usize)> {
        let token = *self.newlines.get(number)? as usize;
        Some((token, *self.tokens.get(token)? as usize))
    }

    /// How many escapes, counted from one of them, are before `end`.
    #[inline]
    pub(super) fn escapes_before(&self, first: usize, end: usize) -> usize {
        let escapes = self.escapes.get(first..).unwrap_or_default();
        escapes.iter().take_while(|&&escape| (escape as usize) < end).count()
    }

    /// How many blocks that are not ASCII, and how many that have white space, counted from one of them, end before
    /// `start`.
    #[inline]
    pub(super) fn before(&self, wide: usize, spaced: usize, start: usize) -> [usize; 2] {
        [(&self.wide, wide), (&self.spaced, spaced)].map(|(blocks, first)| {
            let blocks = blocks.get(first..).unwrap_or_default();
            blocks.iter().take_while(|&&block| block as usize + BLOCK <= start).count()
        })
    }

    /// What is known of a part of the text.
    #[inline]
    pub(super) fn part(&self, part: Part) -> Option<Found<'_>> {
        let (tokens, escapes) = (self.tokens.get(part.tokens)?, self.escapes.get(part.escapes)?);
        let end = tokens.last()?;
        let ascii = self.wide.get(part.wide).is_none_or(|block| block >= end);
        let dense = self.spaced.get(part.spaced).is_none_or(|block| block >= end);
        Some(Found { tokens, escapes, start: words::short(part.start), ascii, dense })
    }

    pub(super) fn heap_size(&self) -> usize {
        [&self.tokens, &self.escapes, &self.newlines, &self.wide, &self.spaced]
            .iter()
            .map(|list| list.capacity() * size_of::<u32>())
            .sum()
    }
}

/// What one block says to the next.
struct Carry<'s> {
    into: &'s mut Structure,
    /// How many tokens and unused slots there can be.
    most: usize,
    /// All ones inside of a string.
    in_string: u64,
    /// One if the first character is escaped.
    escaped: u64,
    /// One if the byte before was part of a number or atom.
    scalar: u64,
    /// How many tokens there are.
    count: usize,
}

/// Finds the tokens of a text and says how many there are.
#[inline(always)]
fn find<S: Simd, const LINES: bool>(simd: S, text: &[u8], into: &mut Structure) -> Option<usize> {
    // In here, so that it lives in registers.
    let mut carry = Carry { into, most: text.len() + BLOCK + 1, in_string: 0, escaped: 0, scalar: 0, count: 0 };
    carry.room();
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut at = 0;
    for block in blocks {
        carry.block::<S, LINES>(u8x64::simd_from(simd, *block), at, u64::MAX)?;
        at += BLOCK;
    }
    if !rest.is_empty() {
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        carry.block::<S, LINES>(u8x64::simd_from(simd, last), at, u64::MAX >> (BLOCK - rest.len()))?;
    }
    (carry.in_string == 0).then_some(carry.count)
}

impl Carry<'_> {
    /// Of the bytes those in the mask are text.
    #[inline(always)]
    fn block<S: Simd, const LINES: bool>(&mut self, bytes: u8x64<S>, at: usize, text: u64) -> Option<()> {
        let escaped = bits::escaped(bytes.simd_eq(b'\\').to_bitmask(), &mut self.escaped);
        let quotes = bytes.simd_eq(b'"').to_bitmask() & !escaped;
        // The opening quote and the content, without the closing quote.
        let strings = bits::prefix_xor(quotes) ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(strings >> (BLOCK - 1));
        // A backslash outside of a string is never JSON, and nobody has to ask of an escape whether a string has it.
        if escaped & !strings != 0 {
            return None;
        }

        // `[` and `{` differ by one bit, and so do `]` and `}`; no other byte becomes one of them with it.
        let folded = bytes | 0x20;
        let brackets = folded.simd_eq(b'{') | folded.simd_eq(b'}');
        let mut marks = (brackets | bytes.simd_eq(b':') | bytes.simd_eq(b',')).to_bitmask();
        let mut newlines = 0;
        let spaces = bytes.simd_le(b' ').to_bitmask();
        let controls = bytes.simd_lt(b' ').to_bitmask();
        if controls != 0 {
            newlines = bytes.simd_eq(b'\n').to_bitmask();
            let breaks = newlines | (bytes.simd_eq(b'\t') | bytes.simd_eq(b'\r')).to_bitmask();
            if controls & (strings | !breaks) != 0 {
                return None;
            }
            if LINES {
                marks |= newlines;
            }
        }
        let scalars = !(marks | spaces);
        let words = scalars & !quotes;
        let starts = scalars & !(words << 1 | self.scalar);
        self.scalar = words >> (BLOCK - 1);
        let tokens = (marks | starts) & !(strings ^ quotes);
        if LINES && newlines != 0 {
            self.end_lines(tokens, newlines);
        }
        self.put(bytes.simd, tokens, at);
        if bytes.simd_lt(0x80).to_bitmask() != u64::MAX {
            self.into.wide.push(words::short(at));
        }
        if spaces & !strings & text & !(if LINES { newlines } else { 0 }) != 0 {
            self.into.spaced.push(words::short(at));
        }
        if escaped != 0 {
            bits::each(escaped, at, &mut self.into.escapes);
        }
        Some(())
    }

    /// Notes which of the tokens are newlines.
    #[inline(always)]
    fn end_lines(&mut self, tokens: u64, mut newlines: u64) {
        while newlines != 0 {
            let before = tokens & (newlines ^ newlines.wrapping_sub(1)) >> 1;
            self.into.newlines.push(words::short(self.count + before.count_ones() as usize));
            newlines &= newlines - 1;
        }
    }

    /// Makes room for the tokens of a block and the end of the text.
    #[inline(always)]
    fn room(&mut self) {
        let needed = self.count + BLOCK + 1;
        if self.into.tokens.len() < needed {
            bits::grow(&mut self.into.tokens, needed.next_power_of_two().min(self.most));
        }
    }

    /// Appends the positions of the bits.
    #[inline(always)]
    fn put<S: Simd>(&mut self, simd: S, bits: u64, at: usize) {
        self.room();
        let slots = self.into.tokens.get_mut(self.count..).and_then(|slots| slots.first_chunk_mut::<BLOCK>());
        let Some(slots) = slots else { return };
        self.count += bits.count_ones() as usize;
        bits::positions(simd, bits, at, slots);
    }
}
