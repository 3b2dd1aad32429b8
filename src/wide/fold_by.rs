//! `fold_by` and `frequencies`: one answer for each key.

use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agg::{self, Aggregate};
use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Facts, Fan, Flow, Push, Stop, UnitEnd, WorkerCx};
use crate::error::Result;
use crate::spill::Owned;

use super::by_key::{Absorber, Absorbing, FoldBy, Stands, pair};

impl<T: Send + 'static> Bag<T> {
    /// Folds the records of each key with an aggregate, or several as a tuple: each key exactly once, in order of its
    /// first record. Holds one state a key and worker within the memory budget, and spills beyond it; the records
    /// themselves are not kept. The aggregate's states must merge exactly (all of [`agg`](crate::agg) but
    /// `sample`, `step_in_order` and a plain `fold_with` do); for others there is
    /// [`fold_by_in_order`](Bag::fold_by_in_order).
    ///
    /// ```
    /// use kitbag::{Bag, agg};
    ///
    /// let hits = Bag::from_iter([("/a", 120), ("/b", 40), ("/a", 80)]);
    /// let by_path = hits.fold_by(|hit| hit.0.to_string(), (agg::count(), agg::mean(|hit: &(&str, u32)| hit.1)));
    /// assert_eq!(by_path.collect()?, [("/a".to_string(), (2, Some(100.0))), ("/b".to_string(), (1, Some(40.0)))]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "foldby")]
    pub fn fold_by<K, A>(self, key: impl Fn(&T) -> K + Send + Sync + 'static, aggregate: A) -> Bag<(K, A::Out)>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
        A: Aggregate<T, State: 'static, Out: Send + 'static> + 'static,
    {
        self.fold_by_as("fold_by", key, aggregate)
    }

    /// Counts the records of each key; see [`fold_by`](Bag::fold_by).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let parity = Bag::range(0..5).count_by(|n| n % 2 == 0);
    /// assert_eq!(parity.collect()?, [(true, 3), (false, 2)]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn count_by<K>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Bag<(K, u64)>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        self.fold_by_as("count_by", key, agg::count())
    }

    fn fold_by_as<K, A>(
        self,
        verb: &'static str,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
        aggregate: A,
    ) -> Bag<(K, A::Out)>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
        A: Aggregate<T, State: 'static, Out: Send + 'static> + 'static,
    {
        self.wrap(|plan, stage| {
            let mut before = Facts::new();
            plan.describe(&mut before);
            let upstream =
                Box::new(move |run: &_, by: &Absorbing<'_, K, A>| plan.run(run, &ByClosure { by, key: &key }));
            FoldBy { verb, stage, before, aggregate, upstream, stands: Stands::First, answer: pair }
        })
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// Folds the records of each key in record order, for aggregates whose states do not merge exactly: a sum of floats
    /// from left to right, a text that grows, a state machine. The records are stored as in
    /// [`group_by`](Bag::group_by), and stepped one by one; holds one state at a time.
    ///
    /// ```
    /// use kitbag::{Bag, agg};
    ///
    /// let words = Bag::from_iter(["to", "be", "or", "not"]).map(String::from);
    /// let joined = agg::step_in_order(String::new, |all: &mut String, word: &String| all.push_str(word));
    /// let by_length = words.fold_by_in_order(|word| word.len(), joined);
    /// assert_eq!(by_length.collect()?, [(2, "tobeor".to_string()), (3, "not".to_string())]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn fold_by_in_order<K, A>(self, key: impl Fn(&T) -> K + Send + Sync + 'static, aggregate: A) -> Bag<(K, A::Out)>
    where
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
        A: Aggregate<T, Out: Send + 'static> + 'static,
    {
        self.group_by(key).narrow("fold_in_order", move |at, (key, group), down| match group.aggregate(&aggregate) {
            Ok(answer) => down.push(at, (key, answer)),
            Err(error) => Flow::Break(Stop::from(error)),
        })
    }
}

impl<T: Hash + Eq + Clone + Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// Counts equal records: each once, in order of its first occurrence, with how often it occurs. Holds the distinct
    /// records within the memory budget, and spills beyond it.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let letters = Bag::from_iter("banana".chars()).frequencies();
    /// assert_eq!(letters.collect()?, [('b', 1), ('a', 3), ('n', 2)]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn frequencies(self) -> Bag<(T, u64)> {
        self.wrap(|plan, stage| {
            let mut before = Facts::new();
            plan.describe(&mut before);
            let upstream = Box::new(move |run: &_, by: &Absorbing<'_, T, agg::Count>| plan.run(run, &ByItself { by }));
            let (verb, stands) = ("frequencies", Stands::First);
            FoldBy { verb, stage, before, aggregate: agg::count(), upstream, stands, answer: pair }
        })
    }
}

struct ByClosure<'a, F, K, A>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: agg::Fold,
{
    by: &'a Absorbing<'a, K, A>,
    key: &'a F,
}

impl<T, F, K, A> Fan<T> for ByClosure<'_, F, K, A>
where
    T: Send,
    F: Fn(&T) -> K + Send + Sync,
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Aggregate<T>,
{
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(ByClosurePush { absorber: self.by.absorber(cx), cx, key: self.key })
    }

    fn unwanted(&self) -> bool {
        (self.by.unwanted)()
    }
}

struct ByClosurePush<'s, F, K, A>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: agg::Fold,
{
    absorber: Absorber<'s, K, A>,
    cx: &'s WorkerCx<'s>,
    key: &'s F,
}

impl<T, F, K, A> Push<T> for ByClosurePush<'_, F, K, A>
where
    T: Send,
    F: Fn(&T) -> K + Send + Sync,
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Aggregate<T>,
{
    fn begin(&mut self, unit: Unit) -> Flow {
        self.absorber.begin(unit);
        Flow::Continue(())
    }

    fn push(&mut self, _: At, item: T) -> Flow {
        let by = self.absorber.by;
        self.cx.set_stage(by.stage);
        let key = (self.key)(&item);
        let hash = by.hash.hash(&key);
        self.absorber.step(hash, Owned(key), |state, seq| by.aggregate.step(state, seq, &item))
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.absorber.end();
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.absorber.finish()
    }
}

struct ByItself<'a, T>
where
    T: Hash + Eq + Serialize + DeserializeOwned + Send,
{
    by: &'a Absorbing<'a, T, agg::Count>,
}

impl<T: Hash + Eq + Clone + Serialize + DeserializeOwned + Send> Fan<T> for ByItself<'_, T> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(ByItselfPush { absorber: self.by.absorber(cx), cx })
    }

    fn unwanted(&self) -> bool {
        (self.by.unwanted)()
    }
}

struct ByItselfPush<'s, T>
where
    T: Hash + Eq + Serialize + DeserializeOwned + Send,
{
    absorber: Absorber<'s, T, agg::Count>,
    cx: &'s WorkerCx<'s>,
}

impl<T: Hash + Eq + Clone + Serialize + DeserializeOwned + Send> Push<T> for ByItselfPush<'_, T> {
    fn begin(&mut self, unit: Unit) -> Flow {
        self.absorber.begin(unit);
        Flow::Continue(())
    }

    fn push(&mut self, _: At, item: T) -> Flow {
        let by = self.absorber.by;
        self.cx.set_stage(by.stage);
        let step = |state: &mut _, seq| by.aggregate.step(state, seq, &item);
        self.absorber.step(by.hash.hash(&item), (|known: &T| *known == item, || item.clone()), step)
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.absorber.end();
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.absorber.finish()
    }
}
