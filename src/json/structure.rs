//! Where a line's tokens are, found 64 bytes at a time without a branch on any of them: brackets, colons and commas
//! outside of strings, the quotes that open strings, the first bytes of numbers and atoms. The method is that of Langdale
//! and Lemire, "Parsing Gigabytes of JSON per Second" (2019), stage 1, with the newer carry for runs of backslashes.
//!
//! Nothing is checked here but what only this pass sees: that strings end and hold no control characters.

use super::words;
use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// The bytes that are looked at together: one bit each in a word of the machine.
const BLOCK: usize = 64;

/// Finds tokens, in buffers that are reused from line to line.
pub(super) struct Structure {
    level: Level,
    /// Positions of tokens; what is behind the number that the last line has is left over from other lines.
    tokens: Vec<u32>,
    escapes: Vec<u32>,
}

/// What is known of a line.
#[derive(Clone, Copy)]
pub(super) struct Found<'s> {
    /// Where each token starts, in order, and last the length of the text.
    pub(super) tokens: &'s [u32],
    /// The characters that are escaped by a backslash, in order.
    pub(super) escapes: &'s [u32],
    /// Every byte is ASCII.
    pub(super) ascii: bool,
}

impl Structure {
    pub(super) fn new() -> Structure {
        Structure { level: Level::new(), tokens: Vec::new(), escapes: Vec::new() }
    }

    /// The tokens of a text of less than 2^32 bytes. `None` if a string does not end or has a control character.
    #[inline]
    pub(super) fn find(&mut self, text: &[u8]) -> Option<Found<'_>> {
        self.escapes.clear();
        let (tokens, escapes) = (&mut self.tokens, &mut self.escapes);
        let (count, ascii) = dispatch!(self.level, simd => find(simd, text, tokens, escapes))?;
        let tokens = tokens.get_mut(..=count)?;
        tokens[count] = words::plain(text.len());
        Some(Found { tokens, escapes: &self.escapes, ascii })
    }

    pub(super) fn heap_size(&self) -> usize {
        (self.tokens.capacity() + self.escapes.capacity()) * size_of::<u32>()
    }
}

/// What one block says to the next.
#[derive(Default)]
struct Carry {
    /// All ones inside of a string.
    in_string: u64,
    /// One if the first character is escaped.
    escaped: u64,
    /// One if the byte before was part of a number or atom.
    scalar: u64,
    /// How many tokens there are.
    count: usize,
}

#[inline(always)]
fn find<S: Simd>(simd: S, text: &[u8], tokens: &mut Vec<u32>, escapes: &mut Vec<u32>) -> Option<(usize, bool)> {
    let mut carry = Carry::default();
    let mut all = u8x64::splat(simd, 0);
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut at = 0;
    for block in blocks {
        let bytes = u8x64::simd_from(simd, *block);
        all |= bytes;
        carry.block(bytes, at, tokens, escapes)?;
        at += BLOCK;
    }
    if !rest.is_empty() {
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        let bytes = u8x64::simd_from(simd, last);
        all |= bytes;
        carry.block(bytes, at, tokens, escapes)?;
    }
    (carry.in_string == 0).then_some((carry.count, all.simd_lt(0x80).to_bitmask() == u64::MAX))
}

impl Carry {
    #[inline(always)]
    fn block<S: Simd>(
        &mut self,
        bytes: u8x64<S>,
        at: usize,
        tokens: &mut Vec<u32>,
        escapes: &mut Vec<u32>,
    ) -> Option<()> {
        let escaped = self.escaped(bytes.simd_eq(b'\\').to_bitmask());
        let quotes = bytes.simd_eq(b'"').to_bitmask() & !escaped;
        // The opening quote and the content, without the closing quote.
        let strings = prefix_xor(quotes) ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(strings >> (BLOCK - 1));

        // `[` and `{` differ by one bit, and so do `]` and `}`; no other byte becomes one of them with it.
        let folded = bytes | 0x20;
        let brackets = folded.simd_eq(b'{') | folded.simd_eq(b'}');
        let marks = (brackets | bytes.simd_eq(b':') | bytes.simd_eq(b',')).to_bitmask();
        let spaces = bytes.simd_le(b' ').to_bitmask();
        let controls = bytes.simd_lt(b' ').to_bitmask();
        if controls != 0 {
            let breaks = bytes.simd_eq(b'\t') | bytes.simd_eq(b'\n') | bytes.simd_eq(b'\r');
            if controls & (strings | !breaks.to_bitmask()) != 0 {
                return None;
            }
        }
        let scalars = !(marks | spaces);
        let words = scalars & !quotes;
        let starts = scalars & !(words << 1 | self.scalar);
        self.scalar = words >> (BLOCK - 1);
        self.put(bytes.simd, (marks | starts) & !(strings ^ quotes), at, tokens);
        if escaped != 0 {
            positions(escaped, at, escapes);
        }
        Some(())
    }

    /// The characters that a backslash escapes.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let follows = backslashes << 1 | self.escaped;
        let odd_starts = backslashes & !EVEN & !follows;
        let (runs, overflow) = odd_starts.overflowing_add(backslashes);
        self.escaped = u64::from(overflow);
        (EVEN ^ (runs << 1)) & follows
    }

    /// Appends the positions of the bits.
    #[inline(always)]
    fn put<S: Simd>(&mut self, simd: S, bits: u64, at: usize, tokens: &mut Vec<u32>) {
        if tokens.len() <= self.count + BLOCK {
            tokens.resize((self.count + BLOCK + 1).next_power_of_two(), 0);
        }
        let Some(slots) = tokens.get_mut(self.count..).and_then(|slots| slots.first_chunk_mut::<BLOCK>()) else { return };
        self.count += bits.count_ones() as usize;
        match simd.level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(simd) => compress(simd, bits, words::plain(at), slots),
            _ => spread(bits, at, slots),
        }
    }
}

/// Writes the positions of the bits, eight at a time whether they are there or not: that costs less than asking for each.
#[inline(always)]
fn spread(mut bits: u64, at: usize, slots: &mut [u32; BLOCK]) {
    let count = bits.count_ones() as usize;
    let (slots, _) = slots.as_chunks_mut::<8>();
    for slots in &mut slots[..count.div_ceil(8)] {
        for slot in slots {
            *slot = position(at, bits);
            bits &= bits.wrapping_sub(1);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    /// The same, sixteen at a time, without a loop over the bits.
    #[inline(always)]
    fn compress(simd: Avx512, bits: u64, at: u32, slots: &mut [u32; BLOCK]) {
        use fearless_simd::u32x16;
        use std::arch::x86_64::{_mm512_castsi512_si128, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32, _mm512_maskz_compress_epi8};
        const PLACES: [u8; BLOCK] = {
            let mut places = [0; BLOCK];
            let mut place = 0;
            while place < places.len() {
                places[place] = place as u8;
                place += 1;
            }
            places
        };
        let packed = _mm512_maskz_compress_epi8(bits, u8x64::simd_from(simd, PLACES).into());
        let base = u32x16::splat(simd, at);
        let (slots, _) = slots.as_chunks_mut::<16>();
        let [first, second, third, last] = slots else { return };
        let places: u32x16<_> = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed)).simd_into(simd);
        *first = (places + base).into();
        let count = bits.count_ones();
        if count > 16 {
            let places: u32x16<_> = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32::<1>(packed)).simd_into(simd);
            *second = (places + base).into();
        }
        if count > 32 {
            let places: u32x16<_> = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32::<2>(packed)).simd_into(simd);
            *third = (places + base).into();
            let places: u32x16<_> = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32::<3>(packed)).simd_into(simd);
            *last = (places + base).into();
        }
    }
);

#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // texts are shorter than 2^32 bytes
fn position(at: usize, bits: u64) -> u32 {
    at as u32 + bits.trailing_zeros()
}

fn positions(mut bits: u64, at: usize, out: &mut Vec<u32>) {
    while bits != 0 {
        out.push(position(at, bits));
        bits &= bits - 1;
    }
}

/// Each bit the parity of the bits up to and including it.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for step in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << step;
    }
    bits
}
