//! The rows of one group, in order of position: from memory, or streamed from disk. They own what they need, so they
//! can be kept, sent to another thread, read in any order, outlive everything else, or be dropped half-read.

use crate::os::sync::Arc;

use super::index::Index;
use super::lend::{Means, Opened, Turns};
use super::merge::Merge;
use super::packed::{Packed, unpack};
use super::row;
use super::run::{Cursor, Run, lost};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// The rows of one group.
#[derive(Debug)]
pub(crate) struct GroupRows {
    /// All of them, read or not.
    count: u64,
    read: u64,
    first: Head,
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
    Later(Turns),
    Runs {
        runs: Vec<Arc<Run>>,
        means: Means,
    },
    Merge(Box<Merge<Cursor>>),
    /// A few rows, and where the next ones are.
    Turns(Packed, Turns),
    /// Reading failed.
    Failed,
}

/// The first bytes of a group's first value, with zeros where that is shorter.
pub(crate) type Head = [u8; 12];

/// The head of a value.
pub(crate) fn head(value: &[u8]) -> Head {
    let mut head = Head::default();
    head.iter_mut().zip(value).for_each(|(to, &byte)| *to = byte);
    head
}

impl GroupRows {
    pub(crate) fn in_memory(index: Arc<Index>, start: u32, end: u32) -> Result<GroupRows> {
        let first = head(index.row(start)?.value);
        let count = u64::from(end - start);
        Ok(GroupRows { count, read: 0, first, from: Source::Memory { index, start } })
    }

    pub(crate) fn on_disk(runs: Vec<Arc<Run>>, first: Head, means: &Means) -> GroupRows {
        let count = runs.iter().map(|run| run.rows).sum();
        GroupRows { count, read: 0, first, from: Source::Runs { runs, means: means.clone() } }
    }

    /// The packed group that a cursor stands on. It is copied out if there is memory for that, and else read again
    /// from its frame when it is needed.
    pub(crate) fn packed(count: u64, bytes: &[u8], cursor: &Cursor, means: &Means) -> Result<GroupRows> {
        let first = head(unpack(bytes, 0)?.1);
        let from = match means.budget().try_reserve(bytes.len() as u64) {
            Some(charge) => Source::Packed(Packed::copy(bytes, charge)?),
            None => Source::Later(Turns::packed(cursor, means)),
        };
        Ok(GroupRows { count, read: 0, first, from })
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
            Source::Packed(rows) | Source::Turns(rows, _) => rows.next(),
            Source::Merge(merge) => match merge.next() {
                Ok(Some(cursor)) => cursor.row().map(|row| (row.seq, row.value)),
                Ok(None) => Err(lost("a group", self.count, no)),
                Err(error) => Err(error),
            },
            Source::Later(_) | Source::Runs { .. } | Source::Failed => Err(Error::internal("a group is not open")),
        })
    }

    /// The first bytes of the first row's value, wherever that is.
    pub(crate) fn first(&self) -> &Head {
        &self.first
    }

    /// Takes what reading needs, at the first row, or what comes next of a group that is read in turns.
    fn open(&mut self) -> Result<()> {
        if let Source::Turns(rows, turns) = &mut self.from {
            if rows.is_empty() {
                *rows = turns.next()?;
            }
            return Ok(());
        }
        if !matches!(self.from, Source::Later(_) | Source::Runs { .. }) {
            return Ok(());
        }
        self.from = match std::mem::replace(&mut self.from, Source::Failed) {
            Source::Later(mut turns) => match turns.whole()? {
                Some(rows) => Source::Packed(rows),
                None => Source::Turns(turns.next()?, turns),
            },
            Source::Runs { runs, means } => match means.open(runs)? {
                Opened::Merge(merge) => Source::Merge(merge),
                Opened::Turns(mut turns) => Source::Turns(turns.next()?, turns),
            },
            other => other,
        };
        Ok(())
    }
}

impl Iterator for GroupRows {
    type Item = Result<(Seq, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_row()?.map(|(seq, value)| (seq, value.to_vec())))
    }
}
