//! The fold store: states by key, pre-aggregated by each thread in a table of its own. A table for which there is no
//! memory left is written, as rows, into a store that it shares with the others; without spilling nothing is encoded.
//! Where nearly every row has a key of its own, a table is of no use, and rows go past it (as in DuckDB: Kuiper, Boncz
//! and Mühleisen, "Robust external hash aggregation in the solid state age", 2024).

use std::sync::{Arc, Mutex, PoisonError};

use super::emit::Order;
use super::folds::Folds;
use super::part::From;
use super::space::Space;
use super::store::{Store, StoreWriter};
use super::table::{Entry, EntryOf, Merging, Table, encode};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// A table that was flushed with more keys than this share of its rows did not help.
const USELESS: f64 = 0.95;
/// Then this many times its rows go past it before it is tried again.
const PAST: u64 = 16;

/// The store of one fold by key.
#[derive(Debug)]
pub(crate) struct FoldStore<M: Merging> {
    shared: Arc<Shared<M>>,
    store: Store,
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
        Ok(FoldStore { shared: Arc::new(shared), store: Store::new(space, workers)? })
    }

    /// A writer for one thread; at most as many as were announced.
    pub(crate) fn writer(&self) -> Result<FoldWriter<M>> {
        let writer = self.store.writer()?;
        let table = Table::new(From::Budget, writer.purse());
        let (shared, encoder) = (Arc::clone(&self.shared), Encoder { writer, key: Vec::new(), state: Vec::new() });
        Ok(FoldWriter { shared, table, encoder, rows: 0, past: 0, flushed: false })
    }

    /// All states, when every writer has finished.
    pub(crate) fn finish(self, order: Order) -> Result<Folds<M>> {
        let merging = Arc::clone(&self.shared.merging);
        let done = std::mem::take(&mut *self.shared.done.lock().unwrap_or_else(PoisonError::into_inner));
        let flushed = done.iter().any(|writer| writer.flushed);
        let mut rest = done.into_iter();
        let mut last = None;
        if !flushed {
            // Nothing was written: the tables become one, if memory holds it.
            last = rest.next();
            let mut whole = true;
            while let (Some(into), true) = (&mut last, whole) {
                let Some(mut from) = rest.next() else { break };
                whole = into.absorb(&mut from)?;
                from.encoder.writer.finish()?;
            }
            if whole && let Some(FoldWriter { table, mut encoder, .. }) = last.take() {
                let sorted = table.sorted().map_err(|mut table| encoder.flush(&mut table));
                encoder.writer.finish()?;
                match sorted {
                    Ok(sorted) => {
                        self.store.finish()?;
                        return Ok(Folds::in_memory(sorted));
                    }
                    Err(flushed) => flushed?,
                }
            }
        }
        for mut writer in last.into_iter().chain(rest) {
            writer.flush()?;
            writer.encoder.writer.finish()?;
        }
        Folds::stored(merging, self.store.finish()?, order)
    }
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
    table: Table<M::Key, M::State>,
    encoder: Encoder,
    /// Rows since the table was flushed.
    rows: u64,
    /// Rows that are still to go past the table.
    past: u64,
    /// Whether rows were written.
    flushed: bool,
}

impl<M: Merging> FoldWriter<M> {
    /// Folds one record into the state of its key. `is` tells whether a key is the record's; the key itself is made
    /// only when it is new or from an earlier record, and so is the state, which `step` then changes.
    #[inline]
    pub(crate) fn fold(
        &mut self,
        (hash, seq): (u64, Seq),
        is: impl Fn(&M::Key) -> bool,
        key: impl Fn() -> M::Key,
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
            let merging = &self.shared.merging;
            match self.table.update((hash, seq), is, &key, &mut change, |state| merging.heap_size(state)) {
                Some(true) => return Ok(()),
                Some(false) => return self.full().map(drop),
                None => {}
            }
        }
        let mut state = init();
        if let Some(step) = step {
            step(&mut state);
        }
        self.add(Entry::new(hash, seq, key(), state))
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
            match self.table.insert(entry, heap)? {
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
        if self.rows > 0 && self.table.len() as f64 > USELESS * self.rows as f64 {
            self.past = PAST * self.rows;
        }
        self.rows = 0;
        let any = self.table.len() > 0;
        self.flush()?;
        Ok(any)
    }

    fn flush(&mut self) -> Result<()> {
        if self.table.len() > 0 {
            self.flushed = true;
            self.encoder.flush(&mut self.table)?;
        }
        Ok(())
    }

    /// Moves all entries of another table here, or, if memory ends, into the store; `false` if that happened.
    fn absorb(&mut self, from: &mut FoldWriter<M>) -> Result<bool> {
        let (mut full, merging) = (false, Arc::clone(&self.shared.merging));
        for entry in from.table.drain() {
            let left = if full { Err(entry) } else { self.table.merge(&*merging, entry, &mut full)? };
            if let Err(entry) = left {
                full = true;
                from.encoder.put(&entry)?;
            }
        }
        from.table.emptied();
        Ok(!full)
    }

    pub(crate) fn finish(self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.done.lock().map_err(|_| Error::internal("a thread failed while it handed over its states"))?.push(self);
        Ok(())
    }
}
