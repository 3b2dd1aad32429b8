//! External sort of a partition whose rows have one key and do not fit: runs of what fits, each in order of position.
//! The group reads them through one merge, so its rows are not written a third time.

use crate::os::sync::Arc;

use super::budget::Reservation;
use super::keys::KeyRule;
use super::part::{Block, Ledger, Part};
use super::row;
use super::rows::{self, Head};
use super::run::{Hand, Run, RunWriter};
use super::space::Stats;
use crate::batch::Seq;
use crate::error::Result;

/// Bytes for each row that is being sorted; twice the entry, since the list doubles.
const PER_ROW: u64 = 2 * size_of::<(Seq, u32, u32)>() as u64;

/// A group in several sorted runs.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) key: Vec<u8>,
    /// Position and head of its first row.
    pub(crate) first: (Seq, Head),
    pub(crate) runs: Vec<Arc<Run>>,
}

/// Sorts; a partition that turns out to have several keys comes back whole.
pub(crate) fn single(mut part: Part, hand: &mut Hand, most: u64) -> Result<Result<Single, Part>> {
    let mut batch = Batch::default();
    let mut runs = Vec::new();
    for block in std::mem::take(&mut part.blocks) {
        match hand.purse.take_much(u64::from(block.rows) * PER_ROW) {
            Some(charge) => batch.add(block, charge, &hand.space.keys)?,
            None => part.frames.push(hand.sink.write(&hand.purse, 0, block.rows, &block.bytes)?),
        }
    }
    let frames = std::mem::take(&mut part.frames);
    let mut left = frames.iter();
    while !batch.mixed {
        let Some(frame) = left.next() else { break };
        let (raw, places) = (frame.raw() as u64, u64::from(frame.records()) * PER_ROW);
        if batch.held + raw + places > most {
            runs.extend(batch.write(hand)?);
        }
        let charge = match hand.purse.take_much(raw + places) {
            Some(charge) => Some(charge),
            None => {
                runs.extend(batch.write(hand)?);
                None
            }
        };
        let mut charge = match charge {
            Some(charge) => charge,
            None => hand.purse.need(raw + places, "sorting a group")?,
        };
        let places = charge.split_off(places);
        let mut block = Block::new(frame.raw(), charge)?;
        frame.read(&hand.purse, &mut hand.scratch, &mut block.bytes)?;
        batch.add(block, places, &hand.space.keys)?;
    }
    runs.extend(batch.write(hand)?);
    hand.scratch.release();
    if batch.mixed {
        // Rows were written with their keys: the runs can stand for the frames they were made from.
        part.frames = runs.iter().flat_map(|run| run.frames.iter()).chain(left).cloned().collect();
        return Ok(Err(part));
    }
    batch.ledger.check(&part.tally)?;
    Stats::add(&hand.space.stats.sorts, 1);
    Ok(Ok(Single { key: batch.key.unwrap_or_default(), first: batch.first, runs }))
}

/// Rows that are sorted together.
#[derive(Default)]
struct Batch {
    blocks: Vec<Block>,
    places: Vec<(Seq, u32, u32)>,
    charges: Vec<Reservation>,
    held: u64,
    /// Of all batches so far.
    key: Option<Vec<u8>>,
    first: (Seq, Head),
    mixed: bool,
    ledger: Ledger,
}

impl Batch {
    fn add(&mut self, block: Block, charge: Reservation, keys: &KeyRule) -> Result<()> {
        self.held += charge.bytes() + block.bytes.capacity() as u64;
        self.charges.push(charge);
        let no = row::short(self.blocks.len());
        let (mut key, mut first, mut mixed) = (self.key.take(), self.first, self.mixed);
        let places = &mut self.places;
        self.ledger.walk(&block.bytes, |row, at| {
            match &mut key {
                None => (key, first) = (Some(row.key.to_vec()), (row.seq, rows::head(row.value))),
                Some(key) => {
                    mixed |= !keys.same(key, row.key);
                    if row.seq < first.0 {
                        // Of equal keys the first record's is the group's: they may be spelt differently.
                        first = (row.seq, rows::head(row.value));
                        key.clear();
                        key.extend_from_slice(row.key);
                    }
                }
            }
            places.push((row.seq, no, row::short(at)));
            Ok(())
        })?;
        (self.key, self.first, self.mixed) = (key, first, mixed);
        self.blocks.push(block);
        Ok(())
    }

    /// Writes the batch as a run and gives its memory back.
    fn write(&mut self, hand: &mut Hand) -> Result<Option<Arc<Run>>> {
        if self.places.is_empty() {
            return Ok(None);
        }
        let (mut places, blocks) = (std::mem::take(&mut self.places), std::mem::take(&mut self.blocks));
        // The last row may have been written before its place was charged: see `PER_ROW`.
        places.sort_unstable();
        let mut out = RunWriter::new();
        for (_, block, at) in places {
            let row = row::at(blocks.get(block as usize).map_or(&[], |block| &block.bytes), at as usize)?;
            out.push(hand, &row)?;
        }
        drop(blocks);
        self.charges.clear();
        self.held = 0;
        out.finish(hand).map(Some)
    }
}
