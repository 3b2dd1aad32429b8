//! `map_partitions`: a closure sees each shard as one iterator, in order; shards are worked on in parallel.
//!
//! The phase before hands its units to a queue for each task and never waits; the readers of the phase after take one
//! task each, in order, and run the closure over what its queue brings. What is ahead of its turn holds its permits, so
//! the gate of the phase before does the bounding, and its oldest task's reserve keeps the one in turn moving: whoever
//! reads it is never far behind, since a closure can read no records but those of its own turn.

mod hand;
mod queues;
mod records;

use crate::os::sync::atomic::Ordering;
use crate::os::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bag::Bag;
use crate::batch::Unit;
use crate::config::BadRecords;
use crate::engine::{
    Ended, Entry, Facts, Fan, Feed, Feeder, Flow, Halted, Phase, Plan, Push, Run, StageMeter, UnitEnd, Work, WorkerCx,
};
use crate::error::{Error, ErrorKind, Result};

use hand::Hand;
use queues::{Handed, Queues};
pub use records::Records;
use records::Seen;

impl<T: Send + 'static> Bag<T> {
    /// Applies `f` to each partition as a whole: a shard of an input, or a partition of
    /// [`from_partitions`](Bag::from_partitions) or [`repartition`](Bag::repartition), read in order; everything else
    /// (`from_iter`, the result of another wide verb) is one partition. What `f` returns is handed on as it comes. Streams, keeps order; a shard is not split among
    /// readers. The records are read in the closure's own turn: on its thread, before what it returns has ended.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let bag = Bag::from_partitions([vec![3, 1], vec![], vec![5]]);
    /// let lengths = bag.map_partitions(|records| [records.count()]);
    /// assert_eq!(lengths.collect()?, [2, 0, 1]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// Partitions cannot be kept for later; nothing would be read meanwhile, and the run would stand still:
    ///
    /// ```compile_fail,E0277
    /// let kept = kitbag::Bag::range(0..9).map_partitions(|records| [records]).collect();
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
        let queues = Arc::new(Queues::default());
        run.os.scope(|scope| {
            let hand = Hand::new(queues.clone(), down);
            let before = run.os.spawn_scoped(scope, "kitbag-partitions".into(), move || {
                let ended = plan.run(run, &hand);
                hand.close();
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

    fn describe(&self, to: &mut Facts) {
        self.plan.describe(to);
        to.between("map_partitions");
    }
}

type Batch<U> = Vec<Entry<U>>;
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
        self.queues.count().unwrap_or(u32::MAX)
    }

    fn feed(&self, task: u32, out: &mut Feeder<'_, Batch<U>>) -> Result<()> {
        let seen = Arc::new(Seen::new(task, out.fence()));
        if self.queues.comes(task, &|| seen.halted()) {
            let fed = self.partition(task, &seen, out);
            self.queues.end(task);
            return fed;
        }
        Ok(())
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Batch<U>> + 's> {
        Box::new(PartitionWork { cx, stage: self.stage, down: self.down.worker(cx) })
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }
}

impl<T: Send + 'static, U: Send + 'static> PartitionFeed<'_, T, U> {
    fn partition(&self, task: u32, seen: &Arc<Seen>, out: &mut Feeder<'_, Batch<U>>) -> Result<()> {
        let mut items = (self.f)(Records::new(self.queues.clone(), task, seen.clone()));
        let mut batch = Vec::new();
        loop {
            let item = items.next();
            if seen.cut() {
                // What the closure made of half a partition must not pass for a result; the phase stops here, and what
                // the phase before has to say stands for it.
                return Err(Error::internal(CUT));
            }
            if self.queues.misread.load(Ordering::Relaxed) {
                let text = "expected a closure that reads its partition's records in its own turn: it read records that \
                            an earlier one had kept; a `Vec` of them can be kept";
                return Err(Error::new(ErrorKind::Usage, text).in_stage(self.meter.name.clone()));
            }
            batch.extend(seen.take_rejects().into_iter().map(Entry::Rejects));
            let Some(item) = item else { break };
            batch.push(Entry::Item(seen.at(), item));
            // What is there goes at once if the next record would have to be waited for.
            let waits = seen.dry() && !self.queues.has_next(task);
            if (waits || batch.len() >= BATCH) && self.send(std::mem::take(&mut batch), out, false).is_err() {
                return Ok(());
            }
        }
        // The closure's records go, and leave the rejects among those that it did not read.
        drop(items);
        seen.end();
        self.queues.leave(task);
        batch.extend(seen.take_rejects().into_iter().map(Entry::Rejects));
        if !seen.done() && out.run().settings.bad_records != BadRecords::Fail {
            if self.send(std::mem::take(&mut batch), out, false).is_err() {
                return Ok(());
            }
            while let Some(Handed { last, entries, .. }) = self.queues.next(task, &|| seen.halted()) {
                batch.extend(entries.into_iter().filter_map(Entry::into_rejects).map(Entry::Rejects));
                if last || !batch.is_empty() && self.send(std::mem::take(&mut batch), out, false).is_err() {
                    break;
                }
            }
        }
        // A halt is no error: nobody wants more.
        let _ = self.send(batch, out, true);
        Ok(())
    }

    fn send(&self, batch: Batch<U>, out: &mut Feeder<'_, Batch<U>>, last: bool) -> Result<(), Halted> {
        let (mut weight, mut items) = (0, 0);
        for entry in &batch {
            match entry {
                Entry::Item(..) => (weight, items) = (weight + WEIGHT, items + 1),
                Entry::Rejects(rejects) => weight += rejects.weight(),
            }
        }
        self.meter.records_out.fetch_add(items, Ordering::Relaxed);
        let permit = out.admit(weight)?;
        out.emit(batch, weight, permit, last)
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
        for entry in batch {
            match entry {
                Entry::Item(at, item) => {
                    self.cx.set_at(at);
                    self.cx.set_stage(self.stage);
                    self.down.push(at, item)?;
                }
                Entry::Rejects(rejects) => self.cx.adopt(rejects),
            }
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
