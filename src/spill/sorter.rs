//! External sort by the caller's order: each thread fills batches of encoded rows, sorts the full ones and leaves them in a
//! pool, from which any thread that is refused memory writes some to disk, merged into one run. At the end what is left
//! in memory and the runs are read through one merge; where memory has no block for each run, the shortest are merged
//! first (multiway merging in several passes: Knuth, The Art of Computer Programming 3, 5.4).

use crate::os::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::os::sync::{Arc, Mutex};

use super::budget::Budget;
use super::file::Scratch;
use super::ranked::{self, Ranked, Ranking, Source};
use super::row;
use super::run::{Hand, Run, RunWriter, lost};
use super::sort_writer::{Batch, SortWriter};
use super::space::{Purse, Space, Stats};
use super::store::{Shape, WORKING_BLOCKS, lock, set_aside};
use crate::error::{Error, Result};

/// The open batches of all threads together take at most an eighth of the room, and what all of them write to disk at once
/// about half of it: what is left is for those who come meanwhile.
const OPEN: u64 = 8;
const WRITTEN: u64 = 2;

/// The store of one sort.
#[derive(Debug)]
pub(crate) struct SortStore<R: Ranking> {
    pub(crate) space: Space,
    pub(crate) ranking: R,
    pub(crate) block: usize,
    floor: Budget,
    /// Bytes of a full batch, and those that one run should have at least.
    pub(crate) batch: u64,
    run: u64,
    pub(crate) pool: Mutex<Vec<Batch<R::Rank>>>,
    runs: Mutex<Vec<Arc<Run>>>,
    /// Writers that have not finished, and rows of those that have.
    pub(crate) open: AtomicUsize,
    pub(crate) rows: AtomicU64,
}

impl<R: Ranking> SortStore<R> {
    /// Sets aside what `workers` threads need at least; too small a budget is an error that says what would do.
    pub(crate) fn new(space: &Space, workers: usize, ranking: R) -> Result<SortStore<R>> {
        let workers = workers.max(1);
        let block = Shape::first(space.share(), workers).block;
        let floor = set_aside(space, workers, WORKING_BLOCKS, block, "sorting")?;
        let room = (space.budget.limit() - floor.limit()) / workers as u64;
        Ok(SortStore {
            space: space.clone(),
            ranking,
            block,
            floor,
            batch: room / OPEN,
            run: room / WRITTEN,
            pool: Mutex::default(),
            runs: Mutex::default(),
            open: AtomicUsize::new(0),
            rows: AtomicU64::new(0),
        })
    }

    /// A writer for one thread; at most as many as were announced.
    pub(crate) fn writer(&self) -> Result<SortWriter<'_, R>> {
        let hand = self.hand((WORKING_BLOCKS * self.block) as u64)?;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(SortWriter::new(self, hand))
    }

    fn hand(&self, floor: u64) -> Result<Hand> {
        let floor = self.floor.carve(floor).ok_or_else(|| Error::internal("the floor of a sort is in use"))?;
        Ok(Hand::new(&self.space, Purse::new(&self.space, floor, self.block), self.block))
    }

    /// Writes some of the batches in the pool to disk; `false` if there are none.
    pub(crate) fn spill_some(&self, hand: &mut Hand) -> Result<bool> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        {
            let mut pool = lock(&self.pool);
            while bytes < self.run
                && let Some(batch) = pool.pop()
            {
                bytes += batch.bytes;
                some.push(batch.source());
            }
        }
        if some.is_empty() {
            return Ok(false);
        }
        self.write(Ranked::new(some, Scratch::new(), hand.purse.clone()), hand)?;
        Ok(true)
    }

    /// Writes what a merge gives as one run.
    pub(crate) fn write(&self, mut merge: Ranked<R::Rank>, hand: &mut Hand) -> Result<()> {
        let mut out = RunWriter::new();
        while let Some(row) = merge.next(&self.ranking)? {
            out.copy(hand, row)?;
        }
        let run = out.finish(hand)?;
        lock(&self.runs).push(run);
        Ok(())
    }

    /// Writes a row as a run of its own.
    pub(crate) fn write_one(&self, row: &[u8], hand: &mut Hand) -> Result<()> {
        let mut out = RunWriter::new();
        out.copy(hand, row)?;
        let run = out.finish(hand)?;
        lock(&self.runs).push(run);
        Ok(())
    }

    /// The rows in order, when every writer has finished.
    pub(crate) fn finish(self) -> Result<SortedRows<R>> {
        if self.open.load(Ordering::Acquire) != 0 {
            return Err(Error::internal("a sort was read before all its writers had finished"));
        }
        let mut hand = self.hand(self.floor.limit() - self.floor.used())?;
        let mut charge = loop {
            let runs = lock(&self.runs).clone();
            let need = ranked::need::<R::Rank>(&runs);
            if let Some(charge) = hand.purse.take(need) {
                break charge;
            }
            if self.spill_some(&mut hand)? {
                hand.release();
                continue;
            }
            if runs.len() <= 2 {
                return Err(hand.purse.refused(need, "merging sorted runs"));
            }
            drop(runs);
            self.fewer(&mut hand)?;
            hand.release();
        };
        let runs = std::mem::take(&mut *lock(&self.runs));
        let stored = ranked::stored(&runs);
        let open = |run: Arc<Run>| {
            let own = charge.split_off(ranked::room::<R::Rank>(&run));
            Source::disk(run, own)
        };
        let mut sources = runs.into_iter().map(open).collect::<Result<Vec<_>>>()?;
        sources.extend(lock(&self.pool).drain(..).map(Batch::source));
        let merge = Ranked::new(sources, Scratch::with(stored, charge)?, hand.purse);
        Ok(SortedRows { ranking: self.ranking, merge, stored: self.rows.into_inner(), given: 0 })
    }

    /// Merges the shortest runs: as many as make the rest fit, so that no more than that is written again, but no more than
    /// memory has blocks for.
    fn fewer(&self, hand: &mut Hand) -> Result<()> {
        let mut some = std::mem::take(&mut *lock(&self.runs));
        some.sort_by_key(|run| run.bytes);
        let free = |budget: &Budget| budget.limit().saturating_sub(budget.used());
        // What one account has beside a block to write, one to compress it and one to read.
        let room = free(&self.space.budget).max(free(&hand.purse.floor));
        let mut left = room.saturating_sub((ranked::stored(&some) + 4 * self.block) as u64);
        let fits = some.iter().take_while(|run| {
            let need = ranked::room::<R::Rank>(run);
            let fits = need <= left;
            left = left.saturating_sub(need);
            fits
        });
        let fits = fits.count().max(2);
        let fan = (some.len() + 1).saturating_sub(fits).clamp(2, fits);
        lock(&self.runs).extend(some.drain(fan.min(some.len())..));
        let open = |run: Arc<Run>| {
            let charge = hand.purse.need(ranked::room::<R::Rank>(&run), "merging sorted runs")?;
            Source::disk(run, charge)
        };
        let sources = some.into_iter().map(open).collect::<Result<Vec<_>>>()?;
        Stats::add(&self.space.stats.merges, 1);
        self.write(Ranked::new(sources, Scratch::new(), hand.purse.clone()), hand)
    }
}

/// The rows of a sort, in order.
#[derive(Debug)]
pub(crate) struct SortedRows<R: Ranking> {
    ranking: R,
    merge: Ranked<R::Rank>,
    stored: u64,
    given: u64,
}

impl<R: Ranking> SortedRows<R> {
    /// The value of the next row.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        match self.merge.next(&self.ranking)? {
            Some(row) => {
                self.given += 1;
                row::at(row, 0).map(|row| Some(row.value))
            }
            None if self.given == self.stored => Ok(None),
            None => Err(lost("a sort", self.stored, self.given)),
        }
    }
}
