//! `sort_by_key` and `sort_by`: all records in an order of the caller's. The absorbing half encodes each record once and hands
//! it, with its key, to the worker's writer (see [`SortStore`]); the emitting half is in [`super::emit_sorted`].

use crate::os::sync::atomic::Ordering;
use crate::os::sync::{Arc, Mutex};
use std::cmp;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bag::Bag;
use crate::batch::{At, Seq, Unit};
use crate::engine::{Facts, Fan, Flow, Plan, Push, Run, StageMeter, Stop, UnitEnd, WorkerCx};
use crate::error::{Error, Result};
use crate::spill::{ROW_HEAD, Ranking, SortStore, SortWriter};

use super::codec::{decode, encode};
use super::emit::{emit, in_stage};
use super::emit_sorted::SortedFeed;
use super::place::{PLACE, put_place};

impl<T: Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// Sorts by a key, ascending; records with equal keys keep their order. A tuple sorts by several parts,
    /// [`Reverse`](std::cmp::Reverse) makes a part descending, [`agg::Float`](crate::agg::Float) orders floats, and
    /// [`Json`](crate::Json) keys have jq's order. Holds all records, encoded through serde, and their keys within the
    /// memory budget, and spills beyond it: sorted runs, which are merged while the verbs behind run, so that a
    /// [`take`](Bag::take) ends the merge. Nothing comes out before all is read. `key` is called again for a record that
    /// comes back from disk, and must give the same again. The order is that of this bag's records: outputs of a
    /// run that is not [`ordered`](crate::Config::ordered) do not keep it.
    ///
    /// ```
    /// use std::cmp::Reverse;
    /// use kitbag::Bag;
    ///
    /// let words = || Bag::from_iter(["to", "be", "or", "not"]).map(String::from);
    /// assert_eq!(words().sort_by_key(|word| word.len()).collect()?, ["to", "be", "or", "not"]);
    /// let longest = words().sort_by_key(|word| (Reverse(word.len()), word.clone()));
    /// assert_eq!(longest.take(2).collect()?, ["not", "be"]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The run fails if a record does not survive being written and read through serde, if `key` or a comparison panics,
    /// or if the budget has no room for some blocks a thread or for the longest record several times.
    #[doc(alias = "order_by")]
    pub fn sort_by_key<K: Ord + Send + 'static>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Bag<T> {
        self.wrap(|plan, stage| Sort { plan, stage, verb: "sort_by_key", ranking: Keys { key, _types: PhantomData } })
    }

    /// Sorts by a comparison, which must be a total order; records that compare equal keep their order. Where a key can
    /// be made, [`sort_by_key`](Bag::sort_by_key) holds less: here the decoded records are held beside the encoded ones.
    /// All else is as there.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let words = Bag::from_iter(["to", "be", "or", "not"]).map(String::from);
    /// let sorted = words.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| b.cmp(a)));
    /// assert_eq!(sorted.collect()?, ["to", "or", "be", "not"]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As those of [`sort_by_key`](Bag::sort_by_key). A comparison that is no total order gives some order, or a panic
    /// that is reported as such.
    #[doc(alias = "order_by")]
    pub fn sort_by(self, compare: impl Fn(&T, &T) -> cmp::Ordering + Send + Sync + 'static) -> Bag<T> {
        self.wrap(|plan, stage| Sort {
            plan,
            stage,
            verb: "sort_by",
            ranking: Comparison { compare, _types: PhantomData },
        })
    }
}

/// A ranking that also ranks records as they come.
trait RankRecord<T>: Ranking {
    fn rank_record(&self, item: T) -> Self::Rank;
}

struct Keys<F, T, K> {
    key: F,
    _types: PhantomData<fn(T) -> K>,
}

impl<T: DeserializeOwned, K: Ord + Send, F: Fn(&T) -> K + Send + Sync> Ranking for Keys<F, T, K> {
    type Rank = K;

    fn rank(&self, value: &[u8]) -> Result<K> {
        stored(value).map(|item| (self.key)(&item))
    }

    fn compare(&self, a: &K, b: &K) -> cmp::Ordering {
        a.cmp(b)
    }
}

impl<T: DeserializeOwned, K: Ord + Send, F: Fn(&T) -> K + Send + Sync> RankRecord<T> for Keys<F, T, K> {
    fn rank_record(&self, item: T) -> K {
        (self.key)(&item)
    }
}

struct Comparison<F, T> {
    compare: F,
    _types: PhantomData<fn(T)>,
}

impl<T: DeserializeOwned + Send, F: Fn(&T, &T) -> cmp::Ordering + Send + Sync> Ranking for Comparison<F, T> {
    type Rank = T;

    fn rank(&self, value: &[u8]) -> Result<T> {
        stored(value)
    }

    fn compare(&self, a: &T, b: &T) -> cmp::Ordering {
        (self.compare)(a, b)
    }
}

impl<T: DeserializeOwned + Send, F: Fn(&T, &T) -> cmp::Ordering + Send + Sync> RankRecord<T> for Comparison<F, T> {
    fn rank_record(&self, item: T) -> T {
        item
    }
}

/// The record behind the place with which a stored one begins.
fn stored<T: DeserializeOwned>(value: &[u8]) -> Result<T> {
    decode(value.get(PLACE..).ok_or_else(|| Error::internal("a stored row is too short"))?)
}

struct Sort<T: Send, R> {
    plan: Box<dyn Plan<T>>,
    stage: u32,
    verb: &'static str,
    ranking: R,
}

impl<T, R> Plan<T> for Sort<T, R>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    R: RankRecord<T>,
{
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<T>) -> Result<()> {
        let Sort { plan, stage, verb, ranking } = *self;
        let meter = run.stage(stage, verb);
        let space = run.space.counted_apart();
        let store = in_stage(&meter, || SortStore::new(&space, run.settings.threads, ranking))?;
        plan.run(run, &Sorting { store: &store, stage, meter: meter.clone(), after: down })?;
        let rows = Mutex::new(Some(in_stage(&meter, || store.finish())?));
        emit(run, &meter, &space, &SortedFeed { rows, meter: meter.clone(), down })
    }

    fn describe(&self, to: &mut Facts) {
        self.plan.describe(to);
        to.gathering(self.verb);
    }
}

/// The absorbing half.
struct Sorting<'a, T, R: Ranking> {
    store: &'a SortStore<R>,
    stage: u32,
    meter: Arc<StageMeter>,
    /// Who takes the records.
    after: &'a dyn Fan<T>,
}

impl<T: Serialize + Send, R: RankRecord<T>> Fan<T> for Sorting<'_, T, R> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        let (store, stage, meter) = (self.store, self.stage, &*self.meter);
        Box::new(SortPush { store, stage, meter, cx, writer: None, unit: Unit::default(), index: 0, row: Vec::new() })
    }

    fn unwanted(&self) -> bool {
        self.after.unwanted()
    }
}

struct SortPush<'s, R: Ranking> {
    store: &'s SortStore<R>,
    stage: u32,
    meter: &'s StageMeter,
    cx: &'s WorkerCx<'s>,
    /// Made at the first record.
    writer: Option<SortWriter<'s, R>>,
    unit: Unit,
    index: u64,
    row: Vec<u8>,
}

impl<R: Ranking> SortPush<'_, R> {
    fn store<T: Serialize>(&mut self, at: At, item: T) -> Result<()>
    where
        R: RankRecord<T>,
    {
        self.row.clear();
        self.row.resize(ROW_HEAD, 0);
        put_place(at, &mut self.row);
        encode(&item, &mut self.row)?;
        let rank = self.store.ranking.rank_record(item);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => match self.store.writer() {
                Ok(writer) => self.writer.insert(writer),
                // After a panic there may be no writer for the chain that takes over; the run has failed already.
                Err(_) if self.cx.phase.fence.stopped() => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        writer.push(rank, Seq::new(self.unit, self.index), &mut self.row)
    }
}

impl<T: Serialize + Send, R: RankRecord<T>> Push<T> for SortPush<'_, R> {
    fn begin(&mut self, unit: Unit) -> Flow {
        (self.unit, self.index) = (unit, 0);
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        self.cx.set_stage(self.stage);
        let stored = self.store(at, item);
        self.index += 1;
        match stored {
            Ok(()) => Flow::Continue(()),
            Err(error) => Flow::Break(Stop::from(error.in_stage(self.meter.name.clone()))),
        }
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.meter.records_in.fetch_add(self.index, Ordering::Relaxed);
        self.index = 0;
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.cx.set_stage(self.stage);
        let finished = self.writer.take().map_or(Ok(()), SortWriter::finish);
        finished.map_err(|error| error.in_stage(self.meter.name.clone()))
    }
}
