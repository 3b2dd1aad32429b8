//! Feeding: how rows come into the blocks of a store, one thread at a time, and where the memory for the next block
//! comes from: the budget; else others' full blocks and then this thread's go to disk; else the thread's floor; and a row
//! that is too long for all of these goes to disk alone, from where it is.

use crate::os::sync::Arc;

use super::part::{Block, Tally};
use super::row::{self, Row};
use super::run::Hand;
use super::store::{Shared, lock, whole};
use crate::error::Result;

/// The first block of a partition; the next ones double until they have the full length.
const FIRST: usize = 4 << 10;

/// The open blocks of one thread.
#[derive(Debug)]
pub(crate) struct Feeder {
    pub(crate) shared: Arc<Shared>,
    slots: Vec<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    block: Block,
    /// Whether the block's memory is from the thread's floor: then it must not get out of its hands.
    floor: bool,
    tally: Tally,
}

impl Feeder {
    pub(crate) fn new(shared: Arc<Shared>) -> Feeder {
        let slots = (0..shared.shape.partitions()).map(|_| Slot::default()).collect();
        Feeder { shared, slots }
    }

    #[inline]
    pub(crate) fn push(&mut self, hand: &mut Hand, row: &Row<'_>) -> Result<()> {
        let (no, size) = (self.shared.shape.partition(row.hash), row.size());
        if self.slots[no].block.room() < size && !self.refill(hand, no, size)? {
            let frame = hand.sink.write_row(row::short(no), row)?;
            lock(&self.shared.pool)[no].frames.push(frame);
        } else {
            self.slots[no].block.push(row);
        }
        self.slots[no].tally.add(row.hash, size);
        Ok(())
    }

    /// Puts an empty block with room for `size` bytes into a slot; `false` if there is no memory for it.
    #[cold]
    fn refill(&mut self, hand: &mut Hand, no: usize, size: usize) -> Result<bool> {
        self.seal(hand, no)?;
        let usual = whole(self.slots[no].tally.bytes).clamp(FIRST.min(hand.block), hand.block);
        let wanted = usual.max(size) as u64;
        let budget = self.shared.space.budget.clone();
        let mut charge = budget.try_reserve(wanted);
        while charge.is_none() && self.shared.spill_some(hand)? {
            charge = budget.try_reserve(wanted);
        }
        self.slots[no].floor = charge.is_none();
        while charge.is_none() {
            charge = hand.purse.take_much(wanted);
            if charge.is_none() && !self.spill_own(hand)? {
                break;
            }
        }
        let Some(charge) = charge.or_else(|| hand.purse.take(wanted)) else { return Ok(false) };
        self.slots[no].block = Block::new(whole(charge.bytes()), charge)?;
        Ok(true)
    }

    /// Takes the block out of a slot: to the pool, or to disk if it cannot go there.
    fn seal(&mut self, hand: &mut Hand, no: usize) -> Result<()> {
        let slot = &mut self.slots[no];
        let block = std::mem::take(&mut slot.block);
        if block.rows > 0 {
            if slot.floor {
                self.write(hand, no, block)?;
            } else {
                lock(&self.shared.pool)[no].blocks.push(block);
            }
        }
        Ok(())
    }

    fn write(&self, hand: &mut Hand, no: usize, block: Block) -> Result<()> {
        let frame = hand.sink.write(&hand.purse, row::short(no), block.rows, &block.bytes)?;
        lock(&self.shared.pool)[no].frames.push(frame);
        Ok(())
    }

    /// Writes this thread's fullest open block to disk.
    fn spill_own(&mut self, hand: &mut Hand) -> Result<bool> {
        let fullest = self.slots.iter_mut().enumerate().max_by_key(|(_, slot)| slot.block.bytes.len());
        match fullest.map(|(no, slot)| (no, std::mem::take(&mut slot.block))) {
            Some((no, block)) if block.rows > 0 => self.write(hand, no, block).map(|()| true),
            _ => Ok(false),
        }
    }

    pub(crate) fn finish(&mut self, hand: &mut Hand) -> Result<()> {
        for no in 0..self.slots.len() {
            self.slots[no].block.shrink();
            self.seal(hand, no)?;
            lock(&self.shared.pool)[no].tally.merge(&self.slots[no].tally);
            self.slots[no].tally = Tally::default();
        }
        hand.release();
        Ok(())
    }
}
