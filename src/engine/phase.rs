//! One phase: as many readers as threads, as many workers, one gate, one edge. All threads are joined before it
//! returns; it is complete only if every one of them ended without an error and the edge's two counts agree.

use crate::os::sync::{Arc, atomic::AtomicU32, atomic::Ordering};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::batch::Unit;
use crate::config::BadRecords;
use crate::error::{Error, ErrorKind, Result, escape};
use crate::shuffle::{Gate, Inlet, Outlet, Permit, Sequencer, edge};

use super::{Feed, Fence, Flow, Rejects, Run, StageMeter, Stop, UnitEnd, WorkerCx};

/// What the workers of a running phase share.
#[derive(Debug)]
pub(crate) struct Phase<'r> {
    pub(crate) run: &'r Run,
    pub(crate) fence: Arc<Fence>,
    /// The account of a unit. What waits for its turn holds the unit's permit, so that the gate bounds it.
    pub(crate) rejects: Sequencer<Option<(Rejects, Permit)>>,
}

struct Message<B> {
    unit: Unit,
    last: bool,
    permit: Permit,
    body: B,
}

/// A reader's way into the phase, for one task.
pub(crate) struct Feeder<'p, B> {
    phase: &'p Phase<'p>,
    gate: &'p Arc<Gate>,
    outlet: &'p dyn Outlet<Message<B>>,
    feed: &'p dyn Feed<B>,
    next: Unit,
}

/// How a phase without an error ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Every record went through.
    Complete,
    /// Nobody wanted the rest.
    Enough,
}

/// The phase wants no more of this task.
#[derive(Debug)]
pub(crate) struct Halted;

impl<B: Send> Feeder<'_, B> {
    /// Asks to hold `bytes` more; waits for its turn.
    pub(crate) fn admit(&self, bytes: usize) -> Result<Permit, Halted> {
        let halted = || !self.phase.fence.allows(self.next) || self.feed.unwanted();
        self.gate.admit(self.next.task, bytes as u64, halted).ok_or(Halted)
    }

    /// Sends the next unit of the task; exactly the final one is `last`.
    pub(crate) fn emit(&mut self, body: B, bytes: usize, permit: Permit, last: bool) -> Result<(), Halted> {
        let unit = self.next;
        if !self.phase.fence.allows(unit) {
            return Err(Halted);
        }
        self.next.no += 1;
        self.outlet.send(bytes as u64, Message { unit, last, permit, body }).map_err(|_| Halted)
    }

    pub(crate) fn run(&self) -> &Run {
        self.phase.run
    }

    /// Where the phase ends, for those who wait for what this task is made of.
    pub(crate) fn fence(&self) -> Arc<Fence> {
        self.phase.fence.clone()
    }

    /// Whether the run was cancelled or needs nothing more of this task.
    pub(crate) fn halted(&self) -> bool {
        let phase = self.phase;
        !phase.fence.allows(self.next) || phase.run.settings.cancel.is_cancelled() || self.feed.unwanted()
    }
}

impl<'r> Phase<'r> {
    /// Runs a source into the workers that it opens.
    pub(crate) fn run<B: Send + 'static>(run: &'r Run, source: &StageMeter, feed: &dyn Feed<B>) -> Result<Ended> {
        run.quarantine.begin()?;
        let settings = &run.settings;
        let (threads, block) = (settings.threads, settings.block as u64);
        // What is in flight; the oldest task's reserve lets its reader, the edge and the workers be busy with it alone.
        let gate = Gate::new(settings.gate, (threads as u64 + 2) * 2 * block, &settings.cancel);
        let phase =
            Phase { run, fence: Arc::new(Fence::new()), rejects: Sequencer::new(true).starting_at(run.tasks_before) };
        let next_task = AtomicU32::new(run.tasks_before);
        let (outlet, inlet) = edge::<Message<B>>(&run.os, 2 * threads, &source.edge);
        run.os.scope(|scope| {
            let (phase, gate, next_task) = (&phase, &gate, &next_task);
            let start = || {
                for reader in 0..threads {
                    let outlet = outlet.another();
                    let body = move || read(phase, gate, &*outlet, feed, next_task, &source.name);
                    run.os.spawn_scoped(scope, format!("kitbag-read-{reader}"), body)?;
                }
                for worker in 0..threads {
                    let inlet = inlet.another();
                    let body = move || work(phase, gate, &*inlet, feed);
                    run.os.spawn_scoped(scope, format!("kitbag-work-{worker}"), body)?;
                }
                Ok::<(), std::io::Error>(())
            };
            if let Err(error) = start() {
                // Those that have started do no work for nothing.
                let text = format!("cannot start {} threads: {error}", 2 * threads);
                phase.fence.bar(Stop::from(Error::new(ErrorKind::Limit, text).caused_by(error)));
                gate.shut();
            }
            drop((outlet, inlet));
        });
        let stopped = phase.fence.stopped();
        if stopped {
            run.trail.cut();
        }
        let rejects_balance = phase.rejects.balanced();
        let cancelled = settings.cancel.is_cancelled();
        // A store that has seen the token fails where a record is in hand, which has nothing to do with it.
        match phase.fence.take_error() {
            Some(error) if !(cancelled && error.kind() == ErrorKind::Cancelled) => return Err(error),
            _ if cancelled => return Err(Error::cancelled()),
            _ => {}
        }
        if !stopped && (!source.edge.balanced() || !rejects_balance) {
            return Err(Error::internal(format!("the edge after stage {} does not balance", source.name)));
        }
        Ok(if stopped { Ended::Enough } else { Ended::Complete })
    }
}

/// A reader: takes tasks in order until there are no more, or none is wanted.
fn read<'p, B: Send>(
    phase: &'p Phase<'p>,
    gate: &'p Arc<Gate>,
    outlet: &'p dyn Outlet<Message<B>>,
    feed: &'p dyn Feed<B>,
    next_task: &AtomicU32,
    stage: &str,
) {
    let before = phase.run.tasks_before;
    loop {
        // Tasks must reach the gate in order: the claim and the gate's entry are one step for the oldest to be right.
        let Some(task) = gate.claim(|| {
            let task = next_task.fetch_add(1, Ordering::Relaxed);
            (task - before < feed.tasks()).then_some(task)
        }) else {
            return;
        };
        let mut feeder = Feeder { phase, gate, outlet, feed, next: Unit { task, no: 0 } };
        if !feeder.halted() {
            let fed = catch_unwind(AssertUnwindSafe(|| feed.feed(task - before, &mut feeder)));
            let fed = fed.unwrap_or_else(|payload| Err(panic_error(&*payload, stage)));
            if let Err(error) = fed {
                phase.fence.lower(feeder.next, 0, Stop::from(error));
            }
        }
        if feed.unwanted() {
            phase.fence.lower(feeder.next, 0, Stop::Enough);
        }
        gate.end(task);
        if phase.run.settings.cancel.is_cancelled() || !phase.fence.allows(Unit { task: task + 1, no: 0 }) {
            return;
        }
    }
}

/// A worker: takes units as they come until the readers are gone.
fn work<'p, B: Send>(phase: &'p Phase<'p>, gate: &'p Arc<Gate>, inlet: &dyn Inlet<Message<B>>, feed: &'p dyn Feed<B>) {
    let cx = WorkerCx::new(phase);
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| worker_loop(&cx, gate, inlet, feed))) {
        // Outside a unit only our own code and a consumer's `finish` run.
        phase.fence.lower(AFTER_ALL, 0, Stop::from(panic_error(&*payload, &phase.run.stage_name(cx.stage()))));
        gate.shut();
        // Readers must not wait on an edge that nobody empties.
        while inlet.recv().is_some() {}
    }
}

fn worker_loop<'s, B: Send>(cx: &'s WorkerCx<'s>, gate: &Gate, inlet: &dyn Inlet<Message<B>>, feed: &'s dyn Feed<B>) {
    let (phase, run) = (cx.phase, cx.phase.run);
    let mut work = Some(feed.open(cx));
    let mut failed = false;
    while let Some(Message { unit, last, permit, body }) = inlet.recv() {
        if !phase.fence.allows(unit) || run.settings.cancel.is_cancelled() {
            continue;
        }
        let half = work.get_or_insert_with(|| feed.open(cx));
        let pushed = catch_unwind(AssertUnwindSafe(|| half.unit(unit, body)));
        let mut panicked = pushed.is_err();
        let cut = stop(cx, unit, pushed.unwrap_or_else(|payload| panic_stop(cx, &*payload)));
        // What came before the stop still counts, as it would if the unit had ended there.
        let end = UnitEnd { unit, last: last && !cut, permit: Some(permit.clone()) };
        let ended = catch_unwind(AssertUnwindSafe(|| half.end(end)));
        panicked |= ended.is_err();
        stop(cx, unit, ended.unwrap_or_else(|payload| panic_stop(cx, &*payload)));
        if run.settings.bad_records != BadRecords::Fail {
            let account = cx.end_rejects().map(|rejects| {
                permit.grow_to(rejects.weight() as u64);
                (rejects, permit)
            });
            phase.rejects.submit(unit, last, account, |unit, account| {
                if !phase.fence.allows(unit) {
                    return false;
                }
                let counted = account.map_or(Ok(()), |(rejects, _permit)| run.reject(&rejects));
                counted.map_err(|over| phase.fence.lower(unit, over.byte, Stop::from(over.error))).is_ok()
            });
        }
        if panicked {
            // The chain is in an unknown state: it is dropped, and a new one goes on with the units that lie before
            // this one, among which an earlier error may still be found.
            failed = true;
            work = None;
        }
        if phase.fence.stopped() {
            gate.wake();
        }
    }
    if !failed
        && let Some(mut work) = work
        && let Err(error) = work.finish()
    {
        phase.fence.lower(AFTER_ALL, 0, Stop::from(error));
    }
}

/// Where errors stand that belong to no unit.
const AFTER_ALL: Unit = Unit { task: u32::MAX, no: u32::MAX - 1 };

/// Lowers the fence if a unit was stopped; an error that has no place gets that of the record in hand.
fn stop(cx: &WorkerCx<'_>, unit: Unit, flow: Flow) -> bool {
    let Flow::Break(stop) = flow else { return false };
    let stop = match stop {
        Stop::Error(error) if error.place().is_none() => Stop::from(error.at(cx.phase.run.place(cx.at(), None))),
        other => other,
    };
    cx.phase.fence.lower(unit, cx.at().byte, stop);
    true
}

/// A caught panic as the end of the unit, blamed on the stage and record in hand.
fn panic_stop(cx: &WorkerCx<'_>, payload: &(dyn Any + Send)) -> Flow {
    Flow::Break(Stop::from(panic_error(payload, &cx.phase.run.stage_name(cx.stage()))))
}

/// A caught panic as an error; its text is the caller's and is escaped.
pub(crate) fn panic_error(payload: &(dyn Any + Send), stage: &str) -> Error {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into());
    Error::new(ErrorKind::Panic, format!("a closure panicked: {}", escape(text.as_bytes(), 200))).in_stage(stage)
}
