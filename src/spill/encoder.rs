//! How states become rows of a store.

use super::coding::encode;
use super::store::StoreWriter;
use super::table::{Entry, Table};
use crate::error::Result;

/// Writes rows into the store.
#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) writer: StoreWriter,
    key: Vec<u8>,
    state: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(writer: StoreWriter) -> Encoder {
        Encoder { writer, key: Vec::new(), state: Vec::new() }
    }

    pub(super) fn put<K: serde::Serialize, S: serde::Serialize>(&mut self, entry: &Entry<K, S>) -> Result<()> {
        encode(&entry.key, &mut self.key)?;
        encode(&entry.state, &mut self.state)?;
        self.writer.push(entry.hash, entry.seq, &self.key, &self.state)
    }

    /// Writes a table and gives its memory back, but for that of the table itself if it is to be filled again.
    pub(super) fn flush<K: Eq + serde::Serialize, S: serde::Serialize>(
        &mut self,
        table: &mut Table<K, S>,
        again: bool,
    ) -> Result<()> {
        for entry in table.drain() {
            self.put(&entry)?;
        }
        table.emptied(again);
        Ok(())
    }
}
