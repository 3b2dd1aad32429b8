//! The writing end of a sort for one thread, and the batches that it fills. Where the memory for the next block comes from:
//! the budget; else batches of the pool go to disk; else the thread's floor; else this thread's own batch goes to disk; and
//! a row that is too long for all of these goes there alone, from where it is.

use crate::os::sync::atomic::Ordering;

use super::budget::Reservation;
use super::file::Scratch;
use super::part::Block;
use super::ranked::{self, Entry, Ranked, Ranking, Source};
use super::row::{self, HEAD, Row};
use super::run::Hand;
use super::sorter::SortStore;
use super::store::lock;
use crate::batch::Seq;
use crate::error::{Error, Result};

/// Rows that are sorted together.
#[derive(Debug)]
pub(crate) struct Batch<K> {
    blocks: Vec<Block>,
    entries: Vec<Entry<K>>,
    list: Option<Reservation>,
    pub(crate) bytes: u64,
    /// Whether some of its memory is from the thread's floor: then it must not get out of its hands.
    floor: bool,
}

/// What a batch lacks for one more row.
enum Lack {
    Block(usize),
    List(usize),
}

impl<K> Batch<K> {
    fn new() -> Batch<K> {
        Batch { blocks: Vec::new(), entries: Vec::new(), list: None, bytes: 0, floor: false }
    }

    fn lacks(&self, size: usize, block: usize) -> Option<Lack> {
        if self.entries.len() == self.entries.capacity() {
            let first = (1 << 10) / size_of::<Entry<K>>().max(1);
            return Some(Lack::List((2 * self.entries.len()).max(first).max(1)));
        }
        let room = self.blocks.last().map_or(0, Block::room);
        (room < size).then(|| Lack::Block(size.max(block)))
    }

    pub(crate) fn source(self) -> Source<K> {
        Source::memory(self.blocks, self.entries, self.list)
    }
}

/// The writing end of a sort for one thread. Dropped before [`SortWriter::finish`], it makes the sort unreadable.
#[derive(Debug)]
pub(crate) struct SortWriter<'a, R: Ranking> {
    store: &'a SortStore<R>,
    hand: Hand,
    batch: Batch<R::Rank>,
    rows: u64,
}

impl<'a, R: Ranking> SortWriter<'a, R> {
    pub(crate) fn new(store: &'a SortStore<R>, hand: Hand) -> SortWriter<'a, R> {
        SortWriter { store, hand, batch: Batch::new(), rows: 0 }
    }

    /// Takes a row: what is before its value, [`HEAD`] bytes, is overwritten.
    pub(crate) fn push(&mut self, rank: R::Rank, seq: Seq, row: &mut [u8]) -> Result<()> {
        let (head, value) = row.split_first_chunk_mut::<HEAD>().ok_or_else(|| Error::internal("a row has no head"))?;
        let size = row::size(0, value.len())?;
        while let Some(lack) = self.batch.lacks(size, self.store.block) {
            if !self.supply(lack)? {
                *head = row::head(0, seq, 0, value.len());
                self.rows += 1;
                return self.store.write_one(row, &mut self.hand);
            }
        }
        let value = &*value;
        let no = row::short(self.batch.blocks.len().saturating_sub(1));
        if let Some(block) = self.batch.blocks.last_mut() {
            let at = row::short(block.bytes.len());
            block.push(&Row { hash: 0, seq, key: &[], value });
            self.batch.entries.push(Entry { rank, seq, block: no, at });
            self.rows += 1;
        }
        Ok(())
    }

    /// Gives the batch what it lacks, or begins another one, which lacks something else; `false` if neither can be done.
    #[cold]
    fn supply(&mut self, lack: Lack) -> Result<bool> {
        let bytes = match lack {
            Lack::Block(size) => size * ranked::factor::<R::Rank>(),
            Lack::List(entries) => entries * size_of::<Entry<R::Rank>>(),
        } as u64;
        // Only here, so that what was charged for a batch is used before it is sealed.
        if self.batch.bytes + bytes > self.store.batch && !self.batch.entries.is_empty() {
            return self.seal().map(|()| true);
        }
        let budget = &self.store.space.budget;
        let mut charge = budget.try_reserve(bytes);
        while charge.is_none() && self.store.spill_some(&mut self.hand)? {
            charge = budget.try_reserve(bytes);
        }
        if charge.is_none() {
            self.batch.floor = true;
            charge = self.hand.purse.take_much(bytes);
        }
        let charge = match charge {
            Some(charge) => charge,
            None if !self.batch.entries.is_empty() => return self.seal().map(|()| true),
            None => return Ok(false),
        };
        self.batch.bytes += bytes;
        match lack {
            Lack::Block(size) => self.batch.blocks.push(Block::new(size, charge)?),
            Lack::List(entries) => {
                // The old list is there until all entries are in the new one.
                let before = self.batch.list.replace(charge);
                self.batch.entries.reserve_exact(entries - self.batch.entries.len());
                self.batch.bytes -= before.map_or(0, |before| before.bytes());
            }
        }
        Ok(true)
    }

    /// Sorts the batch, and leaves it in the pool, or on disk if it cannot go there.
    fn seal(&mut self) -> Result<()> {
        let mut batch = std::mem::replace(&mut self.batch, Batch::new());
        let by = &self.store.ranking;
        // No two rows have the same position, so this is as good as a stable sort and needs no memory.
        batch.entries.sort_unstable_by(|a, b| by.compare(&a.rank, &b.rank).then(a.seq.cmp(&b.seq)));
        if batch.floor {
            let merge = Ranked::new(vec![batch.source()], Scratch::new(), self.hand.purse.clone());
            return self.store.write(merge, &mut self.hand);
        }
        lock(&self.store.pool).push(batch);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        if !self.batch.entries.is_empty() {
            self.seal()?;
        }
        self.store.rows.fetch_add(self.rows, Ordering::Relaxed);
        self.store.open.fetch_sub(1, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering as Order;

    use super::super::budget::Budget;
    use super::super::space::Space;
    use super::*;
    use crate::batch::Unit;

    struct Bytes;

    impl Ranking for Bytes {
        type Rank = u64;

        fn rank(&self, value: &[u8]) -> Result<u64> {
            Ok(value.len() as u64)
        }

        fn compare(&self, a: &u64, b: &u64) -> Order {
            a.cmp(b)
        }
    }

    #[test]
    fn a_batch_is_full_when_it_is_sealed() {
        let space = Space::new(Default::default(), Budget::new(16 << 20), None, u64::MAX);
        let store = SortStore::new(&space, 1, Bytes).unwrap();
        let mut writer = store.writer().unwrap();
        for no in 0..60_000u64 {
            let mut row = vec![0; HEAD + 100];
            writer.push(no % 77, Seq::new(Unit::default(), no), &mut row).unwrap();
        }
        let pool = lock(&store.pool);
        assert!(pool.len() > 3, "{} batches", pool.len());
        for batch in &*pool {
            let list_is_full = batch.entries.len() == batch.entries.capacity();
            assert!(list_is_full || batch.blocks.last().unwrap().room() < HEAD + 100, "memory that is not used");
            assert!(batch.bytes <= store.batch, "{} bytes of {}", batch.bytes, store.batch);
        }
    }
}
