//! Emission: what a store's partitions were settled into, item by item, in order of position over all partitions or
//! partition by partition.

use super::budget::Budget;
use super::file::Scratch;
use super::lend::Means;
use super::merge::{self, Merge, Sorted};
use super::run::{Cursor, Hand};
use super::settle::{Made, Recipe, Settled};
use super::space::Purse;
use super::store::READING_BLOCKS;
use super::stored::Stored;
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

/// Where an item comes from.
#[derive(Debug)]
pub(crate) enum Leaf<W> {
    Memory(W),
    Disk(Cursor),
}

impl<W: Sorted> Sorted for Leaf<W> {
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

/// The items of a store.
#[derive(Debug)]
pub(crate) struct Emission<R: Recipe> {
    merge: Merge<Leaf<R::Walk>>,
    pub(crate) recipe: R,
    /// In any order, partitions are settled when their turn comes.
    waiting: Settled<R::Kept>,
    hand: Hand,
    _floor: Budget,
}

impl<R: Recipe> Emission<R> {
    /// Settles the partitions. What was carved from the floor before is left as it is; what was carved for `reading` gets so
    /// many bytes more, if they can be had.
    pub(crate) fn new(
        mut waiting: Settled<R::Kept>,
        stored: Stored,
        recipe: R,
        order: Order,
        reading: Option<(&mut Budget, u64)>,
    ) -> Result<Emission<R>> {
        if order == Order::FirstOccurrence {
            waiting.all(&recipe, &stored)?;
        }
        let mut hand = stored.last_hand()?;
        waiting.enlarge(&recipe, &stored, &mut hand)?;
        if let Some((reading, more)) = reading {
            let mut wider = reading.widened(more, &stored.space.budget);
            while wider.is_none() && waiting.evict(&recipe, &mut hand)? {
                wider = reading.widened(more, &stored.space.budget);
            }
            *reading = wider.unwrap_or_else(|| reading.clone());
        }
        let (mut leaves, mut scratch) = (Vec::new(), Scratch::new());
        if order == Order::FirstOccurrence {
            let (cursors, room) = open_all(&waiting, &recipe, &mut hand)?;
            leaves.extend(cursors.into_iter().map(Leaf::Disk));
            scratch = room;
            let done = std::mem::replace(&mut waiting, Settled::none());
            leaves.extend(done.into_kept().into_iter().map(|kept| Leaf::Memory(recipe.walk(kept))));
        }
        let merge = Merge::new(leaves, scratch, hand.purse.clone());
        Ok(Emission { merge, recipe, waiting, hand, _floor: stored.floor })
    }

    /// The same, with the means to read groups from disk that are bigger than a block.
    pub(crate) fn with_means(mut stored: Stored, recipe: R, order: Order) -> Result<(Emission<R>, Means)> {
        let (space, block) = (stored.space.clone(), stored.block);
        // Part of the floor is for groups that are read while the next ones are asked for; where a record is longer
        // than that was meant for, more is set aside. A block of packed groups has at most half a block beside the key.
        let lent = Means::lent(block.max(stored.longest + block / 2)) as u64;
        let least = (stored.workers * READING_BLOCKS * block) as u64;
        let reading = stored.floor.carve(least);
        let mut reading = reading.ok_or_else(|| Error::internal("the floor of a store is in use"))?;
        let more = lent.checked_sub(least).filter(|&more| more > 0);
        let waiting = Settled::of(&mut stored, Vec::new());
        let emission = Emission::new(waiting, stored, recipe, order, more.map(|more| (&mut reading, more)))?;
        Ok((emission, Means::new(space, reading, lent, block)))
    }

    /// Goes to the next item; `false` after the last.
    pub(crate) fn step(&mut self) -> Result<bool> {
        while !self.merge.step()? {
            // The last partition's memory goes before the next is loaded.
            self.merge = Merge::new(Vec::new(), Scratch::new(), self.hand.purse.clone());
            let made = match self.waiting.made() {
                Some(made) => made,
                None => {
                    let Some(part) = self.waiting.next() else { return Ok(false) };
                    match self.waiting.one(&self.recipe, part, &mut self.hand)? {
                        Ok(made) => made,
                        Err(parts) => {
                            self.waiting.add(parts);
                            continue;
                        }
                    }
                }
            };
            let (leaves, scratch) = match made {
                Made::Kept(kept) => (vec![Leaf::Memory(self.recipe.walk(kept))], Scratch::new()),
                Made::Run(run) => {
                    self.hand.release();
                    let (cursors, scratch) = merge::open(vec![run], &mut self.hand)?;
                    (cursors.into_iter().map(Leaf::Disk).collect(), scratch)
                }
            };
            self.merge = Merge::new(leaves, scratch, self.hand.purse.clone());
        }
        Ok(true)
    }

    /// Where the current item is, and how it was made.
    pub(crate) fn item(&mut self) -> Result<(&mut Leaf<R::Walk>, &R)> {
        let leaf = self.merge.top().ok_or_else(|| Error::internal("no group where one should be"))?;
        Ok((leaf, &self.recipe))
    }
}

/// Opens all runs; where memory is short, what was kept goes to disk first.
fn open_all<R: Recipe>(settled: &Settled<R::Kept>, recipe: &R, hand: &mut Hand) -> Result<(Vec<Cursor>, Scratch)> {
    loop {
        let runs = settled.runs().clone();
        if hand.purse.take(merge::need(&runs)).is_some() || !settled.evict_kept(recipe, hand)? {
            settled.runs().clear();
            hand.release();
            return merge::open(runs, hand);
        }
    }
}
