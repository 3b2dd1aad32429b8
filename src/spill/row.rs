//! The row: one record on its way through a store, as bytes. Fixed head, then key, then value; rows follow each other
//! in a block without gaps, so that a block is read from its start to its end and nowhere else needs an index.
//!
//! ```text
//! 0 hash u64  8 unit u64  16 index u64  24 key length u32  28 value length u32  32 key, value
//! ```

use crate::batch::{Seq, Unit};
use crate::error::{Error, ErrorKind, Result};

/// Bytes before key and value.
pub(crate) const HEAD: usize = 32;

/// The longest row; leaves room for what is written around it.
const LONGEST: usize = u32::MAX as usize - (1 << 20);

/// A number that is known to be below 2^32, being a length or an offset in a block; no other can come from here.
pub(crate) fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// One row, borrowed from its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) hash: u64,
    pub(crate) seq: Seq,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl Row<'_> {
    /// Its encoded length.
    pub(crate) fn size(&self) -> usize {
        HEAD + self.key.len() + self.value.len()
    }
}

/// The encoded length of a row, or an error if a row cannot be so long.
pub(crate) fn size(key: usize, value: usize) -> Result<usize> {
    let size = HEAD.saturating_add(key).saturating_add(value);
    if size <= LONGEST {
        Ok(size)
    } else {
        Err(Error::new(ErrorKind::Limit, format!("a record of {size} bytes (key {key}, value {value}) cannot be kept")))
    }
}

/// Appends the head of a row; key and value must follow. The caller has checked the lengths with [`size`].
pub(crate) fn put_head(out: &mut Vec<u8>, hash: u64, seq: Seq, key: usize, value: usize) {
    out.extend_from_slice(&head(hash, seq, key, value));
}

/// The head of a row.
pub(crate) fn head(hash: u64, seq: Seq, key: usize, value: usize) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&hash.to_le_bytes());
    head[8..24].copy_from_slice(&seq_bytes(seq));
    head[24..28].copy_from_slice(&short(key).to_le_bytes());
    head[28..].copy_from_slice(&short(value).to_le_bytes());
    head
}

/// Appends a row.
pub(crate) fn put(out: &mut Vec<u8>, row: &Row<'_>) {
    put_head(out, row.hash, row.seq, row.key.len(), row.value.len());
    out.extend_from_slice(row.key);
    out.extend_from_slice(row.value);
}

/// The row at an offset; `None` if no whole row begins there.
pub(crate) fn get(block: &[u8], at: usize) -> Option<Row<'_>> {
    let (head, rest) = block.get(at..)?.split_first_chunk::<HEAD>()?;
    let seq = seq_of(head.get(8..24)?.first_chunk()?);
    let key = u32::from_le_bytes(*head.get(24..)?.first_chunk()?) as usize;
    let value = u32::from_le_bytes(*head.get(28..)?.first_chunk()?) as usize;
    let (key, rest) = rest.split_at_checked(key)?;
    Some(Row { hash: u64::from_le_bytes(*head.first_chunk()?), seq, key, value: rest.get(..value)? })
}

/// [`get`], for offsets that were taken from the block before: none there is a defect.
pub(crate) fn at(block: &[u8], at: usize) -> Result<Row<'_>> {
    get(block, at).ok_or_else(|| Error::internal(format!("no row at byte {at} of a block of {}", block.len())))
}

/// A position in 16 bytes.
pub(crate) fn seq_bytes(seq: Seq) -> [u8; 16] {
    let unit = seq.unit();
    let mut out = [0; 16];
    out[..8].copy_from_slice(&(u64::from(unit.task) << 32 | u64::from(unit.no)).to_le_bytes());
    out[8..].copy_from_slice(&seq.index().to_le_bytes());
    out
}

/// The position that [`seq_bytes`] wrote.
pub(crate) fn seq_of(bytes: &[u8; 16]) -> Seq {
    let (unit, index) = bytes.split_at(8);
    let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
    let unit = number(unit);
    Seq::new(Unit { task: (unit >> 32) as u32, no: (unit & 0xFFFF_FFFF) as u32 }, number(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_come_back(rows in prop::collection::vec(
            (any::<u64>(), any::<(u32, u32, u64)>(), prop::collection::vec(any::<u8>(), 0..9), prop::collection::vec(any::<u8>(), 0..99)),
            0..20,
        )) {
            let mut block = Vec::new();
            let rows: Vec<_> = rows.iter().map(|(hash, (task, no, index), key, value)| {
                Row { hash: *hash, seq: Seq::new(Unit { task: *task, no: *no }, *index), key, value }
            }).collect();
            rows.iter().for_each(|row| put(&mut block, row));
            let mut at = 0;
            for row in rows {
                let found = get(&block, at).unwrap();
                prop_assert_eq!(found, row);
                prop_assert!(get(&block[..at + row.size() - 1], at).is_none());
                at += row.size();
            }
            prop_assert_eq!(at, block.len());
            prop_assert!(super::at(&block, at).is_err());
        }
    }
}
