//! The index: a partition in memory, its rows grouped by key. Groups are in order of their first row, the rows of a
//! group in order of position, whatever order they were stored in. Every key is there once.

use crate::os::sync::Arc;

use hashbrown::HashTable;

use super::budget::Reservation;
use super::file::Scratch;
use super::keys::KeyRule;
use super::merge::Sorted;
use super::part::{self, Block, From, Ledger, Part};
use super::row::{self, Row};
use super::run::Hand;
use super::space::Purse;
use crate::batch::Seq;
use crate::error::{Error, Result};

/// Bytes for each row while the index is built: its link, its place, and what sorting needs.
pub(crate) const PER_ROW: u64 = 36;
/// Bytes for each group that there is room for: two kinds of entries and the hash table at its lowest load.
pub(crate) const PER_GROUP: u64 = 128;

/// Where a row is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    block: u32,
    at: u32,
}

/// A group: its first position and its rows in `Index::rows`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) first: Seq,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A partition in memory, grouped.
#[derive(Debug)]
pub(crate) struct Index {
    blocks: Vec<Block>,
    rows: Vec<Place>,
    pub(crate) groups: Vec<Group>,
    _charge: Reservation,
}

/// A group while rows are still coming.
struct Open {
    hash: u64,
    first: Seq,
    last: Seq,
    /// A row that has its key.
    row: Place,
    rows: u32,
    sorted: bool,
}

#[derive(Clone, Copy)]
struct Link {
    group: u32,
    place: Place,
}

impl Index {
    /// Loads and groups a partition; the partition comes back if memory refuses.
    pub(crate) fn build(mut part: Part, from: From, hand: &mut Hand) -> Result<Result<Index, Part>> {
        let purse = hand.purse.clone();
        let take = |bytes| from.take(&purse, bytes);
        let Ok(total) = u32::try_from(part.tally.rows) else { return Ok(Err(part)) };
        let Some(mut charge) = take(u64::from(total) * PER_ROW) else { return Ok(Err(part)) };
        let Some(mut loaded) = part::load(&part.frames, hand, &take)? else { return Ok(Err(part)) };
        let own = part.blocks.len();
        part.blocks.append(&mut loaded);
        match Building::run(&part, total, &hand.space.keys, &mut charge) {
            Err(error) => Err(error),
            Ok(None) => {
                part.blocks.truncate(own);
                Ok(Err(part))
            }
            Ok(Some((groups, rows))) => {
                let kept = rows.capacity() * size_of::<Place>() + groups.capacity() * size_of::<Group>();
                charge.shrink_to(kept as u64);
                Ok(Ok(Index { blocks: part.blocks, rows, groups, _charge: charge }))
            }
        }
    }

    /// What it was built of.
    pub(crate) fn into_blocks(self) -> Vec<Block> {
        self.blocks
    }

    /// The row with a number, in order of groups.
    pub(crate) fn row(&self, no: u32) -> Result<Row<'_>> {
        let place = self.rows.get(no as usize).copied().ok_or_else(|| Error::internal("a group has too many rows"))?;
        at(&self.blocks, place)
    }
}

fn at(blocks: &[Block], place: Place) -> Result<Row<'_>> {
    row::at(blocks.get(place.block as usize).map_or(&[], |block| &block.bytes), place.at as usize)
}

struct Building;

impl Building {
    /// `None` if the groups do not fit.
    fn run(
        part: &Part,
        total: u32,
        keys: &KeyRule,
        charge: &mut Reservation,
    ) -> Result<Option<(Vec<Group>, Vec<Place>)>> {
        let Some((mut open, links)) = Building::group(part, total, keys, charge)? else { return Ok(None) };
        // Groups are numbered anew in order of their first rows; `rows` then counts up from a group's start.
        let mut order: Vec<u32> = (0..row::short(open.len())).collect();
        order.sort_unstable_by_key(|&group| open[group as usize].first);
        let (mut groups, mut start) = (Vec::with_capacity(open.len()), 0);
        for group in &order {
            let open = &mut open[*group as usize];
            let end = start + open.rows;
            groups.push(Group { first: open.first, start, end });
            open.rows = start;
            start = end;
        }
        let mut rows = vec![Place::default(); total as usize];
        for link in &links {
            let next = &mut open[link.group as usize].rows;
            rows[*next as usize] = link.place;
            *next += 1;
        }
        drop(links);
        for (group, old) in groups.iter().zip(order) {
            if !open[old as usize].sorted {
                let places = &mut rows[group.start as usize..group.end as usize];
                let mut keyed = Vec::with_capacity(places.len());
                for &place in places.iter() {
                    keyed.push((at(&part.blocks, place)?.seq, place));
                }
                // Stable and quick on a few ascending runs, which is what several threads leave.
                keyed.sort_by_key(|(seq, _)| *seq);
                places.iter_mut().zip(keyed).for_each(|(place, (_, sorted))| *place = sorted);
            }
        }
        Ok(Some((groups, rows)))
    }

    fn group(
        part: &Part,
        total: u32,
        keys: &KeyRule,
        charge: &mut Reservation,
    ) -> Result<Option<(Vec<Open>, Vec<Link>)>> {
        let mut table: HashTable<u32> = HashTable::new();
        let (mut open, mut fits): (Vec<Open>, _) = (Vec::new(), true);
        let mut links = Vec::with_capacity(total as usize);
        let mut ledger = Ledger::default();
        for (no, block) in part.blocks.iter().enumerate() {
            ledger.walk(&block.bytes, |row, offset| {
                let place = Place { block: row::short(no), at: row::short(offset) };
                // The leading bits, which the table would look at, are the same for all rows of a partition.
                let hash = row.hash.rotate_left(32);
                let same = |&group: &u32| {
                    let known = &open[group as usize];
                    known.hash == hash && at(&part.blocks, known.row).is_ok_and(|first| keys.same(first.key, row.key))
                };
                let group = match table.find(hash, same) {
                    Some(&group) => group,
                    None => {
                        if open.len() == open.capacity() {
                            let more = open.len().max(16);
                            if !fits || !charge.grow(more as u64 * PER_GROUP) {
                                fits = false;
                                return Ok(());
                            }
                            open.reserve_exact(more);
                        }
                        let group = row::short(open.len());
                        open.push(Open { hash, first: row.seq, last: row.seq, row: place, rows: 0, sorted: true });
                        table.insert_unique(hash, group, |&group| open[group as usize].hash);
                        group
                    }
                };
                let known = &mut open[group as usize];
                known.rows += 1;
                known.sorted &= known.last <= row.seq;
                known.last = row.seq;
                known.first = known.first.min(row.seq);
                links.push(Link { group, place });
                Ok(())
            })?;
            if !fits {
                return Ok(None);
            }
        }
        ledger.check(&part.tally)?;
        Ok(Some((open, links)))
    }
}

/// The groups of an index, one after the other.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) index: Arc<Index>,
    /// The number of the next group.
    next: usize,
}

impl Walk {
    pub(crate) fn new(index: Index) -> Walk {
        Walk { index: Arc::new(index), next: 0 }
    }

    /// The current group.
    pub(crate) fn group(&self) -> Option<Group> {
        self.next.checked_sub(1).and_then(|no| self.index.groups.get(no)).copied()
    }
}

impl Sorted for Walk {
    fn head(&self) -> Option<Seq> {
        self.group().map(|group| group.first)
    }

    fn advance(&mut self, _: &Purse, _: &mut Scratch) -> Result<()> {
        self.next += 1;
        Ok(())
    }
}
