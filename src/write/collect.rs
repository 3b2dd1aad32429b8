//! `collect`: all records in memory, in record order.

use crate::os::sync::{Mutex, PoisonError};

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Fan, Flow, Push, UnitEnd, WorkerCx};
use crate::error::Result;

impl<T: Send + 'static> Bag<T> {
    /// Collects the records into a vector, in record order. Holds them all: the caller's memory, outside the budget.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::from_iter("abc".chars()).collect()?, ['a', 'b', 'c']);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "compute")]
    pub fn collect(self) -> Result<Vec<T>> {
        self.run(|run, plan, stage| {
            let meter = run.stage(stage, "collect");
            let gather = Gather { units: Mutex::default() };
            plan.run(run, &gather)?;
            let mut units = gather.units.into_inner().unwrap_or_else(PoisonError::into_inner);
            units.sort_by_key(|(unit, _)| *unit);
            let items: Vec<T> = units.into_iter().flat_map(|(_, items)| items).collect();
            meter.records_in.store(items.len() as u64, crate::os::sync::atomic::Ordering::Relaxed);
            Ok(items)
        })
    }
}

struct Gather<T> {
    units: Mutex<Vec<(Unit, Vec<T>)>>,
}

impl<T: Send> Fan<T> for Gather<T> {
    fn worker<'s>(&'s self, _: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(GatherPush { gather: self, items: Vec::new() })
    }
}

struct GatherPush<'s, T> {
    gather: &'s Gather<T>,
    items: Vec<T>,
}

impl<T: Send> Push<T> for GatherPush<'_, T> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, _: At, item: T) -> Flow {
        self.items.push(item);
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        if !self.items.is_empty() {
            let items = std::mem::take(&mut self.items);
            self.gather.units.lock().unwrap_or_else(PoisonError::into_inner).push((end.unit, items));
        }
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
