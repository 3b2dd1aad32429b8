//! The probe: a join's right side in memory, looked up by key while the left side streams past it. It is made of a store that
//! has never been to disk, if with the index half of all room stays free; else the store takes the left side too.

use crate::os::sync::Mutex;
use crate::os::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashTable;

use super::budget::Reservation;
use super::index::{Index, PER_GROUP, PER_ROW};
use super::keys::KeyRule;
use super::pair_index::Rights;
use super::part::{From, Part, Tally};
use super::row;
use super::run::Hand;
use super::settle::on_threads;
use super::store::{Shape, Store, lock};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// Bytes for each group: its slot in the hash table at the lowest load, twice while that grows, and its mark.
const PER_SLOT: u64 = 32;
/// Bytes for each row that is to be put in order at the end, if it has met no left one.
const PER_REST: u64 = 2 * size_of::<(Seq, u32, u32)>() as u64;

/// A right side in memory.
#[derive(Debug)]
pub(crate) struct Probe {
    shape: Shape,
    keys: KeyRule,
    parts: Vec<Probed>,
    _charge: Reservation,
}

#[derive(Debug)]
struct Probed {
    index: Index,
    tally: Tally,
    /// Numbers of groups, by the hashes of their keys.
    table: HashTable<u32>,
    /// Groups that have met a left row.
    met: Vec<AtomicBool>,
}

/// The rows of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    index: &'a Index,
    met: &'a AtomicBool,
    start: u32,
    end: u32,
}

impl<'a> Found<'a> {
    pub(crate) fn rows(&self) -> u32 {
        self.end - self.start
    }

    pub(crate) fn rights(&self) -> Rights<'a> {
        Rights::Memory(self.index, self.start, self.end)
    }

    /// Marks the rows as ones that have met a left one.
    pub(crate) fn meet(&self) {
        if !self.met.load(Ordering::Relaxed) {
            self.met.store(true, Ordering::Relaxed);
        }
    }
}

impl Store {
    /// Makes what is stored so far into a probe, if it is in memory and small enough; else the store goes on as it is.
    /// `rest` says whether [`Probe::rest`] will be asked for.
    pub(crate) fn probe(&self, rest: bool) -> Result<Option<Probe>> {
        let (mut rows, mut spilled) = (0, self.writers() > 0);
        for part in lock(&self.shared.pool).iter() {
            rows += part.tally.rows;
            spilled |= !part.frames.is_empty();
        }
        let budget = &self.shared.space.budget;
        let own = rows * (PER_SLOT + if rest { PER_REST } else { 0 });
        let index = rows * (PER_ROW + PER_GROUP);
        // The blocks are in use already, and the floor will not be any more.
        let used = budget.used().saturating_sub(self.floor.limit());
        if spilled || used + own + index > budget.limit() / 2 {
            return Ok(None);
        }
        let Some(charge) = budget.try_reserve(own) else { return Ok(None) };
        let parts = self.shared.take();
        let partitions = parts.len();
        let waiting = Mutex::new(parts.into_iter().enumerate().collect::<Vec<_>>());
        let made = Mutex::new(Vec::with_capacity(partitions));
        let hands = (0..self.workers).map(|_| self.hand()).collect::<Result<Vec<_>>>()?;
        on_threads(&self.shared.space.os, hands, |hand| {
            loop {
                // Not in the loop's head: the lock would be held while the part is made.
                let next = lock(&waiting).pop();
                let Some((no, part)) = next else { return Ok(()) };
                let probed = Probed::build(part, hand)?;
                lock(&made).push((no, probed));
            }
        })?;
        let mut made = made.into_inner().unwrap_or_else(crate::os::sync::PoisonError::into_inner);
        made.sort_unstable_by_key(|(no, _)| *no);
        if made.iter().any(|(_, probed)| probed.is_err()) {
            let parts = made.into_iter().map(|(_, probed)| probed.map_or_else(|part| part, Probed::into_part));
            *lock(&self.shared.pool) = parts.collect();
            return Ok(None);
        }
        let parts = made.into_iter().filter_map(|(_, probed)| probed.ok()).collect();
        let (shape, keys) = (self.shared.shape, self.shared.space.keys.clone());
        Ok(Some(Probe { shape, keys, parts, _charge: charge }))
    }
}

impl Probed {
    fn build(part: Part, hand: &mut Hand) -> Result<Result<Probed, Part>> {
        let tally = part.tally;
        let index = match Index::build(part, From::Budget, hand)? {
            Ok(index) => index,
            Err(part) => return Ok(Err(part)),
        };
        let mut table = HashTable::with_capacity(index.groups.len());
        for (no, group) in index.groups.iter().enumerate() {
            // There is room for all: none is moved, and only its own hash is asked for.
            let hash = spread(index.row(group.start)?.hash);
            table.insert_unique(hash, row::short(no), |_| hash);
        }
        let met = index.groups.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Ok(Probed { index, tally, table, met }))
    }

    fn into_part(self) -> Part {
        Part { blocks: self.index.into_blocks(), tally: self.tally, ..Part::default() }
    }
}

impl Probe {
    /// The rows of a key, given by its hash and its bytes.
    pub(crate) fn find(&self, hash: u64, key: &[u8]) -> Option<Found<'_>> {
        let Probed { index, table, met, .. } = self.parts.get(self.shape.partition(hash))?;
        let same = |&no: &u32| {
            let row = index.groups.get(no as usize).and_then(|group| index.row(group.start).ok());
            row.is_some_and(|row| row.hash == hash && self.keys.same(row.key, key))
        };
        let no = *table.find(spread(hash), same)? as usize;
        let group = index.groups.get(no)?;
        Some(Found { index, met: met.get(no)?, start: group.start, end: group.end })
    }

    /// The rows that have met no left one, in order: their parts and numbers there.
    pub(crate) fn rest(&self) -> Result<Vec<(Seq, u32, u32)>> {
        let mut rest = Vec::new();
        for (part, probed) in self.parts.iter().enumerate() {
            for (group, met) in probed.index.groups.iter().zip(&probed.met) {
                if !met.load(Ordering::Relaxed) {
                    for row in group.start..group.end {
                        rest.push((probed.index.row(row)?.seq, row::short(part), row));
                    }
                }
            }
        }
        rest.sort_unstable();
        Ok(rest)
    }

    /// The value of a row that [`Probe::rest`] named.
    pub(crate) fn value(&self, part: u32, row: u32) -> Result<&[u8]> {
        let part = self.parts.get(part as usize).ok_or_else(|| Error::internal("no such partition"))?;
        part.index.row(row).map(|row| row.value)
    }
}

/// The low bits of a hash choose its bucket: they should not be those that all hashes of a partition share.
fn spread(hash: u64) -> u64 {
    hash.rotate_left(32)
}
