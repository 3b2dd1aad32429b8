//! Folds: one state for each key, in order of the key's first record, from memory or merged from disk.

use crate::os::sync::Arc;

use super::budget::Budget;
use super::coding::{decode, encode};
use super::emit::{Emission, Leaf, Order};
use super::file::Scratch;
use super::merge::{self, Merge};
use super::part::{From, Part};
use super::row::{self, Row};
use super::run::{Hand, Run, RunWriter};
use super::settle::{Made, Recipe, Refused, Settled};
use super::space::{Purse, Space};
use super::stored::Stored;
use super::table::{Entry, EntryOf, Merging, Sorted, SortedOf, Table};
use crate::batch::Seq;
use crate::error::Result;

/// An iterator of keys, their states and positions, and the bytes of each key when it is written.
pub(crate) struct Folds<M: Merging>(Source<M>);

enum Source<M: Merging> {
    Memory(Merge<Walk<M::Key, M::State>>),
    Stored(Box<Emission<Folding<M>>>),
    Done,
}

impl<M: Merging> std::fmt::Debug for Folds<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folds").finish_non_exhaustive()
    }
}

impl<M: Merging> Folds<M> {
    /// States that never left memory.
    pub(crate) fn in_memory(sorted: Vec<Sorted<M::Key, M::State>>, space: &Space) -> Folds<M> {
        let walks = sorted.into_iter().map(Walk::new).collect();
        let purse = Purse::new(space, Budget::new(0), 0);
        Folds(Source::Memory(Merge::new(walks, Scratch::new(), purse)))
    }

    /// States that were stored, and those of other keys that were kept in memory.
    pub(crate) fn stored(
        merging: Arc<M>,
        mut stored: Stored,
        kept: Vec<SortedOf<M>>,
        order: Order,
    ) -> Result<Folds<M>> {
        let workers = stored.workers as u64;
        let most = stored.space.budget.limit() / (SETTLED * workers.max(1));
        // Without an order a table goes before the next one comes.
        let spare = if order == Order::FirstOccurrence { 2 * workers } else { 0 };
        let folding = Folding { merging, spare, most };
        let emission = Emission::new(Settled::of(&mut stored, kept), stored, folding, order, None)?;
        Ok(Folds(Source::Stored(Box::new(emission))))
    }

    fn advance(&mut self) -> Result<Option<EntryOf<M>>> {
        let entry = match &mut self.0 {
            Source::Done => None,
            Source::Memory(merge) => merge.next()?.and_then(|walk| walk.current.take()),
            Source::Stored(emission) => {
                if !emission.step()? {
                    return Ok(None);
                }
                match emission.item()?.0 {
                    Leaf::Memory(walk) => walk.current.take(),
                    Leaf::Disk(cursor) => Some(entry(&cursor.row()?)?),
                }
            }
        };
        Ok(entry)
    }
}

impl<M: Merging> Iterator for Folds<M> {
    type Item = Result<(M::Key, M::State, Seq, u64)>;

    /// After an error there are no more states.
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if !matches!(next, Ok(Some(_))) {
            self.0 = Source::Done;
        }
        next.map(|entry| entry.map(|entry| (entry.key, entry.state, entry.seq, entry.length))).transpose()
    }
}

fn entry<K: serde::de::DeserializeOwned, S: serde::de::DeserializeOwned>(row: &Row<'_>) -> Result<Entry<K, S>> {
    let entry = Entry::new(row.hash, row.seq, decode(row.key)?, decode(row.value)?);
    Ok(Entry { length: row.key.len() as u64, ..entry })
}

/// The tables that are being settled, one a thread, take at most this part of the budget together.
const SETTLED: u64 = 2;

/// How partitions become states.
struct Folding<M> {
    merging: Arc<M>,
    /// As many times the memory of a table that is kept should stay free.
    spare: u64,
    /// The most that a table may take, if its partition can be cut again.
    most: u64,
}

/// The states of a partition, one after the other.
pub(crate) struct Walk<K, S> {
    sorted: Sorted<K, S>,
    current: Option<Entry<K, S>>,
    head: Option<Seq>,
}

impl<K, S> Walk<K, S> {
    fn new(sorted: Sorted<K, S>) -> Walk<K, S> {
        Walk { sorted, current: None, head: None }
    }
}

impl<K, S> merge::Sorted for Walk<K, S> {
    fn head(&self) -> Option<Seq> {
        self.head
    }

    fn advance(&mut self, _: &Purse, _: &mut Scratch) -> Result<()> {
        self.current = self.sorted.entries.next();
        self.head = self.current.as_ref().map(|entry| entry.seq);
        Ok(())
    }
}

impl<M: Merging> Folding<M> {
    /// The table of a partition. If memory refuses, how much it should have: see [`Refused`].
    fn table(&self, part: &Part, hand: &mut Hand) -> Result<Result<SortedOf<M>, Option<u64>>> {
        // States are many small pieces of memory, which allocators keep when they are freed: one table after the other
        // should not have been of all sizes up to the budget. What cannot be cut again may still take it all.
        let most = if part.tally.common_bits() < 64 { self.most } else { u64::MAX };
        let mut table = Table::new(From::Purse, most, &hand.purse);
        let (mut full, mut seen) = (false, 0_u64);
        let all = part.scan(hand, |row| {
            seen += 1;
            let refused = table.merge(&*self.merging, entry(row)?, &mut full)?.is_err();
            Ok(!refused && !full)
        })?;
        let table = if all {
            match table.sorted() {
                Ok(sorted) => return Ok(Ok(sorted)),
                Err(table) => table,
            }
        } else {
            table
        };
        // If its other rows are like those seen; the hash table may be about to double.
        let (weight, beyond) = table.weight();
        let wants = u128::from(weight) * 2 * u128::from(part.tally.rows) / u128::from(seen.max(1));
        Ok(Err((!beyond).then(|| u64::try_from(wants).unwrap_or(u64::MAX).min(most))))
    }
}

impl<M: Merging> Recipe for Folding<M> {
    type Kept = SortedOf<M>;
    type Walk = Walk<M::Key, M::State>;

    fn make(&self, part: Part, hand: &mut Hand) -> Result<Result<Made<Self::Kept>, Box<Refused>>> {
        match self.table(&part, hand)? {
            // Where it leaves too little for the next ones, one of them would push it out after having been tried.
            Ok(sorted)
                if sorted.takes_of(&hand.purse.floor)
                    || hand.purse.budget.free() < sorted.bytes().saturating_mul(self.spare) =>
            {
                self.evict(sorted, hand).map(|run| Ok(Made::Run(run)))
            }
            Ok(sorted) => Ok(Ok(Made::Kept(sorted))),
            Err(wants) => Ok(Err(Box::new(Refused { part, wants }))),
        }
    }

    fn evict(&self, kept: Self::Kept, hand: &mut Hand) -> Result<Arc<Run>> {
        let (mut out, mut key, mut state) = (RunWriter::new(), Vec::new(), Vec::new());
        for entry in kept.entries {
            encode(&entry.key, &mut key)?;
            encode(&entry.state, &mut state)?;
            row::size(key.len(), state.len())?;
            out.push(hand, &Row { hash: entry.hash, seq: entry.seq, key: &key, value: &state })?;
        }
        out.finish(hand)
    }

    /// Rows of one hash have, but for a freak, one key, and its state is too big.
    fn single(&self, part: Part, hand: &mut Hand) -> Result<Result<Arc<Run>, Part>> {
        Err(hand.purse.refused(part.tally.bytes, "the state of one key"))
    }

    fn walk(&self, kept: Self::Kept) -> Self::Walk {
        Walk::new(kept)
    }

    fn may_fit_later(&self) -> bool {
        true
    }
}
