//! Groups on their way through a run: one row for each group, at the position of its first record. A small group lies
//! in it packed; of a big one it has the number of a list of runs, so that no block is longer than it should be.

use crate::os::sync::{Arc, Mutex, PoisonError};

use super::index::Index;
use super::lend::Means;
use super::packed::{PACKED_HEAD, pack};
use super::row::{self, HEAD, Row};
use super::rows::{self, GroupRows, Head};
use super::run::{Cursor, Hand, Run, RunWriter};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// First byte of the row's value.
const PACKED: u8 = 0;
const BIG: u8 = 1;

/// The groups that are not packed. There are few: each is at least half a block long.
#[derive(Debug, Default)]
pub(crate) struct Bigs(Mutex<Vec<Vec<Arc<Run>>>>);

impl Bigs {
    fn add(&self, runs: Vec<Arc<Run>>) -> u64 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(runs);
        all.len() as u64 - 1
    }

    /// Each is asked for once.
    fn take(&self, no: u64) -> Option<Vec<Arc<Run>>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        usize::try_from(no).ok().and_then(|no| all.get_mut(no)).map(std::mem::take)
    }

    /// Appends a group whose rows are in runs.
    pub(crate) fn put(
        &self,
        out: &mut RunWriter,
        hand: &mut Hand,
        key: &[u8],
        (first, head): (Seq, Head),
        runs: Vec<Arc<Run>>,
    ) -> Result<()> {
        let count = runs.iter().map(|run| run.rows).sum();
        let mut value = vec![BIG];
        value.extend_from_slice(&self.add(runs).to_le_bytes());
        value.extend_from_slice(&head);
        out.push(hand, &Row { hash: count, seq: first, key, value: &value })
    }

    /// The group that a cursor stands on.
    pub(crate) fn get(&self, cursor: &Cursor, means: &Means) -> Result<(Vec<u8>, GroupRows)> {
        let row = cursor.row()?;
        let rows = match row.value.split_first() {
            Some((&BIG, value)) => {
                let (no, head) = value.split_first_chunk().unzip();
                let runs = no.and_then(|&no| self.take(u64::from_le_bytes(no)));
                let runs = runs.ok_or_else(|| Error::internal("a group has no rows"))?;
                GroupRows::on_disk(runs, rows::head(head.unwrap_or_default()), means)
            }
            _ => GroupRows::packed(row.hash, packed_bytes(row.value)?, cursor, means)?,
        };
        Ok((row.key.to_vec(), rows))
    }
}

/// The packed group in the value of a row.
pub(crate) fn packed_bytes(value: &[u8]) -> Result<&[u8]> {
    value.strip_prefix(&[PACKED]).ok_or_else(|| Error::internal("a group is not packed"))
}

/// Writes the groups of a partition to a run, in order.
pub(crate) fn write(index: &Index, bigs: &Bigs, hand: &mut Hand) -> Result<Arc<Run>> {
    let mut out = RunWriter::new();
    for group in &index.groups {
        let key = index.row(group.start)?.key;
        let mut length = 0;
        for no in group.start..group.end {
            length += PACKED_HEAD + index.row(no)?.value.len();
        }
        if length <= hand.block / 2 {
            let value = 1 + length;
            let to = out.row(hand, HEAD + key.len() + value)?;
            row::put_head(to, u64::from(group.end - group.start), group.first, key.len(), value);
            to.extend_from_slice(key);
            to.push(PACKED);
            for no in group.start..group.end {
                let row = index.row(no)?;
                pack(to, row.seq, row.value);
            }
        } else {
            let mut own = RunWriter::new();
            for no in group.start..group.end {
                own.push(hand, &Row { key: &[], ..index.row(no)? })?;
            }
            let run = own.finish(hand)?;
            let head = rows::head(index.row(group.start)?.value);
            bigs.put(&mut out, hand, key, (group.first, head), vec![run])?;
        }
    }
    out.finish(hand)
}
