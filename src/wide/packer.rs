//! Stored rows on their way from a store's reader to the workers that decode them: packed into units of about a block, each
//! with a tag, its length and, at its start, the place of its record.

use crate::engine::{Feeder, Halted};
use crate::error::{Error, Result};

use super::place::PLACE;

/// Bytes of rows in one unit, where blocks are smaller.
const LEAST: usize = 16 << 10;
/// Bytes before each row: its tag and its length.
const HEAD: usize = 1 + size_of::<u32>();

/// Packs rows into units.
pub(super) struct Packer<'o, 'p> {
    out: &'o mut Feeder<'p, Vec<u8>>,
    batch: Vec<u8>,
    most: usize,
}

impl<'o, 'p> Packer<'o, 'p> {
    pub(super) fn new(out: &'o mut Feeder<'p, Vec<u8>>) -> Packer<'o, 'p> {
        let most = out.run().settings.block.max(LEAST);
        Packer { out, batch: Vec::with_capacity(most), most }
    }

    /// Puts a row into the unit.
    pub(super) fn put(&mut self, tag: u8, row: &[u8]) -> Result<()> {
        let length = u32::try_from(row.len()).map_err(|_| Error::internal("a stored row is too long"))?;
        self.batch.push(tag);
        self.batch.extend_from_slice(&length.to_le_bytes());
        self.batch.extend_from_slice(row);
        Ok(())
    }

    /// Sends the unit if rows of these lengths would make it too long; tells whether it did.
    pub(super) fn make_room(&mut self, rows: &[usize]) -> Result<bool, Halted> {
        let more: usize = rows.iter().map(|row| HEAD + row).sum();
        let full = !self.batch.is_empty() && self.batch.len() + more > self.most;
        if full {
            self.send(false)?;
        }
        Ok(full)
    }

    /// Puts a row that needs no other beside it.
    pub(super) fn alone(&mut self, tag: u8, row: &[u8]) -> Result<Result<(), Halted>> {
        match self.make_room(&[row.len()]) {
            Ok(_) => self.put(tag, row).map(Ok),
            Err(halted) => Ok(Err(halted)),
        }
    }

    fn send(&mut self, last: bool) -> Result<(), Halted> {
        let next = Vec::with_capacity(if last { 0 } else { self.most });
        let (full, weight) = (std::mem::replace(&mut self.batch, next), self.batch.len());
        let permit = self.out.admit(weight)?;
        self.out.emit(full, weight, permit, last)
    }

    /// Sends what is left; it is the task's last unit, unless an error is to come behind it.
    pub(super) fn end(mut self, last: bool) {
        // Whoever wants no more need not be told that there is none.
        let (Ok(()) | Err(Halted)) = self.send(last);
    }
}

/// A row of a unit.
pub(super) struct Packed<'a> {
    pub(super) tag: u8,
    pub(super) place: &'a [u8; PLACE],
    pub(super) record: &'a [u8],
}

/// Takes the first row off a unit.
pub(super) fn unpack(unit: &[u8]) -> Result<(Packed<'_>, &[u8])> {
    let split = |unit| -> Option<_> {
        let (&tag, rest) = <[u8]>::split_first(unit)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (row, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (place, record) = row.split_first_chunk()?;
        Some((Packed { tag, place, record }, rest))
    };
    split(unit).ok_or_else(|| Error::internal("a stored row is too short"))
}
