//! The emitting half: one reader takes partition after partition from the store and cuts its text into chunks and shards,
//! the workers pack them, and they are written in that order. The reader alone decides the cuts, so files and bytes do
//! not depend on threads or memory; the gate bounds the chunks that wait.

use crate::os::sync::atomic::{AtomicU64, Ordering};
use crate::os::sync::{Arc, Mutex, PoisonError};

use crate::batch::Unit;
use crate::engine::{Early, Feed, Feeder, Flow, Halted, Phase, Run, StageMeter, Stop, UnitEnd, Work, WorkerCx};
use crate::error::{Error, ErrorKind, Result, escape};
use crate::shuffle::{Permit, Sequencer};
use crate::spill::{GroupRows, Groups, Order, Stored};

use super::super::chunks::{CHUNK, Chunk, Chunker};
use super::super::codec::{self, Codec};
use super::super::partition::keys;
use super::super::parts::Parts;
use super::super::texts::lock;

/// What is written.
pub(super) struct How {
    pub(super) codec: Codec,
    pub(super) shard_size: u64,
    /// The most partitions.
    pub(super) most: u64,
    /// The unit behind which what is stored was not wanted.
    pub(super) stop: Option<Unit>,
}

/// A chunk and its partition; none ends the output.
type Cut = Option<(Arc<str>, Chunk)>;
/// The same, packed: partition, part, whether it ends.
type Packed = Option<(Arc<str>, u32, bool, codec::Packed)>;

/// Writes what is stored; gives the parts, to be committed, the number of partitions and the bytes of their text.
pub(super) fn emit(
    run: &Run,
    meter: &Arc<StageMeter>,
    stored: Stored,
    how: How,
    parts: Parts,
) -> Result<(Parts, u64, u64)> {
    let order = if run.settings.ordered { Order::FirstOccurrence } else { Order::Any };
    let groups = stored.into_groups(order).map_err(|error| error.in_stage(meter.name.clone()))?;
    let feed = PartitionFeed {
        groups: Mutex::new(Some(groups)),
        how,
        meter,
        packed: Sequencer::new(true),
        parts: Mutex::new(parts),
        partitions: AtomicU64::new(0),
        text: AtomicU64::new(0),
    };
    Phase::run(run, meter, &feed)?;
    if !feed.packed.balanced() {
        return Err(Error::internal("chunks of the output are missing"));
    }
    let parts = feed.parts.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((parts, feed.partitions.into_inner(), feed.text.into_inner()))
}

struct PartitionFeed<'a> {
    groups: Mutex<Option<Groups>>,
    how: How,
    meter: &'a StageMeter,
    packed: Sequencer<(Packed, Option<Permit>)>,
    parts: Mutex<Parts>,
    partitions: AtomicU64,
    text: AtomicU64,
}

impl PartitionFeed<'_> {
    fn all(&self, groups: Groups, out: &mut Feeder<'_, Cut>) -> Result<(), Early> {
        let mut first: Option<Arc<str>> = None;
        for group in groups {
            let (dir, rows) = group?;
            let dir = String::from_utf8(dir).map_err(|_| Error::internal("a partition's name is no text"))?.into();
            if self.partition(&dir, rows, first.as_ref(), out)? {
                self.partitions.fetch_add(1, Ordering::Relaxed);
                first.get_or_insert(dir);
            }
        }
        Ok(send(out, None, true)?)
    }

    /// Sends a partition; `false` if nothing of it was wanted.
    fn partition(
        &self,
        dir: &Arc<str>,
        mut rows: GroupRows,
        first: Option<&Arc<str>>,
        out: &mut Feeder<'_, Cut>,
    ) -> Result<bool, Early> {
        let (mut chunker, mut full) = (Chunker::new(CHUNK, self.how.shard_size), Vec::new());
        while let Some(row) = rows.next_row() {
            let (seq, text) = row?;
            // Rows are in order: all others lie behind it too.
            if self.how.stop.is_some_and(|stop| seq.unit() > stop) {
                break;
            }
            if chunker.total == 0 {
                self.accept(dir, first)?;
            }
            chunker.push(text, |chunk| full.push(chunk));
            for chunk in full.drain(..) {
                send(out, Some((dir.clone(), chunk)), false)?;
            }
        }
        if chunker.total == 0 {
            return Ok(false);
        }
        self.text.fetch_add(chunker.total, Ordering::Relaxed);
        chunker.finish(|chunk| full.push(chunk));
        for chunk in full {
            send(out, Some((dir.clone(), chunk)), false)?;
        }
        Ok(true)
    }

    /// Refuses a partition that is one too many, or that is none of the others' kind.
    fn accept(&self, dir: &str, first: Option<&Arc<str>>) -> Result<()> {
        if self.partitions.load(Ordering::Relaxed) >= self.how.most {
            let text =
                format!("expected at most {} partitions: `{}` is one more", self.how.most, escape(dir.as_bytes(), 80));
            return Err(Error::new(ErrorKind::Limit, text));
        }
        match first {
            Some(first) if !keys(first).eq(keys(dir)) => {
                let shown = |dir: &str| escape(dir.as_bytes(), 80);
                let text =
                    format!("expected partitions with the same keys, found `{}` and `{}`", shown(first), shown(dir));
                Err(Error::new(ErrorKind::Record, text))
            }
            _ => Ok(()),
        }
    }
}

/// Sends a chunk when its share of what may be in flight is free. The share is less than its length where memory is short:
/// the length of chunks depends on nothing. A short chunk has the share of a long one: each becomes a file that is
/// synced, which takes longer than its text, so that few may wait.
fn send(out: &mut Feeder<'_, Cut>, cut: Cut, last: bool) -> Result<(), Halted> {
    let settings = &out.run().settings;
    let share = usize::try_from(settings.gate / (2 * settings.threads as u64)).unwrap_or(usize::MAX);
    let weight = cut.as_ref().map_or(0, |_| CHUNK.min(share));
    let permit = out.admit(weight)?;
    out.emit(cut, weight, permit, last)
}

impl Feed<Cut> for PartitionFeed<'_> {
    fn tasks(&self) -> u32 {
        1
    }

    fn feed(&self, _task: u32, out: &mut Feeder<'_, Cut>) -> Result<()> {
        let Some(groups) = lock(&self.groups).take() else { return Ok(()) };
        match self.all(groups, out) {
            // A halt is no error: what halts has one.
            Ok(()) | Err(Early::Halted) => Ok(()),
            Err(Early::Error(error)) => {
                // What is on its way is not written any more: it will not be kept.
                let error = error.in_stage(self.meter.name.clone());
                out.fence().bar(Stop::from(error));
                Ok(())
            }
        }
    }

    /// Files are written whole: nobody behind them can have enough.
    fn unwanted(&self) -> bool {
        false
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Cut> + 's> {
        Box::new(PartitionWork { feed: self, cx, packed: None })
    }
}

struct PartitionWork<'s> {
    feed: &'s PartitionFeed<'s>,
    cx: &'s WorkerCx<'s>,
    packed: Packed,
}

impl PartitionWork<'_> {
    fn broken(&self, error: Error) {
        self.cx.phase.fence.bar(Stop::from(error));
    }
}

impl Work<Cut> for PartitionWork<'_> {
    fn unit(&mut self, _: Unit, cut: Cut) -> Flow {
        self.cx.set_stage(self.feed.meter.number);
        if let Some((dir, Chunk { text, part, ends_part })) = cut {
            match self.feed.how.codec.pack(text) {
                Ok(packed) => self.packed = Some((dir, part, ends_part, packed)),
                Err(error) => self.broken(error),
            }
        }
        Flow::Continue(())
    }

    fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        let (feed, packed) = (self.feed, (self.packed.take(), permit));
        feed.packed.submit(unit, last, packed, |unit, (packed, _permit)| {
            if !self.cx.phase.fence.allows(unit) || self.cx.phase.run.settings.cancel.is_cancelled() {
                return false;
            }
            let Some((dir, part, ends_part, packed)) = packed else { return true };
            let written = lock(&feed.parts).write(&dir, part, &packed, ends_part);
            written.map_err(|error| self.broken(error)).is_ok()
        });
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
