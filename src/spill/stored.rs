//! What a store holds when all writers have finished, and the tools of those who settle it.

use super::budget::Budget;
use super::part::Part;
use super::run::Hand;
use super::space::{Purse, Space};
use super::store::WORKING_BLOCKS;
use crate::error::{Error, Result};

/// What a store holds when all writers have finished.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) space: Space,
    pub(crate) parts: Vec<Part>,
    /// The memory that was set aside for all threads.
    pub(crate) floor: Budget,
    pub(crate) workers: usize,
    pub(crate) block: usize,
    /// The longest row.
    pub(crate) longest: usize,
}

impl Stored {
    /// How many rows were stored.
    pub(crate) fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.tally.rows).sum()
    }

    /// Bytes of these rows.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.tally.bytes).sum()
    }

    /// The tools of one thread, with its part of the floor.
    pub(super) fn hand(&self) -> Result<Hand> {
        self.hand_with((WORKING_BLOCKS * self.block) as u64)
    }

    /// The tools of the thread that reads the result, with all that is left of the floor.
    pub(crate) fn last_hand(&self) -> Result<Hand> {
        self.hand_with(self.floor.limit() - self.floor.used())
    }

    fn hand_with(&self, floor: u64) -> Result<Hand> {
        let floor = self.floor.carve(floor).ok_or_else(|| Error::internal("the floor of a store is in use"))?;
        Ok(Hand::new(&self.space, Purse::new(&self.space, floor, self.block), self.block))
    }
}
