//! Records that come from memory: an iterator, ready partitions, a range of numbers.

use crate::os::sync::atomic::Ordering;
use crate::os::sync::{Arc, Mutex, PoisonError};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{
    Facts, Fan, Feed, Feeder, Flow, Halted, Origin, Phase, Plan, Push, Run, StageMeter, UnitEnd, Work, WorkerCx,
    panic_error,
};
use crate::error::{Error, Result};

/// Records in a unit. Few enough that a closure of a millisecond a record still keeps all workers busy.
const BATCH: usize = 1024;
/// What a record counts for at the admission gate: its true size is not known.
const WEIGHT: usize = 64;

impl<T: Send + 'static> Bag<T> {
    /// The records of an iterator, which one thread at a time asks for the next ones. Streams: an endless iterator is
    /// fine where a verb such as [`take`](Bag::take) ends the run.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let words = Bag::from_iter(["b", "a"]).map(str::to_uppercase).collect()?;
    /// assert_eq!(words, ["B", "A"]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "from_sequence")]
    #[expect(clippy::should_implement_trait, reason = "a bag is not collected from an iterator: it reads it later")]
    pub fn from_iter<I>(items: I) -> Bag<T>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Bag::partitions("from_iter", vec![Box::new(items.into_iter())])
    }

    /// Ready partitions, each of which [`map_partitions`](Bag::map_partitions) sees as a whole.
    pub fn from_partitions<P>(partitions: impl IntoIterator<Item = P>) -> Bag<T>
    where
        P: IntoIterator<Item = T>,
        P::IntoIter: Send + 'static,
    {
        let boxed = partitions.into_iter().map(|partition| Box::new(partition.into_iter()) as Partition<T>).collect();
        Bag::partitions("from_partitions", boxed)
    }

    fn partitions(verb: &'static str, partitions: Vec<Partition<T>>) -> Bag<T> {
        Bag::from_plan(Items { verb, partitions })
    }
}

impl Bag<i64> {
    /// The numbers of a range.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(0..4).sum()?, 6);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn range(range: Range<i64>) -> Bag<i64> {
        Bag::partitions("range", vec![Box::new(range)])
    }
}

type Partition<T> = Box<dyn Iterator<Item = T> + Send>;

struct Items<T> {
    verb: &'static str,
    partitions: Vec<Partition<T>>,
}

impl<T: Send + 'static> Plan<T> for Items<T> {
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<T>) -> Result<()> {
        let meter = run.stage(0, self.verb);
        let first = run.add_origins(self.partitions.iter().map(|_| Origin::Memory(self.verb)));
        let partitions = self.partitions.into_iter().map(|partition| Mutex::new(Some(partition))).collect();
        Phase::run(run, &meter, &ItemsFeed { partitions, first, meter: meter.clone(), down }).map(drop)
    }

    fn describe(&self, to: &mut Facts) {
        to.verb(self.verb);
    }
}

struct ItemsFeed<'a, T> {
    partitions: Vec<Mutex<Option<Partition<T>>>>,
    first: u32,
    meter: Arc<StageMeter>,
    down: &'a dyn Fan<T>,
}

/// Consecutive records of one partition.
pub(crate) struct ItemBatch<T> {
    first: At,
    items: Vec<T>,
}

impl<T: Send + 'static> Feed<ItemBatch<T>> for ItemsFeed<'_, T> {
    fn tasks(&self) -> u32 {
        u32::try_from(self.partitions.len()).unwrap_or(u32::MAX)
    }

    fn feed(&self, task: u32, out: &mut Feeder<'_, ItemBatch<T>>) -> Result<()> {
        let taken = self.partitions[task as usize].lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut items) = taken else { return Ok(()) };
        let shard = self.first + task;
        let mut byte = 0;
        let mut fed = || -> Result<Option<Error>, Halted> {
            loop {
                let permit = out.admit(BATCH * WEIGHT)?;
                let mut batch = Vec::new();
                let pulled = catch_unwind(AssertUnwindSafe(|| batch.extend(items.by_ref().take(BATCH))));
                let (count, first) = (batch.len(), At { shard, byte });
                byte += count as u64;
                let last = pulled.is_ok() && count < BATCH;
                // What the iterator gave before it panicked still counts.
                out.emit(ItemBatch { first, items: batch }, count * WEIGHT, permit, last)?;
                match pulled {
                    Err(payload) => {
                        let place = out.run().place(At { shard, byte }, None);
                        return Ok(Some(panic_error(&*payload, &self.meter.name).at(place)));
                    }
                    Ok(()) if last => return Ok(None),
                    Ok(()) => {}
                }
            }
        };
        match fed() {
            Ok(Some(error)) => Err(error),
            // A halt is no error: nobody wants more.
            Ok(None) | Err(Halted) => Ok(()),
        }
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<ItemBatch<T>> + 's> {
        Box::new(ItemsWork { cx, meter: &self.meter, down: self.down.worker(cx), count: 0 })
    }
}

struct ItemsWork<'s, T> {
    cx: &'s WorkerCx<'s>,
    meter: &'s StageMeter,
    down: Box<dyn Push<T> + 's>,
    count: u64,
}

impl<T: Send> Work<ItemBatch<T>> for ItemsWork<'_, T> {
    fn unit(&mut self, unit: Unit, batch: ItemBatch<T>) -> Flow {
        self.down.begin(unit)?;
        let mut at = batch.first;
        for item in batch.items {
            self.cx.set_at(at);
            self.cx.set_stage(0);
            self.cx.came(1);
            self.count += 1;
            self.down.push(at, item)?;
            at.byte += 1;
        }
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        let count = std::mem::take(&mut self.count);
        self.meter.records_in.fetch_add(count, Ordering::Relaxed);
        self.meter.records_out.fetch_add(count, Ordering::Relaxed);
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}
