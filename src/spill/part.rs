//! The partition: rows whose hashes have something in common, as blocks in memory and frames on disk, and the tally
//! that knows what went in, so that what comes out can be held against it.

use super::budget::Reservation;
use super::file::{Frame, buffer};
use super::row::{self, Row};
use super::run::{Hand, lost};
use super::space::Purse;
use crate::error::{Error, Result};

/// A charged block of rows.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: u32,
    charge: Option<Reservation>,
}

impl Block {
    pub(crate) fn new(capacity: usize, charge: Reservation) -> Result<Block> {
        Ok(Block { bytes: buffer(capacity)?, rows: 0, charge: Some(charge) })
    }

    pub(crate) fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) {
        row::put(&mut self.bytes, row);
        self.rows += 1;
    }

    /// Gives back the room that is not used, if it is worth it.
    pub(crate) fn shrink(&mut self) {
        if self.room() > self.bytes.capacity() / 8 {
            self.bytes.shrink_to_fit();
            if let Some(charge) = &mut self.charge {
                charge.shrink_to(self.bytes.capacity() as u64);
            }
        }
    }
}

/// What is in a partition, counted where rows go in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The longest row.
    pub(crate) longest: usize,
    /// One of the hashes, and the bits in which any hash differs from it.
    first: u64,
    differ: u64,
    /// The hash that has more than half of the bytes, if one has, and its weight in the vote (Boyer and Moore, "MJRTY:
    /// a fast majority vote algorithm", 1981, weighted).
    pub(crate) vote: u64,
    weight: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, hash: u64, size: usize) {
        if self.rows == 0 {
            self.first = hash;
        }
        self.rows += 1;
        self.bytes += size as u64;
        self.longest = self.longest.max(size);
        self.differ |= hash ^ self.first;
        self.count(hash, size as u64);
    }

    fn count(&mut self, hash: u64, weight: u64) {
        if hash == self.vote {
            self.weight += weight;
        } else if weight <= self.weight {
            self.weight -= weight;
        } else {
            (self.vote, self.weight) = (hash, weight - self.weight);
        }
    }

    pub(crate) fn merge(&mut self, other: &Tally) {
        if other.rows > 0 {
            if self.rows == 0 {
                *self = *other;
            } else {
                self.rows += other.rows;
                self.bytes += other.bytes;
                self.longest = self.longest.max(other.longest);
                self.differ |= other.differ | (self.first ^ other.first);
                self.count(other.vote, other.weight);
            }
        }
    }

    /// Leading bits that all hashes have in common; 64 if they are all the same.
    pub(crate) fn common_bits(&self) -> u32 {
        self.differ.leading_zeros()
    }
}

/// A partition.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) blocks: Vec<Block>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) tally: Tally,
    /// How often its rows were partitioned again.
    pub(crate) depth: u32,
    /// How often their keys were hashed again.
    pub(crate) rehashed: u32,
}

impl Part {
    /// Bytes that it holds in memory.
    pub(crate) fn held(&self) -> u64 {
        self.blocks.iter().map(|block| block.bytes.capacity() as u64).sum()
    }

    /// Bytes of rows that are only on disk.
    pub(crate) fn on_disk(&self) -> u64 {
        self.frames.iter().map(|frame| frame.raw() as u64).sum()
    }

    /// Writes what is in memory to disk.
    pub(crate) fn evict(&mut self, hand: &mut Hand, partition: u32) -> Result<()> {
        for block in std::mem::take(&mut self.blocks) {
            self.frames.push(hand.sink.write(&hand.purse, partition, block.rows, &block.bytes)?);
        }
        Ok(())
    }

    /// Shows every row once, until `each` says that it has seen enough; tells whether it has seen all.
    pub(crate) fn scan(&self, hand: &mut Hand, mut each: impl FnMut(&Row<'_>) -> Result<bool>) -> Result<bool> {
        let (mut ledger, mut more) = (Ledger::default(), true);
        let mut look = |row: &Row<'_>| {
            if more {
                more = each(row)?;
            }
            Ok(more)
        };
        for block in &self.blocks {
            ledger.walk(&block.bytes, |row, _| look(row).map(drop))?;
        }
        let longest = self.frames.iter().map(Frame::raw).max().unwrap_or(0);
        let charge = hand.purse.need(longest as u64, "a block of spilled records")?;
        let mut raw = buffer(longest)?;
        for frame in &self.frames {
            frame.read(&hand.purse, &mut hand.scratch, &mut raw)?;
            let mut enough = false;
            ledger.walk(&raw, |row, _| look(row).map(|more| enough = !more))?;
            if enough {
                return Ok(false);
            }
        }
        drop(charge);
        ledger.check(&self.tally)?;
        Ok(more)
    }

    /// Hands out every row once, block by block, giving memory back on the way.
    pub(crate) fn drain(self, hand: &mut Hand, mut each: impl FnMut(&mut Hand, &Row<'_>) -> Result<()>) -> Result<()> {
        let mut ledger = Ledger::default();
        for block in self.blocks {
            ledger.walk(&block.bytes, |row, _| each(hand, row))?;
        }
        let mut raw = Vec::new();
        let mut charge: Option<Reservation> = None;
        for frame in self.frames {
            if raw.capacity() < frame.raw() {
                // The old buffer goes before the new one is charged.
                drop((std::mem::take(&mut raw), charge.take()));
                charge = Some(hand.purse.need(frame.raw() as u64, "a block of spilled records")?);
                raw = buffer(frame.raw())?;
            }
            frame.read(&hand.purse, &mut hand.scratch, &mut raw)?;
            ledger.walk(&raw, |row, _| each(hand, row))?;
        }
        drop(charge);
        ledger.check(&self.tally)
    }
}

/// Counts what comes out of a partition.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Ledger {
    /// Hands out the rows of a block with their offsets.
    pub(crate) fn walk(&mut self, block: &[u8], mut each: impl FnMut(&Row<'_>, usize) -> Result<()>) -> Result<()> {
        let mut at = 0;
        while at < block.len() {
            let row = row::at(block, at)?;
            each(&row, at)?;
            at += row.size();
            self.rows += 1;
        }
        self.bytes += block.len() as u64;
        Ok(())
    }

    pub(crate) fn check(&self, tally: &Tally) -> Result<()> {
        if self.rows != tally.rows {
            return Err(lost("a partition", tally.rows, self.rows));
        }
        if self.bytes != tally.bytes {
            let text = format!("{} bytes went into a partition and {} came out", tally.bytes, self.bytes);
            return Err(Error::internal(text));
        }
        Ok(())
    }
}

/// Reads all frames of a partition into blocks; `None` if memory refuses, before anything is read.
pub(crate) fn load(
    frames: &[Frame],
    hand: &mut Hand,
    from: &impl Fn(u64) -> Option<Reservation>,
) -> Result<Option<Vec<Block>>> {
    let Some(mut charge) = from(frames.iter().map(|frame| frame.raw() as u64).sum()) else { return Ok(None) };
    let mut blocks = Vec::with_capacity(frames.len());
    for frame in frames {
        let mut block = Block::new(frame.raw(), charge.split_off(frame.raw() as u64))?;
        frame.read(&hand.purse, &mut hand.scratch, &mut block.bytes)?;
        block.rows = frame.records();
        blocks.push(block);
    }
    Ok(Some(blocks))
}

/// Where memory for a piece of work is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The budget alone: the memory outlives the piece of work.
    Budget,
    /// The budget or the floor.
    Purse,
}

impl From {
    pub(crate) fn take(self, purse: &Purse, bytes: u64) -> Option<Reservation> {
        match self {
            From::Budget => purse.budget.try_reserve(bytes),
            From::Purse => purse.take_much(bytes),
        }
    }
}
