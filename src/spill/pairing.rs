//! How the partitions of a join are settled: one in memory is joined where it lies, one on disk becomes a run in order of
//! left rows, each with its right rows beside it while these are few or it is their only one, else with the number of a
//! run that has them, which is read again for each left row. What is read is the answer in either case, what is written is
//! in proportion to the two sides (a hash join of partitions, with the block nested loop where one key has too many rows on
//! both sides: Graefe, "Query evaluation techniques for large databases", 1993).

use crate::os::sync::{Arc, Mutex, PoisonError};
use std::collections::HashMap;

use super::emit::Order;
use super::file::{Scratch, buffer};
use super::merge::{self, Sorted as _};
use super::pair_index::{PairIndex, PairWalk, Rights};
use super::pairs::JoinKind;
use super::part::{From, Part};
use super::row::{self, HEAD, Row};
use super::run::{Cursor, Hand, Run, RunWriter};
use super::settle::{Made, Recipe, Refused};
use super::sort;
use crate::batch::Seq;
use crate::error::{Error, Result};

/// First byte of the value of a row that has right rows, whose key is the left value: a row alone has no value.
pub(crate) const INLINE: u8 = 0;
const RUN: u8 = 1;

/// How partitions are joined.
#[derive(Debug)]
pub(crate) struct Pairing {
    kind: JoinKind,
    order: Order,
    /// The right rows of keys that have many.
    bigs: Mutex<Vec<Arc<Run>>>,
    /// The most that one sorted run may take.
    most: u64,
}

impl Recipe for Pairing {
    type Kept = PairIndex;
    type Walk = PairWalk;

    fn make(&self, mut part: Part, hand: &mut Hand) -> Result<Result<Made<PairIndex>, Box<Refused>>> {
        // In order of the left side all partitions are read at once at the end: what was on disk must go back.
        if self.order == Order::Any || part.frames.is_empty() {
            part = match PairIndex::build(part, self.kind, From::Budget, hand)? {
                Ok(pairs) => return Ok(Ok(Made::Kept(pairs))),
                Err(part) => part,
            };
        }
        match PairIndex::build(part, self.kind, From::Purse, hand)? {
            Ok(pairs) => self.evict(pairs, hand).map(|run| Ok(Made::Run(run))),
            Err(part) => Ok(Err(Box::new(Refused { part, wants: Some(0) }))),
        }
    }

    fn evict(&self, kept: PairIndex, hand: &mut Hand) -> Result<Arc<Run>> {
        let mut out = RunWriter::new();
        let mut known = HashMap::new();
        for item in kept.items() {
            let value = kept.index.row(item.row)?.value;
            if item.alone() {
                put(&mut out, hand, item.seq, value, &[])?;
                continue;
            }
            let length = inline_length(kept.rights(item))?;
            if is_inline(length, item.lefts(), hand.block) {
                let to = out.row(hand, HEAD + value.len() + 1 + length)?;
                row::put_head(to, 0, item.seq, value.len(), 1 + length);
                to.extend_from_slice(value);
                to.push(INLINE);
                let mut rights = kept.rights(item);
                while let Some(right) = rights.next()? {
                    put_inline(to, right);
                }
            } else {
                let number = match known.get(&item.first_right()) {
                    Some(&number) => number,
                    None => {
                        let (mut own, mut rights) = (RunWriter::new(), kept.rights(item));
                        while let Some(right) = rights.next()? {
                            put_right(&mut own, hand, right)?;
                        }
                        let number = self.add(own.finish(hand)?);
                        known.insert(item.first_right(), number);
                        number
                    }
                };
                put(&mut out, hand, item.seq, value, &run_value(number))?;
            }
        }
        out.finish(hand)
    }

    fn single(&self, part: Part, hand: &mut Hand) -> Result<Result<Arc<Run>, Part>> {
        let mut runs = match sort::single(part, hand, self.most)? {
            Ok(single) => single.runs,
            Err(part) => return Ok(Err(part)),
        };
        while runs.len() > 1 {
            runs = merge::fewer(runs, hand)?;
        }
        self.one_key(&runs.pop().unwrap_or_default(), hand).map(Ok)
    }

    fn walk(&self, kept: PairIndex) -> PairWalk {
        PairWalk::new(kept)
    }
}

impl Pairing {
    pub(crate) fn new(kind: JoinKind, order: Order, most: u64) -> Pairing {
        Pairing { kind, order, bigs: Mutex::default(), most }
    }

    fn add(&self, run: Arc<Run>) -> u64 {
        let mut all = self.bigs.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(run);
        all.len() as u64 - 1
    }

    /// The right rows that [`run_value`] stands for, without its first byte.
    pub(crate) fn big(&self, number: &[u8]) -> Result<Arc<Run>> {
        let number = number.first_chunk().map_or(u64::MAX, |number| u64::from_le_bytes(*number));
        let all = self.bigs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = usize::try_from(number).ok().and_then(|number| all.get(number)).cloned();
        run.ok_or_else(|| Error::internal("a key has no right records"))
    }

    /// Joins the rows of one key, which are in order: the left ones, then the right ones.
    fn one_key(&self, rows: &Arc<Run>, hand: &mut Hand) -> Result<Arc<Run>> {
        let (mut lefts, mut rights, mut length) = (0u64, 0u64, 0);
        let mut own = RunWriter::new();
        each(rows, hand, |row, hand| {
            match row.seq.is_behind() {
                false => lefts += 1,
                true if lefts > 0 && self.kind.pairs() => {
                    (rights, length) = (rights + 1, length + INLINE_HEAD + row.value.len());
                    put_right(&mut own, hand, row.value)?;
                }
                true => rights += 1,
            }
            Ok(())
        })?;
        let own = own.finish(hand)?;
        let (mut value, mut charge) = (Vec::new(), None);
        if lefts > 0 && rights > 0 && self.kind.pairs() {
            if is_inline(length, lefts, hand.block) {
                charge = Some(hand.purse.need(1 + length as u64, "the right records of a key")?);
                value = buffer(1 + length)?;
                value.push(INLINE);
                each(&own, hand, |row, _| {
                    put_inline(&mut value, row.value);
                    Ok(())
                })?;
            } else {
                value.extend_from_slice(&run_value(self.add(own)));
            }
        }
        let mut out = RunWriter::new();
        each(rows, hand, |row, hand| {
            let wanted = match row.seq.is_behind() {
                true => self.kind.right_alone() && lefts == 0,
                false => self.kind.left_alone(rights > 0) || !value.is_empty(),
            };
            if wanted { put(&mut out, hand, row.seq, row.value, &value) } else { Ok(()) }
        })?;
        drop((value, charge));
        out.finish(hand)
    }
}

/// Shows every row of a run.
fn each(run: &Arc<Run>, hand: &mut Hand, mut look: impl FnMut(&Row<'_>, &mut Hand) -> Result<()>) -> Result<()> {
    let mut cursor = Cursor::open(Arc::clone(run), &hand.purse)?;
    let mut scratch = Scratch::new();
    loop {
        cursor.advance(&hand.purse, &mut scratch)?;
        if cursor.head().is_none() {
            return Ok(());
        }
        look(&cursor.row()?, hand)?;
    }
}

fn put(out: &mut RunWriter, hand: &mut Hand, seq: Seq, left: &[u8], rights: &[u8]) -> Result<()> {
    row::size(left.len(), rights.len())?;
    out.push(hand, &Row { hash: 0, seq, key: left, value: rights })
}

fn put_right(out: &mut RunWriter, hand: &mut Hand, right: &[u8]) -> Result<()> {
    put(out, hand, Seq::default(), &[], right)
}

fn run_value(number: u64) -> [u8; 9] {
    let mut value = [RUN; 9];
    value[1..].copy_from_slice(&number.to_le_bytes());
    value
}

/// Bytes before each right row that lies inline: its length.
const INLINE_HEAD: usize = size_of::<u32>();

/// The most bytes that the left rows of a key may repeat of their right ones, if these are not short.
const REPEATED: u64 = 8 << 10;
const SHORT: usize = 256;

/// Whether right rows of this length in all lie beside each of their left ones. Repeated without a limit they would take
/// as much space on disk as the answer.
fn is_inline(length: usize, lefts: u64, block: usize) -> bool {
    let repeated = lefts.saturating_sub(1).saturating_mul(length as u64);
    length <= block / 2 && (length <= SHORT || repeated <= REPEATED)
}

fn inline_length(mut rights: Rights<'_>) -> Result<usize> {
    let mut length = 0;
    while let Some(right) = rights.next()? {
        length += INLINE_HEAD + right.len();
    }
    Ok(length)
}

fn put_inline(to: &mut Vec<u8>, right: &[u8]) {
    to.extend_from_slice(&row::short(right.len()).to_le_bytes());
    to.extend_from_slice(right);
}

/// Takes the first right row off those that lie inline.
pub(crate) fn split_inline(inline: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = inline.split_first_chunk::<INLINE_HEAD>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
