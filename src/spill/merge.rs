//! Merging: k sources, each in order of position, become one (Knuth, The Art of Computer Programming 3, 5.4.1, with a
//! binary heap for the selection tree). More runs than memory has blocks for are merged in several passes.

use crate::os::sync::Arc;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::budget::Reservation;
use super::file::Scratch;
use super::frame::HEADER;
use super::run::{Cursor, Hand, Run, RunWriter};
use super::space::{Purse, Stats};
use crate::batch::Seq;
use crate::error::Result;

/// Something that stands on one item at a time, in ascending order of position. Starts before the first.
pub(crate) trait Sorted {
    /// The position of the current item; none before the first `advance` and after the last item.
    fn head(&self) -> Option<Seq>;
    fn advance(&mut self, purse: &Purse, scratch: &mut Scratch) -> Result<()>;
}

/// The merge of several sources.
#[derive(Debug)]
pub(crate) struct Merge<S> {
    sources: Vec<S>,
    /// Sources that stand on an item, the lowest position first.
    heap: BinaryHeap<Reverse<(Seq, usize)>>,
    started: bool,
    scratch: Scratch,
    purse: Purse,
}

impl<S: Sorted> Merge<S> {
    pub(crate) fn new(sources: Vec<S>, scratch: Scratch, purse: Purse) -> Merge<S> {
        let heap = BinaryHeap::with_capacity(sources.len());
        Merge { sources, heap, started: false, scratch, purse }
    }

    /// Goes to the next item; `false` after the last.
    pub(crate) fn step(&mut self) -> Result<bool> {
        if !self.started {
            self.started = true;
            for (no, source) in self.sources.iter_mut().enumerate() {
                source.advance(&self.purse, &mut self.scratch)?;
                self.heap.extend(source.head().map(|seq| Reverse((seq, no))));
            }
        } else if let Some(mut top) = self.heap.peek_mut() {
            let source = self.sources.get_mut(top.0.1);
            let head = match source {
                Some(source) => {
                    source.advance(&self.purse, &mut self.scratch)?;
                    source.head()
                }
                None => None,
            };
            match head {
                Some(seq) => top.0.0 = seq,
                None => drop(PeekMut::pop(top)),
            }
        }
        Ok(!self.heap.is_empty())
    }

    /// The source that stands on the current item.
    pub(crate) fn top(&mut self) -> Option<&mut S> {
        let Reverse((_, no)) = self.heap.peek()?;
        self.sources.get_mut(*no)
    }

    /// `step`, then `top`.
    pub(crate) fn next(&mut self) -> Result<Option<&mut S>> {
        if self.step()? { Ok(self.top()) } else { Ok(None) }
    }
}

/// Opens a cursor on each run. If memory does not hold a block of each, the shortest runs are merged first, until it
/// does.
pub(crate) fn open(mut runs: Vec<Arc<Run>>, hand: &mut Hand) -> Result<(Vec<Cursor>, Scratch)> {
    loop {
        if let Some(charge) = hand.purse.take(need(&runs)) {
            return with(runs, charge);
        }
        if runs.len() <= 2 {
            return Err(hand.purse.refused(need(&runs), "merging sorted runs"));
        }
        runs = fewer(runs, hand)?;
    }
}

/// Opens a cursor on each run, with the memory that this [`need`]s.
pub(crate) fn with(runs: Vec<Arc<Run>>, mut charge: Reservation) -> Result<(Vec<Cursor>, Scratch)> {
    let longest = runs.iter().map(|run| run.longest).max().unwrap_or(0);
    let cursor = |run: Arc<Run>| {
        let part = charge.split_off(run.longest as u64);
        Cursor::with(run, part)
    };
    let cursors = runs.into_iter().map(cursor).collect::<Result<_>>()?;
    Ok((cursors, Scratch::with(longest + HEADER, charge)?))
}

/// Merges the shortest runs, as many as the floor has blocks for.
pub(crate) fn fewer(mut runs: Vec<Arc<Run>>, hand: &mut Hand) -> Result<Vec<Arc<Run>>> {
    let longest = runs.iter().map(|run| run.longest).max().unwrap_or(0);
    // What the floor holds beside a block to write, one to compress it and one to read is ours alone.
    let floor = hand.purse.floor.limit() - hand.purse.floor.used();
    let blocks = usize::try_from(floor).unwrap_or(usize::MAX) / longest.max(hand.block).max(1);
    let fan = blocks.saturating_sub(4).max(2);
    runs.sort_by_key(|run| Reverse(run.bytes));
    let some = runs.split_off(runs.len().saturating_sub(fan));
    runs.push(into_one(some, hand)?);
    Ok(runs)
}

/// Bytes that merging takes: a block of each run, and one more that is read into while frames are checked.
pub(crate) fn need(runs: &[Arc<Run>]) -> u64 {
    let longest = runs.iter().map(|run| run.longest).max().unwrap_or(0);
    (runs.iter().map(|run| run.longest).sum::<usize>() + longest + HEADER) as u64
}

fn into_one(runs: Vec<Arc<Run>>, hand: &mut Hand) -> Result<Arc<Run>> {
    Stats::add(&hand.space.stats.merges, 1);
    let cursors = runs.into_iter().map(|run| Cursor::open(run, &hand.purse)).collect::<Result<Vec<_>>>()?;
    let mut merge = Merge::new(cursors, Scratch::new(), hand.purse.clone());
    let mut out = RunWriter::new();
    while let Some(cursor) = merge.next()? {
        out.push(hand, &cursor.row()?)?;
    }
    out.finish(hand)
}
