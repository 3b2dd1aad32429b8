//! The registers of a HyperLogLog sketch, sparse as long as they are few, and its estimate. What must stay true: the
//! estimate depends on the registers' values alone, and these are largest values, which merge in any order; whether they
//! are held sparse or dense changes nothing.
//!
//! The sketch is that of Flajolet, Fusy, Gandouet and Meunier, "HyperLogLog: the analysis of a near-optimal cardinality
//! estimation algorithm" (2007), over hashes of 64 bits. The estimate is the improved raw estimator of Ertl, "New
//! cardinality estimation algorithms for HyperLogLog sketches" (arXiv 1702.01284, algorithm 6): good from 0 to the end of
//! the range, without the tables and the change of formula that Heule, Nunkesser and Hall (2013) need.

use serde::{Deserialize, Serialize};

/// 2^precision registers, each with the most leading zeros, plus one, of the hashes that chose it; 0 for none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Registers {
    /// Those that are not 0, as index · 256 + value, in order; empty once there are `dense` ones.
    sparse: Vec<u32>,
    dense: Vec<u8>,
}

impl Registers {
    /// Adds a value by its hash.
    #[inline]
    pub(super) fn add(&mut self, precision: u32, hash: u64) {
        let rest = (hash << precision).leading_zeros().min(64 - precision) + 1;
        // There are at most 18 bits of index.
        let index = ((hash >> (64 - precision)) & 0xFF_FFFF) as u32;
        self.raise(precision, index << 8 | rest);
    }

    pub(super) fn merge(&mut self, precision: u32, from: Registers) {
        if !from.dense.is_empty() {
            self.densify(precision);
        }
        for (into, from) in self.dense.iter_mut().zip(from.dense) {
            *into = from.max(*into);
        }
        for entry in from.sparse {
            self.raise(precision, entry);
        }
    }

    #[inline]
    fn raise(&mut self, precision: u32, entry: u32) {
        if !self.dense.is_empty() {
            raise(&mut self.dense, entry);
            return;
        }
        match self.sparse.binary_search_by_key(&(entry >> 8), |known| known >> 8) {
            Ok(found) => self.sparse[found] = entry.max(self.sparse[found]),
            Err(place) => {
                self.sparse.insert(place, entry);
                // By then they take half as much as dense ones would, and an insertion moves a few KiB.
                if self.sparse.len() * 8 > 1 << precision {
                    self.densify(precision);
                }
            }
        }
    }

    fn densify(&mut self, precision: u32) {
        if self.dense.is_empty() {
            self.dense = vec![0; 1 << precision];
            std::mem::take(&mut self.sparse).into_iter().for_each(|entry| raise(&mut self.dense, entry));
        }
    }

    /// How many values there were.
    pub(super) fn estimate(&self, precision: u32) -> f64 {
        let (registers, bits) = (1u64 << precision, 64 - precision as usize);
        // How many registers have which value.
        let mut counts = [0.0; 66];
        for value in self.sparse.iter().map(|entry| entry & 0xFF).chain(self.dense.iter().map(|value| (*value).into()))
        {
            counts[(value as usize).min(bits + 1)] += 1.0;
        }
        if self.dense.is_empty() {
            counts[0] = registers.saturating_sub(self.sparse.len() as u64) as f64;
        }
        let m = registers as f64;
        let mut z = m * tau(1.0 - counts[bits + 1] / m);
        for count in counts[1..=bits].iter().rev() {
            z = 0.5 * (z + count);
        }
        z += m * sigma(counts[0] / m);
        m / z * m / (2.0 * std::f64::consts::LN_2)
    }

    pub(super) fn heap_size(&self) -> usize {
        self.sparse.capacity() * size_of::<u32>() + self.dense.capacity()
    }
}

#[inline]
fn raise(dense: &mut [u8], entry: u32) {
    // A state that was read back is not trusted to have the right indices.
    if let Some(value) = dense.get_mut((entry >> 8) as usize) {
        *value = (*value).max((entry & 0xFF) as u8);
    }
}

/// x + Σ x^(2^k) · 2^(k−1): the share of registers that are 0. Infinite if all are, which makes the estimate 0.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut sum, mut weight) = (x, 1.0);
    loop {
        let before = sum;
        x *= x;
        sum += x * weight;
        weight += weight;
        if sum <= before {
            return sum;
        }
    }
}

/// (1 − x − Σ (1 − x^(2^−k))² · 2^−k) / 3: the share of registers that are not at their largest value.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut sum, mut weight) = (1.0 - x, 1.0);
    loop {
        let before = sum;
        x = x.sqrt();
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(precision: u32, entries: impl IntoIterator<Item = (u32, u32)>) -> Registers {
        let mut registers = Registers::default();
        entries.into_iter().for_each(|(index, value)| registers.raise(precision, index << 8 | value));
        registers
    }

    #[test]
    fn sparse_and_dense_registers_say_the_same() {
        for count in [0, 1, 5, 31, 32] {
            let sparse = raised(8, (0..count).map(|i| (i * 7 % 256, i % 9 + 1)));
            let mut dense = sparse.clone();
            dense.densify(8);
            assert!(sparse.dense.is_empty() && dense.sparse.is_empty() && dense.dense.len() == 256);
            assert_eq!(sparse.estimate(8).to_bits(), dense.estimate(8).to_bits());
        }
        assert_eq!(raised(8, (0..33).map(|i| (i, 1))).dense.len(), 256);
        assert_eq!(raised(8, [(7, 2), (7, 5), (7, 3)]).sparse, [7 << 8 | 5]);
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(Registers::default().estimate(14), 0.0);
        assert_eq!(raised(4, (0..16).map(|index| (index, 61))).estimate(4), f64::INFINITY);
        // With one register of 2^14 set, linear counting says −2^14 · ln(1 − 2^−14).
        assert!((raised(14, [(3, 1)]).estimate(14) - 1.0).abs() < 1e-3);
        // A hash of zeros has as many zeros as there are bits behind the index.
        let mut registers = Registers::default();
        registers.add(14, 0);
        registers.add(14, u64::MAX);
        assert_eq!(registers.sparse, [51, 0x3FFF << 8 | 1]);
    }

    #[test]
    fn states_of_another_size_do_no_harm() {
        let mut registers = raised(4, (0..16).map(|index| (index, 3)));
        registers.merge(4, raised(8, (0..256).map(|index| (index, 1))));
        registers.merge(4, raised(8, [(200, 9)]));
        assert_eq!(registers.dense, [3; 16]);
    }
}
