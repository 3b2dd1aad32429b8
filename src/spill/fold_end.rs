//! The end of a fold store: the tables of all threads become one for each slot that never left memory; what is left of the
//! others follows them to disk.

use crate::os::sync::{Arc, Mutex, PoisonError};

use super::emit::Order;
use super::encoder::Encoder;
use super::fold::{FoldStore, FoldWriter, Shared, TABLES};
use super::folds::Folds;
use super::row;
use super::settle::on_threads;
use super::store::{lock, whole as bytes};
use super::table::{Merging, SortedOf, Table};
use crate::error::Result;

/// The tables that threads have for one slot.
type Job<M> = (usize, Vec<Table<<M as Merging>::Key, <M as Merging>::State>>);

impl<M: Merging> FoldStore<M> {
    /// All states, when every writer has finished.
    pub(crate) fn finish(self, order: Order) -> Result<Folds<M>> {
        let shared = self.shared;
        let done = std::mem::take(&mut *lock(&shared.done));
        let (mut encoders, mut jobs) = (Vec::new(), (0..TABLES).map(|no| (no, Vec::new())).collect::<Vec<Job<M>>>());
        for FoldWriter { tables, encoder, .. } in done {
            encoders.push(encoder);
            jobs.iter_mut().zip(tables).for_each(|((_, job), table)| job.push(table));
        }
        // Those on disk come first, being taken from the end: writing them makes room for merging the others.
        jobs.sort_by_key(|(no, _)| shared.gone.has(*no));
        let (jobs, kept) = (Mutex::new(jobs), Mutex::new(Vec::new()));
        let encoders = on_threads(&self.os, encoders, |encoder: &mut Encoder| {
            loop {
                let Some(job) = lock(&jobs).pop() else { return Ok(()) };
                let one = settle(job, &shared, encoder)?;
                lock(&kept).extend(one);
            }
        })?;
        let kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        encoders.into_iter().try_for_each(|encoder| encoder.writer.finish())?;
        let mut stored = self.store.finish()?;
        if shared.gone.read() == 0 {
            return Ok(Folds::in_memory(kept, &stored.space));
        }
        // What is kept may still have to be written.
        for entry in kept.iter().flat_map(|one| one.entries.as_slice()) {
            let size = row::HEAD as u64 + entry.length + shared.merging.heap_size(&entry.state) as u64;
            stored.longest = stored.longest.max(bytes(size));
        }
        Folds::stored(Arc::clone(&shared.merging), stored, kept, order)
    }
}

/// Makes one table of a slot's, in order of position; none if it is on disk, or goes there because memory refuses.
fn settle<M: Merging>(
    (slot, mut tables): Job<M>,
    shared: &Shared<M>,
    encoder: &mut Encoder,
) -> Result<Option<SortedOf<M>>> {
    if !shared.gone.has(slot) {
        if let Some(one) = whole(&mut tables, &*shared.merging, encoder)? {
            return Ok(Some(one));
        }
        shared.gone.add(slot);
    }
    tables.iter_mut().try_for_each(|table| encoder.flush(table, false))?;
    Ok(None)
}

/// Makes one table of those that threads have for the same hashes, in order of position; `None` if memory refuses. What
/// does not fit is then in the store, and the rest still in the tables.
fn whole<M: Merging>(
    tables: &mut Vec<Table<M::Key, M::State>>,
    merging: &M,
    encoder: &mut Encoder,
) -> Result<Option<SortedOf<M>>> {
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
