//! The fold table: one state for each key, in memory, every entry charged. It refuses what it has no memory for and
//! leaves it to its owner what to do then.

use std::hash::Hash;

use hashbrown::HashTable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::budget::{Budget, Reservation};
use super::coding::encoded_length;
use super::part::From;
use super::sought::Sought;
use super::space::Purse;
use super::table_memory::Memory;
use crate::batch::Seq;
use crate::error::Result;

/// States that can be merged. Merging is exact and commutative: results do not depend on who merged what when.
pub(crate) trait Merging: Send + Sync {
    type Key: Hash + Eq + Serialize + DeserializeOwned + Send;
    type State: Serialize + DeserializeOwned + Send;

    fn merge(&self, into: &mut Self::State, other: Self::State);

    /// Bytes that a state has beside its own size.
    fn heap_size(&self, state: &Self::State) -> usize;

    /// Whether a key stands where the newer of two records is, spelt as there: by default where its first record is.
    fn moves(&self, new: Seq, old: Seq) -> bool {
        new < old
    }
}

/// A key's state, and where the key stands: see [`Merging::moves`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<K, S> {
    pub(crate) hash: u64,
    pub(crate) seq: Seq,
    /// Bytes of the key when it is written.
    pub(crate) length: u64,
    pub(crate) key: K,
    pub(crate) state: S,
}

impl<K, S> Entry<K, S> {
    pub(crate) fn new(hash: u64, seq: Seq, key: K, state: S) -> Entry<K, S> {
        Entry { hash, seq, length: 0, key, state }
    }
}

/// The entry type of a kind of states.
pub(crate) type EntryOf<M> = Entry<<M as Merging>::Key, <M as Merging>::State>;

/// The same of a table in order.
pub(crate) type SortedOf<M> = Sorted<<M as Merging>::Key, <M as Merging>::State>;

/// A table of states.
#[derive(Debug)]
pub(crate) struct Table<K, S> {
    entries: HashTable<Entry<K, S>>,
    memory: Memory,
}

impl<K: Eq + Serialize, S> Table<K, S> {
    /// An empty table, which refuses what would make it bigger than `most`.
    pub(crate) fn new(from: From, most: u64, purse: &Purse) -> Table<K, S> {
        Table { entries: HashTable::new(), memory: Memory::new(from, most, purse) }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Changes the state of a key that is there, and tells whether the table still has its memory; else gives the key
    /// back. Of equal keys one record's is kept: they may be spelt differently.
    #[inline]
    pub(crate) fn update<P: Sought<K>, M: Merging<Key = K, State = S>>(
        &mut self,
        with: &M,
        (hash, seq): (u64, Seq),
        sought: P,
        change: impl FnOnce(&mut S),
    ) -> Result<bool, P> {
        let found = self.entries.find_mut(spread(hash), |entry| entry.hash == hash && sought.is(&entry.key));
        let Some(found) = found else { return Err(sought) };
        let before = with.heap_size(&found.state) as u64;
        change(&mut found.state);
        if with.moves(seq, found.seq) {
            found.seq = seq;
            found.key = sought.into_key();
        }
        let after = with.heap_size(&found.state) as u64;
        self.memory.heap = (self.memory.heap + after).saturating_sub(before);
        Ok(after <= before || self.memory.room(0))
    }

    /// Adds a key that is not there; gives it back if memory refuses.
    pub(crate) fn insert(&mut self, mut entry: Entry<K, S>, heap: usize) -> Result<Result<(), Entry<K, S>>> {
        entry.length = encoded_length(&entry.key)?;
        let heap = heap as u64 + entry.length;
        if self.entries.len() == self.entries.capacity() {
            let wanted = (2 * self.entries.capacity()).max(4);
            let buckets = (wanted * 8).div_ceil(7).next_power_of_two();
            // The old table is there until all entries are in the new one.
            let bytes = (buckets * (size_of::<Entry<K, S>>() + 1) + 64) as u64;
            if !self.memory.room(bytes + heap) {
                return Ok(Err(entry));
            }
            self.entries.reserve(wanted - self.entries.len(), |entry| spread(entry.hash));
            self.memory.table = self.entries.allocation_size() as u64;
        }
        if !self.memory.room(heap) {
            return Ok(Err(entry));
        }
        self.memory.heap += heap;
        self.entries.insert_unique(spread(entry.hash), entry, |entry| spread(entry.hash));
        Ok(Ok(()))
    }

    /// Adds to a key's state, or a key; gives the entry back if memory refuses a key. An entry whose state grew beyond
    /// what memory allows is in, and `full` then says so.
    pub(crate) fn merge<M: Merging<Key = K, State = S>>(
        &mut self,
        with: &M,
        entry: Entry<K, S>,
        full: &mut bool,
    ) -> Result<Result<(), Entry<K, S>>> {
        let mut entry = Some(entry);
        if let Some(Entry { hash, seq, key, .. }) = &entry {
            let (hash, seq) = (*hash, *seq);
            let found = self.entries.find_mut(spread(hash), |known| known.hash == hash && known.key == *key);
            if let Some(known) = found {
                let before = with.heap_size(&known.state) as u64;
                if let Some(entry) = entry.take() {
                    with.merge(&mut known.state, entry.state);
                    if with.moves(seq, known.seq) {
                        (known.seq, known.key) = (seq, entry.key);
                    }
                }
                let after = with.heap_size(&known.state) as u64;
                self.memory.heap = (self.memory.heap + after).saturating_sub(before);
                *full |= after > before && !self.memory.room(0);
            }
        }
        match entry {
            Some(entry) => {
                let heap = with.heap_size(&entry.state);
                self.insert(entry, heap)
            }
            None => Ok(Ok(())),
        }
    }

    /// Whether all that it takes is, or could be made, covered.
    pub(crate) fn is_covered(&mut self) -> bool {
        self.memory.room(0)
    }

    /// Bytes that it takes, and whether it was ever refused some because it would have been bigger than it may be.
    pub(crate) fn weight(&self) -> (u64, bool) {
        (self.memory.weight(), self.memory.beyond)
    }

    /// Takes all entries out, one by one; their memory is given back with [`Table::emptied`].
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Entry<K, S>> + '_ {
        self.entries.drain()
    }

    /// To be called when the entries are gone; the table itself stays as large as it is if it is to be filled again.
    pub(crate) fn emptied(&mut self, again: bool) {
        if !again {
            self.entries = HashTable::new();
            self.memory.table = 0;
        }
        self.memory.heap = 0;
        self.memory.settle();
    }

    /// All entries in order of position; the table comes back if memory refuses the list.
    pub(crate) fn sorted(mut self) -> Result<Sorted<K, S>, Table<K, S>> {
        let list = (self.entries.len() * size_of::<Entry<K, S>>()) as u64;
        if !self.memory.room(list) {
            return Err(self);
        }
        let mut entries: Vec<_> = std::mem::take(&mut self.entries).into_iter().collect();
        entries.sort_unstable_by_key(|entry| entry.seq);
        self.memory.table = (entries.capacity() * size_of::<Entry<K, S>>()) as u64;
        self.memory.settle();
        Ok(Sorted { entries: entries.into_iter(), held: self.memory.held })
    }
}

/// The low bits of a hash choose its bucket: they should not be those that all hashes of a partition share.
fn spread(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// Entries in order of first position, with their memory.
#[derive(Debug)]
pub(crate) struct Sorted<K, S> {
    pub(crate) entries: std::vec::IntoIter<Entry<K, S>>,
    held: Vec<Reservation>,
}

impl<K, S> Sorted<K, S> {
    pub(crate) fn bytes(&self) -> u64 {
        self.held.iter().map(Reservation::bytes).sum()
    }

    /// Whether some of its memory is of this budget.
    pub(crate) fn takes_of(&self, budget: &Budget) -> bool {
        self.held.iter().any(|piece| piece.is_of(budget))
    }
}

#[cfg(test)]
mod tests {
    use super::super::space::Space;
    use super::*;

    #[test]
    fn a_table_leaves_what_the_floor_keeps_for_other_buffers() {
        let space = Space::new(Default::default(), Budget::new(0), None, u64::MAX);
        let purse = Purse::new(&space, Budget::new(200_000), 4096);
        let mut table = Table::new(From::Purse, u64::MAX, &purse);
        let mut key = 0u64;
        while table.insert(Entry::new(key, Seq::default(), key, ()), 1000).unwrap().is_ok() {
            key += 1;
        }
        assert!(key > 100 && purse.floor.used() <= 200_000 - purse.spared, "{key} keys, {}", purse.floor.used());
    }
}
