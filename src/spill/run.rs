//! The run: rows in order of their position, as a list of frames on disk. Written once from start to end, read from
//! start to end by any number of cursors.

use crate::os::sync::Arc;

use super::budget::Reservation;
use super::file::{Frame, Scratch, buffer};
use super::merge::Sorted;
use super::row::{self, Row};
use super::sink::Sink;
use super::space::{Purse, Space};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// What one thread works with when it writes and reads runs.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) space: Space,
    pub(crate) purse: Purse,
    pub(crate) sink: Sink,
    pub(crate) scratch: Scratch,
    /// The length that blocks should have.
    pub(crate) block: usize,
}

impl Hand {
    pub(crate) fn new(space: &Space, purse: Purse, block: usize) -> Hand {
        Hand { space: space.clone(), purse, sink: Sink::new(space, block), scratch: Scratch::new(), block }
    }

    /// Gives back the buffers that are kept between uses.
    pub(crate) fn release(&mut self) {
        self.sink.release();
        self.scratch.release();
    }
}

/// A finished run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) frames: Vec<Frame>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The longest of its blocks.
    pub(crate) longest: usize,
}

/// A run that is being written.
#[derive(Debug)]
pub(crate) struct RunWriter {
    run: Run,
    raw: Vec<u8>,
    records: u32,
    charge: Option<Reservation>,
}

impl RunWriter {
    pub(crate) fn new() -> RunWriter {
        RunWriter { run: Run::default(), raw: Vec::new(), records: 0, charge: None }
    }

    /// The buffer, with room for a row of `size` bytes, which the caller must append now.
    pub(crate) fn row(&mut self, hand: &mut Hand, size: usize) -> Result<&mut Vec<u8>> {
        if self.raw.capacity() - self.raw.len() < size {
            self.flush(hand)?;
            // A row longer than a block gets a block of its own; after it the buffer goes back to its usual size.
            if self.raw.capacity() < size || self.raw.capacity() > hand.block.max(size) {
                let capacity = size.max(hand.block);
                (self.raw, self.charge) = (Vec::new(), None);
                self.charge = Some(hand.purse.need(capacity as u64, "a block of sorted records")?);
                self.raw = buffer(capacity)?;
            }
        }
        self.records += 1;
        Ok(&mut self.raw)
    }

    /// Appends a row. One that is longer than a block and for which there is no memory is written from where it is.
    pub(crate) fn push(&mut self, hand: &mut Hand, row: &Row<'_>) -> Result<()> {
        let size = row.size();
        if size <= hand.block {
            return self.row(hand, size).map(|to| row::put(to, row));
        }
        self.flush(hand)?;
        let frame = match hand.purse.take(size as u64) {
            Some(_charge) => {
                // In one piece it can be compressed.
                let mut raw = buffer(size)?;
                row::put(&mut raw, row);
                hand.sink.write(&hand.purse, u32::MAX, 1, &raw)?
            }
            None => hand.sink.write_row(u32::MAX, row)?,
        };
        self.add(frame, 1, size);
        Ok(())
    }

    /// Appends a row as it is stored. One that is longer than a block is written from where it is.
    pub(crate) fn copy(&mut self, hand: &mut Hand, row: &[u8]) -> Result<()> {
        if row.len() <= hand.block {
            self.row(hand, row.len())?.extend_from_slice(row);
            return Ok(());
        }
        self.flush(hand)?;
        let frame = hand.sink.write(&hand.purse, u32::MAX, 1, row)?;
        self.add(frame, 1, row.len());
        Ok(())
    }

    fn add(&mut self, frame: Frame, rows: u32, bytes: usize) {
        self.run.rows += u64::from(rows);
        self.run.bytes += bytes as u64;
        self.run.longest = self.run.longest.max(bytes);
        self.run.frames.push(frame);
    }

    fn flush(&mut self, hand: &mut Hand) -> Result<()> {
        if !self.raw.is_empty() {
            let frame = hand.sink.write(&hand.purse, u32::MAX, self.records, &self.raw)?;
            self.add(frame, self.records, self.raw.len());
            self.raw.clear();
            self.records = 0;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, hand: &mut Hand) -> Result<Arc<Run>> {
        self.flush(hand)?;
        Ok(Arc::new(self.run))
    }
}

/// A reader of a run. Starts before the first row.
#[derive(Debug)]
pub(crate) struct Cursor {
    pub(crate) run: Arc<Run>,
    /// Frames read so far; the last of them is in `raw`.
    frames: usize,
    raw: Vec<u8>,
    /// Offset and position of the current row.
    at: usize,
    head: Option<Seq>,
    seen: u64,
    _charge: Reservation,
}

impl Cursor {
    /// Takes the memory it will need: one block of the run.
    pub(crate) fn open(run: Arc<Run>, purse: &Purse) -> Result<Cursor> {
        let charge = purse.need(run.longest as u64, "a block of a sorted run")?;
        Cursor::with(run, charge)
    }

    /// Like `open`, with memory that was taken before.
    pub(crate) fn with(run: Arc<Run>, charge: Reservation) -> Result<Cursor> {
        let raw = buffer(run.longest)?;
        Ok(Cursor { run, frames: 0, raw, at: 0, head: None, seen: 0, _charge: charge })
    }

    /// The current row.
    pub(crate) fn row(&self) -> Result<Row<'_>> {
        row::at(&self.raw, self.at)
    }

    /// The block in which the current row is, and its offset there.
    pub(crate) fn stands(&self) -> (&[u8], usize) {
        (&self.raw, self.at)
    }

    /// Where the current row is: its frame in the run and its offset there.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.frames - 1, self.at)
    }
}

impl Sorted for Cursor {
    fn head(&self) -> Option<Seq> {
        self.head
    }

    fn advance(&mut self, purse: &Purse, scratch: &mut Scratch) -> Result<()> {
        if self.head.is_some() {
            self.at += self.row()?.size();
        }
        if self.at == self.raw.len() {
            let Some(frame) = self.run.frames.get(self.frames) else {
                self.head = None;
                let (seen, rows) = (self.seen, self.run.rows);
                return if seen == rows { Ok(()) } else { Err(lost("a sorted run", rows, seen)) };
            };
            frame.read(purse, scratch, &mut self.raw)?;
            self.frames += 1;
            self.at = 0;
        }
        self.head = Some(self.row()?.seq);
        self.seen += 1;
        Ok(())
    }
}

/// The ledger does not balance.
pub(crate) fn lost(place: &str, written: u64, read: u64) -> Error {
    Error::internal(format!("{written} records were written to {place} and {read} were read back"))
}
