//! [`Group`]: the records of one key, in record order, from memory or from disk.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::agg::Aggregate;
use crate::batch::{Seq, Unit};
use crate::error::{Error, ErrorKind, Result};
use crate::spill::{Budget, GroupRows};

use super::codec::decode;
use super::place::PLACE;

/// The records of one key, in record order: an iterator that reads from disk where memory does not hold the group. It
/// may be kept, sent to another thread, dropped half-read, and may outlive the run that it comes from.
///
/// Items are results since reading a temporary file can fail; [`into_vec`](Group::into_vec) makes one of all.
pub struct Group<T> {
    rows: GroupRows,
    budget: Budget,
    _items: PhantomData<fn() -> T>,
}

impl<T> Group<T> {
    pub(crate) fn new(rows: GroupRows, budget: Budget) -> Group<T> {
        Group { rows, budget, _items: PhantomData }
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

impl<T: DeserializeOwned> Group<T> {
    /// The records that have not been read yet. What is returned is not counted within the memory budget, but a group that
    /// alone is bigger than that is refused. Other aggregates than the whole are cheaper by
    /// [`aggregate`](Group::aggregate), or by reading the group record by record.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let groups = Bag::range(0..6).group_by(|n| n % 2).try_map(|(rest, group)| Ok::<_, kitbag::Error>((rest, group.into_vec()?)));
    /// assert_eq!(groups.collect()?, [(0, vec![0, 2, 4]), (1, vec![1, 3, 5])]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a record cannot be read back, or, with [`ErrorKind::Limit`], if the records are longer, encoded, than the
    /// part of the budget that is for what verbs store: three quarters.
    pub fn into_vec(mut self) -> Result<Vec<T>> {
        let (mut records, mut bytes, limit) = (Vec::new(), 0, self.budget.limit());
        while let Some(row) = self.rows.next_row() {
            let (_, value) = row?;
            bytes += value.len() as u64;
            if bytes > limit {
                let text = format!(
                    "memory budget of {} bytes: a group of {} records does not fit into its {limit} bytes for records; read \
                     it record by record, or fold it",
                    self.budget.whole(),
                    self.rows.total()
                );
                return Err(Error::new(ErrorKind::Limit, text));
            }
            records.push(record(value)?);
        }
        Ok(records)
    }
}

/// The record behind its place.
fn record<T: DeserializeOwned>(value: &[u8]) -> Result<T> {
    decode(value.get(PLACE..).ok_or_else(|| Error::internal("a stored row is too short"))?)
}

impl<T: DeserializeOwned> Iterator for Group<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let row = self.rows.next_row()?;
        Some(row.and_then(|(_, value)| record(value)))
    }
}

impl<T> std::fmt::Debug for Group<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("total", &self.total()).finish_non_exhaustive()
    }
}
