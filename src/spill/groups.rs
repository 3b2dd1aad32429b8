//! Groups: the rows of a store by key, each key once. In order of first occurrence, over all partitions, or partition
//! by partition, which spares an extra pass over what was spilled.

use std::sync::Arc;

use super::budget::Budget;
use super::file::Scratch;
use super::index::{Index, Walk};
use super::leaf::{self, Bigs};
use super::merge::{self, Merge, Sorted};
use super::part::{From, Part};
use super::rows::{GroupRows, Means};
use super::run::{Cursor, Hand, Run, RunWriter, lost};
use super::settle::{Outcome, Recipe, Settled};
use super::sort;
use super::space::Purse;
use super::store::{READING_BLOCKS, Stored};
use crate::batch::Seq;
use crate::error::{Error, Result};

/// The order of groups. The rows of a group are in order of position in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the position of each key's first record.
    FirstOccurrence,
    /// Whatever costs least.
    Any,
}

/// An iterator of keys and their rows.
#[derive(Debug)]
pub(crate) struct Groups {
    merge: Merge<Leaf>,
    recipe: Grouping,
    /// For any order: partitions to come.
    waiting: Settled<Index>,
    hand: Hand,
    means: Means,
    /// The ledger: rows that were stored and rows of the groups handed out.
    stored: u64,
    given: u64,
    done: bool,
    _floor: Budget,
}

#[derive(Debug)]
enum Leaf {
    Memory(Walk),
    Disk(Cursor),
}

impl Sorted for Leaf {
    fn head(&self) -> Option<Seq> {
        match self {
            Leaf::Memory(walk) => walk.head(),
            Leaf::Disk(cursor) => cursor.head(),
        }
    }

    fn advance(&mut self, purse: &Purse, scratch: &mut Scratch) -> Result<()> {
        match self {
            Leaf::Memory(walk) => walk.advance(purse, scratch),
            Leaf::Disk(cursor) => cursor.advance(purse, scratch),
        }
    }
}

/// How partitions become groups.
#[derive(Debug)]
struct Grouping {
    order: Order,
    bigs: Bigs,
    /// The most that one sorted run may take.
    most: u64,
}

impl Recipe for Grouping {
    type Kept = Index;

    fn keep(&self, part: Part, hand: &mut Hand) -> Result<Result<Index, Part>> {
        // In order of first occurrence all partitions are read at once at the end: what was on disk must go back.
        if self.order == Order::Any || part.frames.is_empty() {
            Index::build(part, From::Budget, hand)
        } else {
            Ok(Err(part))
        }
    }

    fn write(&self, part: Part, hand: &mut Hand) -> Result<Result<Arc<Run>, Part>> {
        match Index::build(part, From::Purse, hand)? {
            Ok(index) => leaf::write(&index, &self.bigs, hand).map(Ok),
            Err(part) => Ok(Err(part)),
        }
    }

    fn evict(&self, kept: Index, hand: &mut Hand) -> Result<Arc<Run>> {
        leaf::write(&kept, &self.bigs, hand)
    }

    fn single(&self, part: Part, hand: &mut Hand) -> Result<Result<Arc<Run>, Part>> {
        match sort::single(part, hand, self.most)? {
            Ok(group) => {
                let mut out = RunWriter::new();
                self.bigs.put(&mut out, hand, &group.key, group.first, group.runs)?;
                out.finish(hand).map(Ok)
            }
            Err(part) => Ok(Err(part)),
        }
    }
}

impl Stored {
    /// Groups the rows by key.
    pub(crate) fn into_groups(mut self, order: Order) -> Result<Groups> {
        let parts = std::mem::take(&mut self.parts);
        let stored = parts.iter().map(|part| part.tally.rows).sum();
        let most = self.space.budget.limit() / 2 / self.workers as u64;
        let recipe = Grouping { order, bigs: Bigs::default(), most };
        let settled = Settled::new(parts);
        let mut leaves = Vec::new();
        if order == Order::FirstOccurrence {
            settled.all(&recipe, &self)?;
        }
        // Part of the floor is for groups that are read while the next ones are asked for.
        let reading = self.floor.carve((self.workers * READING_BLOCKS * self.block) as u64);
        let reading = reading.ok_or_else(|| Error::internal("the floor of a store is in use"))?;
        let means =
            Means { space: self.space.clone(), purse: Purse::new(&self.space, reading, self.block), block: self.block };
        let rest = self.floor.carve(self.floor.limit() - self.floor.used());
        let rest = rest.ok_or_else(|| Error::internal("the floor of a store is in use"))?;
        let mut hand = Hand::new(&self.space, Purse::new(&self.space, rest, self.block), self.block);
        let mut waiting = settled;
        if order == Order::FirstOccurrence {
            let cursors = open_all(&waiting, &recipe, &mut hand)?;
            leaves.extend(cursors.into_iter().map(Leaf::Disk));
            let done = std::mem::replace(&mut waiting, Settled::new(Vec::new()));
            leaves.extend(done.into_kept().into_iter().map(|index| Leaf::Memory(Walk::new(index))));
        }
        let merge = Merge::new(leaves, hand.purse.clone());
        Ok(Groups { merge, recipe, waiting, hand, means, stored, given: 0, done: false, _floor: self.floor })
    }
}

/// Opens all runs; where memory is short, what was kept goes to disk first.
pub(crate) fn open_all<R: Recipe>(settled: &Settled<R::Kept>, recipe: &R, hand: &mut Hand) -> Result<Vec<Cursor>> {
    loop {
        let runs = settled.runs().clone();
        if hand.purse.take(merge::need(&runs)).is_some() || !settled.evict_kept(recipe, hand)? {
            settled.runs().clear();
            hand.release();
            return merge::open(runs, hand);
        }
    }
}

impl Groups {
    fn advance(&mut self) -> Result<Option<(Vec<u8>, GroupRows)>> {
        loop {
            if let Some(leaf) = self.merge.next()? {
                let (key, rows) = match leaf {
                    Leaf::Disk(cursor) => self.recipe.bigs.get(cursor, &self.means)?,
                    Leaf::Memory(walk) => {
                        let group = walk.group().ok_or_else(|| Error::internal("no group where one should be"))?;
                        let rows = GroupRows::in_memory(Arc::clone(&walk.index), group.start, group.end);
                        (walk.index.row(group.start)?.key.to_vec(), rows)
                    }
                };
                self.given += rows.total();
                return Ok(Some((key, rows)));
            }
            // The last partition's memory goes before the next is loaded.
            self.merge = Merge::new(Vec::new(), self.hand.purse.clone());
            let Some(part) = self.waiting.next() else {
                return if self.given == self.stored {
                    Ok(None)
                } else {
                    Err(lost("a store", self.stored, self.given))
                };
            };
            let leaf = match self.waiting.one(&self.recipe, part, &mut self.hand)? {
                Outcome::Kept(index) => Leaf::Memory(Walk::new(index)),
                Outcome::Run(run) => Leaf::Disk(Cursor::open(run, &self.hand.purse)?),
                Outcome::Parts(parts) => {
                    self.waiting.add(parts);
                    continue;
                }
            };
            self.merge = Merge::new(vec![leaf], self.hand.purse.clone());
        }
    }
}

impl Iterator for Groups {
    type Item = Result<(Vec<u8>, GroupRows)>;

    /// After an error there are no more groups.
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.advance();
        self.done = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
