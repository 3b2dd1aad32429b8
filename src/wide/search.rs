//! `any` and `all`: answers that end the run early.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicBool, Ordering};

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Fan, Flow, Push, StageMeter, Stop, UnitEnd, WorkerCx};
use crate::error::Result;

impl<T: Send + 'static> Bag<T> {
    /// Whether `wanted` holds for some record. Streams, and stops reading at the first one; what is wrong with records
    /// after it is no error.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert!(Bag::range(0..i64::MAX).any(|n| *n > 5000)?);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn any(self, wanted: impl Fn(&T) -> bool + Send + Sync) -> Result<bool> {
        self.search("any", &wanted)
    }

    /// Whether `wanted` holds for every record. Streams, and stops reading at the first one for which it does not.
    pub fn all(self, wanted: impl Fn(&T) -> bool + Send + Sync) -> Result<bool> {
        self.search("all", &|item| !wanted(item)).map(|found| !found)
    }

    fn search(self, verb: &str, wanted: &(dyn Fn(&T) -> bool + Send + Sync)) -> Result<bool> {
        self.run(|run, plan, stage| {
            let fan = Search { wanted, found: AtomicBool::new(false), meter: run.stage(stage, verb), stage };
            plan.run(run, &fan)?;
            Ok(fan.found.into_inner())
        })
    }
}

struct Search<'a, T> {
    wanted: &'a (dyn Fn(&T) -> bool + Send + Sync),
    found: AtomicBool,
    meter: Arc<StageMeter>,
    stage: u32,
}

impl<T: Send> Fan<T> for Search<'_, T> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(SearchPush { search: self, cx, count: 0 })
    }
}

struct SearchPush<'s, T> {
    search: &'s Search<'s, T>,
    cx: &'s WorkerCx<'s>,
    count: u64,
}

impl<T: Send> Push<T> for SearchPush<'_, T> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, _: At, item: T) -> Flow {
        self.count += 1;
        self.cx.set_stage(self.search.stage);
        match (self.search.wanted)(&item) {
            true => {
                self.search.found.store(true, Ordering::Relaxed);
                Flow::Break(Stop::Enough)
            }
            false => Flow::Continue(()),
        }
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.search.meter.records_in.fetch_add(std::mem::take(&mut self.count), Ordering::Relaxed);
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
