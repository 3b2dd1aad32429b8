//! The nouns of position: where a record stands for messages ([`At`]), where a unit of work stands in record order
//! ([`Unit`]), and where one record stands in the whole order ([`Seq`]).

use serde::{Deserialize, Serialize};

/// Where a record begins: its shard and its byte offset in the decompressed shard (its index, for records that come
/// from memory). Only for messages; the line number is counted when a message needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct At {
    pub(crate) shard: u32,
    pub(crate) byte: u64,
}

impl At {
    /// The place of what comes from many records.
    pub(crate) fn nowhere() -> At {
        At { shard: u32::MAX, byte: 0 }
    }
}

/// The place of a unit of work (a block of records) in record order: the units of one task are numbered from 0, and
/// tasks follow each other. Every task has at least one unit, and its final one is marked as such when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Unit {
    pub(crate) task: u32,
    pub(crate) no: u32,
}

/// The position of one record in the record order of its stage. Positions can only be compared: the numbers inside
/// depend on how the input was cut, their order does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(u64, u64);

impl Seq {
    /// The position of the record with this index in a unit.
    pub(crate) fn new(unit: Unit, index: u64) -> Seq {
        Seq(u64::from(unit.task) << 32 | u64::from(unit.no), index)
    }

    /// The position of a record of a join's right side: behind all those of the left one.
    pub(crate) fn behind(self) -> Seq {
        Seq(self.0 | 1 << 63, self.1)
    }

    pub(crate) fn is_behind(self) -> bool {
        self.0 >> 63 == 1
    }

    /// The unit that the record was in.
    pub(crate) fn unit(self) -> Unit {
        Unit { task: (self.0 >> 32) as u32, no: (self.0 & 0xFFFF_FFFF) as u32 }
    }

    /// The index of the record in its unit.
    pub(crate) fn index(self) -> u64 {
        self.1
    }
}
