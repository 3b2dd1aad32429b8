//! Counts what a plan pushes: what `count` is for a plan that knows no shorter way.

use crate::os::sync::atomic::{AtomicU64, Ordering};

use crate::batch::{At, Unit};
use crate::error::Result;

use super::{Fan, Flow, Push, UnitEnd, WorkerCx};

/// Adds up in each worker, and over workers once a unit.
#[derive(Default)]
pub(crate) struct Tally(pub(crate) AtomicU64);

impl<T: Send> Fan<T> for Tally {
    fn worker<'s>(&'s self, _: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(TallyPush { total: &self.0, count: 0 })
    }
}

struct TallyPush<'s> {
    total: &'s AtomicU64,
    count: u64,
}

impl<T> Push<T> for TallyPush<'_> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, _: At, _: T) -> Flow {
        self.count += 1;
        Flow::Continue(())
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.total.fetch_add(std::mem::take(&mut self.count), Ordering::Relaxed);
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
