//! The room as a whole, against plain models: any rows, any number of threads, any budget from the smallest upward give
//! the same groups in the same order, and all memory and temporary space is given back.

#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

mod endings;
mod folds;
mod groups;
mod pairs;
mod scarce;
mod sorts;

pub(super) use super::stored::Stored;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::batch::{Seq, Unit};
use crate::os::Os;

/// A key and a value; its index is its position.
pub(super) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

pub(super) fn space(budget: u64) -> Space {
    Space::new(Os::default(), Budget::new(budget), None, u64::MAX)
}

/// Rows come in units of this many.
const UNIT: usize = 7;

pub(super) fn seq(no: usize) -> Seq {
    Seq::new(Unit { task: (no / UNIT / 5) as u32, no: (no / UNIT % 5) as u32 }, (no % UNIT) as u64)
}

/// Stores rows; units are dealt to the writers in turn, and every other writer gets its own in reverse.
pub(super) fn store(space: &Space, workers: usize, rows: &Rows, hash: impl Fn(&[u8]) -> u64) -> crate::Result<Stored> {
    let store = Store::new(space, workers)?;
    let mut writers: Vec<_> = (0..workers).map(|_| store.writer()).collect::<crate::Result<_>>()?;
    let mut dealt: Vec<Vec<usize>> = vec![Vec::new(); workers];
    (0..rows.len()).for_each(|no| dealt[no / UNIT % workers].push(no));
    dealt.iter_mut().skip(1).step_by(2).for_each(|own| own.reverse());
    for turn in 0..rows.len() {
        for (writer, own) in writers.iter_mut().zip(&dealt) {
            if let Some(&no) = own.get(turn) {
                let (key, value) = &rows[no];
                writer.push(hash(key), seq(no), key, value)?;
            }
        }
    }
    writers.into_iter().try_for_each(StoreWriter::finish)?;
    store.finish()
}

/// Keys in order of first occurrence, with the numbers of their rows.
pub(super) fn model(rows: &Rows) -> Vec<(Vec<u8>, Vec<usize>)> {
    let mut groups: Vec<(Vec<u8>, Vec<usize>)> = Vec::new();
    let mut known = HashMap::new();
    for (no, (key, _)) in rows.iter().enumerate() {
        let group = *known.entry(key.clone()).or_insert_with(|| {
            groups.push((key.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(no);
    }
    groups
}

/// What rows to make; small to print.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// How many keys; all are distinct if there is no limit.
    pub(super) keys: Option<u64>,
    pub(super) count: usize,
    pub(super) longest: usize,
    /// The length of one value in fifty.
    pub(super) giant: Option<usize>,
    pub(super) seed: u64,
}

/// Few, skewed, single or distinct keys, and values from nothing to several blocks.
pub(super) fn specs(most: usize) -> impl Strategy<Value = Spec> {
    let keys = prop_oneof![Just(Some(1u64)), Just(Some(2)), (3..40u64).prop_map(Some), Just(None)];
    let longest = prop_oneof![Just(0usize), 1..100usize, 100..2000usize];
    let giant = prop_oneof![Just(None), Just(None), Just(Some(20_000))];
    (keys, longest, 0..most, any::<u64>(), giant).prop_map(|(keys, longest, count, seed, giant)| Spec {
        keys,
        count,
        longest,
        giant,
        seed,
    })
}

impl Spec {
    pub(super) fn rows(&self) -> Rows {
        let random = |no: usize, salt: u64| HashKey::fixed(self.seed, salt).hash(&no);
        let row = |no: usize| {
            // Squaring skews: low keys are more frequent.
            let share = (random(no, 1) % 1000) * (random(no, 2) % 1000);
            let key = self.keys.map_or(no as u64, |keys| keys * share / 1_000_000);
            let usual = random(no, 3) as usize % (self.longest + 1);
            let length = if no.is_multiple_of(50) { self.giant.unwrap_or(usual) } else { usual };
            let text = (random(no, 4) % 1_000_000).to_string();
            let value = text.as_bytes().iter().copied().cycle().take(length).collect();
            (key.to_string().repeat(1 + (key % 4) as usize).into_bytes(), value)
        };
        (0..self.count.min(3_000_000 / (self.longest + 40))).map(row).collect()
    }
}
