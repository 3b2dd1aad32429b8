//! Files being written: ordered text is cut into chunks, workers pack them, and packed chunks are put in order once more
//! before they reach the file. What must stay true: no more than a few chunks wait, however slow the disk is.

use crate::os::sync::{Condvar, Mutex, PoisonError};
use std::collections::VecDeque;
use std::time::Duration;

use crate::batch::Unit;
use crate::engine::Provenance;
use crate::error::{Error, Result};
use crate::os::Os;
use crate::shuffle::Sequencer;

use super::Written;
use super::chunks::{CHUNK, Chunk, Chunker};
use super::codec::{Codec, Packed};
use super::parts::{Made, Parts};
use super::resolve::Resolved;
use super::texts::{Texts, lock};

/// Files: ordered text is cut into chunks; workers pack them; packed chunks are written in order.
pub(super) struct Files {
    codec: Codec,
    chunker: Mutex<Chunker>,
    ready: Mutex<Ready>,
    /// Chunks that may wait to be packed before whoever makes them packs them too.
    backlog: usize,
    packed: Sequencer<(u32, bool, Packed)>,
    parts: Mutex<Parts>,
    /// Chunks that were cut and are not written yet; `None` once writing has failed.
    unwritten: Mutex<Option<usize>>,
    written: Condvar,
}

/// Chunks that wait to be packed, and the number of the next one.
#[derive(Default)]
struct Ready {
    waiting: VecDeque<(u32, Chunk)>,
    next: u32,
}

impl Ready {
    fn push(&mut self, chunk: Chunk) {
        self.waiting.push_back((self.next, chunk));
        self.next += 1;
    }
}

impl Files {
    pub(super) fn open(os: &Os, threads: usize, target: Resolved) -> Result<Files> {
        Ok(Files {
            codec: target.codec,
            chunker: Mutex::new(Chunker::new(CHUNK, target.shard_size)),
            ready: Mutex::default(),
            backlog: threads,
            packed: Sequencer::new(true),
            parts: Mutex::new(Parts::open(os, target)?),
            unwritten: Mutex::new(Some(0)),
            written: Condvar::new(),
        })
    }

    /// Writes what is left and gives the files their names.
    pub(super) fn commit(self, records: u64, made_from: &dyn Fn() -> Provenance) -> Result<Written> {
        let text_bytes = {
            let mut chunker = lock(&self.chunker);
            chunker.finish(|chunk| self.cut(chunk));
            chunker.total
        };
        self.help(usize::MAX)?;
        if !self.packed.balanced() {
            return Err(Error::internal("chunks of the output are missing"));
        }
        let made = Made { records, partitions: 0, text_bytes, made_from };
        self.parts.into_inner().unwrap_or_else(PoisonError::into_inner).commit(made)
    }

    fn cut(&self, chunk: Chunk) {
        lock(&self.ready).push(chunk);
        if let Some(count) = &mut *lock(&self.unwritten) {
            *count += 1;
        }
    }

    /// Waits while the disk is behind. Only whoever puts text in order does, so everything else that is ahead keeps its
    /// permits, and the readers wait at their gate. What is waited for is being packed or written by another worker,
    /// who waits for nobody.
    fn keep_pace(&self) -> Result<()> {
        loop {
            if lock(&self.unwritten).is_none_or(|count| count <= 2 * self.backlog) {
                return Ok(());
            }
            if !self.pack_one()? {
                let pause = Duration::from_millis(50);
                drop(self.written.wait_timeout_while(lock(&self.unwritten), pause, |count| {
                    count.is_some_and(|count| count > 2 * self.backlog)
                }));
            }
        }
    }

    /// Packs up to `most` chunks.
    fn help(&self, most: usize) -> Result<()> {
        for _ in 0..most {
            if !self.pack_one()? {
                break;
            }
        }
        Ok(())
    }

    /// Packs a chunk, and writes it if it is in turn; `false` if there is none.
    fn pack_one(&self) -> Result<bool> {
        let Some((number, chunk)) = lock(&self.ready).waiting.pop_front() else { return Ok(false) };
        let mut broken = Broken { files: self, armed: true };
        let packed = (chunk.part, chunk.ends_part, self.codec.pack(chunk.text)?);
        let mut failed = None;
        self.packed.submit(Unit { task: 0, no: number }, false, packed, |_, (part, ends_part, packed)| {
            failed = lock(&self.parts).write("", part, &packed, ends_part).err();
            let mut unwritten = lock(&self.unwritten);
            *unwritten = unwritten.map(|count| count.saturating_sub(1));
            self.written.notify_all();
            failed.is_none()
        });
        broken.armed = failed.is_some();
        failed.map_or(Ok(true), Err)
    }
}

/// Says that a chunk will never be written, so that nobody waits for it: after an error, and after a panic.
struct Broken<'a> {
    files: &'a Files,
    armed: bool,
}

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        if self.armed {
            *lock(&self.files.unwritten) = None;
            self.files.written.notify_all();
        }
    }
}

impl Texts for Files {
    fn take(&self, text: &[u8]) -> Result<()> {
        lock(&self.chunker).push(text, |chunk| self.cut(chunk));
        self.keep_pace()?;
        let behind = lock(&self.ready).waiting.len().saturating_sub(self.backlog);
        Files::help(self, behind)
    }

    fn help(&self) -> Result<()> {
        Files::help(self, usize::MAX)
    }
}
