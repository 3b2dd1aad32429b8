//! [`Group`]: the records of one key, in record order, from memory or from disk.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::agg::Aggregate;
use crate::batch::{Seq, Unit};
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

    /// Folds the records that have not been read yet with an aggregate, or several as a tuple, in record order. Holds
    /// the aggregate's state and one record. Where no more than the answer is asked of the groups, [`Bag::fold_by`] does
    /// not store the records at all.
    ///
    /// ```
    /// use kitbag::{Bag, agg};
    ///
    /// let words = Bag::from_iter(["to", "be", "or", "not"]).map(String::from);
    /// let answers = (agg::count(), agg::join_strings("+", |word: &String| word.clone()));
    /// let joined = words.group_by(|word| word.len()).try_map(move |(_, group)| group.aggregate(&answers));
    /// assert_eq!(joined.collect()?, [(3, "to+be+or".to_string()), (1, "not".to_string())]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a record cannot be read back.
    ///
    /// [`Bag::fold_by`]: crate::Bag::fold_by
    pub fn aggregate<A: Aggregate<T>>(self, aggregate: &A) -> Result<A::Out>
    where
        T: DeserializeOwned,
    {
        let mut state = aggregate.init();
        for (index, record) in (0..).zip(self) {
            aggregate.step(&mut state, Seq::new(Unit::default(), index), &record?);
        }
        Ok(aggregate.finish(state))
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
