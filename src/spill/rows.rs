//! The rows of one group, in order of position: from memory, or streamed from disk. They own what they need, so they
//! can be kept, sent to another thread, read in any order, outlive everything else, or be dropped half-read.

use std::sync::Arc;

use super::budget::Reservation;
use super::file::{Scratch, buffer};
use super::index::Index;
use super::merge::{self, Merge};
use super::row;
use super::run::{Cursor, Hand, Run, lost};
use super::space::{Purse, Space};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// The rows of one group.
#[derive(Debug)]
pub(crate) struct GroupRows {
    /// All of them, read or not.
    count: u64,
    read: u64,
    from: Source,
}

#[derive(Debug)]
enum Source {
    Memory {
        index: Arc<Index>,
        start: u32,
    },
    Packed(Packed),
    /// A packed group for which there was no memory when it was handed out.
    Later {
        run: Arc<Run>,
        frame: usize,
        at: usize,
        means: Means,
    },
    Runs {
        runs: Vec<Arc<Run>>,
        means: Means,
    },
    Merge(Box<Merge<Cursor>>),
    /// Reading failed.
    Failed,
}

/// What reading from disk takes.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) space: Space,
    pub(crate) purse: Purse,
    pub(crate) block: usize,
}

/// A small group in one piece: position, length and bytes of each value.
#[derive(Debug)]
struct Packed {
    bytes: Vec<u8>,
    at: usize,
    _charge: Reservation,
}

/// Bytes before each value of a packed group.
pub(crate) const PACKED_HEAD: usize = 20;

/// Appends one value to a packed group.
pub(crate) fn pack(out: &mut Vec<u8>, seq: Seq, value: &[u8]) {
    out.extend_from_slice(&row::seq_bytes(seq));
    out.extend_from_slice(&row::short(value.len()).to_le_bytes());
    out.extend_from_slice(value);
}

impl GroupRows {
    pub(crate) fn in_memory(index: Arc<Index>, start: u32, end: u32) -> GroupRows {
        let count = u64::from(end - start);
        GroupRows { count, read: 0, from: Source::Memory { index, start } }
    }

    pub(crate) fn on_disk(runs: Vec<Arc<Run>>, means: &Means) -> GroupRows {
        let count = runs.iter().map(|run| run.rows).sum();
        GroupRows { count, read: 0, from: Source::Runs { runs, means: means.clone() } }
    }

    /// The packed group that a cursor stands on. It is copied out if there is memory for that, and else read again
    /// from its frame when it is needed.
    pub(crate) fn packed(count: u64, bytes: &[u8], cursor: &Cursor, means: &Means) -> Result<GroupRows> {
        let from = match means.space.budget.try_reserve(bytes.len() as u64) {
            Some(charge) => Source::Packed(Packed::copy(bytes, charge)?),
            None => {
                let (frame, at) = cursor.place();
                Source::Later { run: Arc::clone(&cursor.run), frame, at, means: means.clone() }
            }
        };
        Ok(GroupRows { count, read: 0, from })
    }

    /// How many rows the group has, read or not.
    pub(crate) fn total(&self) -> u64 {
        self.count
    }

    /// The next row; the value is valid until the next call. After an error there are no more.
    pub(crate) fn next_row(&mut self) -> Option<Result<(Seq, &[u8])>> {
        if self.read == self.count {
            return None;
        }
        if let Err(error) = self.open() {
            (self.count, self.read, self.from) = (0, 0, Source::Failed);
            return Some(Err(error));
        }
        let no = self.read;
        self.read += 1;
        Some(match &mut self.from {
            Source::Memory { index, start } => index
                .row(start.saturating_add(row::short(usize::try_from(no).unwrap_or(usize::MAX))))
                .map(|row| (row.seq, row.value)),
            Source::Packed(packed) => packed.next(),
            Source::Merge(merge) => match merge.next() {
                Ok(Some(cursor)) => cursor.row().map(|row| (row.seq, row.value)),
                Ok(None) => Err(lost("a group", self.count, no)),
                Err(error) => Err(error),
            },
            Source::Later { .. } | Source::Runs { .. } | Source::Failed => Err(Error::internal("a group is not open")),
        })
    }

    /// The next row's value without taking the row, if it is at hand: `None` for a group that is still on disk.
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        match &self.from {
            Source::Memory { index, start } => {
                index.row(start.checked_add(u32::try_from(self.read).ok()?)?).ok().map(|row| row.value)
            }
            Source::Packed(packed) => packed.peek().ok().map(|(_, value)| value),
            _ => None,
        }
    }

    /// Takes what reading needs, at the first row.
    fn open(&mut self) -> Result<()> {
        if !matches!(self.from, Source::Later { .. } | Source::Runs { .. }) {
            return Ok(());
        }
        self.from = match std::mem::replace(&mut self.from, Source::Failed) {
            Source::Later { run, frame, at, means } => Source::Packed(Packed::load(&run, frame, at, &means)?),
            Source::Runs { runs, means } => {
                let mut hand = Hand::new(&means.space, means.purse.clone(), means.block);
                let (cursors, scratch) = merge::open(runs, &mut hand)?;
                Source::Merge(Box::new(Merge::new(cursors, scratch, means.purse)))
            }
            other => other,
        };
        Ok(())
    }
}

impl Packed {
    fn copy(bytes: &[u8], charge: Reservation) -> Result<Packed> {
        let mut copy = buffer(bytes.len())?;
        copy.extend_from_slice(bytes);
        Ok(Packed { bytes: copy, at: 0, _charge: charge })
    }

    fn load(run: &Run, frame: usize, at: usize, means: &Means) -> Result<Packed> {
        let frame = run.frames.get(frame).ok_or_else(|| Error::internal("a group is in no frame"))?;
        let (mut scratch, purse) = (Scratch::new(), &means.purse);
        let charge = purse.need(frame.raw() as u64, "reading a group")?;
        let mut raw = buffer(frame.raw())?;
        frame.read(purse, &mut scratch, &mut raw)?;
        scratch.release();
        let bytes = super::leaf::packed_bytes(row::at(&raw, at)?.value)?;
        // Where the frame's memory is from the floor, the group must not keep all of it.
        let own = purse.need(bytes.len() as u64, "reading a group")?;
        let packed = Packed::copy(bytes, own);
        drop(charge);
        packed
    }

    fn next(&mut self) -> Result<(Seq, &[u8])> {
        let at = self.at;
        self.at += PACKED_HEAD + self.peek()?.1.len();
        self.peek_at(at)
    }

    fn peek(&self) -> Result<(Seq, &[u8])> {
        self.peek_at(self.at)
    }

    fn peek_at(&self, at: usize) -> Result<(Seq, &[u8])> {
        let cut = || Error::internal("a group is cut short");
        let (head, rest) = self.bytes.get(at..).and_then(|rest| rest.split_at_checked(PACKED_HEAD)).ok_or_else(cut)?;
        let (seq, length) = head.split_first_chunk().ok_or_else(cut)?;
        let length = u32::from_le_bytes(*length.first_chunk().ok_or_else(cut)?) as usize;
        Ok((row::seq_of(seq), rest.get(..length).ok_or_else(cut)?))
    }
}

impl Iterator for GroupRows {
    type Item = Result<(Seq, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_row()?.map(|(seq, value)| (seq, value.to_vec())))
    }
}
