//! Line-aligned blocks of text, in recycled buffers.

use crate::os::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::ops::Range;

use crate::error::Error;
#[cfg(feature = "libdeflate")]
use crate::spill::Budget;
use crate::spill::Reservation;

/// Buffers that wait to be used again. Bounded in number; each is handed back when its [`Buffer`] is dropped, and what
/// it holds of the budget stays with it.
#[derive(Debug)]
pub(crate) struct Pool {
    free: Mutex<Vec<(Vec<u8>, Charge)>>,
    most: usize,
    /// A buffer that a long line has made longer than this is not kept: nothing counts it while it lies here.
    longest: usize,
}

/// What a large buffer holds of the budget; nothing for a block's, which the gate admits.
type Charge = Option<Reservation>;

impl Pool {
    pub(crate) fn new(most: usize, longest: usize) -> Arc<Pool> {
        Arc::new(Pool { free: Mutex::default(), most, longest })
    }

    /// A buffer of at least `size` bytes; its contents are whatever they were.
    pub(crate) fn take(self: &Arc<Pool>, size: usize) -> Buffer {
        self.again(size).unwrap_or_else(|| self.fresh(size, None))
    }

    /// As [`take`](Pool::take), charged to the budget; `None` if that refuses.
    #[cfg(feature = "libdeflate")]
    pub(crate) fn take_charged(self: &Arc<Pool>, size: usize, budget: &Budget) -> Option<Buffer> {
        self.again(size).or_else(|| {
            // Shards are about equal in size: with an eighth to spare the next one fits too, and no page is new to it.
            let spare = size + size / 8;
            let charge = budget.try_reserve(spare as u64).or_else(|| {
                // What lies here unused makes room for what is needed.
                self.free().clear();
                budget.try_reserve(spare as u64)
            })?;
            Some(self.fresh(spare, Some(charge)))
        })
    }

    /// The tightest fit, so that a small need does not take the buffer that a large one waits for.
    fn again(self: &Arc<Pool>, size: usize) -> Option<Buffer> {
        let mut free = self.free();
        let fits = free.iter().enumerate().filter(|(_, (bytes, _))| bytes.len() >= size);
        let index = fits.min_by_key(|(_, (bytes, _))| bytes.len()).map(|(index, _)| index)?;
        let (bytes, charge) = free.swap_remove(index);
        Some(Buffer { bytes, pool: self.clone(), charge })
    }

    fn fresh(self: &Arc<Pool>, size: usize, charge: Charge) -> Buffer {
        // A zeroed vector costs no page until it is written to.
        Buffer { bytes: vec![0; size], pool: self.clone(), charge }
    }

    fn free(&self) -> MutexGuard<'_, Vec<(Vec<u8>, Charge)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer that goes back to its pool.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    pool: Arc<Pool>,
    charge: Charge,
}

impl Buffer {
    /// Makes room for `size` bytes, keeping the first `keep`.
    pub(crate) fn grow(&mut self, size: usize, keep: usize) {
        if self.bytes.len() < size {
            let mut bytes = vec![0; size];
            bytes[..keep].copy_from_slice(&self.bytes[..keep]);
            self.bytes = bytes;
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() > self.pool.longest {
            return;
        }
        let mut free = self.pool.free();
        if free.len() >= self.pool.most {
            // The smallest makes place: it is the least worth keeping.
            let Some(smallest) = (0..free.len()).min_by_key(|&index| free[index].0.len()) else { return };
            if free[smallest].0.len() >= self.bytes.len() {
                return;
            }
            free.swap_remove(smallest);
        }
        free.push((std::mem::take(&mut self.bytes), self.charge.take()));
    }
}

/// Something of a shard that cannot be handed on as text: the policy decides what becomes of it.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) error: Error,
    /// Where it begins, in the decompressed shard.
    pub(crate) byte: u64,
    /// The start of the text, where there is some.
    pub(crate) raw: Vec<u8>,
    /// Bytes of a compressed shard that are left out with it.
    pub(crate) lost: u64,
}

/// Whole lines of one shard; the final line of a shard may lack its newline.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) buffer: Arc<Buffer>,
    pub(crate) range: Range<usize>,
    pub(crate) shard: u32,
    /// The offset of the first byte in the decompressed shard.
    pub(crate) start: u64,
    /// The number of the first line (from 1), where the readers count lines.
    pub(crate) first_line: Option<u64>,
    /// What is before the first byte is lost: the first line may be the end of one.
    pub(crate) behind_gap: bool,
    /// What comes after the lines.
    pub(crate) bad: Option<Box<Bad>>,
}

impl Block {
    pub(crate) fn text(&self) -> &[u8] {
        &self.buffer.bytes[self.range.clone()]
    }
}
