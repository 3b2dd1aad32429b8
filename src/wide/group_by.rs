//! `group_by`: all records of a key together, whatever memory holds.
//!
//! The absorbing half is in [`super::route`]; the emitting half is the next phase's source: one reader walks the groups, the
//! workers decode keys.

use crate::os::sync::{Arc, Mutex, PoisonError};
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bag::Bag;
use crate::batch::Unit;
use crate::engine::{Facts, Fan, Feed, Feeder, Flow, Halted, Plan, Run, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::Result;
use crate::spill::{Budget, GroupRows, Groups, KeyRule, Order, Store};

use super::codec::{decode, encode};
use super::emit::{Emitter, emit, in_stage};
use super::group::Group;
use super::place::place_of;
use super::route::Route;

impl<T: Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// Groups the records by a key: each key exactly once, in order of its first record, with its records in record
    /// order. Holds all records within the memory budget, and spills beyond it: a group may be bigger than memory and is
    /// then streamed from disk. Records and keys are stored through serde.
    ///
    /// What one answer a key is enough for is cheaper with [`fold_by`](Bag::fold_by), which stores no records.
    ///
    /// ```
    /// use kitbag::{Bag, Result};
    ///
    /// let words = Bag::from_iter(["to", "be", "or", "not", "to", "be"]).map(String::from);
    /// let groups = words.group_by(|word| word.len()).try_map(|(length, group)| {
    ///     let words = group.collect::<Result<Vec<_>>>()?;
    ///     Ok::<_, kitbag::Error>((length, words.join(" ")))
    /// });
    /// assert_eq!(groups.collect()?, [(2, "to be or to be".into()), (3, "not".to_string())]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "groupby")]
    pub fn group_by<K>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Bag<(K, Group<T>)>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        self.wrap(|plan, stage| GroupBy { plan, stage, key: Box::new(key) })
    }
}

struct GroupBy<T: Send, K> {
    plan: Box<dyn Plan<T>>,
    stage: u32,
    key: Box<dyn Fn(&T) -> K + Send + Sync>,
}

impl<T, K> Plan<(K, Group<T>)> for GroupBy<T, K>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
{
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<(K, Group<T>)>) -> Result<()> {
        let meter = run.stage(self.stage, "group_by");
        let space = run.space.counted_apart().with_keys(KeyRule::values::<K>());
        let store = in_stage(&meter, || Store::new(&space, run.settings.threads))?;
        let unwanted = || down.unwanted();
        let route = Route::new(run, &store, (self.stage, meter.clone()), &*self.key, encode::<T>, &unwanted);
        self.plan.run(run, &route)?;
        let order = if run.settings.ordered { Order::FirstOccurrence } else { Order::Any };
        let groups = Mutex::new(Some(in_stage(&meter, || store.finish()?.into_groups(order))?));
        emit(run, &meter, &space, &GroupFeed { groups, meter: meter.clone(), down })
    }

    fn describe(&self, to: &mut Facts) {
        self.plan.describe(to);
        to.gathering("group_by");
    }
}

/// Groups in one unit of the next phase.
const BATCH: usize = 256;
/// What a group counts for at the gate; its records are charged where they are stored.
const WEIGHT: usize = 64;

type Batch = Vec<(Vec<u8>, GroupRows)>;

/// The emitting half.
struct GroupFeed<'a, T, K> {
    groups: Mutex<Option<Groups>>,
    meter: Arc<StageMeter>,
    down: &'a dyn Fan<(K, Group<T>)>,
}

impl<T, K> Feed<Batch> for GroupFeed<'_, T, K>
where
    T: DeserializeOwned + Send + 'static,
    K: DeserializeOwned + Send + 'static,
{
    fn tasks(&self) -> u32 {
        1
    }

    fn feed(&self, _task: u32, out: &mut Feeder<'_, Batch>) -> Result<()> {
        let taken = self.groups.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut groups) = taken else { return Ok(()) };
        loop {
            let batch = groups.by_ref().take(BATCH).collect::<Result<Batch>>();
            let batch = batch.map_err(|error| error.in_stage(self.meter.name.clone()))?;
            let (weight, last) = (batch.len() * WEIGHT, batch.len() < BATCH);
            let sent = out.admit(weight).and_then(|permit| out.emit(batch, weight, permit, last));
            if let Err(Halted) = sent {
                return Ok(());
            }
            if last {
                return Ok(());
            }
        }
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Batch> + 's> {
        Box::new(GroupWork(Emitter::new(cx, &self.meter, self.down), cx.phase.run.space.budget.clone()))
    }
}

struct GroupWork<'s, T, K>(Emitter<'s, (K, Group<T>)>, Budget);

impl<T: Send, K: DeserializeOwned + Send> Work<Batch> for GroupWork<'_, T, K> {
    fn unit(&mut self, unit: Unit, batch: Batch) -> Flow {
        self.0.begin(unit)?;
        for (key, rows) in batch {
            // What is wrong with a group is wrong where its first record is.
            self.0.emit(place_of(rows.first()), || Ok((decode(&key)?, Group::new(rows, self.1.clone()))))?;
        }
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.0.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Bag, Config, Error, Json};

    #[test]
    fn json_keys_are_equal_by_value_and_spelt_as_first_met() {
        let records =
            (0..4000).map(|n| (Json::parse(["1.0", "1", "\"\\u0061\"", "\"a\"", "10e-1"][n % 5]).unwrap(), n));
        for memory in [64 << 20, 2 << 20] {
            let config = Config::new().threads(2).memory(memory).block_size(4096).max_record(4096);
            let bag = Bag::from_iter(records.clone()).with(config);
            let groups = bag.group_by(|record| record.0.clone());
            let sums = groups.try_map(|(key, group)| {
                let mut sum = 0;
                for record in group {
                    sum += record?.1;
                }
                Ok::<_, Error>((key.raw().to_owned(), sum))
            });
            let expected = |keep: fn(usize) -> bool| (0..4000).filter(|n| keep(n % 5)).sum::<usize>();
            let ones = expected(|n| n != 2 && n != 3);
            let letters = expected(|n| n == 2 || n == 3);
            assert_eq!(sums.collect().unwrap(), [("1.0".into(), ones), ("\"\\u0061\"".into(), letters)]);
        }
    }
}
