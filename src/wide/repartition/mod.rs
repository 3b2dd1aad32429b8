//! `repartition`, `repartition_by_size` and `repartition_by_key`: the same records in other partitions, for verbs that take a
//! partition at a time. All records are stored first (see [`Route`]); each partition is then a task of the next phase ([`parts`]).

mod parts;

use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bag::Bag;
use crate::engine::{Facts, Fan, Plan, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::spill::{HashKey, Order, ROW_HEAD, Store};

use super::codec::encode;
use super::emit::{emit, in_stage};
use super::place::PLACE;
use super::route::Route;
use parts::{PartFeed, Parts};

impl<T: Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// The same records, in the same order, in `partitions` partitions that differ by one record at most (some are empty
    /// where there are fewer records): for [`map_partitions`](Bag::map_partitions). Holds all records, encoded through
    /// serde, within the memory budget, and spills beyond it.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let sizes = Bag::range(0..8).repartition(3)?.map_partitions(|records| [records.count()]);
    /// assert_eq!(sizes.collect()?, [2, 3, 3]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails at once if `partitions` is 0 or more than a million. The run fails if a record does not survive being
    /// written and read through serde, or does not fit the budget.
    pub fn repartition(self, partitions: u32) -> Result<Bag<T>> {
        checked(partitions)?;
        Ok(self.parted("repartition", Cut::Number(partitions), |_| 0))
    }

    /// The same records, in the same order, in partitions of about `bytes` bytes of their encoding (MessagePack, not text);
    /// a partition ends with the record that reaches its share. All else is as with [`repartition`](Bag::repartition).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let lines = Bag::from_iter(["a"; 90]).map(String::from).repartition_by_size(50)?;
    /// assert!(lines.map_partitions(|records| [records.count()]).collect()?.len() > 2);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails at once if `bytes` is 0; the run fails if there are more than a million partitions. Else as there.
    pub fn repartition_by_size(self, bytes: u64) -> Result<Bag<T>> {
        if bytes == 0 {
            return Err(Error::new(ErrorKind::Usage, "expected partitions of at least 1 byte, found 0"));
        }
        Ok(self.parted("repartition_by_size", Cut::Size(bytes), |_| 0))
    }

    /// The same records in `partitions` partitions, those with equal keys in one: which one, is given by a hash of the key
    /// that is the same in every run. Records of a partition are in record order. All else is as with
    /// [`repartition`](Bag::repartition).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let parts = Bag::range(0..100).repartition_by_key(4, |n| n % 10)?.map_partitions(|records| [records.collect::<Vec<_>>()]);
    /// let parts = parts.collect()?;
    /// let seven = parts.iter().find(|part| part.contains(&7)).ok_or("lost")?;
    /// assert!(parts.len() == 4 && (0..10).all(|n| seven.contains(&(n * 10 + 7))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As those of [`repartition`](Bag::repartition).
    pub fn repartition_by_key<K: Hash>(
        self,
        partitions: u32,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
    ) -> Result<Bag<T>> {
        checked(partitions)?;
        // Not the run's random key: the order of answers depends on it. Many equal hashes cost nothing here.
        let hash = HashKey::fixed(0, 0);
        let part = move |item: &T| u32::try_from(hash.hash(&key(item)) % u64::from(partitions)).unwrap_or_default();
        Ok(self.parted("repartition_by_key", Cut::Key(partitions), part))
    }

    fn parted(self, verb: &'static str, cut: Cut, part: impl Fn(&T) -> u32 + Send + Sync + 'static) -> Bag<T> {
        self.wrap(|plan, stage| Repartition { plan, stage, verb, cut, part: Box::new(part) })
    }
}

const MOST: u32 = 1_000_000;

fn checked(partitions: u32) -> Result<u32> {
    if (1..=MOST).contains(&partitions) {
        return Ok(partitions);
    }
    Err(Error::new(ErrorKind::Usage, format!("expected 1 to {MOST} partitions, found {partitions}")))
}

/// What makes a partition.
#[derive(Clone, Copy)]
enum Cut {
    Number(u32),
    Size(u64),
    /// Records are stored by the number of their partition.
    Key(u32),
}

struct Repartition<T: Send> {
    plan: Box<dyn Plan<T>>,
    stage: u32,
    verb: &'static str,
    cut: Cut,
    part: Box<dyn Fn(&T) -> u32 + Send + Sync>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Plan<T> for Repartition<T> {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<T>) -> Result<()> {
        let Repartition { plan, stage, verb, cut, part } = *self;
        let meter = run.stage(stage, verb);
        let space = run.space.counted_apart();
        let store = in_stage(&meter, || Store::new(&space, run.settings.threads))?;
        let unwanted = || down.unwanted();
        let route = Route::new(run, &store, (stage, meter.clone()), &*part, encode::<T>, &unwanted);
        plan.run(run, &route)?;
        let parts = in_stage(&meter, || {
            let stored = store.finish()?;
            // Beside its encoding each row has a head, the number of its partition in a byte, and its place.
            let (records, bytes) = (stored.rows(), stored.bytes());
            let bytes = bytes.saturating_sub(records * (ROW_HEAD + 1 + PLACE) as u64);
            Parts::new(cut, records, bytes, stored.into_groups(Order::Any)?)
        })?;
        emit(run, &meter, &space, &PartFeed { parts, meter: meter.clone(), down })
    }

    fn describe(&self, to: &mut Facts) {
        self.plan.describe(to);
        to.gathering(self.verb);
    }
}
