//! The store: takes rows from several threads and keeps them by partitions of their hash, in memory while the budget
//! allows, then on disk. Partitioning by the leading bits of the hash, in the manner of the hybrid hash join (DeWitt
//! et al., "Implementation techniques for main memory database systems", 1984): a partition that has gone to disk keeps
//! going there, so that others may stay in memory.
//!
//! Each thread fills blocks of its own. Full blocks go to the pool, from which any thread that is refused memory
//! writes some to disk; so no thread can be starved by what another has stored.

use crate::os::sync::atomic::{AtomicUsize, Ordering};
use crate::os::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::budget::Budget;
use super::feed::Feeder;
use super::part::{Part, Tally};
use super::row::{self, Row};
use super::run::Hand;
use super::space::{Purse, Space};
use super::stored::Stored;
use crate::batch::Seq;
use crate::error::{Error, ErrorKind, Result};

/// Blocks of memory that are set aside for each thread: enough to partition, to sort and to merge with.
const FLOOR_BLOCKS: usize = WORKING_BLOCKS + READING_BLOCKS;
pub(crate) const WORKING_BLOCKS: usize = 16;
/// Of these, what is set aside for reading a group while the next ones are asked for.
pub(crate) const READING_BLOCKS: usize = 8;
/// Of the others, what open blocks leave for other buffers.
pub(crate) const SPARED_BLOCKS: usize = 6;
/// The length of blocks when memory is no object, and when it is very scarce.
const BLOCK: usize = 256 << 10;
const LEAST_BLOCK: usize = 4 << 10;
/// At most this many partitions: a block of each must fit into memory when they are merged.
const MOST_BITS: u32 = 6;
/// A partition is partitioned again into this many.
const SPLIT_BITS: u32 = 3;

/// How a store cuts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) block: usize,
    /// The partition is given by `bits` bits of the hash after the first `skip`.
    skip: u32,
    bits: u32,
    /// A hash that has a partition of its own, the last one.
    own: Option<u64>,
}

impl Shape {
    pub(crate) fn first(budget: u64, workers: usize) -> Shape {
        let share = whole(budget) / (4 * FLOOR_BLOCKS * workers).max(512);
        let block = share.clamp(LEAST_BLOCK, BLOCK);
        // The open blocks of all threads should not take more than a quarter of the budget.
        let most = budget / 4 / (workers * block) as u64;
        Shape { block, skip: 0, bits: most.max(4).ilog2().min(MOST_BITS), own: None }
    }

    /// For the rows of a partition that was too big.
    pub(crate) fn again(block: usize, tally: &Tally) -> Shape {
        Shape { block, skip: tally.common_bits().min(63), bits: SPLIT_BITS, own: Some(tally.vote) }
    }

    /// For rows whose keys were hashed again.
    pub(crate) fn anew(block: usize) -> Shape {
        Shape { block, skip: 0, bits: SPLIT_BITS, own: None }
    }

    pub(crate) fn partitions(&self) -> usize {
        (1 << self.bits) + usize::from(self.own.is_some())
    }

    pub(crate) fn partition(&self, hash: u64) -> usize {
        if self.own == Some(hash) { 1 << self.bits } else { whole((hash << self.skip) >> (64 - self.bits)) }
    }
}

/// The store of one wide verb.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) shared: Arc<Shared>,
    pub(crate) floor: Budget,
    /// As many as may write at once.
    pub(crate) workers: usize,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) space: Space,
    pub(crate) shape: Shape,
    pub(crate) pool: Mutex<Vec<Part>>,
    /// Writers that have not finished.
    open: AtomicUsize,
}

impl Store {
    /// Sets aside what `workers` threads need at least; too small a budget is an error that says what would do.
    pub(crate) fn new(space: &Space, workers: usize) -> Result<Store> {
        let workers = workers.max(1);
        let shape = Shape::first(space.share(), workers);
        let floor = set_aside(space, workers, FLOOR_BLOCKS, shape.block, "grouping")?;
        Ok(Store { shared: Arc::new(Shared::new(space, shape)), floor, workers })
    }

    /// What such a store sets aside.
    pub(crate) fn floor(space: &Space, workers: usize) -> u64 {
        (FLOOR_BLOCKS * Shape::first(space.share(), workers).block * workers) as u64
    }

    /// The smallest budget with which a store for so many threads can be opened.
    #[cfg(test)]
    pub(crate) fn least(workers: usize) -> u64 {
        least(workers, FLOOR_BLOCKS)
    }

    /// A writer for one thread; at most as many as were announced.
    pub(crate) fn writer(&self) -> Result<StoreWriter> {
        let hand = self.hand()?;
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        Ok(StoreWriter { feeder: Feeder::new(Arc::clone(&self.shared)), hand })
    }

    /// The tools of one thread, with its part of the floor.
    pub(crate) fn hand(&self) -> Result<Hand> {
        let Shared { space, shape, .. } = &*self.shared;
        let floor = self.floor.carve((FLOOR_BLOCKS * shape.block) as u64);
        let floor = floor.ok_or_else(|| Error::internal("a store has more writers than were announced"))?;
        Ok(Hand::new(space, Purse::new(space, floor, shape.block), shape.block))
    }

    /// Writes to disk until half of what the floors of all stores leave is free, if it can, `later` bytes of floors being
    /// set aside from now on: this store sleeps, and gives nothing back, while others settle.
    pub(crate) fn leave_half(&self, later: u64) -> Result<()> {
        let space = &self.shared.space;
        let floors = Store::floor(space, self.workers) * space.stores();
        let most = ((space.budget.limit() + floors) / 2).saturating_sub(later);
        let mut hand = self.hand()?;
        while space.budget.used() > most && self.shared.spill_some(&mut hand)? {}
        Ok(())
    }

    /// Writers that have not finished.
    pub(crate) fn writers(&self) -> usize {
        self.shared.open.load(Ordering::Acquire)
    }

    /// What was stored, when every writer has finished.
    pub(crate) fn finish(self) -> Result<Stored> {
        if self.writers() != 0 {
            return Err(Error::internal("a store was read before all its writers had finished"));
        }
        let Shared { space, shape, .. } = &*self.shared;
        let parts = self.shared.take();
        let longest = parts.iter().map(|part| part.tally.longest).max().unwrap_or(0);
        Ok(Stored {
            space: space.clone(),
            parts,
            floor: self.floor,
            workers: self.workers,
            block: shape.block,
            longest,
        })
    }
}

/// The writing end of a store for one thread. Dropped before [`StoreWriter::finish`], it makes the store unreadable.
#[derive(Debug)]
pub(crate) struct StoreWriter {
    feeder: Feeder,
    hand: Hand,
}

impl StoreWriter {
    pub(crate) fn push(&mut self, hash: u64, seq: Seq, key: &[u8], value: &[u8]) -> Result<()> {
        let size = row::size(key.len(), value.len())? as u64;
        // It could be stored, but not be settled: see `Settled::enlarge`.
        if size > self.hand.purse.budget.limit() / 4 {
            return Err(self.hand.purse.refused(4 * size, "a record"));
        }
        self.feeder.push(&mut self.hand, &Row { hash, seq, key, value })
    }

    pub(crate) fn purse(&self) -> &Purse {
        &self.hand.purse
    }

    /// Writes stored rows to disk to give memory back to the budget; `false` if there was nothing to write.
    pub(crate) fn make_room(&mut self) -> Result<bool> {
        self.feeder.shared.spill_some(&mut self.hand)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.feeder.finish(&mut self.hand)?;
        self.feeder.shared.open.fetch_sub(1, Ordering::Release);
        Ok(())
    }
}

impl Shared {
    pub(crate) fn new(space: &Space, shape: Shape) -> Shared {
        let pool = (0..shape.partitions()).map(|_| Part::default()).collect();
        Shared { space: space.clone(), shape, pool: Mutex::new(pool), open: AtomicUsize::new(0) }
    }

    /// What is in the pool, when no writer is left.
    pub(crate) fn take(&self) -> Vec<Part> {
        std::mem::take(&mut *lock(&self.pool))
    }

    /// Writes the full blocks of one partition to disk: of one that is there already, else of the biggest.
    pub(crate) fn spill_some(&self, hand: &mut Hand) -> Result<bool> {
        let taken = {
            let mut pool = lock(&self.pool);
            let victim = pool.iter_mut().enumerate().max_by_key(|(_, part)| {
                let held = part.held();
                (held > 0 && !part.frames.is_empty(), held)
            });
            victim.map(|(no, part)| (no, Part { blocks: std::mem::take(&mut part.blocks), ..Part::default() }))
        };
        let Some((no, mut part)) = taken.filter(|(_, part)| !part.blocks.is_empty()) else { return Ok(false) };
        part.evict(hand, row::short(no))?;
        lock(&self.pool)[no].frames.append(&mut part.frames);
        Ok(true)
    }
}

/// Sets aside so many blocks for each thread; too small a budget is an error that says what would do.
pub(crate) fn set_aside(space: &Space, workers: usize, blocks: usize, block: usize, what: &str) -> Result<Budget> {
    let floor = (workers * blocks * block) as u64;
    space.budget.carve(floor).ok_or_else(|| {
        let (limit, used) = (space.budget.limit(), space.budget.used());
        let text = format!(
            "memory budget of {} bytes: {what} with {workers} threads needs {floor} bytes and {used} of {limit} are in use; \
             at least {} would do",
            space.budget.whole(),
            space.budget.whole_for(used + floor.min(least(workers, blocks)))
        );
        Error::new(ErrorKind::Limit, text)
    })
}

/// What so many blocks for each thread take where blocks are smallest.
fn least(workers: usize, blocks: usize) -> u64 {
    (workers.max(1) * blocks * LEAST_BLOCK) as u64
}

/// A number of bytes that fit into memory.
pub(crate) fn whole(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// A panic elsewhere cannot leave a list of blocks half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
