//! The fold store: states by key, pre-aggregated by each thread in a table of its own. A table for which there is no
//! memory left is written, as rows, into a store that it shares with the others; without spilling nothing is encoded.
//! Where nearly every row has a key of its own, a table is of no use, and rows go past it (as in DuckDB: Kuiper, Boncz
//! and Mühleisen, "Robust external hash aggregation in the solid state age", 2024).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::emit::Order;
use super::folds::Folds;
use super::part::From;
use super::settle::on_threads;
use super::sought::Sought;
use super::space::Space;
use super::store::{Store, StoreWriter};
use super::table::{Entry, EntryOf, Merging, Sorted, Table, encode};
use crate::batch::Seq;
use crate::error::{Error, Result};
use crate::os::Os;

/// A table that was flushed with more keys than this share of its rows did not help.
const USELESS: f64 = 0.95;
/// Then this many times its rows go past it before it is tried again.
const PAST: u64 = 16;

/// Tables of each thread; a power of two.
const TABLES: usize = 16;

fn slot(hash: u64) -> usize {
    usize::from((hash >> 60) as u8)
}

/// The store of one fold by key.
#[derive(Debug)]
pub(crate) struct FoldStore<M: Merging> {
    shared: Arc<Shared<M>>,
    store: Store,
    os: Os,
}

struct Shared<M: Merging> {
    merging: Arc<M>,
    done: Mutex<Vec<FoldWriter<M>>>,
}

impl<M: Merging> std::fmt::Debug for Shared<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl<M: Merging> FoldStore<M> {
    pub(crate) fn new(space: &Space, workers: usize, merging: M) -> Result<FoldStore<M>> {
        let shared = Shared { merging: Arc::new(merging), done: Mutex::default() };
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
        let (shared, encoder) = (Arc::clone(&self.shared), Encoder { writer, key: Vec::new(), state: Vec::new() });
        Ok(FoldWriter { shared, tables, encoder, rows: 0, past: 0, flushed: false })
    }

    /// All states, when every writer has finished.
    pub(crate) fn finish(self, order: Order) -> Result<Folds<M>> {
        let merging = Arc::clone(&self.shared.merging);
        let done = std::mem::take(&mut *lock(&self.shared.done));
        // What one thread has written, all must write: then a key's states meet on disk.
        let spilled = AtomicBool::new(done.iter().any(|writer| writer.flushed));
        let (mut encoders, mut jobs) = (Vec::new(), (0..TABLES).map(|_| Vec::new()).collect::<Vec<_>>());
        for FoldWriter { tables, encoder, .. } in done {
            encoders.push(encoder);
            jobs.iter_mut().zip(tables).for_each(|(job, table)| job.push(table));
        }
        let (jobs, sorted) = (Mutex::new(jobs), Mutex::new(Vec::new()));
        let mut encoders = on_threads(&self.os, encoders, |encoder: &mut Encoder| {
            loop {
                let Some(mut tables) = lock(&jobs).pop() else { return Ok(()) };
                let whole =
                    if spilled.load(Ordering::Relaxed) { None } else { whole(&mut tables, &*merging, encoder)? };
                match whole {
                    Some(one) => lock(&sorted).push(one),
                    None => {
                        spilled.store(true, Ordering::Relaxed);
                        tables.iter_mut().try_for_each(|table| encoder.flush(table))?;
                    }
                }
            }
        })?;
        let mut sorted = sorted.into_inner().unwrap_or_else(PoisonError::into_inner);
        let spilled = spilled.into_inner();
        if let (true, Some(encoder)) = (spilled, encoders.first_mut()) {
            sorted.drain(..).flat_map(|one| one.entries).try_for_each(|entry| encoder.put(&entry))?;
        }
        encoders.into_iter().try_for_each(|encoder| encoder.writer.finish())?;
        let stored = self.store.finish()?;
        if spilled { Folds::stored(merging, stored, order) } else { Ok(Folds::in_memory(sorted, &stored.space)) }
    }
}

/// Makes one table of those that threads have for the same hashes, in order of position; `None` if memory refuses. What
/// does not fit is then in the store, and the rest still in the tables.
fn whole<M: Merging>(
    tables: &mut Vec<Table<M::Key, M::State>>,
    merging: &M,
    encoder: &mut Encoder,
) -> Result<Option<Sorted<M::Key, M::State>>> {
    tables.sort_by_key(Table::len);
    let Some(mut into) = tables.pop() else { return Ok(None) };
    let mut full = false;
    while !full {
        let Some(mut from) = tables.pop() else { break };
        for entry in from.drain() {
            let left = if full { Err(entry) } else { into.merge(merging, entry, &mut full)? };
            if let Err(entry) = left {
                full = true;
                encoder.put(&entry)?;
            }
        }
    }
    if !full {
        match into.sorted() {
            Ok(sorted) => return Ok(Some(sorted)),
            Err(back) => into = back,
        }
    }
    tables.push(into);
    Ok(None)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes rows into the store.
#[derive(Debug)]
struct Encoder {
    writer: StoreWriter,
    key: Vec<u8>,
    state: Vec<u8>,
}

impl Encoder {
    fn put<K: serde::Serialize, S: serde::Serialize>(&mut self, entry: &Entry<K, S>) -> Result<()> {
        encode(&entry.key, &mut self.key)?;
        encode(&entry.state, &mut self.state)?;
        self.writer.push(entry.hash, entry.seq, &self.key, &self.state)
    }

    fn flush<K: Eq + serde::Serialize, S: serde::Serialize>(&mut self, table: &mut Table<K, S>) -> Result<()> {
        for entry in table.drain() {
            self.put(&entry)?;
        }
        table.emptied();
        Ok(())
    }
}

/// The writing end for one thread. Dropped before [`FoldWriter::finish`], it makes the store unreadable.
#[derive(Debug)]
pub(crate) struct FoldWriter<M: Merging> {
    shared: Arc<Shared<M>>,
    /// By the leading bits of the hash: a small table grows at less cost, and at the end several can be merged at once.
    tables: Vec<Table<M::Key, M::State>>,
    encoder: Encoder,
    /// Rows since the table was flushed.
    rows: u64,
    /// Rows that are still to go past the table.
    past: u64,
    /// Whether rows were written.
    flushed: bool,
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
        if self.past == 0 {
            self.rows += 1;
            let mut change = |state: &mut M::State| {
                if let Some(step) = step.take() {
                    step(state);
                }
            };
            match self.tables[slot(hash)].update(&*self.shared.merging, (hash, seq), sought, &mut change) {
                Ok(true) => return Ok(()),
                Ok(false) => return self.full().map(drop),
                Err(back) => sought = back,
            }
        }
        let mut state = init();
        if let Some(step) = step {
            step(&mut state);
        }
        self.add(Entry::new(hash, seq, sought.into_key(), state))
    }

    fn add(&mut self, entry: EntryOf<M>) -> Result<()> {
        if self.past > 0 {
            self.past -= 1;
            self.flushed = true;
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
                self.flushed = true;
                return self.encoder.put(&entry);
            }
        }
    }

    /// Makes room: rows that are stored in memory go to disk first, then the table is written. `false` if there was
    /// nothing of either.
    #[cold]
    fn full(&mut self) -> Result<bool> {
        if self.encoder.writer.make_room()? {
            return Ok(true);
        }
        let keys: usize = self.tables.iter().map(Table::len).sum();
        if keys as f64 > USELESS * self.rows as f64 {
            self.past = PAST * self.rows;
        }
        self.rows = 0;
        self.flushed |= keys > 0;
        self.tables.iter_mut().try_for_each(|table| self.encoder.flush(table))?;
        Ok(keys > 0)
    }

    pub(crate) fn finish(self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.done.lock().map_err(|_| Error::internal("a thread failed while it handed over its states"))?.push(self);
        Ok(())
    }
}
