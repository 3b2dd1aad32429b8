//! Random numbers that are the same on every machine.

/// The splitmix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
pub(crate) struct Random(pub u64);

pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// One of 500,000 users, about as Zipf's law has it: every doubling of the rank is as likely as every other. The
    /// first 16 users are alike, which keeps the heaviest near 0.4 %.
    pub(crate) fn skewed(&mut self) -> u64 {
        loop {
            let step = 4 + self.below(15);
            let rank = (1 << step) + self.below(1 << step) - 16;
            if rank < 500_000 {
                return rank;
            }
        }
    }

    pub(crate) fn letters(&mut self, count: usize) -> String {
        let mut bits = 0;
        let letter = |n: usize| {
            bits = if n.is_multiple_of(12) { self.next() } else { bits >> 5 };
            char::from(b"abcdefghijklmnopqrstuvwxyz234567"[bits as usize % 32])
        };
        (0..count).map(letter).collect()
    }
}
