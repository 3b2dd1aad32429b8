//! `fold`, `fold_by` and `count_by` over borrowed records: nothing is allocated for a record whose key is known.

use crate::agg::{self, Aggregate, Fold};
use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Flow, UnitEnd, WorkerCx};
use crate::error::Result;
use crate::input::{RefFan, RefPush, Scan};
use crate::json::{Json, JsonRef};

use super::by_key::{Absorber, Absorbing, FoldBy};

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

    fn fold_by_as<A>(self, verb: &'static str, key: Box<RefKey>, aggregate: A) -> Bag<(Json, A::Out)>
    where
        A: for<'a> Aggregate<JsonRef<'a>> + Fold<State: 'static, Out: Send + 'static> + 'static,
    {
        let config = self.config().clone();
        let upstream = Box::new(move |run: &_, by: &Absorbing<'_, Json, A>| self.run(run, &ByRef { by, key: &*key }));
        Bag::from_plan(FoldBy { verb, stage: 1, before: vec!["scan".into()], aggregate, upstream })
            .at_depth(1)
            .with(config)
    }
}

struct ByRef<'a, A: Fold> {
    by: &'a Absorbing<'a, Json, A>,
    key: &'a RefKey,
}

impl<A: for<'a> Aggregate<JsonRef<'a>>> RefFan for ByRef<'_, A> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn RefPush + 's> {
        let null = Json::null();
        Box::new(ByRefPush { absorber: self.by.absorber(cx), cx, key: self.key, null })
    }

    fn unwanted(&self) -> bool {
        (self.by.unwanted)()
    }
}

struct ByRefPush<'s, A: Fold> {
    absorber: Absorber<'s, Json, A>,
    cx: &'s WorkerCx<'s>,
    key: &'s RefKey,
    null: Json,
}

impl<A: for<'a> Aggregate<JsonRef<'a>>> RefPush for ByRefPush<'_, A> {
    fn begin(&mut self, unit: Unit) -> Flow {
        self.absorber.begin(unit);
        Flow::Continue(())
    }

    fn push(&mut self, _: At, record: JsonRef<'_>) -> Flow {
        let by = self.absorber.by;
        self.cx.set_stage(by.stage);
        let key = (self.key)(record).unwrap_or(self.null.view());
        let step = |state: &mut _, seq| by.aggregate.step(state, seq, &record);
        self.absorber.step(by.hash.hash(&key), |known| known.view() == key, || key.to_json(), step)
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.absorber.end();
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.absorber.finish()
    }
}
