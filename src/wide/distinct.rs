//! `distinct`, `distinct_by` and `distinct_last_by`: one record of each key. A fold by key whose state is the record kept,
//! chosen by position, so that merging is exact.

use std::hash::Hash;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::agg::Fold;
use crate::agg::weight::heap_of;
use crate::bag::Bag;
use crate::batch::{At, Seq, Unit};
use crate::engine::{Facts, Fan, Flow, Push, UnitEnd, WorkerCx};
use crate::error::Result;
use crate::spill::Owned;

use super::by_key::{Absorber, Absorbing, Answer, FoldBy, Stands};

impl<T: Hash + Eq + Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// Each record once, as and where it first occurs. Holds the distinct records within the memory budget, and spills
    /// beyond it. Where a part of the record tells them apart, [`distinct_by`](Bag::distinct_by) compares only that.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let letters = Bag::from_iter("banana".chars()).distinct();
    /// assert_eq!(letters.collect()?, ['b', 'a', 'n']);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The run fails if a record does not survive being written and read through serde, or does not fit the budget.
    #[doc(alias("unique", "dedup"))]
    pub fn distinct(self) -> Bag<T> {
        self.distinct_named("distinct")
    }

    pub(super) fn distinct_named(self, verb: &'static str) -> Bag<T> {
        let answer = |_: &Keep<()>, item, state: Option<Kept<()>>| state.map(|kept| (kept.place(), item));
        self.distinct_as(verb, Stands::First, |item| (item, ()), answer)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// The first record of each key, in order of these records. Holds the keys and the records kept, for each worker,
    /// within the memory budget, and spills beyond it.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let hits = Bag::from_iter([("ann", 1), ("bob", 2), ("ann", 3)]).map(|(who, n)| (who.to_string(), n));
    /// let first = hits.distinct_by(|hit| hit.0.clone());
    /// assert_eq!(first.map(|hit| hit.1).collect()?, [1, 2]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The run fails if a key or a record does not survive being written and read through serde, or does not fit the
    /// budget.
    #[doc(alias("unique", "drop_duplicates"))]
    pub fn distinct_by<K>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Bag<T>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        self.distinct_as("distinct_by", Stands::First, move |item| (key(&item), item), kept)
    }

    /// The last record of each key, in order of these records: a key that comes up again moves to where it does. Holds
    /// what [`distinct_by`](Bag::distinct_by) does; every record is weighed, by writing it to nowhere, when it takes the
    /// place of the one before.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let hits = Bag::from_iter([("ann", 1), ("bob", 2), ("ann", 3)]).map(|(who, n)| (who.to_string(), n));
    /// let last = hits.distinct_last_by(|hit| hit.0.clone());
    /// assert_eq!(last.map(|hit| hit.1).collect()?, [2, 3]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As those of [`distinct_by`](Bag::distinct_by).
    #[doc(alias("unique", "drop_duplicates"))]
    pub fn distinct_last_by<K>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Bag<T>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        self.distinct_as("distinct_last_by", Stands::Last, move |item| (key(&item), item), kept)
    }
}

impl<T: Send + 'static> Bag<T> {
    /// `split` makes a record's key and what is to be kept beside it, `answer` makes a record of both again.
    fn distinct_as<K, V>(
        self,
        verb: &'static str,
        stands: Stands,
        split: impl Fn(T) -> (K, V) + Send + Sync + 'static,
        answer: Answer<K, Keep<V>, T>,
    ) -> Bag<T>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
        V: Serialize + DeserializeOwned + Send + 'static,
    {
        self.wrap(|plan, stage| {
            let mut before = Facts::new();
            plan.describe(&mut before);
            let upstream =
                Box::new(move |run: &_, by: &Absorbing<'_, K, Keep<V>>| plan.run(run, &Keeping { by, split: &split }));
            FoldBy { verb, stage, before, aggregate: Keep::new(stands), upstream, stands, answer }
        })
    }
}

/// The answer where the record is beside its key.
pub(super) fn kept<K, V>(_: &Keep<V>, _: K, state: Option<Kept<V>>) -> Option<(At, V)> {
    state.map(|kept| (kept.place(), kept.value))
}

/// Keeps one record by position.
pub(super) struct Keep<V> {
    stands: Stands,
    _value: std::marker::PhantomData<fn() -> V>,
}

impl<V: Serialize> Keep<V> {
    pub(super) fn new(stands: Stands) -> Keep<V> {
        Keep { stands, _value: std::marker::PhantomData }
    }

    /// Keeps the record at a position if it is the one to be kept so far; `value` makes what is kept of it.
    #[inline]
    pub(super) fn offer(&self, state: &mut Option<Kept<V>>, seq: Seq, at: At, value: impl FnOnce() -> V) {
        if state.as_ref().is_none_or(|kept| self.stands.moves(seq, kept.seq)) {
            let value = value();
            *state = Some(Kept { seq, place: (at.shard, at.byte), heap: heap_of(&value), value });
        }
    }
}

/// The record kept so far.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept<V> {
    seq: Seq,
    place: (u32, u64),
    heap: usize,
    value: V,
}

impl<V> Kept<V> {
    fn place(&self) -> At {
        At { shard: self.place.0, byte: self.place.1 }
    }
}

impl<V: Serialize + DeserializeOwned + Send> Fold for Keep<V> {
    type State = Option<Kept<V>>;
    type Out = Option<V>;

    fn init(&self) -> Self::State {
        None
    }

    fn merge(&self, into: &mut Self::State, from: Self::State) {
        if let Some(from) = from
            && into.as_ref().is_none_or(|kept| self.stands.moves(from.seq, kept.seq))
        {
            *into = Some(from);
        }
    }

    fn finish(&self, state: Self::State) -> Option<V> {
        state.map(|kept| kept.value)
    }

    fn heap_size(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, |kept| kept.heap)
    }
}

/// The absorbing half.
struct Keeping<'a, F, K, V>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    V: Serialize + DeserializeOwned + Send,
{
    by: &'a Absorbing<'a, K, Keep<V>>,
    split: &'a F,
}

impl<T, F, K, V> Fan<T> for Keeping<'_, F, K, V>
where
    T: Send,
    F: Fn(T) -> (K, V) + Send + Sync,
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    V: Serialize + DeserializeOwned + Send,
{
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(KeepingPush { absorber: self.by.absorber(cx), cx, split: self.split })
    }

    fn unwanted(&self) -> bool {
        (self.by.unwanted)()
    }
}

struct KeepingPush<'s, F, K, V>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    V: Serialize + DeserializeOwned + Send,
{
    absorber: Absorber<'s, K, Keep<V>>,
    cx: &'s WorkerCx<'s>,
    split: &'s F,
}

impl<T, F, K, V> Push<T> for KeepingPush<'_, F, K, V>
where
    T: Send,
    F: Fn(T) -> (K, V) + Send + Sync,
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    V: Serialize + DeserializeOwned + Send,
{
    fn begin(&mut self, unit: Unit) -> Flow {
        self.absorber.begin(unit);
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        let by = self.absorber.by;
        self.cx.set_stage(by.stage);
        let (key, value) = (self.split)(item);
        let keep = |state: &mut _, seq| by.aggregate.offer(state, seq, at, || value);
        self.absorber.step(by.hash.hash(&key), Owned(key), keep)
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.absorber.end();
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.absorber.finish()
    }
}
