//! Reading groups from disk, any number of them at once: each takes its buffers from the budget or, while that leaves
//! enough for one more, from a floor that all share. Who gets none of either holds no buffer between two rows: in turns
//! the rest of the floor is lent to one of them at a time, for as long as it takes to copy the next few rows out of their
//! frame, or to merge runs. No code of a caller runs meanwhile, so a turn ends without anybody's help.

use crate::os::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::budget::Budget;
use super::file::{Frame, Scratch, buffer};
use super::frame::HEADER;
use super::leaf::packed_bytes;
use super::merge;
use super::packed::{PACKED_HEAD, Packed, pack, unpack};
use super::row;
use super::run::{Cursor, Hand, Run, lost};
use super::space::{Purse, Space};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// Rows that are copied at once, in bytes, where there is no memory: at least this many, or a share of a block, so that
/// a block is not read too often.
const CHUNK: usize = 4 << 10;
const CHUNK_SHARE: usize = 16;

/// What reading from disk takes.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    space: Space,
    /// Its floor is shared; what it spares is lent.
    purse: Purse,
    block: usize,
    turn: Arc<Mutex<()>>,
}

impl Means {
    /// What must be spared where no block of a group is longer: a block each of two runs, one that is read into, and one
    /// to write.
    pub(crate) fn lent(longest: usize) -> usize {
        4 * longest + HEADER
    }

    pub(crate) fn new(space: Space, floor: Budget, spared: u64, block: usize) -> Means {
        let purse = Purse { budget: space.budget.clone(), floor, spared };
        Means { space, purse, block, turn: Arc::default() }
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.space.budget
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the rows of a frame to the one whose turn it is.
    fn lend<R>(&self, frame: &Frame, copy: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
        let _turn = self.turn();
        let stored = frame.raw() + HEADER;
        let mut charge = self.purse.need((frame.raw() + stored) as u64, "reading a group")?;
        let mut scratch = Scratch::with(stored, charge.split_off(stored as u64))?;
        let mut raw = buffer(frame.raw())?;
        frame.read(&self.purse, &mut scratch, &mut raw)?;
        copy(&raw)
    }

    /// Merges some runs, with all of the floor that is not in use.
    fn fewer(&self, runs: Vec<Arc<Run>>) -> Result<Vec<Arc<Run>>> {
        let _turn = self.turn();
        let floor = &self.purse.floor;
        let own = loop {
            // Others may take of what is not spared between the two calls, but not without end: they keep it.
            if let Some(own) = floor.carve(floor.limit().saturating_sub(floor.used())) {
                break own;
            }
        };
        let purse = Purse { budget: self.space.budget.clone(), floor: own, spared: 0 };
        merge::fewer(runs, &mut Hand::new(&self.space, purse, self.block))
    }

    /// Opens runs; those for which there is no memory become one, to be read in turns.
    pub(crate) fn open(&self, mut runs: Vec<Arc<Run>>) -> Result<Opened> {
        loop {
            if let Some(charge) = self.purse.take_much(merge::need(&runs)) {
                let (cursors, scratch) = merge::with(runs, charge)?;
                return Ok(Opened::Merge(Box::new(merge::Merge::new(cursors, scratch, self.purse.clone()))));
            }
            if runs.len() > 1 {
                runs = self.fewer(runs)?;
            } else {
                let run = runs.pop().unwrap_or_default();
                return Ok(Opened::Turns(Turns {
                    place: Place { run, frame: 0, at: 0, packed: None },
                    means: self.clone(),
                }));
            }
        }
    }
}

/// Runs that can be read.
#[derive(Debug)]
pub(crate) enum Opened {
    Merge(Box<merge::Merge<Cursor>>),
    Turns(Turns),
}

/// Where the next row is: in a frame, or packed in a row of that.
#[derive(Debug)]
struct Place {
    run: Arc<Run>,
    frame: usize,
    at: usize,
    packed: Option<usize>,
}

/// Rows that are read in turns.
#[derive(Debug)]
pub(crate) struct Turns {
    place: Place,
    means: Means,
}

impl Turns {
    /// The packed group that a cursor stands on.
    pub(crate) fn packed(cursor: &Cursor, means: &Means) -> Turns {
        let (frame, at) = cursor.place();
        Turns { place: Place { run: Arc::clone(&cursor.run), frame, at, packed: Some(0) }, means: means.clone() }
    }

    /// All rows of a packed group, if there is memory for them.
    pub(crate) fn whole(&self) -> Result<Option<Packed>> {
        let Place { run, frame, at, .. } = &self.place;
        let frame = frame_of(run, *frame)?;
        let need = 3 * frame.raw() + HEADER;
        let Some(mut charge) = self.means.purse.take_much(need as u64) else { return Ok(None) };
        let mut scratch = Scratch::with(frame.raw() + HEADER, charge.split_off((frame.raw() + HEADER) as u64))?;
        let mut raw = buffer(frame.raw())?;
        frame.read(&self.means.purse, &mut scratch, &mut raw)?;
        let bytes = packed_bytes(row::at(&raw, *at)?.value)?;
        let own = charge.split_off(bytes.len() as u64);
        Packed::copy(bytes, own).map(Some)
    }

    /// The next rows.
    pub(crate) fn next(&mut self) -> Result<Packed> {
        let Turns { place, means } = self;
        let frame = frame_of(&place.run, place.frame)?;
        let most = CHUNK.max(means.block / CHUNK_SHARE);
        let rows = means.lend(frame, |raw| match &mut place.packed {
            None => {
                let each = |at: usize| row::at(raw, at).map(|row| ((row.seq, row.value), at + row.size()));
                chunk(raw.len(), &mut place.at, most, each)
            }
            Some(from) => {
                let bytes = packed_bytes(row::at(raw, place.at)?.value)?;
                let each = |at: usize| unpack(bytes, at).map(|row| (row, at + PACKED_HEAD + row.1.len()));
                chunk(bytes.len(), from, most, each)
            }
        })?;
        if place.packed.is_none() && place.at >= frame.raw() {
            (place.frame, place.at) = (place.frame + 1, 0);
        }
        Ok(rows)
    }
}

fn frame_of(run: &Run, no: usize) -> Result<&Frame> {
    run.frames.get(no).ok_or_else(|| lost("a sorted run", run.rows, run.rows.saturating_sub(1)))
}

/// Copies rows from an offset on, at least one; the offset is then that of the next.
fn chunk<'a>(
    end: usize,
    from: &mut usize,
    most: usize,
    each: impl Fn(usize) -> Result<((Seq, &'a [u8]), usize)>,
) -> Result<Packed> {
    let (mut at, mut length) = (*from, 0);
    while at < end {
        let ((_, value), next) = each(at)?;
        if length > 0 && length + PACKED_HEAD + value.len() > most {
            break;
        }
        (at, length) = (next, length + PACKED_HEAD + value.len());
    }
    let (mut rows, end) = (buffer(length)?, at);
    at = *from;
    while at < end {
        let ((seq, value), next) = each(at)?;
        pack(&mut rows, seq, value);
        at = next;
    }
    *from = end;
    if rows.is_empty() {
        return Err(Error::internal("a group ends early"));
    }
    Ok(Packed::new(rows, None))
}
