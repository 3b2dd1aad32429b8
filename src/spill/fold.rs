//! The fold store: states by key, pre-aggregated by each thread in tables of its own, by the leading bits of the hash. Where
//! memory ends, the tables of some of these bits are written, as rows, into a store that all threads share; the others stay
//! where they are, so that a little too little memory costs little (as in the hybrid hash join: see [`Store`]). Where nearly every row has a key of its own, a table is of no use, and rows go past it (as in DuckDB: Kuiper, Boncz
//! and Mühleisen, "Robust external hash aggregation in the solid state age", 2024).

use crate::os::sync::atomic::{AtomicU32, Ordering};
use crate::os::sync::{Arc, Mutex};

use super::encoder::Encoder;
use super::part::From;
use super::sought::Sought;
use super::space::Space;
use super::store::{Store, lock};
use super::table::{Entry, EntryOf, Merging, Table};
use crate::batch::Seq;
use crate::error::{Error, Result};
use crate::os::Os;

/// A table that was flushed with more keys than this share of its rows did not help.
const USELESS: f64 = 0.95;
/// Then this many times its rows go past it before it is tried again.
const PAST: u64 = 16;

/// Tables of each thread; a power of two.
pub(super) const TABLES: usize = 16;

fn slot(hash: u64) -> usize {
    usize::from((hash >> 60) as u8)
}

/// Slots of tables that were written to disk, by any thread: at the end what is left of them goes there too, so that a key's
/// states meet. A slot is in before a row of it is written.
#[derive(Debug, Default)]
pub(super) struct Gone(AtomicU32);

/// So many times the weight of the slots on disk is less than all: then another one follows them, so that the tables of
/// those are still big enough to fold much; and where more than half are there, all go.
const GONE: u64 = 4;
const ALL: u32 = u32::MAX >> (32 - TABLES);

fn has(slots: u32, slot: usize) -> bool {
    slots >> slot & 1 == 1
}

impl Gone {
    pub(super) fn read(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, slot: usize) {
        self.0.fetch_or(1 << slot, Ordering::Relaxed);
    }

    pub(super) fn has(&self, slot: usize) -> bool {
        has(self.read(), slot)
    }

    /// The slots that are to be written by whoever has this in tables and had written those of `known`.
    fn choose(&self, weights: &[u64], known: u32) -> u32 {
        let mut gone = self.read();
        let of =
            |slots: u32| (0..).zip(weights).filter(|&(no, _)| has(slots, no)).map(|(_, weight)| weight).sum::<u64>();
        // What others have written goes first.
        if of(gone & !known) == 0 && of(gone) * GONE <= of(ALL) {
            let rest = (0..).zip(weights).filter(|&(no, _)| !has(gone, no));
            gone |= rest.max_by_key(|(_, weight)| **weight).map_or(0, |(no, _)| 1 << no);
            if gone.count_ones() as usize > TABLES / 2 {
                gone = ALL;
            }
        }
        gone | self.0.fetch_or(gone, Ordering::Relaxed)
    }
}

/// The store of one fold by key.
#[derive(Debug)]
pub(crate) struct FoldStore<M: Merging> {
    pub(super) shared: Arc<Shared<M>>,
    pub(super) store: Store,
    pub(super) os: Os,
}

pub(super) struct Shared<M: Merging> {
    pub(super) merging: Arc<M>,
    pub(super) done: Mutex<Vec<FoldWriter<M>>>,
    pub(super) gone: Gone,
}

impl<M: Merging> std::fmt::Debug for Shared<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl<M: Merging> FoldStore<M> {
    pub(crate) fn new(space: &Space, workers: usize, merging: M) -> Result<FoldStore<M>> {
        let shared = Shared { merging: Arc::new(merging), done: Mutex::default(), gone: Gone::default() };
        Ok(FoldStore { shared: Arc::new(shared), store: Store::new(space, workers)?, os: space.os.clone() })
    }

    /// A writer for one thread; at most as many at once as were announced. One that has finished goes on: a second phase may
    /// run into the same store.
    pub(crate) fn writer(&self) -> Result<FoldWriter<M>> {
        if let Some(writer) = lock(&self.shared.done).pop() {
            return Ok(writer);
        }
        let writer = self.store.writer()?;
        let tables = (0..TABLES).map(|_| Table::new(From::Budget, u64::MAX, writer.purse())).collect();
        let (shared, encoder) = (Arc::clone(&self.shared), Encoder::new(writer));
        Ok(FoldWriter { shared, tables, encoder, known: 0, rows: 0, past: 0, gone: 0 })
    }
}

/// The writing end for one thread. Dropped before [`FoldWriter::finish`], it makes the store unreadable.
#[derive(Debug)]
pub(crate) struct FoldWriter<M: Merging> {
    shared: Arc<Shared<M>>,
    /// By the leading bits of the hash: a small table grows at less cost, and at the end several can be merged at once.
    pub(super) tables: Vec<Table<M::Key, M::State>>,
    pub(super) encoder: Encoder,
    /// Keys that were left when tables were last written, and rows since.
    known: usize,
    rows: u64,
    /// Rows that are still to go past tables.
    past: u64,
    /// Of the slots on disk those that this thread knows of.
    gone: u32,
}

impl<M: Merging> FoldWriter<M> {
    /// Folds one record into the state of its key. The key itself is made only when it is new or stands for a record
    /// that takes the other's place, and the state, which `step` then changes, when it is new.
    #[inline]
    pub(crate) fn fold(
        &mut self,
        (hash, seq): (u64, Seq),
        mut sought: impl Sought<M::Key>,
        init: impl FnOnce() -> M::State,
        step: impl FnOnce(&mut M::State),
    ) -> Result<()> {
        let mut step = Some(step);
        if !self.goes_past(hash) {
            self.rows += 1;
            let mut change = |state: &mut M::State| {
                if let Some(step) = step.take() {
                    step(state);
                }
            };
            match self.tables[slot(hash)].update(&*self.shared.merging, (hash, seq), sought, &mut change) {
                Ok(true) => return Ok(()),
                Ok(false) => return self.cover(slot(hash)),
                Err(back) => sought = back,
            }
        }
        let mut state = init();
        if let Some(step) = step {
            step(&mut state);
        }
        self.add(Entry::new(hash, seq, sought.into_key(), state))
    }

    /// Only rows of slots that are on disk.
    fn goes_past(&self, hash: u64) -> bool {
        self.past > 0 && has(self.gone, slot(hash))
    }

    fn add(&mut self, entry: EntryOf<M>) -> Result<()> {
        if self.goes_past(entry.hash) {
            self.past -= 1;
            return self.encoder.put(&entry);
        }
        let heap = self.shared.merging.heap_size(&entry.state);
        let mut entry = entry;
        loop {
            match self.tables[slot(entry.hash)].insert(entry, heap)? {
                Ok(()) => return Ok(()),
                Err(back) => entry = back,
            }
            if !self.full()? {
                self.shared.gone.add(slot(entry.hash));
                return self.encoder.put(&entry);
            }
        }
    }

    /// Makes room for a state that has grown.
    #[cold]
    fn cover(&mut self, slot: usize) -> Result<()> {
        while self.full()? && !self.tables[slot].is_covered() {}
        Ok(())
    }

    /// Makes room: rows that are stored in memory go to disk first, then tables are written. `false` if there was nothing
    /// of either.
    #[cold]
    fn full(&mut self) -> Result<bool> {
        if self.encoder.writer.make_room()? {
            return Ok(true);
        }
        let keys = self.keys();
        if keys == 0 {
            return Ok(false);
        }
        if keys.saturating_sub(self.known) as f64 > USELESS * self.rows as f64 {
            self.past = PAST * self.rows;
        }
        let weight = |table: &Table<_, _>| if table.len() > 0 { table.weight().0 } else { 0 };
        let weights: Vec<u64> = self.tables.iter().map(weight).collect();
        self.gone = self.shared.gone.choose(&weights, self.gone);
        // Where all are written, all are filled again.
        let again = self.gone == ALL;
        for (_, table) in self.tables.iter_mut().enumerate().filter(|(no, _)| has(self.gone, *no)) {
            self.encoder.flush(table, again)?;
        }
        (self.known, self.rows) = (self.keys(), 0);
        Ok(true)
    }

    fn keys(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }

    pub(crate) fn finish(self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.done.lock().map_err(|_| Error::internal("a thread failed while it handed over its states"))?.push(self);
        Ok(())
    }
}
