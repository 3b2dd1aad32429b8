//! `fold_by`, `try_fold_by`, `fold_by_keys`, `count_by`, `distinct_by` and `count_distinct` over borrowed records: nothing
//! is allocated for a record whose key is known.

use std::error::Error as StdError;

use crate::agg::{self, Aggregate, Fold};
use crate::bag::Bag;
use crate::batch::{At, Seq};
use crate::engine::Facts;
use crate::error::Result;
use crate::input::Scan;
use crate::json::{Json, JsonRef};

use super::by_key::{Absorbing, Answer, FoldBy, Stands, pair};
use super::by_ref::{ByRef, RefKeys};
use super::distinct::{Keep, Kept, kept};
use super::keys::Keys;

impl Scan {
    /// Counts the records of each key: each key exactly once, in order of its first record. `key` points at a value in
    /// the record; `None` counts as `null`. Keys are equal by value (`1`, `1.0` and `1e0` are one) and come out as the
    /// first record spelt them. Holds one count a key and worker within the memory budget, and spills beyond it.
    ///
    /// ```
    /// use kitbag::{Json, Scan};
    ///
    /// let methods = Scan::new("data/web").count_by(|hit| hit.get("method")).collect()?;
    /// assert!(methods.iter().any(|(method, _)| *method == Json::from("GET")));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn count_by(
        self,
        key: impl for<'a> Fn(JsonRef<'a>) -> Option<JsonRef<'a>> + Send + Sync + 'static,
    ) -> Bag<(Json, u64)> {
        self.fold_by_as("count_by", Box::new(move |record| Ok([key(record)])), agg::count(), one)
    }

    /// Folds the records of each key with an aggregate; keys as in [`count_by`](Scan::count_by), aggregates as in
    /// [`Bag::fold_by`].
    ///
    /// ```
    /// use kitbag::{JsonRef, Scan, agg};
    ///
    /// let bytes = agg::sum(|hit: &JsonRef<'_>| hit.get("bytes").and_then(|bytes| bytes.as_u64()).unwrap_or(0));
    /// let by_status = Scan::new("data/web").fold_by(|hit| hit.get("status"), (agg::count(), bytes));
    /// assert!(by_status.count()? > 1);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn fold_by<A>(
        self,
        key: impl for<'a> Fn(JsonRef<'a>) -> Option<JsonRef<'a>> + Send + Sync + 'static,
        aggregate: A,
    ) -> Bag<(Json, A::Out)>
    where
        A: for<'a> Aggregate<JsonRef<'a>> + Fold<State: 'static, Out: Send + 'static> + 'static,
    {
        self.fold_by_as("fold_by", Box::new(move |record| Ok([key(record)])), aggregate, one)
    }

    /// As [`fold_by`](Scan::fold_by), with a key that a record may refuse to have: an error makes the record a bad one, as
    /// in [`Bag::try_map`].
    ///
    /// ```
    /// use kitbag::{Scan, agg};
    ///
    /// let by_status = Scan::new("data/web").try_fold_by(
    ///     |hit| hit.get("status").map(Some).ok_or("expected a status"),
    ///     agg::count(),
    /// );
    /// assert!(by_status.count()? > 1);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn try_fold_by<A, E>(
        self,
        key: impl for<'a> Fn(JsonRef<'a>) -> Result<Option<JsonRef<'a>>, E> + Send + Sync + 'static,
        aggregate: A,
    ) -> Bag<(Json, A::Out)>
    where
        A: for<'a> Aggregate<JsonRef<'a>> + Fold<State: 'static, Out: Send + 'static> + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let key: Box<RefKeys<1>> = Box::new(move |record| match key(record) {
            Ok(key) => Ok([key]),
            Err(error) => Err(error.into()),
        });
        self.fold_by_as("try_fold_by", key, aggregate, one)
    }

    /// The first record of each key, in order of these records; keys as in [`count_by`](Scan::count_by). Only records that
    /// are kept are copied. Holds the keys and the records kept, for each worker, within the memory budget, and spills
    /// beyond it.
    ///
    /// ```
    /// use kitbag::Scan;
    ///
    /// let clients = Scan::new("data/web").distinct_by(|hit| hit.get("client"));
    /// assert!(clients.count()? > 1);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias("unique", "drop_duplicates"))]
    pub fn distinct_by(
        self,
        key: impl for<'a> Fn(JsonRef<'a>) -> Option<JsonRef<'a>> + Send + Sync + 'static,
    ) -> Bag<Json> {
        let step = |keep: &Keep<Json>, state: &mut Option<Kept<Json>>, (seq, at): (Seq, At), record: JsonRef<'_>| {
            keep.offer(state, seq, at, || record.to_json());
        };
        self.by_ref("distinct_by", Box::new(move |record| Ok([key(record)])), Keep::new(Stands::First), step, kept)
    }

    /// The number of different keys, exactly; keys as in [`count_by`](Scan::count_by). Nothing is allocated for a record
    /// whose key is known. Holds the keys, for each worker, within the memory budget, and spills beyond it.
    ///
    /// ```
    /// use kitbag::Scan;
    ///
    /// let clients = Scan::new("data/web").count_distinct(|hit| hit.get("client"))?;
    /// assert_eq!(clients, Scan::new("data/web").distinct_by(|hit| hit.get("client")).count()?);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "nunique")]
    pub fn count_distinct(
        self,
        key: impl for<'a> Fn(JsonRef<'a>) -> Option<JsonRef<'a>> + Send + Sync + 'static,
    ) -> Result<u64> {
        self.fold_by_as("count_distinct", Box::new(move |record| Ok([key(record)])), agg::count(), one).count()
    }

    /// Folds the records of each key of several parts; all else is as in [`fold_by`](Scan::fold_by).
    ///
    /// ```
    /// use kitbag::{Scan, agg};
    ///
    /// let answers = Scan::new("data/web").fold_by_keys(|hit| [hit.get("method"), hit.get("status")], agg::count());
    /// for ([method, status], count) in answers.collect()? {
    ///     println!("{count} {method} {status}");
    /// }
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn fold_by_keys<const N: usize, A>(
        self,
        keys: impl for<'a> Fn(JsonRef<'a>) -> [Option<JsonRef<'a>>; N] + Send + Sync + 'static,
        aggregate: A,
    ) -> Bag<([Json; N], A::Out)>
    where
        A: for<'a> Aggregate<JsonRef<'a>> + Fold<State: 'static, Out: Send + 'static> + 'static,
    {
        self.fold_by_as("fold_by_keys", Box::new(move |record| Ok(keys(record))), aggregate, all)
    }

    fn fold_by_as<A, U: Send + 'static, const N: usize>(
        self,
        verb: &'static str,
        keys: Box<RefKeys<N>>,
        aggregate: A,
        answer: Answer<Keys<N>, A, U>,
    ) -> Bag<U>
    where
        A: for<'a> Aggregate<JsonRef<'a>> + Fold<State: 'static, Out: Send + 'static> + 'static,
    {
        let step = |aggregate: &A, state: &mut A::State, (seq, _): (Seq, At), record: JsonRef<'_>| {
            aggregate.step(state, seq, &record)
        };
        self.by_ref(verb, keys, aggregate, step, answer)
    }

    fn by_ref<A, U, const N: usize>(
        self,
        verb: &'static str,
        keys: Box<RefKeys<N>>,
        aggregate: A,
        step: impl for<'a> Fn(&A, &mut A::State, (Seq, At), JsonRef<'a>) + Send + Sync + 'static,
        answer: Answer<Keys<N>, A, U>,
    ) -> Bag<U>
    where
        A: Fold<State: 'static> + 'static,
        U: Send + 'static,
    {
        let config = self.config().clone();
        let upstream = Box::new(move |run: &_, by: &Absorbing<'_, Keys<N>, A>| {
            self.run(run, &ByRef { by, keys: &*keys, step: &step })
        });
        let (mut before, stands) = (Facts::new(), Stands::First);
        before.verb("scan");
        Bag::from_plan(FoldBy { verb, stage: 1, before, aggregate, upstream, stands, answer }).at_depth(1).with(config)
    }
}

/// The only part of a key, with the answer of an aggregate.
fn one<A: Fold>(aggregate: &A, Keys([key]): Keys<1>, state: A::State) -> Option<(At, (Json, A::Out))> {
    pair(aggregate, key, state)
}

/// All parts of a key, with the answer of an aggregate.
#[expect(clippy::type_complexity, reason = "an answer as every verb has it, with parts for the key")]
fn all<A: Fold, const N: usize>(
    aggregate: &A,
    Keys(parts): Keys<N>,
    state: A::State,
) -> Option<(At, ([Json; N], A::Out))> {
    pair(aggregate, parts, state)
}
