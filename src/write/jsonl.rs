//! `write_jsonl` and `write_text`: records to files, one a line. Workers encode and compress; the text is put in order
//! between the two (see [`Sequencer`]), and the packed chunks once more before they reach the file.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Fan, Flow, Plan, Push, Run, StageMeter, Stop, UnitEnd, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::shuffle::{Permit, Sequencer};

use super::chunks::{CHUNK, Chunk, Chunker};
use super::codec::Codec;
use super::parts::Parts;
use super::{Target, Written};

impl<T: Serialize + Send + 'static> Bag<T> {
    /// Writes each record as a line of JSON. A [`Json`](crate::Json) that was not changed is written byte for byte.
    /// Streams, keeps order; text that is ahead of its turn is held, up to a quarter of the budget. The output appears
    /// under its name when it is complete, or not at all.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("squares.jsonl.gz");
    /// let written = Bag::range(0..3).map(|n| (n, n * n)).write_jsonl(&path)?;
    /// assert_eq!((written.records, written.text_bytes), (3, 18));
    /// assert_eq!(Bag::<(i64, i64)>::read_json(path).collect()?, [(0, 0), (1, 1), (2, 4)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "to_textfiles")]
    pub fn write_jsonl(self, target: impl Into<Target>) -> Result<Written> {
        let target = target.into();
        self.run(|run, plan, stage| write_files(run, plan, stage, "write_jsonl", &target, encode_json))
    }

    /// Writes each record as a line of JSON to a writer, in order, and flushes when nothing more is ready.
    pub fn write_jsonl_to(self, writer: impl Write + Send) -> Result<u64> {
        self.run(|run, plan, stage| write_stream(run, plan, stage, "write_jsonl_to", writer, encode_json))
    }
}

impl<T: AsRef<str> + Send + 'static> Bag<T> {
    /// Writes each record as a line of text; as [`write_jsonl`](Bag::write_jsonl) otherwise. A record that holds a
    /// newline would become two lines, and is refused.
    #[doc(alias = "to_textfiles")]
    pub fn write_text(self, target: impl Into<Target>) -> Result<Written> {
        let target = target.into();
        self.run(|run, plan, stage| write_files(run, plan, stage, "write_text", &target, encode_text))
    }
}

/// Appends a record to the text, with its newline.
type Encode<T> = fn(&T, &mut Vec<u8>) -> Result<()>;

fn encode_json<T: Serialize>(record: &T, text: &mut Vec<u8>) -> Result<()> {
    let before = text.len();
    serde_json::to_writer(&mut *text, record).map_err(|error| {
        Error::new(ErrorKind::Record, format!("expected a record that JSON can hold: {error}")).caused_by(error)
    })?;
    if memchr::memchr(b'\n', &text[before..]).is_some() {
        // Only raw text with white space between its tokens can hold one.
        for byte in &mut text[before..] {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
    }
    text.push(b'\n');
    Ok(())
}

fn encode_text<T: AsRef<str>>(record: &T, text: &mut Vec<u8>) -> Result<()> {
    let line = record.as_ref().as_bytes();
    if memchr::memchr(b'\n', line).is_some() {
        return Err(Error::new(ErrorKind::Record, "expected a record without a newline").with_excerpt(line));
    }
    text.extend_from_slice(line);
    text.push(b'\n');
    Ok(())
}

fn write_files<T: Send + 'static>(
    run: &Run,
    plan: Box<dyn Plan<T>>,
    stage: u32,
    verb: &str,
    target: &Target,
    encode: Encode<T>,
) -> Result<Written> {
    let meter = run.stage(stage, verb);
    let target = target.resolve(&run.os)?;
    let (codec, chunker) = (target.codec, Chunker::new(CHUNK, target.shard_size));
    let files = Files {
        codec,
        chunker: Mutex::new(chunker),
        ready: Mutex::default(),
        backlog: 2 * run.settings.threads,
        packed: Sequencer::new(true),
        parts: Mutex::new(Parts::open(&run.os, target)?),
    };
    let sink = Sink {
        run,
        meter,
        encode,
        texts: Sequencer::new(run.settings.ordered),
        written: AtomicU64::new(0),
        to: &files,
    };
    plan.run(run, &sink)?;
    let records = sink.balance()?;
    let mut rest = Vec::new();
    let text_bytes = {
        let mut chunker = lock(&files.chunker);
        chunker.finish(|chunk| rest.push(chunk));
        chunker.total
    };
    for chunk in rest {
        lock(&files.ready).push(chunk);
    }
    files.help(usize::MAX)?;
    if !files.packed.balanced() {
        return Err(Error::internal("chunks of the output are missing"));
    }
    let (files, file_bytes) = files.parts.into_inner().unwrap_or_else(PoisonError::into_inner).commit()?;
    Ok(Written { files, records, text_bytes, file_bytes })
}

fn write_stream<T: Send + 'static>(
    run: &Run,
    plan: Box<dyn Plan<T>>,
    stage: u32,
    verb: &str,
    writer: impl Write + Send,
    encode: Encode<T>,
) -> Result<u64> {
    let meter = run.stage(stage, verb);
    let stream = Stream { writer: Mutex::new(writer) };
    let texts = Sequencer::new(run.settings.ordered);
    let sink = Sink { run, meter, encode, texts, written: AtomicU64::new(0), to: &stream };
    plan.run(run, &sink)?;
    sink.balance()
}

/// Where ordered text goes.
trait Texts: Sync {
    /// The next text, in order; never called by two threads at once.
    fn take(&self, text: &[u8]) -> Result<()>;
    /// Work that the calling worker can do outside the order. Called after each unit.
    fn help(&self) -> Result<()>;
}

/// The workers' half of writing.
struct Sink<'a, T> {
    run: &'a Run,
    meter: Arc<StageMeter>,
    encode: Encode<T>,
    texts: Sequencer<(u64, Vec<u8>, Option<Permit>)>,
    written: AtomicU64,
    to: &'a dyn Texts,
}

impl<T> Sink<'_, T> {
    /// Everything that came in went out, or the output is not committed.
    fn balance(&self) -> Result<u64> {
        let (came, went) = (self.meter.records_in.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed));
        if came != went || !self.texts.balanced() {
            return Err(Error::internal(format!("{came} records came to stage {}, {went} went out", self.meter.name)));
        }
        self.meter.records_out.store(went, Ordering::Relaxed);
        let _ = self.run;
        Ok(went)
    }
}

impl<T: Send> Fan<T> for Sink<'_, T> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(SinkPush { sink: self, cx, text: Vec::new(), whole: 0, records: 0 })
    }
}

struct SinkPush<'s, T> {
    sink: &'s Sink<'s, T>,
    cx: &'s WorkerCx<'s>,
    text: Vec<u8>,
    /// The bytes of the text that are whole records: what is behind them was being encoded when a panic came.
    whole: usize,
    records: u64,
}

impl<T: Send> Push<T> for SinkPush<'_, T> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        self.cx.set_stage(self.sink.meter.number);
        if let Err(error) = (self.sink.encode)(&item, &mut self.text) {
            self.text.truncate(self.whole);
            return self.cx.refuse(at, error.in_stage(self.sink.meter.name.clone()));
        }
        self.whole = self.text.len();
        self.records += 1;
        Flow::Continue(())
    }

    fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        let (sink, fence) = (self.sink, &self.cx.phase.fence);
        self.cx.set_stage(sink.meter.number);
        let records = std::mem::take(&mut self.records);
        sink.meter.records_in.fetch_add(records, Ordering::Relaxed);
        self.text.truncate(std::mem::take(&mut self.whole));
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

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Files: ordered text is cut into chunks; workers pack them; packed chunks are written in order.
struct Files {
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
struct Stream<W> {
    writer: Mutex<W>,
}

impl<W: Write + Send> Texts for Stream<W> {
    fn take(&self, text: &[u8]) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut writer = lock(&self.writer);
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
