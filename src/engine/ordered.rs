//! Verbs that see the records in order on one thread and need not drain them (`take`, …): a contract of their own. What
//! comes before runs as a phase beside the one that comes after, and the verb's step sits between the two, in the
//! reader of the second. Each phase has its own gate, so neither can hold what the other waits for.

use crate::os::sync::{Arc, Mutex, PoisonError};

use crate::batch::{At, Unit};
use crate::error::{Error, ErrorKind, Result};
use crate::shuffle::{EdgeMeter, Inlet, Outlet, Permit, Sequencer, edge};

use super::{
    Ended, Entry, Facts, Fan, Feed, Feeder, Flow, Halted, InOrder, Pass, Phase, Plan, Push, Run, StageMeter, Stop,
    UnitEnd, Work, WorkerCx,
};

use crate::os::sync::atomic::{AtomicBool, Ordering};

/// A plan with an ordered step behind it.
pub(crate) struct Ordered<T: Send, U> {
    plan: Box<dyn Plan<T>>,
    stage: u32,
    verb: &'static str,
    step: Box<dyn InOrder<T, U>>,
}

impl<T: Send, U> Ordered<T, U> {
    pub(crate) fn new(
        plan: Box<dyn Plan<T>>,
        stage: u32,
        verb: &'static str,
        step: impl InOrder<T, U> + 'static,
    ) -> Ordered<T, U> {
        Ordered { plan, stage, verb, step: Box::new(step) }
    }
}

impl<T: Send + 'static, U: Send + 'static> Plan<U> for Ordered<T, U> {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<U>) -> Result<()> {
        let Ordered { plan, stage, verb, step } = *self;
        let meter = run.stage(stage, verb);
        let enough = AtomicBool::new(step.satisfied());
        if enough.load(Ordering::Relaxed) {
            // Nothing is read, and what is wrong with the input is no error.
            let (source, gone) = (Mutex::new(None), AtomicBool::new(true));
            let feed = OrderedFeed::<T, U> { source, meter: meter.clone(), enough: &enough, gone: &gone, down };
            return Phase::run(run, &meter, &feed).map(drop);
        }
        let gone = AtomicBool::new(false);
        let (outlet, inlet) = edge::<Batch<T>>(&run.os, 2, &Arc::new(EdgeMeter::default()));
        run.os.scope(|scope| {
            let gone = &gone;
            let hand = Hand { outlet: Mutex::new(outlet), sequencer: Sequencer::new(true), gone, after: down };
            let upstream = run.os.spawn_scoped(scope, "kitbag-ordered".into(), move || plan.run(run, &hand));
            let upstream = upstream.map_err(|error| {
                Error::new(ErrorKind::Limit, format!("cannot start a thread: {error}")).caused_by(error)
            })?;
            let source = Mutex::new(Some((inlet, step)));
            let feed = OrderedFeed { source, meter: meter.clone(), enough: &enough, gone, down };
            let after = Phase::run(run, &meter, &feed);
            // With the inlet gone the phase before cannot send any more, and ends.
            drop(feed);
            let before = upstream.join().unwrap_or_else(|_| Err(Error::internal("a phase panicked")));
            if enough.load(Ordering::Acquire) {
                run.trail.cut();
            }
            // Whatever failed after the step failed at an earlier record than what failed before it.
            match after? {
                // Nobody wanted what comes after, so what is wrong with it is no error.
                Ended::Enough => Ok(()),
                Ended::Complete if enough.load(Ordering::Acquire) => Ok(()),
                Ended::Complete => before,
            }
        })
    }

    fn describe(&self, to: &mut Facts) {
        self.plan.describe(to);
        to.between(self.verb);
    }
}

/// A unit's records in order, on their way to the step.
type Batch<T> = (Vec<Entry<T>>, Option<Permit>);

/// The end of the phase before: units are put in order and handed over. A slow step makes the sender wait, and the
/// readers behind it at their gate.
struct Hand<'a, T, U> {
    outlet: Mutex<Box<dyn Outlet<Batch<T>>>>,
    sequencer: Sequencer<Batch<T>>,
    /// The phase after takes no more.
    gone: &'a AtomicBool,
    after: &'a dyn Fan<U>,
}

impl<T: Send, U> Fan<T> for Hand<'_, T, U> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(HandPush { hand: self, cx, items: Vec::new() })
    }

    fn unwanted(&self) -> bool {
        self.gone.load(Ordering::Acquire) || self.after.unwanted()
    }
}

struct HandPush<'s, T, U> {
    hand: &'s Hand<'s, T, U>,
    cx: &'s WorkerCx<'s>,
    items: Vec<Entry<T>>,
}

impl<T: Send, U> Push<T> for HandPush<'_, T, U> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        // Rejects go along, since how many count is known where the step ends the run.
        self.items.extend(self.cx.take_rejects().map(Entry::Rejects));
        self.items.push(Entry::Item(at, item));
        Flow::Continue(())
    }

    fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        self.items.extend(self.cx.end_rejects().map(Entry::Rejects));
        Entry::cover(&self.items, &permit);
        let (fence, items) = (&self.cx.phase.fence, std::mem::take(&mut self.items));
        self.hand.sequencer.submit(unit, last, (items, permit), |unit, batch| {
            if !fence.allows(unit) {
                return false;
            }
            let outlet = self.hand.outlet.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = outlet.send(batch.0.len() as u64, batch).is_ok();
            if !sent {
                fence.lower(unit, u64::MAX, Stop::Enough);
            }
            sent
        });
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

type Source<T, U> = (Box<dyn Inlet<Batch<T>>>, Box<dyn InOrder<T, U>>);

/// The beginning of the phase after: one task, whose reader takes the steps.
struct OrderedFeed<'a, T, U> {
    source: Mutex<Option<Source<T, U>>>,
    meter: Arc<StageMeter>,
    enough: &'a AtomicBool,
    gone: &'a AtomicBool,
    down: &'a dyn Fan<U>,
}

impl<T: Send, U: Send + 'static> Feed<Vec<Entry<U>>> for OrderedFeed<'_, T, U> {
    fn tasks(&self) -> u32 {
        1
    }

    fn feed(&self, _task: u32, out: &mut Feeder<'_, Vec<Entry<U>>>) -> Result<()> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A halt is no error: nobody wants more.
        let _ = self.steps(source, out);
        self.gone.store(true, Ordering::Release);
        Ok(())
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Vec<Entry<U>>> + 's> {
        Box::new(OrderedWork { cx, meter: &self.meter, gone: self.gone, down: self.down.worker(cx), count: 0 })
    }
}

impl<T: Send, U: Send + 'static> OrderedFeed<'_, T, U> {
    fn steps(&self, source: Option<Source<T, U>>, out: &mut Feeder<'_, Vec<Entry<U>>>) -> Result<(), Halted> {
        if let Some((inlet, mut step)) = source {
            while let Some((items, permit)) = inlet.recv() {
                let (mut count, mut lines) = (0, 0);
                let mut stepped = Vec::with_capacity(items.len());
                let mut pass = Pass::More;
                for entry in items {
                    match entry {
                        Entry::Item(at, item) => {
                            count += 1;
                            pass = step.step(at, item, &mut stepped);
                        }
                        Entry::Rejects(rejects) => {
                            lines += rejects.weight();
                            stepped.push(Entry::Rejects(rejects));
                        }
                    }
                    if pass == Pass::Enough {
                        self.enough.store(true, Ordering::Release);
                        break;
                    }
                }
                self.meter.records_in.fetch_add(count, Ordering::Relaxed);
                let weight = stepped.len() * 64 + lines;
                let admitted = out.admit(weight)?;
                drop(permit);
                out.emit(stepped, weight, admitted, false)?;
                if pass == Pass::Enough {
                    break;
                }
            }
        }
        let admitted = out.admit(0)?;
        out.emit(Vec::new(), 0, admitted, true)
    }
}

struct OrderedWork<'s, U> {
    cx: &'s WorkerCx<'s>,
    meter: &'s StageMeter,
    /// Set when this phase stops: the one before may be waiting for input that nobody wants.
    gone: &'s AtomicBool,
    down: Box<dyn Push<U> + 's>,
    count: u64,
}

impl<U: Send> OrderedWork<'_, U> {
    fn items(&mut self, unit: Unit, items: Vec<Entry<U>>) -> Flow {
        self.down.begin(unit)?;
        for entry in items {
            match entry {
                Entry::Item(at, item) => {
                    self.cx.set_at(at);
                    self.count += 1;
                    self.down.push(at, item)?;
                }
                Entry::Rejects(rejects) => self.cx.adopt(rejects),
            }
        }
        Flow::Continue(())
    }
}

impl<U: Send> Work<Vec<Entry<U>>> for OrderedWork<'_, U> {
    fn unit(&mut self, unit: Unit, items: Vec<Entry<U>>) -> Flow {
        let flow = self.items(unit, items);
        if flow.is_break() {
            self.gone.store(true, Ordering::Release);
        }
        flow
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.meter.records_out.fetch_add(std::mem::take(&mut self.count), Ordering::Relaxed);
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}
