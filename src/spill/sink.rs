//! The writing end of a run file: blocks of rows become frames, compressed where there is memory for that; a row for which
//! there is no block becomes one from where it is.

use crate::os::sync::Arc;

use super::file::{Frame, RunFile, Scratch};
use super::frame::{self, Expected, HEADER};
use super::row::{self, Row};
use super::space::{Purse, Space, Stats};
use crate::error::{Error, Result};

/// The writing end of one thread: its run file, made when first needed, and its buffer for compressing.
#[derive(Debug)]
pub(crate) struct Sink {
    space: Space,
    file: Option<Arc<RunFile>>,
    scratch: Scratch,
    /// Blocks up to this size are compressed in the kept buffer.
    block: usize,
}

impl Sink {
    pub(crate) fn new(space: &Space, block: usize) -> Sink {
        Sink { space: space.clone(), file: None, scratch: Scratch::new(), block }
    }

    /// Gives the compression buffer back.
    pub(crate) fn release(&mut self) {
        self.scratch.release();
    }

    /// The next frame's file, what it is, and its length if it is not compressed. Whoever merges or partitions what is on
    /// disk comes here again and again, so this is where a cancelled run ends meanwhile.
    fn next(&mut self, partition: u32, records: u32, length: usize) -> Result<(Arc<RunFile>, Expected, u32)> {
        if self.space.cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(RunFile::create(&self.space)?))),
        };
        let too_long = |_| Error::internal(format!("a block of {length} bytes is too long for a frame"));
        let length = u32::try_from(length + HEADER).map_err(too_long)?;
        let raw = length - row::short(HEADER);
        let expected = Expected { partition, sequence: file.next_sequence(), records, raw };
        Ok((file, expected, length))
    }

    /// Writes a block of rows as one frame.
    pub(crate) fn write(&mut self, purse: &Purse, partition: u32, records: u32, raw: &[u8]) -> Result<Frame> {
        let (file, expected, length) = self.next(partition, records, raw.len())?;
        let room = frame::room_to_compress(raw.len());
        // A block larger than usual gets a buffer for itself, if there is memory; else it is written as it is.
        let mut own;
        let target = if raw.len() <= self.block {
            self.scratch.room(purse, room).ok()
        } else {
            match self.space.budget.try_reserve(room as u64) {
                Some(charge) => {
                    own = Scratch::with(room, charge)?;
                    Some(own.bytes())
                }
                None => None,
            }
        };
        let (offset, length) = match target.and_then(|out| frame::compress(&expected, raw, out).map(|()| out)) {
            Some(out) => (file.append(&[out])?, row::short(out.len())),
            None => (stored(&file, &expected, &[raw])?, length),
        };
        Ok(self.written(Frame { file, offset, length, expected }))
    }

    /// Writes one row as a frame, which takes no memory.
    pub(crate) fn write_row(&mut self, partition: u32, row: &Row<'_>) -> Result<Frame> {
        let (file, expected, length) = self.next(partition, 1, row.size())?;
        let head = row::head(row.hash, row.seq, row.key.len(), row.value.len());
        let offset = stored(&file, &expected, &[&head, row.key, row.value])?;
        Ok(self.written(Frame { file, offset, length, expected }))
    }

    fn written(&self, frame: Frame) -> Frame {
        let stats = &self.space.stats;
        Stats::add(&stats.frames, 1);
        Stats::add(&stats.records, u64::from(frame.records()));
        Stats::add(&stats.raw, frame.raw() as u64);
        Stats::add(&stats.stored, u64::from(frame.length));
        frame
    }
}

/// Writes a frame as it is, from where its parts are.
fn stored(file: &RunFile, expected: &Expected, parts: &[&[u8]]) -> Result<u64> {
    let header = frame::header(expected, parts).ok_or_else(|| Error::internal("a block is too long"))?;
    let mut all = vec![&header[..]];
    all.extend_from_slice(parts);
    file.append(&all)
}
