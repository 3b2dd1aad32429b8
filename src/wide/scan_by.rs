//! `fold_by`, `count_by`, `distinct_by` and `count_distinct` over borrowed records: nothing is allocated for a record whose key is known.

use crate::agg::{self, Aggregate, Fold};
use crate::bag::Bag;
use crate::batch::{At, Seq, Unit};
use crate::engine::{Facts, Flow, UnitEnd, WorkerCx};
use crate::error::Result;
use crate::input::{RefFan, RefPush, Scan};
use crate::json::{Json, JsonRef};

use super::by_key::{Absorber, Absorbing, Answer, FoldBy, Stands, pair};
use super::distinct::{Keep, Kept, kept};

/// Finds the key of a record in the record.
type RefKey = dyn for<'a> Fn(JsonRef<'a>) -> Option<JsonRef<'a>> + Send + Sync;

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
        self.fold_by_as("count_by", Box::new(key), agg::count())
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
        self.fold_by_as("fold_by", Box::new(key), aggregate)
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
        self.by_ref("distinct_by", Box::new(key), Keep::new(Stands::First), step, kept)
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
        self.fold_by_as("count_distinct", Box::new(key), agg::count()).count()
    }

    fn fold_by_as<A>(self, verb: &'static str, key: Box<RefKey>, aggregate: A) -> Bag<(Json, A::Out)>
    where
        A: for<'a> Aggregate<JsonRef<'a>> + Fold<State: 'static, Out: Send + 'static> + 'static,
    {
        let step = |aggregate: &A, state: &mut A::State, (seq, _): (Seq, At), record: JsonRef<'_>| {
            aggregate.step(state, seq, &record)
        };
        self.by_ref(verb, key, aggregate, step, pair)
    }

    fn by_ref<A, U>(
        self,
        verb: &'static str,
        key: Box<RefKey>,
        aggregate: A,
        step: impl for<'a> Fn(&A, &mut A::State, (Seq, At), JsonRef<'a>) + Send + Sync + 'static,
        answer: Answer<Json, A, U>,
    ) -> Bag<U>
    where
        A: Fold<State: 'static> + 'static,
        U: Send + 'static,
    {
        let config = self.config().clone();
        let upstream =
            Box::new(move |run: &_, by: &Absorbing<'_, Json, A>| self.run(run, &ByRef { by, key: &*key, step: &step }));
        let (mut before, stands) = (Facts::new(), Stands::First);
        before.verb("scan");
        Bag::from_plan(FoldBy { verb, stage: 1, before, aggregate, upstream, stands, answer }).at_depth(1).with(config)
    }
}

struct ByRef<'a, A: Fold, F> {
    by: &'a Absorbing<'a, Json, A>,
    key: &'a RefKey,
    step: &'a F,
}

impl<A, F> RefFan for ByRef<'_, A, F>
where
    A: Fold,
    F: for<'a> Fn(&A, &mut A::State, (Seq, At), JsonRef<'a>) + Send + Sync,
{
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn RefPush + 's> {
        let null = Json::null();
        Box::new(ByRefPush { absorber: self.by.absorber(cx), cx, key: self.key, step: self.step, null })
    }

    fn unwanted(&self) -> bool {
        (self.by.unwanted)()
    }
}

struct ByRefPush<'s, A: Fold, F> {
    absorber: Absorber<'s, Json, A>,
    cx: &'s WorkerCx<'s>,
    key: &'s RefKey,
    step: &'s F,
    null: Json,
}

impl<A, F> RefPush for ByRefPush<'_, A, F>
where
    A: Fold,
    F: for<'a> Fn(&A, &mut A::State, (Seq, At), JsonRef<'a>) + Send + Sync,
{
    fn begin(&mut self, unit: Unit) -> Flow {
        self.absorber.begin(unit);
        Flow::Continue(())
    }

    fn push(&mut self, at: At, record: JsonRef<'_>) -> Flow {
        let by = self.absorber.by;
        self.cx.set_stage(by.stage);
        let key = (self.key)(record).unwrap_or(self.null.view());
        let step = |state: &mut _, seq| (self.step)(by.aggregate, state, (seq, at), record);
        self.absorber.step(by.hash.hash(&key), (|known: &Json| known.view() == key, || key.to_json()), step)
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.absorber.end();
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.absorber.finish()
    }
}
