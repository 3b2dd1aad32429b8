//! The absorbing half: text goes to a store, by the name of its partition. Pieces that follow each other there are one row.

use crate::os::sync::atomic::{AtomicU64, Ordering};
use crate::os::sync::{Arc, Mutex};

use crate::batch::{Seq, Unit};
use crate::engine::{Flow, Run, StageMeter, Stop, UnitEnd, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::shuffle::Sequencer;
use crate::spill::{HashKey, Store, StoreWriter};

use super::super::Partition;
use super::super::ends::{End, Ends};
use super::super::output::Piece;
use super::super::texts::lock;

/// Bytes up to which pieces become one row: what a store takes with nothing but its floor.
const ROW: usize = 2 << 10;

/// What all workers share.
pub(super) struct Absorb<'a> {
    store: &'a Store,
    hash: HashKey,
    meter: Arc<StageMeter>,
    /// Counts the records of units that lie before the run's end.
    units: Sequencer<u64>,
    records: AtomicU64,
    text: AtomicU64,
    /// The first unit behind which nothing is wanted.
    stop: Mutex<Option<Unit>>,
    /// Why something could not be stored: then what lies before it may be lost too.
    broken: Mutex<Option<Error>>,
}

/// What came.
pub(super) struct Absorbed {
    pub(super) records: u64,
    /// Bytes of text.
    pub(super) text: u64,
    /// The unit behind which what is stored was not wanted.
    pub(super) stop: Option<Unit>,
}

impl<'a> Absorb<'a> {
    pub(super) fn new(run: &Run, store: &'a Store, meter: Arc<StageMeter>) -> Absorb<'a> {
        let (units, hash) = (Sequencer::new(true), run.hash_key);
        let (records, text) = (AtomicU64::new(0), AtomicU64::new(0));
        Absorb { store, hash, meter, units, records, text, stop: Mutex::default(), broken: Mutex::default() }
    }

    /// What came of a run without an error.
    pub(super) fn ended(self) -> Result<Absorbed> {
        if let Some(error) = lock(&self.broken).take() {
            return Err(error);
        }
        let (stop, came) = (*lock(&self.stop), self.meter.records_in.load(Ordering::Relaxed));
        let (records, text) = (self.records.into_inner(), self.text.into_inner());
        if stop.is_none() && (!self.units.balanced() || came != records) {
            return Err(Error::internal(format!("{came} records came, {records} were counted")));
        }
        self.meter.records_out.store(records, Ordering::Relaxed);
        Ok(Absorbed { records, text, stop })
    }
}

impl Ends for Absorb<'_> {
    type End<'s>
        = Absorber<'s>
    where
        Self: 's;

    fn end_of<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Absorber<'s> {
        let (unit, text, row) = (Unit::default(), Vec::new(), (Partition::new(), Vec::new()));
        Absorber { to: self, cx, writer: None, unit, rows: 0, records: 0, text, pieces: Vec::new(), row, bytes: 0 }
    }
}

/// One worker's half.
pub(super) struct Absorber<'s> {
    to: &'s Absorb<'s>,
    cx: &'s WorkerCx<'s>,
    /// Made at the first row.
    writer: Option<StoreWriter>,
    unit: Unit,
    rows: u64,
    records: u64,
    /// The text of the record in hand.
    text: Vec<u8>,
    pieces: Vec<Piece>,
    /// What is not stored yet.
    row: (Partition, Vec<u8>),
    bytes: u64,
}

impl Absorber<'_> {
    /// Stores the row in hand.
    fn store(&mut self) -> Result<()> {
        let (partition, row) = &mut self.row;
        if row.is_empty() {
            return Ok(());
        }
        let seq = Seq::new(self.unit, self.rows);
        self.rows += 1;
        self.bytes += row.len() as u64;
        let key = partition.dir();
        let writer = match &mut self.writer {
            Some(writer) => Ok(writer),
            None => self.to.store.writer().map(|writer| self.writer.insert(writer)),
        };
        let stored = writer.and_then(|writer| writer.push(self.to.hash.hash(key), seq, key.as_bytes(), row));
        row.clear();
        stored.inspect_err(|error| {
            lock(&self.to.broken).get_or_insert(error.again());
        })
    }

    /// Puts the pieces of the record in hand behind what is there.
    fn put(&mut self) -> Result<()> {
        let (text, mut from) = (std::mem::take(&mut self.text), 0);
        for (end, partition) in std::mem::take(&mut self.pieces) {
            let end = end.min(text.len());
            let piece = text.get(from..end).unwrap_or_default();
            from = end;
            if partition.dir().is_empty() {
                return Err(Error::new(ErrorKind::Usage, "expected a partition with a key, found none"));
            }
            if self.row.0 != partition || self.row.1.len() + piece.len() > ROW {
                self.store()?;
                self.row.0 = partition;
            }
            self.row.1.extend_from_slice(piece);
        }
        self.text = text;
        self.text.clear();
        Ok(())
    }
}

impl<'s> End<'s> for Absorber<'s> {
    fn cx(&self) -> &'s WorkerCx<'s> {
        self.cx
    }

    fn stage(&self) -> (u32, &str) {
        (self.to.meter.number, &self.to.meter.name)
    }

    fn begin(&mut self, unit: Unit) {
        (self.unit, self.rows) = (unit, 0);
    }

    fn text(&mut self) -> (&mut Vec<u8>, &mut Vec<Piece>) {
        (&mut self.text, &mut self.pieces)
    }

    fn through(&mut self, record: bool) -> Result<()> {
        if record && self.pieces.last().map_or(0, |(end, _)| *end) < self.text.len() {
            let text = "expected text that was put into a partition: see Output::put_into";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        self.records += u64::from(record);
        self.put()
    }

    fn enough(&self) -> Flow {
        self.cx.phase.run.trail.cut();
        let mut stop = lock(&self.to.stop);
        *stop = Some(stop.map_or(self.unit, |unit| unit.min(self.unit)));
        Flow::Break(Stop::Enough)
    }

    fn end(&mut self, UnitEnd { unit, last, .. }: UnitEnd) -> Flow {
        // Of a record at which a panic came nothing is kept.
        self.text.clear();
        self.pieces.clear();
        self.cx.set_stage(self.to.meter.number);
        let stored = self.store();
        let (records, bytes) = (std::mem::take(&mut self.records), std::mem::take(&mut self.bytes));
        self.to.meter.records_in.fetch_add(records, Ordering::Relaxed);
        self.to.meter.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.to.text.fetch_add(bytes, Ordering::Relaxed);
        let fence = &self.cx.phase.fence;
        self.to.units.submit(unit, last, records, |unit, records| {
            self.to.records.fetch_add(if fence.allows(unit) { records } else { 0 }, Ordering::Relaxed);
            fence.allows(unit)
        });
        match stored {
            Ok(()) => Flow::Continue(()),
            Err(error) => Flow::Break(Stop::from(error.in_stage(self.to.meter.name.clone()))),
        }
    }

    fn finish(&mut self) -> Result<()> {
        let finished = self.writer.take().map_or(Ok(()), StoreWriter::finish);
        finished.map_err(|error| error.in_stage(self.to.meter.name.clone()))
    }
}

impl Drop for Absorber<'_> {
    /// After a panic what is stored is whole: it may lie behind the place where the run has ended, complete.
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // A store that could not take the rest is not read: see `Store::finish`.
            let _ = writer.finish();
        }
    }
}
