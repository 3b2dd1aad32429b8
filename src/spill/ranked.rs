//! Merging by the caller's order: batches in memory and runs on disk, each sorted, become one sequence. Rows that rank
//! equal stay in order of position, so the sort is stable (k-way merging as in Knuth, The Art of Computer Programming 3,
//! 5.4.1, with a tree of losers: one comparison a level). Ranks are made from the rows again when those come from disk.

use crate::os::sync::Arc;
use std::cmp::Ordering;

use super::budget::Reservation;
use super::file::Scratch;
use super::frame::HEADER;
use super::merge::Sorted as _;
use super::part::Block;
use super::row;
use super::run::{Cursor, Run};
use super::space::Purse;
use crate::batch::Seq;
use crate::error::{Error, Result};

/// What rows are sorted by.
pub(crate) trait Ranking: Send + Sync {
    type Rank: Send;

    /// The rank of a row that was stored with this value.
    fn rank(&self, value: &[u8]) -> Result<Self::Rank>;

    /// A total order.
    fn compare(&self, a: &Self::Rank, b: &Self::Rank) -> Ordering;
}

/// Bytes that are charged for each byte of a row: a rank that owns memory is taken to own as much as its row is long.
pub(crate) fn factor<K>() -> usize {
    if std::mem::needs_drop::<K>() { 2 } else { 1 }
}

/// A row in memory: its rank and where it is.
#[derive(Debug)]
pub(crate) struct Entry<K> {
    pub(crate) rank: K,
    pub(crate) seq: Seq,
    pub(crate) block: u32,
    pub(crate) at: u32,
}

/// Something sorted that is read from start to end.
#[derive(Debug)]
pub(crate) struct Source<K> {
    rows: Rows<K>,
    head: Option<(K, Seq)>,
    _charge: Option<Reservation>,
}

#[derive(Debug)]
enum Rows<K> {
    Memory { blocks: Vec<Block>, entries: std::vec::IntoIter<Entry<K>>, at: (u32, u32) },
    Disk(Cursor),
}

impl<K> Source<K> {
    /// Sorted entries with their blocks; `charge` is for the list.
    pub(crate) fn memory(blocks: Vec<Block>, entries: Vec<Entry<K>>, charge: Option<Reservation>) -> Source<K> {
        let rows = Rows::Memory { blocks, entries: entries.into_iter(), at: (0, 0) };
        Source { rows, head: None, _charge: charge }
    }

    /// A run, with the memory that [`room`] says.
    pub(crate) fn disk(run: Arc<Run>, mut charge: Reservation) -> Result<Source<K>> {
        let block = charge.split_off(run.longest as u64);
        Ok(Source { rows: Rows::Disk(Cursor::with(run, block)?), head: None, _charge: Some(charge) })
    }

    fn advance<R: Ranking<Rank = K>>(&mut self, by: &R, purse: &Purse, scratch: &mut Scratch) -> Result<()> {
        self.head = match &mut self.rows {
            Rows::Memory { entries, at, .. } => entries.next().map(|entry| {
                *at = (entry.block, entry.at);
                (entry.rank, entry.seq)
            }),
            Rows::Disk(cursor) => {
                cursor.advance(purse, scratch)?;
                match cursor.head() {
                    Some(seq) => Some((by.rank(cursor.row()?.value)?, seq)),
                    None => None,
                }
            }
        };
        Ok(())
    }

    /// The current row as it is stored.
    fn row(&self) -> Result<&[u8]> {
        let (bytes, at) = match &self.rows {
            Rows::Memory { blocks, at: (block, at), .. } => {
                (blocks.get(*block as usize).map_or(&[][..], |block| &block.bytes), *at as usize)
            }
            Rows::Disk(cursor) => cursor.stands(),
        };
        let size = row::at(bytes, at)?.size();
        bytes.get(at..at + size).ok_or_else(|| Error::internal("a row is cut short"))
    }
}

/// Bytes that reading a run takes: its block, and the rank of one of its rows.
pub(crate) fn room<K>(run: &Run) -> u64 {
    (run.longest * factor::<K>()) as u64
}

/// Bytes that reading these runs at once takes.
pub(crate) fn need<K>(runs: &[Arc<Run>]) -> u64 {
    runs.iter().map(|run| room::<K>(run)).sum::<u64>() + stored(runs) as u64
}

/// Bytes of the longest frame, which is read whole before it is checked.
pub(crate) fn stored(runs: &[Arc<Run>]) -> usize {
    runs.iter().map(|run| run.longest).max().map_or(0, |longest| longest + HEADER)
}

/// The merge.
#[derive(Debug)]
pub(crate) struct Ranked<K> {
    sources: Vec<Source<K>>,
    /// A tournament: the number of the source that ranks before all others, and at each other node, whose children are at
    /// twice its place and beside that, that of the one which lost there. Sources are the leaves behind.
    tree: Vec<usize>,
    scratch: Scratch,
    purse: Purse,
}

impl<K> Ranked<K> {
    pub(crate) fn new(sources: Vec<Source<K>>, scratch: Scratch, purse: Purse) -> Ranked<K> {
        Ranked { tree: Vec::new(), sources, scratch, purse }
    }

    /// The next row as it is stored, in order of rank and then position.
    pub(crate) fn next<R: Ranking<Rank = K>>(&mut self, by: &R) -> Result<Option<&[u8]>> {
        match self.tree.first().copied() {
            None => {
                self.sources.iter_mut().try_for_each(|source| source.advance(by, &self.purse, &mut self.scratch))?;
                self.start(by);
            }
            Some(no) => {
                if let Some(source) = self.sources.get_mut(no) {
                    source.advance(by, &self.purse, &mut self.scratch)?;
                }
                self.replay(by, no);
            }
        }
        match self.tree.first().and_then(|no| self.sources.get(*no)) {
            Some(source) if source.head.is_some() => source.row().map(Some),
            _ => Ok(None),
        }
    }

    /// Plays all matches.
    fn start<R: Ranking<Rank = K>>(&mut self, by: &R) {
        let leaves = self.sources.len();
        self.tree = vec![0; leaves];
        // Winners at their places; those of the leaves are themselves.
        let mut winners: Vec<usize> = (0..leaves).chain(0..leaves).collect();
        for node in (1..leaves).rev() {
            let (a, b) = (winners[2 * node], winners[2 * node + 1]);
            (winners[node], self.tree[node]) = if self.before(by, b, a) { (b, a) } else { (a, b) };
        }
        if let (Some(first), Some(winner)) = (self.tree.first_mut(), winners.get(1)) {
            *first = *winner;
        }
    }

    /// Plays the matches of a source that has advanced.
    fn replay<R: Ranking<Rank = K>>(&mut self, by: &R, no: usize) {
        let (mut winner, mut node) = (no, (self.sources.len() + no) / 2);
        while node > 0 {
            if self.before(by, self.tree[node], winner) {
                std::mem::swap(&mut self.tree[node], &mut winner);
            }
            node /= 2;
        }
        self.tree[0] = winner;
    }

    /// Whether the row of one source comes before that of another; a source that is through comes last.
    fn before<R: Ranking<Rank = K>>(&self, by: &R, a: usize, b: usize) -> bool {
        let head = |no: usize| self.sources.get(no).and_then(|source| source.head.as_ref());
        match (head(a), head(b)) {
            (Some(a), Some(b)) => by.compare(&a.0, &b.0).then(a.1.cmp(&b.1)).is_lt(),
            (a, _) => a.is_some(),
        }
    }
}
