//! A scan that becomes a bag: a step makes owned items of borrowed records.

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Facts, Fan, Flow, Plan, Push, Run, UnitEnd, WorkerCx};
use crate::error::Result;
use crate::json::{Json, JsonRef};

use super::scan::{RefFan, RefPush, Scan};

impl Scan {
    /// Applies `f` to each record. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Scan;
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("a.jsonl");
    /// # std::fs::write(&path, "{\"user\": {\"id\": 7}}\n{}\n")?;
    /// let ids = Scan::new(&path).map(|record| record.get("user").and_then(|user| user.get("id")?.as_u64()));
    /// assert_eq!(ids.collect()?, [Some(7), None]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<U: Send + 'static>(self, f: impl for<'a> Fn(JsonRef<'a>) -> U + Send + Sync + 'static) -> Bag<U> {
        self.into_bag(move |at, record, down| down.push(at, f(record)))
    }

    /// Applies `f` to each record and keeps what is `Some`. Streams, keeps order.
    pub fn filter_map<U: Send + 'static>(
        self,
        f: impl for<'a> Fn(JsonRef<'a>) -> Option<U> + Send + Sync + 'static,
    ) -> Bag<U> {
        self.into_bag(move |at, record, down| match f(record) {
            Some(item) => down.push(at, item),
            None => Flow::Continue(()),
        })
    }

    /// The records themselves, owned: one allocation each.
    pub fn records(self) -> Bag<Json> {
        self.map(|record| record.to_json())
    }

    /// Counts the records. Streams.
    pub fn count(self) -> Result<u64> {
        self.into_bag(|at, _, down| down.push(at, ())).count()
    }

    fn into_bag<U: Send + 'static>(
        self,
        step: impl for<'a> Fn(At, JsonRef<'a>, &mut dyn Push<U>) -> Flow + Send + Sync + 'static,
    ) -> Bag<U> {
        let config = self.config.clone();
        Bag::from_plan(ScanPlan { scan: self, step: Box::new(step) }).with(config)
    }
}

type RefStep<U> = dyn for<'a> Fn(At, JsonRef<'a>, &mut dyn Push<U>) -> Flow + Send + Sync;

/// A scan with the step that makes owned records.
struct ScanPlan<U> {
    scan: Scan,
    step: Box<RefStep<U>>,
}

impl<U: Send + 'static> Plan<U> for ScanPlan<U> {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<U>) -> Result<()> {
        let step = &*self.step;
        self.scan.run(run, &StepFan { step, down })
    }

    fn whole_shards(&mut self) {
        self.scan.whole = true;
    }

    fn describe(&self, to: &mut Facts) {
        to.verb("scan");
    }
}

struct StepFan<'a, U> {
    step: &'a RefStep<U>,
    down: &'a dyn Fan<U>,
}

impl<U: Send> RefFan for StepFan<'_, U> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn RefPush + 's> {
        Box::new(StepPush { step: self.step, down: self.down.worker(cx) })
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }
}

struct StepPush<'s, U> {
    step: &'s RefStep<U>,
    down: Box<dyn Push<U> + 's>,
}

impl<U: Send> RefPush for StepPush<'_, U> {
    fn begin(&mut self, unit: Unit) -> Flow {
        self.down.begin(unit)
    }

    fn push(&mut self, at: At, record: JsonRef<'_>) -> Flow {
        (self.step)(at, record, &mut *self.down)
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}
