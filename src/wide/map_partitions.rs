//! `map_partitions`: a closure sees each shard as one iterator, in order; shards are worked on in parallel.
//!
//! The phase before hands its units to a queue for each task and never waits; the readers of the phase after take one
//! task each, in order, and run the closure over what its queue brings. What is ahead of its turn holds its permits, so
//! the gate of the phase before does the bounding, and its oldest task's reserve keeps the one in turn moving.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{
    Ended, Fan, Feed, Feeder, Flow, Halted, Phase, Plan, Push, Run, StageMeter, UnitEnd, Work, WorkerCx,
};
use crate::error::{Error, ErrorKind, Result};
use crate::shuffle::Permit;

impl<T: Send + 'static> Bag<T> {
    /// Applies `f` to each partition as a whole: a shard of an input, or a partition of
    /// [`from_partitions`](Bag::from_partitions), read in order; everything else (`from_iter`, the result of a wide verb)
    /// is one partition. What `f` returns is handed on as it comes. Streams, keeps order; a shard is not split among
    /// readers.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let bag = Bag::from_partitions([vec![3, 1], vec![], vec![5]]);
    /// let lengths = bag.map_partitions(|records| [records.count()]);
    /// assert_eq!(lengths.collect()?, [2, 0, 1]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn map_partitions<I>(self, f: impl Fn(Records<T>) -> I + Send + Sync + 'static) -> Bag<I::Item>
    where
        I: IntoIterator<Item: Send + 'static, IntoIter: 'static>,
    {
        self.wrap(|mut plan, stage| {
            plan.whole_shards();
            MapPartitions { plan, stage, f: Box::new(move |records| Box::new(f(records).into_iter())) }
        })
    }
}

/// The records of one partition, in order, for [`Bag::map_partitions`].
pub struct Records<T> {
    queues: Arc<Queues<T>>,
    task: u32,
    ready: VecDeque<(At, T)>,
    permit: Option<Permit>,
    last: bool,
    seen: Arc<Seen>,
}

/// What the reader must know of the iterator that it gave away.
#[derive(Default)]
struct Seen {
    /// The record that was handed out last.
    at: Mutex<At>,
    /// The partition was cut short by an error before it.
    cut: AtomicBool,
}

impl<T> std::fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("partition", &self.task).finish_non_exhaustive()
    }
}

impl<T> Iterator for Records<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            if let Some((at, item)) = self.ready.pop_front() {
                *lock(&self.seen.at) = at;
                return Some(item);
            }
            self.permit = None;
            if self.last {
                return None;
            }
            let Some(Handed { last, items, permit }) = self.queues.next(self.task) else {
                self.last = true;
                self.seen.cut.store(true, Ordering::Relaxed);
                return None;
            };
            (self.last, self.ready, self.permit) = (last, items.into(), permit);
        }
    }
}

impl<T> Drop for Records<T> {
    fn drop(&mut self) {
        // What is not read must not hold the permits that other partitions wait for.
        if !self.last {
            self.queues.leave(self.task);
        }
    }
}

/// Marks the place where a partition was cut short.
const CUT: &str = "a partition was cut short";

type OnRecords<T, U> = dyn Fn(Records<T>) -> Box<dyn Iterator<Item = U>> + Send + Sync;

struct MapPartitions<T: Send, U> {
    plan: Box<dyn Plan<T>>,
    stage: u32,
    f: Box<OnRecords<T, U>>,
}

impl<T: Send + 'static, U: Send + 'static> Plan<U> for MapPartitions<T, U> {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<U>) -> Result<()> {
        let MapPartitions { plan, stage, f } = *self;
        let meter = run.stage(stage, "map_partitions");
        let queues = Arc::new(Queues {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            gone: AtomicBool::new(false),
        });
        run.os.scope(|scope| {
            let hand = Hand { queues: queues.clone(), after: down };
            let before = run.os.spawn_scoped(scope, "kitbag-partitions".into(), move || {
                let ended = plan.run(run, &hand);
                hand.queues.close();
                ended
            });
            let before = before.map_err(|error| {
                Error::new(ErrorKind::Limit, format!("cannot start a thread: {error}")).caused_by(error)
            })?;
            let feed = PartitionFeed { queues: queues.clone(), f: &*f, stage, meter: meter.clone(), down };
            let after = Phase::run(run, &meter, &feed);
            // Whether the phase after failed or had enough: the one before need not go on.
            queues.abandon();
            let before = before.join().unwrap_or_else(|_| Err(Error::internal("a phase panicked")));
            match after {
                Err(error) if error.message().ends_with(CUT) => before.and(Err(error)),
                Err(error) => Err(error),
                // Nobody wanted what comes after, so what is wrong with it is no error.
                Ok(Ended::Enough) => Ok(()),
                Ok(Ended::Complete) => before,
            }
        })
    }

    fn describe(&self, to: &mut Vec<String>) {
        self.plan.describe(to);
        to.push("map_partitions".into());
    }
}

/// A unit that was handed over.
struct Handed<T> {
    last: bool,
    items: Vec<(At, T)>,
    permit: Option<Permit>,
}

/// Units on their way between the phases, by task.
struct Queues<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Nobody wants any more.
    gone: AtomicBool,
}

struct State<T> {
    tasks: BTreeMap<u32, (u32, BTreeMap<u32, Handed<T>>)>,
    /// Tasks seen so far; all of them, once closed.
    count: u32,
    closed: bool,
    abandoned: bool,
    /// Tasks whose closure wants no more.
    left: HashSet<u32>,
}

impl<T> Default for State<T> {
    fn default() -> State<T> {
        State { tasks: BTreeMap::new(), count: 0, closed: false, abandoned: false, left: HashSet::new() }
    }
}

impl<T> Queues<T> {
    /// Takes a unit; `false` if nobody wants any more.
    fn put(&self, unit: Unit, handed: Handed<T>) -> bool {
        let mut state = lock(&self.state);
        state.count = state.count.max(unit.task + 1);
        let mut refused = None;
        if state.abandoned || state.left.contains(&unit.task) {
            refused = Some(handed);
        } else {
            state.tasks.entry(unit.task).or_default().1.insert(unit.no, handed);
        }
        let wanted = !state.abandoned;
        drop(state);
        drop(refused);
        self.changed.notify_all();
        wanted
    }

    /// The next unit of a task; waits for it. `None` if the phase before ended without it.
    fn next(&self, task: u32) -> Option<Handed<T>> {
        let mut state = lock(&self.state);
        loop {
            if let Some((next, units)) = state.tasks.get_mut(&task)
                && let Some(handed) = units.remove(next)
            {
                *next += 1;
                if handed.last {
                    state.tasks.remove(&task);
                }
                return Some(handed);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until a task has come, or will not.
    fn comes(&self, task: u32) -> bool {
        let mut state = lock(&self.state);
        while task >= state.count && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        task < state.count
    }

    fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// The closure of a task wants no more of it.
    fn leave(&self, task: u32) {
        let mut state = lock(&self.state);
        state.left.insert(task);
        let unread = state.tasks.remove(&task);
        drop(state);
        drop(unread);
    }

    fn abandon(&self) {
        self.gone.store(true, Ordering::Release);
        let mut state = lock(&self.state);
        state.abandoned = true;
        let unread = std::mem::take(&mut state.tasks);
        drop(state);
        drop(unread);
    }
}

struct Hand<'a, T, U> {
    queues: Arc<Queues<T>>,
    after: &'a dyn Fan<U>,
}

impl<T: Send, U> Fan<T> for Hand<'_, T, U> {
    fn worker<'s>(&'s self, _: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(HandPush { queues: &self.queues, items: Vec::new() })
    }

    fn unwanted(&self) -> bool {
        self.queues.gone.load(Ordering::Acquire) || self.after.unwanted()
    }
}

struct HandPush<'s, T> {
    queues: &'s Queues<T>,
    items: Vec<(At, T)>,
}

impl<T: Send> Push<T> for HandPush<'_, T> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        self.items.push((at, item));
        Flow::Continue(())
    }

    fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        let items = std::mem::take(&mut self.items);
        match self.queues.put(unit, Handed { last, items, permit }) {
            true => Flow::Continue(()),
            false => Flow::Break(crate::engine::Stop::Enough),
        }
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

type Batch<U> = Vec<(At, U)>;
const BATCH: usize = 1024;
const WEIGHT: usize = 64;

struct PartitionFeed<'a, T, U> {
    queues: Arc<Queues<T>>,
    f: &'a OnRecords<T, U>,
    stage: u32,
    meter: Arc<StageMeter>,
    down: &'a dyn Fan<U>,
}

impl<T: Send + 'static, U: Send + 'static> Feed<Batch<U>> for PartitionFeed<'_, T, U> {
    fn tasks(&self) -> u32 {
        let state = lock(&self.queues.state);
        if state.closed { state.count } else { u32::MAX }
    }

    fn feed(&self, task: u32, out: &mut Feeder<'_, Batch<U>>) -> Result<()> {
        if !self.queues.comes(task) {
            return Ok(());
        }
        let seen = Arc::new(Seen::default());
        let records = Records {
            queues: self.queues.clone(),
            task,
            ready: VecDeque::new(),
            permit: None,
            last: false,
            seen: seen.clone(),
        };
        let mut items = (self.f)(records);
        loop {
            let mut batch = Vec::new();
            while batch.len() < BATCH
                && let Some(item) = items.next()
            {
                batch.push((*lock(&seen.at), item));
            }
            if seen.cut.load(Ordering::Relaxed) {
                // What the closure made of half a partition must not pass for a result; the phase stops here, and what
                // the phase before has to say stands for it.
                return Err(Error::internal(CUT));
            }
            let (weight, last) = (batch.len() * WEIGHT, batch.len() < BATCH);
            self.meter.records_out.fetch_add(batch.len() as u64, Ordering::Relaxed);
            let sent = out.admit(weight).and_then(|permit| out.emit(batch, weight, permit, last));
            if last || matches!(sent, Err(Halted)) {
                return Ok(());
            }
        }
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Batch<U>> + 's> {
        Box::new(PartitionWork { cx, stage: self.stage, down: self.down.worker(cx) })
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }
}

struct PartitionWork<'s, U> {
    cx: &'s WorkerCx<'s>,
    stage: u32,
    down: Box<dyn Push<U> + 's>,
}

impl<U: Send> Work<Batch<U>> for PartitionWork<'_, U> {
    fn unit(&mut self, unit: Unit, batch: Batch<U>) -> Flow {
        self.down.begin(unit)?;
        for (at, item) in batch {
            self.cx.set_at(at);
            self.cx.set_stage(self.stage);
            self.down.push(at, item)?;
        }
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
