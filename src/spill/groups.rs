//! Groups: the rows of a store by key, each key once. In order of first occurrence, over all partitions, or partition
//! by partition, which spares an extra pass over what was spilled.

use crate::os::sync::Arc;

use super::emit::{Emission, Leaf, Order};
use super::index::{Index, Walk};
use super::leaf::{self, Bigs};
use super::lend::Means;
use super::part::{From, Part};
use super::rows::GroupRows;
use super::run::{Hand, Run, RunWriter, lost};
use super::settle::{Made, Recipe, Refused};
use super::sort;
use super::stored::Stored;
use crate::error::{Error, Result};

/// An iterator of keys and their rows.
#[derive(Debug)]
pub(crate) struct Groups {
    emission: Emission<Grouping>,
    means: Means,
    /// The ledger: rows that were stored and rows of the groups handed out.
    stored: u64,
    given: u64,
    done: bool,
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
    type Walk = Walk;

    fn make(&self, mut part: Part, hand: &mut Hand) -> Result<Result<Made<Index>, Box<Refused>>> {
        // In order of first occurrence all partitions are read at once at the end: what was on disk must go back.
        if self.order == Order::Any || part.frames.is_empty() {
            part = match Index::build(part, From::Budget, hand)? {
                Ok(index) => return Ok(Ok(Made::Kept(index))),
                Err(part) => part,
            };
        }
        match Index::build(part, From::Purse, hand)? {
            Ok(index) => self.evict(index, hand).map(|run| Ok(Made::Run(run))),
            Err(part) => Ok(Err(Box::new(Refused { part, wants: Some(0) }))),
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

    fn walk(&self, kept: Index) -> Walk {
        Walk::new(kept)
    }
}

impl Stored {
    /// Groups the rows by key.
    pub(crate) fn into_groups(self, order: Order) -> Result<Groups> {
        let stored = self.rows();
        let most = self.space.budget.limit() / 2 / self.workers as u64;
        let recipe = Grouping { order, bigs: Bigs::default(), most };
        let (emission, means) = Emission::with_means(self, recipe, order)?;
        Ok(Groups { emission, means, stored, given: 0, done: false })
    }
}

impl Groups {
    fn advance(&mut self) -> Result<Option<(Vec<u8>, GroupRows)>> {
        if !self.emission.step()? {
            return if self.given == self.stored { Ok(None) } else { Err(lost("a store", self.stored, self.given)) };
        }
        let (key, rows) = match self.emission.item()? {
            (Leaf::Disk(cursor), recipe) => recipe.bigs.get(cursor, &self.means)?,
            (Leaf::Memory(walk), _) => {
                let group = walk.group().ok_or_else(|| Error::internal("no group where one should be"))?;
                let rows = GroupRows::in_memory(Arc::clone(&walk.index), group.start, group.end)?;
                (walk.index.row(group.start)?.key.to_vec(), rows)
            }
        };
        self.given += rows.total();
        Ok(Some((key, rows)))
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
