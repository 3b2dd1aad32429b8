//! The readers' half of every source that reads shards: a task's bytes become line-aligned blocks.

use crate::os::sync::Arc;
#[cfg(feature = "libdeflate")]
use crate::os::sync::Mutex;

use crate::config::BadRecords;
use crate::engine::{Early, Feeder, Run};
use crate::error::{Error, Result};

use super::blocks::{Block, Pool};
use super::cutter::Cutter;
use super::partition::{Partition, Task};
use super::salvage::Gap;
use super::stream::Stream;
use super::{Input, Shard};

/// The shards of one phase, ready to be read.
pub(crate) struct Shards {
    partition: Partition,
    pub(super) pool: Arc<Pool>,
    /// For compressed files and for members' texts.
    #[cfg(feature = "libdeflate")]
    pub(super) files: Arc<Pool>,
    #[cfg(feature = "libdeflate")]
    pub(super) texts: Arc<Pool>,
    /// Decoders that no reader uses now.
    #[cfg(feature = "libdeflate")]
    pub(super) decoders: Mutex<Vec<libdeflater::Decompressor>>,
}

/// Bytes of text that the first tasks stream before a whole member may be decoded at once.
#[cfg(feature = "libdeflate")]
const PROBE: u64 = 4 << 20;

impl Shards {
    /// Finds the shards of an input and cuts them into tasks.
    pub(crate) fn new(input: &Input, run: &Run, whole: bool) -> Result<Shards> {
        let threads = run.settings.threads;
        Ok(Shards {
            partition: Partition::new(input, run, whole)?,
            pool: Pool::new(4 * threads + 2, run.settings.block),
            #[cfg(feature = "libdeflate")]
            files: Pool::new(threads, usize::MAX),
            #[cfg(feature = "libdeflate")]
            texts: Pool::new(2 * threads, usize::MAX),
            #[cfg(feature = "libdeflate")]
            decoders: Mutex::default(),
        })
    }

    pub(crate) fn tasks(&self) -> u32 {
        u32::try_from(self.partition.tasks.len()).unwrap_or(u32::MAX)
    }

    /// Reads a task.
    pub(crate) fn feed(&self, task: u32, out: &mut Feeder<'_, Block>) -> Result<()> {
        let Task { shard, range } = self.partition.tasks[task as usize];
        let number = self.partition.first + u32::try_from(shard).unwrap_or(u32::MAX);
        let shard = &self.partition.shards[shard];
        let count = shard.is_stdin() || matches!(out.run().settings.bad_records, BadRecords::Quarantine(_));
        let mut cutter = Cutter::new(&self.pool, number, range.map_or(0, |(from, _)| from), count.then_some(1));
        let read = match range {
            Some((from, to)) => self.range(shard, from, to, &mut cutter, out),
            None => self.whole(shard, task, &mut cutter, out),
        };
        match read {
            Ok(()) | Err(Early::Halted) => Ok(()),
            // The records before the damage come first: one of them may be bad, and then its error is the first one.
            Err(Early::Error(error)) => match cutter.finish_bad(error, 0, out) {
                Ok(()) | Err(Early::Halted) => Ok(()),
                Err(Early::Error(error)) => Err(error),
            },
        }
    }

    fn whole(
        &self,
        shard: &Shard,
        task: u32,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Early> {
        let settings = &out.run().settings;
        let salvage = settings.bad_records != BadRecords::Fail;
        let opened = Stream::open_to(shard, settings, salvage, &|| out.halted())?;
        let mut stream = opened.ok_or(Early::Halted)?;
        #[cfg(feature = "libdeflate")]
        {
            // The first tasks begin as streams: their first records come at once, and a run that needs no more than
            // those never decodes a whole member.
            let probe = if (task as usize) < out.run().settings.threads { PROBE } else { 0 };
            if self.stream(&mut stream, probe, cutter, out)? {
                return Ok(());
            }
            let streamed = stream.offset();
            // What has a gap is no member that could be decoded once more from its start.
            if !cutter.has_gap() && super::oneshot::read(self, shard, &mut stream, cutter, out)? {
                // What was decoded in one call is not in the stream's count.
                out.run().intake.came(shard.meta.map_or(0, |meta| meta.len.saturating_sub(streamed)));
                return Ok(());
            }
        }
        #[cfg(not(feature = "libdeflate"))]
        let _ = task;
        self.stream(&mut stream, u64::MAX, cutter, out).map(drop)
    }

    /// Decodes a stream until so many bytes of the shard have passed; `true` if that was its end.
    fn stream(
        &self,
        stream: &mut Stream,
        until: u64,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<bool, Early> {
        while cutter.position() < until {
            self.step(stream, cutter, out)?;
            if cutter.ended {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Decodes some more; at the shard's end the cutter is finished.
    pub(super) fn step(
        &self,
        stream: &mut Stream,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Early> {
        let room = cutter.room(out)?;
        let before = stream.offset();
        let filled = stream.fill(room, &|| out.halted());
        let read = match filled {
            Ok(read) => read.ok_or(Early::Halted)?,
            Err(error) => {
                let Gap { error, lost, resumed } = stream.rescue(error, &|| out.halted())?.ok_or(Early::Halted)?;
                out.run().intake.came(stream.offset().saturating_sub(before));
                if resumed {
                    return cutter.gap(error, lost, out);
                }
                cutter.ended = true;
                return cutter.finish_bad(error, lost, out);
            }
        };
        out.run().intake.came(stream.offset().saturating_sub(before));
        if read == 0 {
            cutter.ended = true;
            return cutter.finish(out);
        }
        cutter.filled(read, stream.would_wait(), out)
    }

    /// The lines of a plain file that begin in `from..to`: from the first byte after a newline at or after `from - 1`.
    fn range(
        &self,
        shard: &Shard,
        from: u64,
        to: u64,
        cutter: &mut Cutter<'_>,
        out: &mut Feeder<'_, Block>,
    ) -> Result<(), Early> {
        let opened = Stream::open(shard, &out.run().settings, &|| out.halted())?;
        let stream = opened.ok_or(Early::Halted)?;
        let failed = |error| Error::io(&shard.path, "read", error);
        let mut at = from.saturating_sub(1);
        let mut begun = from == 0;
        loop {
            let room = cutter.room(out)?;
            let read = stream.file().read_at(room, at).map_err(failed)?;
            if read == 0 {
                stream.whole(at)?;
                return cutter.finish(out);
            }
            let mut skipped = 0;
            if !begun {
                let Some(newline) = memchr::memchr(b'\n', &room[..read]) else {
                    at += read as u64;
                    // A line that spans the whole range belongs to the range it begins in.
                    if at >= to {
                        return cutter.finish(out);
                    }
                    continue;
                };
                skipped = newline + 1;
            }
            let text_at = at + skipped as u64;
            // The range ends with the line that holds the byte before `to`.
            let first = usize::try_from((to - 1).saturating_sub(text_at)).unwrap_or(usize::MAX);
            let end = match room[skipped..read].get(first..) {
                Some(rest) => memchr::memchr(b'\n', rest).map(|newline| first + newline + 1),
                None => None,
            };
            let taken = end.unwrap_or(read - skipped);
            if skipped > 0 {
                room.copy_within(skipped..skipped + taken, 0);
            }
            if !begun {
                begun = true;
                cutter.begin_at(text_at);
                if text_at >= to {
                    return cutter.finish(out);
                }
            }
            at = text_at + taken as u64;
            out.run().intake.came((skipped + taken) as u64);
            cutter.filled(taken, false, out)?;
            if end.is_some() {
                return cutter.finish(out);
            }
        }
    }
}
