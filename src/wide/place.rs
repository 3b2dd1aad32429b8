//! A record's place in the input, as it is stored before the record, for messages about it.

use crate::batch::At;
use crate::spill::Head;

/// Bytes of a place.
pub(super) const PLACE: usize = size_of::<Head>();

/// Appends a place.
pub(super) fn put_place(at: At, to: &mut Vec<u8>) {
    to.extend_from_slice(&at.shard.to_le_bytes());
    to.extend_from_slice(&at.byte.to_le_bytes());
}

/// The place with which a stored record begins.
pub(super) fn place_of(head: &Head) -> At {
    let [shard @ .., _, _, _, _, _, _, _, _] = *head;
    let [_, _, _, _, byte @ ..] = *head;
    At { shard: u32::from_le_bytes(shard), byte: u64::from_le_bytes(byte) }
}
