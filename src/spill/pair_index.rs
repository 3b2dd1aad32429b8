//! A partition in memory, joined: what goes out of it, in order of position, as places in its index.

use super::budget::Reservation;
use super::file::Scratch;
use super::index::Index;
use super::merge::Sorted;
use super::pairing::split_inline;
use super::pairs::{JoinKind, Joined};
use super::part::{From, Part};
use super::rows::GroupRows;
use super::run::Hand;
use super::space::Purse;
use crate::batch::Seq;
use crate::error::{Error, Result};

/// A row that goes out: alone if it has no right ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) seq: Seq,
    pub(crate) row: u32,
    right: (u32, u32),
    /// How many rows have these right ones.
    lefts: u32,
}

impl Item {
    pub(crate) fn alone(&self) -> bool {
        self.right.0 == self.right.1
    }

    pub(crate) fn first_right(&self) -> u32 {
        self.right.0
    }

    pub(crate) fn lefts(&self) -> u64 {
        u64::from(self.lefts)
    }
}

/// A joined partition.
#[derive(Debug)]
pub(crate) struct PairIndex {
    pub(crate) index: Index,
    items: Vec<Item>,
    _charge: Reservation,
}

impl PairIndex {
    /// Loads and joins a partition; the partition comes back if memory refuses.
    pub(crate) fn build(part: Part, kind: JoinKind, from: From, hand: &mut Hand) -> Result<Result<PairIndex, Part>> {
        let Ok(rows) = usize::try_from(part.tally.rows) else { return Ok(Err(part)) };
        let bytes = (rows * size_of::<Item>()) as u64;
        let Some(mut charge) = from.take(&hand.purse, bytes) else { return Ok(Err(part)) };
        let index = match Index::build(part, from, hand)? {
            Ok(index) => index,
            Err(part) => return Ok(Err(part)),
        };
        let mut items = Vec::with_capacity(rows);
        for group in &index.groups {
            let mut middle = group.start;
            while middle < group.end && !index.row(middle)?.seq.is_behind() {
                middle += 1;
            }
            let (lefts, rights) = (group.start..middle, middle..group.end);
            let matched = !rights.is_empty();
            let right = match matched && kind.pairs() {
                true => (middle, group.end),
                false => (middle, middle),
            };
            if right.0 < right.1 || kind.left_alone(matched) {
                for row in lefts.clone() {
                    items.push(Item { seq: index.row(row)?.seq, row, right, lefts: middle - group.start });
                }
            }
            if lefts.is_empty() && kind.right_alone() {
                for row in rights {
                    items.push(Item { seq: index.row(row)?.seq, row, right: (row, row), lefts: 1 });
                }
            }
        }
        items.shrink_to_fit();
        charge.shrink_to((items.capacity() * size_of::<Item>()) as u64);
        // No two rows have the same position.
        items.sort_unstable_by_key(|item| item.seq);
        Ok(Ok(PairIndex { index, items, _charge: charge }))
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn rights(&self, item: &Item) -> Rights<'_> {
        Rights::Memory(&self.index, item.right.0, item.right.1)
    }
}

/// The right rows of a left one.
pub(crate) enum Rights<'a> {
    /// In an index, from one row to before another.
    Memory(&'a Index, u32, u32),
    Inline(&'a [u8]),
    Rows(Box<GroupRows>),
}

impl Rights<'_> {
    /// The next right value.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        match self {
            Rights::Memory(index, next, end) => {
                if next == end {
                    return Ok(None);
                }
                *next += 1;
                index.row(*next - 1).map(|row| Some(row.value))
            }
            Rights::Inline([]) => Ok(None),
            Rights::Inline(rest) => match split_inline(rest) {
                Some((right, left)) => {
                    *rest = left;
                    Ok(Some(right))
                }
                None => Err(Error::internal("a right record is cut short")),
            },
            Rights::Rows(rows) => rows.next_row().transpose().map(|row| row.map(|(_, value)| value)),
        }
    }
}

/// The rows of a joined partition, one after the other.
#[derive(Debug)]
pub(crate) struct PairWalk {
    pairs: PairIndex,
    /// The number of the next item.
    next: usize,
}

impl PairWalk {
    pub(crate) fn new(pairs: PairIndex) -> PairWalk {
        PairWalk { pairs, next: 0 }
    }

    fn item(&self) -> Option<&Item> {
        self.next.checked_sub(1).and_then(|no| self.pairs.items.get(no))
    }

    /// The current row and its right ones.
    pub(crate) fn joined(&self) -> Result<(Seq, Joined<'_>)> {
        let item = self.item().ok_or_else(|| Error::internal("no record where one should be"))?;
        let value = self.pairs.index.row(item.row)?.value;
        let joined = if item.alone() { Joined::Alone(value) } else { Joined::Pairs(value, self.pairs.rights(item)) };
        Ok((item.seq, joined))
    }
}

impl Sorted for PairWalk {
    fn head(&self) -> Option<Seq> {
        self.item().map(|item| item.seq)
    }

    fn advance(&mut self, _: &Purse, _: &mut Scratch) -> Result<()> {
        self.next += 1;
        Ok(())
    }
}
