//! Numbers taken apart into sign, magnitude and exponent. What must stay true: nothing is lost.

use super::big::low_word;

/// Flags of what is not finite.
pub(super) const NAN: u8 = 1;
pub(super) const INFINITY: u8 = 2;
pub(super) const NEGATIVE_INFINITY: u8 = 4;

/// A number taken apart: (−1)^negative · magnitude · 2^exponent, or what is not finite.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    Finite { negative: bool, magnitude: u64, exponent: i32 },
    Special(u8),
}

impl Part {
    /// An integer whose magnitude has at most 64 bits.
    #[inline]
    pub(super) fn integer(value: i128) -> Part {
        Part::Finite { negative: value < 0, magnitude: low_word(value.unsigned_abs()), exponent: 0 }
    }

    #[inline]
    pub(super) fn float(value: f64) -> Part {
        let bits = value.to_bits();
        let (negative, fraction) = (value.is_sign_negative(), bits & ((1 << 52) - 1));
        match ((bits >> 52) & 0x7FF) as i32 {
            0x7FF if fraction != 0 => Part::Special(NAN),
            0x7FF => Part::Special(if negative { NEGATIVE_INFINITY } else { INFINITY }),
            0 => Part::Finite { negative, magnitude: fraction, exponent: -1074 },
            exponent => Part::Finite { negative, magnitude: fraction | 1 << 52, exponent: exponent - 1075 },
        }
    }
}
