//! Rows in one piece: position, length and bytes of each value. So a small group is stored, and so rows are copied out of
//! a frame.

use super::budget::Reservation;
use super::file::buffer;
use super::row;
use crate::batch::Seq;
use crate::error::{Error, Result};

/// Bytes before each value.
pub(crate) const PACKED_HEAD: usize = 20;

/// Appends one value.
pub(crate) fn pack(out: &mut Vec<u8>, seq: Seq, value: &[u8]) {
    out.extend_from_slice(&row::seq_bytes(seq));
    out.extend_from_slice(&row::short(value.len()).to_le_bytes());
    out.extend_from_slice(value);
}

/// The row at an offset.
pub(crate) fn unpack(bytes: &[u8], at: usize) -> Result<(Seq, &[u8])> {
    let cut = || Error::internal("a group is cut short");
    let (head, rest) = bytes.get(at..).and_then(|rest| rest.split_at_checked(PACKED_HEAD)).ok_or_else(cut)?;
    let (seq, length) = head.split_first_chunk().ok_or_else(cut)?;
    let length = u32::from_le_bytes(*length.first_chunk().ok_or_else(cut)?) as usize;
    Ok((row::seq_of(seq), rest.get(..length).ok_or_else(cut)?))
}

/// Rows that are being read.
#[derive(Debug)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    at: usize,
    _charge: Option<Reservation>,
}

impl Packed {
    pub(crate) fn new(bytes: Vec<u8>, charge: Option<Reservation>) -> Packed {
        Packed { bytes, at: 0, _charge: charge }
    }

    pub(crate) fn copy(bytes: &[u8], charge: Reservation) -> Result<Packed> {
        let mut copy = buffer(bytes.len())?;
        copy.extend_from_slice(bytes);
        Ok(Packed::new(copy, Some(charge)))
    }

    /// Whether all rows were read.
    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(crate) fn next(&mut self) -> Result<(Seq, &[u8])> {
        let at = self.at;
        self.at += PACKED_HEAD + self.peek()?.1.len();
        unpack(&self.bytes, at)
    }

    pub(crate) fn peek(&self) -> Result<(Seq, &[u8])> {
        unpack(&self.bytes, self.at)
    }
}
