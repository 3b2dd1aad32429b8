//! [`Group`]: the records of one key, in record order, from memory or from disk.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::spill::GroupRows;

use super::codec::decode;
use super::place::PLACE;

/// The records of one key, in record order: an iterator that reads from disk where memory does not hold the group. It
/// may be kept, sent to another thread, dropped half-read, and may outlive the run that it comes from.
///
/// Items are results since reading a temporary file can fail; `collect::<Result<Vec<_>>>()` makes one of all.
pub struct Group<T> {
    rows: GroupRows,
    _items: PhantomData<fn() -> T>,
}

impl<T> Group<T> {
    pub(crate) fn new(rows: GroupRows) -> Group<T> {
        Group { rows, _items: PhantomData }
    }

    /// How many records the group has, read or not.
    pub fn total(&self) -> u64 {
        self.rows.total()
    }
}

impl<T: DeserializeOwned> Iterator for Group<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let row = self.rows.next_row()?;
        Some(row.and_then(|(_, value)| match value.get(PLACE..) {
            Some(record) => decode(record),
            None => Err(Error::internal("a stored row is too short")),
        }))
    }
}

impl<T> std::fmt::Debug for Group<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("total", &self.total()).finish_non_exhaustive()
    }
}
