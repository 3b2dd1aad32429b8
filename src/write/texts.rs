//! Text on its way out. Workers make the text of units; it is put in order (see [`Sequencer`]) and goes to a writer as
//! it is, or is cut into chunks that workers pack and that are put in order once more before they reach the file.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::Unit;
use crate::engine::{Flow, Run, StageMeter, Stop, UnitEnd, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::shuffle::{Permit, Sequencer};

use super::Written;
use super::chunks::{CHUNK, Chunk, Chunker};
use super::codec::Codec;
use super::parts::Parts;
use super::target::Resolved;

/// Where ordered text goes.
pub(super) trait Texts: Sync {
    /// The next text, in order; never called by two threads at once.
    fn take(&self, text: &[u8]) -> Result<()>;
    /// Work that the calling worker can do outside the order. Called after each unit.
    fn help(&self) -> Result<()>;
}

/// Puts the text of units in order and hands it on; counts what comes and what goes.
pub(super) struct Sink<'a> {
    pub(super) meter: Arc<StageMeter>,
    texts: Sequencer<(u64, Vec<u8>, Option<Permit>)>,
    written: AtomicU64,
    to: &'a dyn Texts,
}

impl<'a> Sink<'a> {
    pub(super) fn new(meter: Arc<StageMeter>, ordered: bool, to: &'a dyn Texts) -> Sink<'a> {
        Sink { meter, texts: Sequencer::new(ordered), written: AtomicU64::new(0), to }
    }

    pub(super) fn out<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Out<'s> {
        Out { sink: self, cx, text: Vec::new(), records: 0 }
    }

    /// Everything that came in went out, or the output is not committed. Gives the number of records.
    pub(super) fn balance(&self) -> Result<u64> {
        let (came, went) = (self.meter.records_in.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed));
        if came != went || !self.texts.balanced() {
            return Err(Error::internal(format!("{came} records came to stage {}, {went} went out", self.meter.name)));
        }
        self.meter.records_out.store(went, Ordering::Relaxed);
        Ok(went)
    }
}

/// One worker's text of the unit in hand.
pub(super) struct Out<'s> {
    sink: &'s Sink<'s>,
    pub(super) cx: &'s WorkerCx<'s>,
    pub(super) text: Vec<u8>,
    pub(super) records: u64,
}

impl Out<'_> {
    pub(super) fn stage_name(&self) -> &str {
        &self.sink.meter.name
    }

    /// The unit is through: its text takes its turn.
    pub(super) fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        let (sink, fence) = (self.sink, &self.cx.phase.fence);
        let records = std::mem::take(&mut self.records);
        sink.meter.records_in.fetch_add(records, Ordering::Relaxed);
        sink.meter.bytes.fetch_add(self.text.len() as u64, Ordering::Relaxed);
        let text = std::mem::take(&mut self.text);
        sink.texts.submit(unit, last, (records, text, permit), |unit, (records, text, _permit)| {
            if !fence.allows(unit) {
                return false;
            }
            match sink.to.take(&text) {
                Ok(()) => {
                    sink.written.fetch_add(records, Ordering::Relaxed);
                    true
                }
                Err(error) => {
                    fence.lower(unit, u64::MAX, Stop::from(error));
                    false
                }
            }
        });
        match sink.to.help() {
            Ok(()) => Flow::Continue(()),
            Err(error) => Flow::Break(Stop::from(error)),
        }
    }
}

/// Files: ordered text is cut into chunks; workers pack them; packed chunks are written in order.
pub(super) struct Files {
    codec: Codec,
    chunker: Mutex<Chunker>,
    ready: Mutex<Ready>,
    /// Chunks that may wait to be packed before whoever makes them packs them too.
    backlog: usize,
    packed: Sequencer<(u32, bool, Vec<u8>)>,
    parts: Mutex<Parts>,
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
    pub(super) fn open(run: &Run, target: Resolved) -> Result<Files> {
        Ok(Files {
            codec: target.codec,
            chunker: Mutex::new(Chunker::new(CHUNK, target.shard_size)),
            ready: Mutex::default(),
            backlog: 2 * run.settings.threads,
            packed: Sequencer::new(true),
            parts: Mutex::new(Parts::open(&run.os, target)?),
        })
    }

    /// Writes what is left and gives the files their names.
    pub(super) fn commit(self, records: u64) -> Result<Written> {
        let text_bytes = {
            let mut chunker = lock(&self.chunker);
            chunker.finish(|chunk| lock(&self.ready).push(chunk));
            chunker.total
        };
        self.help(usize::MAX)?;
        if !self.packed.balanced() {
            return Err(Error::internal("chunks of the output are missing"));
        }
        let (files, file_bytes) = self.parts.into_inner().unwrap_or_else(PoisonError::into_inner).commit()?;
        Ok(Written { files, records, text_bytes, file_bytes })
    }

    /// Packs up to `most` chunks.
    fn help(&self, most: usize) -> Result<()> {
        for _ in 0..most {
            let Some((number, chunk)) = lock(&self.ready).waiting.pop_front() else { break };
            let packed = (chunk.part, chunk.ends_part, self.codec.pack(chunk.text)?);
            let mut failed = None;
            self.packed.submit(Unit { task: 0, no: number }, false, packed, |_, (part, ends_part, bytes)| {
                failed = lock(&self.parts).write(part, &bytes, ends_part).err();
                failed.is_none()
            });
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Texts for Files {
    fn take(&self, text: &[u8]) -> Result<()> {
        lock(&self.chunker).push(text, |chunk| lock(&self.ready).push(chunk));
        let behind = lock(&self.ready).waiting.len().saturating_sub(self.backlog);
        Files::help(self, behind)
    }

    fn help(&self) -> Result<()> {
        Files::help(self, usize::MAX)
    }
}

/// A writer that takes ordered text as it comes.
pub(super) struct Stream<W>(Mutex<W>);

impl<W> Stream<W> {
    pub(super) fn new(writer: W) -> Stream<W> {
        Stream(Mutex::new(writer))
    }
}

impl<W: Write + Send> Texts for Stream<W> {
    fn take(&self, text: &[u8]) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut writer = lock(&self.0);
        writer
            .write_all(text)
            .and_then(|()| writer.flush())
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot write: {error}")).caused_by(error))
    }

    fn help(&self) -> Result<()> {
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under one of these locks ends the run with an error, and nothing of it is committed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
