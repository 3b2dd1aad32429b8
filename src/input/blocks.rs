//! Line-aligned blocks of text, in recycled buffers.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::spill::Reservation;

/// Buffers that wait to be used again. Bounded in number; each is handed back when its [`Buffer`] is dropped.
#[derive(Debug)]
pub(crate) struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
    most: usize,
}

impl Pool {
    pub(crate) fn new(most: usize) -> Arc<Pool> {
        Arc::new(Pool { free: Mutex::default(), most })
    }

    /// A buffer of at least `size` bytes; its contents are whatever they were.
    pub(crate) fn take(self: &Arc<Pool>, size: usize) -> Buffer {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        // The tightest fit, so that a small need does not take the buffer that a large one waits for.
        let fits = free.iter().enumerate().filter(|(_, bytes)| bytes.len() >= size);
        let found = fits.min_by_key(|(_, bytes)| bytes.len()).map(|(index, _)| index);
        let mut bytes = match found {
            Some(index) => free.swap_remove(index),
            None if free.len() >= self.most => free.pop().unwrap_or_default(),
            None => Vec::new(),
        };
        drop(free);
        if bytes.len() < size {
            // A fresh zeroed vector costs no page until it is written to; growing would copy old contents.
            bytes = vec![0; size];
        }
        Buffer { bytes, pool: self.clone(), charge: None }
    }
}

/// A buffer that goes back to its pool.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    pool: Arc<Pool>,
    /// What a large buffer holds of the budget, given back with it.
    pub(crate) charge: Option<Reservation>,
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
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.pool.most {
            free.push(std::mem::take(&mut self.bytes));
        }
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
    /// What comes after the lines.
    pub(crate) bad: Option<Box<Bad>>,
}

impl Block {
    pub(crate) fn text(&self) -> &[u8] {
        &self.buffer.bytes[self.range.clone()]
    }
}
