//! Words of bits, one bit for each byte of a block of text.

use super::words;
use fearless_simd::{Level, Simd, prelude::*, u8x64};

/// The bytes that are looked at together: one bit each in a word of the machine.
pub(super) const BLOCK: usize = 64;

/// The characters that a backslash escapes; `carry` is one if the first one of the block is, and is set for the next.
#[inline(always)]
pub(super) fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    if backslashes == 0 {
        return std::mem::take(carry);
    }
    let backslashes = backslashes & !*carry;
    let follows = backslashes << 1 | *carry;
    let odd_starts = backslashes & !EVEN & !follows;
    let (runs, overflow) = odd_starts.overflowing_add(backslashes);
    *carry = u64::from(overflow);
    (EVEN ^ (runs << 1)) & follows
}

/// Writes the positions of the bits to the front of `slots`; what is behind them there is undefined.
#[inline(always)]
pub(super) fn positions<S: Simd>(simd: S, bits: u64, at: usize, slots: &mut [u32; BLOCK]) {
    match simd.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) => compress(simd, bits, words::short(at), slots),
        _ => spread(bits, at, slots),
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
        use std::arch::x86_64::{
            _mm512_castsi512_si128, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32, _mm512_maskz_compress_epi8,
        };
        const PLACES: [u8; BLOCK] = {
            let mut places = [0; BLOCK];
            let mut place = 0;
            while place < places.len() {
                #[allow(clippy::cast_possible_truncation)] // up to 63
                {
                    places[place] = place as u8;
                }
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

/// Appends the positions of few bits.
pub(super) fn each(mut bits: u64, at: usize, out: &mut Vec<u32>) {
    while bits != 0 {
        out.push(position(at, bits));
        bits &= bits - 1;
    }
}

/// Each bit the parity of the bits up to and including it.
#[inline(always)]
pub(super) fn prefix_xor(mut bits: u64) -> u64 {
    for step in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << step;
    }
    bits
}

/// The sets of instructions that this processor has, of those that the code is written for.
#[cfg(any(test, fuzzing))]
pub(super) fn levels() -> Vec<Level> {
    #[cfg(target_arch = "x86_64")]
    let between = Level::new().as_avx2().map(Level::Avx2);
    #[cfg(not(target_arch = "x86_64"))]
    let between = None;
    [Some(Level::new()), between, Some(Level::baseline())].into_iter().flatten().collect()
}

/// Makes a list so long, and no longer: `weight` counts on that.
#[cold]
pub(super) fn grow(list: &mut Vec<u32>, length: usize) {
    list.reserve_exact(length.saturating_sub(list.len()));
    list.resize(length, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_what_a_loop_finds(bits: u64, mask: u64, carry in 0..2u64, at in 0..1000u32) {
            let bits = bits & mask;
            let expected: Vec<u32> = (0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| at + bit).collect();
            let mut listed = Vec::new();
            each(bits, at as usize, &mut listed);
            prop_assert_eq!(&listed, &expected);
            for level in levels() {
                let mut slots = [0; BLOCK];
                fearless_simd::dispatch!(level, simd => positions(simd, bits, at as usize, &mut slots));
                prop_assert_eq!(&slots[..expected.len()], &expected[..]);
            }
            let (mut parity, mut prefixes) = (0, 0);
            let (mut backslash, mut escapes, mut next) = (carry == 1, 0, carry);
            for bit in 0..64 {
                parity ^= bits >> bit & 1;
                prefixes |= parity << bit;
                escapes |= u64::from(backslash) << bit;
                backslash = !backslash && bits >> bit & 1 == 1;
            }
            prop_assert_eq!(prefix_xor(bits), prefixes);
            prop_assert_eq!(escaped(bits, &mut next), escapes);
            prop_assert_eq!(next, u64::from(backslash));
        }
    }
}
