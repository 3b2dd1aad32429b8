//! What the emitting halves of wide verbs share: the steps between the last record that a store takes and the verbs behind.
//! Whatever fails there, a caller's closure included, names the verb.

use crate::os::sync::atomic::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::batch::{At, Unit};
use crate::engine::{Fan, Feed, Flow, Phase, Push, Run, StageMeter, Stop, UnitEnd, WorkerCx, panic_error};
use crate::error::{Error, Result};
use crate::spill::Space;

/// Runs what a store does on the run's own thread, before the first record or after the last one.
pub(super) fn in_stage<R>(meter: &StageMeter, work: impl FnOnce() -> Result<R>) -> Result<R> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|payload| Err(panic_error(&*payload, &meter.name)))
        .map_err(|error| error.in_stage(meter.name.clone()))
}

/// Runs the phase whose source is the store that wrote to this space.
pub(super) fn emit<B: Send + 'static>(run: &Run, meter: &StageMeter, space: &Space, feed: &dyn Feed<B>) -> Result<()> {
    let emitted = Phase::run(run, meter, feed);
    meter.spilled_in(space);
    emitted.map(drop)
}

/// A worker's way from the store to the verbs behind.
pub(super) struct Emitter<'s, T> {
    cx: &'s WorkerCx<'s>,
    meter: &'s StageMeter,
    down: Box<dyn Push<T> + 's>,
    count: u64,
}

impl<'s, T> Emitter<'s, T> {
    pub(super) fn new(cx: &'s WorkerCx<'s>, meter: &'s StageMeter, down: &'s dyn Fan<T>) -> Emitter<'s, T> {
        Emitter { cx, meter, down: down.worker(cx), count: 0 }
    }

    pub(super) fn begin(&mut self, unit: Unit) -> Flow {
        self.down.begin(unit)
    }

    /// Makes the record at a place and hands it on: what panics in the making is this stage's.
    pub(super) fn emit(&mut self, at: At, make: impl FnOnce() -> Result<T>) -> Flow {
        self.emit_placed(at, || make().map(|item| (at, item)))
    }

    /// Like `emit`, where the record's own place is known only when it is made.
    pub(super) fn emit_placed(&mut self, at: At, make: impl FnOnce() -> Result<(At, T)>) -> Flow {
        self.cx.set_stage(self.meter.number);
        self.cx.set_at(at);
        match make() {
            Ok((at, item)) => {
                self.cx.set_at(at);
                self.count += 1;
                self.down.push(at, item)
            }
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn fail(&self, error: Error) -> Flow {
        Flow::Break(Stop::from(error.in_stage(self.meter.name.clone())))
    }

    pub(super) fn end(&mut self, end: UnitEnd) -> Flow {
        self.meter.records_out.fetch_add(std::mem::take(&mut self.count), Ordering::Relaxed);
        self.down.end(end)
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}
