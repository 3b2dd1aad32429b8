//! Text on its way out. Workers make the text of units; it is put in order (see [`Sequencer`]) and goes to a writer as
//! it is, or to files (see [`super::files`]).

use crate::os::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::os::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::io::Write;

use crate::engine::{Flow, Gaps, StageMeter, Stop, UnitAccount, UnitEnd, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::shuffle::{Permit, Sequencer};

use super::output::Piece;

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
    texts: Sequencer<(u64, Vec<u8>, UnitAccount, Option<Permit>)>,
    written: AtomicU64,
    /// Somebody wanted nothing more: what came behind that was dropped on purpose.
    enough: AtomicBool,
    to: &'a dyn Texts,
}

impl<'a> Sink<'a> {
    pub(super) fn new(meter: Arc<StageMeter>, ordered: bool, to: &'a dyn Texts) -> Sink<'a> {
        Sink { meter, texts: Sequencer::new(ordered), written: AtomicU64::new(0), enough: AtomicBool::new(false), to }
    }

    pub(super) fn out<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Out<'s> {
        Out { sink: self, cx, text: Vec::new(), pieces: Vec::new(), whole: 0, records: 0, gaps: Gaps::default() }
    }

    /// Everything that came in went out, or the output is not committed; unless the run ended early on purpose, where
    /// the fence says what goes out. Gives the number of records.
    pub(super) fn balance(&self) -> Result<u64> {
        let (came, went) = (self.meter.records_in.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed));
        if (came != went || !self.texts.balanced()) && !self.enough.load(Ordering::Relaxed) {
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
    /// Nothing but wrong use puts any here.
    pub(super) pieces: Vec<Piece>,
    /// The bytes of the text that are whole records: what is behind them was being encoded when a panic came.
    whole: usize,
    records: u64,
    gaps: Gaps,
}

impl Out<'_> {
    pub(super) fn stage(&self) -> u32 {
        self.sink.meter.number
    }

    /// What was put behind the text since the last call is a record.
    pub(super) fn record(&mut self) {
        self.gaps.note(self.cx, self.whole);
        self.whole = self.text.len();
        self.records += 1;
    }

    /// What was put behind the text since the last call stays, but is no record.
    pub(super) fn keep(&mut self) {
        self.whole = self.text.len();
    }

    /// What was put behind the text since the last record is none.
    pub(super) fn drop_unfinished(&mut self) {
        self.text.truncate(self.whole);
    }

    /// Nothing behind the record in hand is wanted.
    pub(super) fn enough(&self) -> Flow {
        self.sink.enough.store(true, Ordering::Relaxed);
        self.cx.phase.run.trail.cut();
        Flow::Break(Stop::Enough)
    }

    pub(super) fn stage_name(&self) -> &str {
        &self.sink.meter.name
    }

    /// The unit is through: its text takes its turn.
    pub(super) fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        let (sink, phase) = (self.sink, self.cx.phase);
        let fence = &phase.fence;
        self.cx.set_stage(sink.meter.number);
        self.drop_unfinished();
        let account = self.gaps.end(self.cx, self.whole, &permit);
        self.whole = 0;
        let records = std::mem::take(&mut self.records);
        sink.meter.records_in.fetch_add(records, Ordering::Relaxed);
        sink.meter.bytes.fetch_add(self.text.len() as u64, Ordering::Relaxed);
        // Units are alike: the next text gets what this one needed, and doubling leaves no half-empty ones to wait.
        let length = self.text.len();
        let mut text = std::mem::replace(&mut self.text, Vec::with_capacity(length + length / 16));
        if text.capacity() > length + length / 4 {
            text.shrink_to_fit();
        }
        sink.texts.submit(unit, last, (records, text, account, permit), |unit, (records, text, account, _permit)| {
            if !fence.allows(unit) {
                return false;
            }
            let over = account.settle(phase, unit);
            match sink.to.take(&text[..over.unwrap_or(text.len())]) {
                Ok(()) if over.is_some() => false,
                Ok(()) => {
                    sink.written.fetch_add(records, Ordering::Relaxed);
                    true
                }
                // An output that is broken is not broken at a record: nothing that could still be read is of any use.
                Err(error) => {
                    fence.bar(Stop::from(error));
                    false
                }
            }
        });
        if let Err(error) = sink.to.help() {
            fence.bar(Stop::from(error));
        }
        Flow::Continue(())
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under one of these locks ends the run with an error, and nothing of it is committed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
