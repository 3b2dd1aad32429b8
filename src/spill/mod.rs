//! What is done when memory does not hold it: the budget, and temporary files. The only room with temporary files.
//!
//! ```text
//! StoreWriter (one a thread) -> blocks by partition -> pool -> frames in the thread's run file
//! Store::finish -> partitions -> settled by all threads: an index in memory | a sorted run | smaller partitions
//! Groups: one merge of indexes and runs, in order of first occurrence
//! Pairs: the same for a join, whose two sides are in one store; Probe: its right side alone, in memory, to look keys up
//! SortWriter (one a thread) -> sorted batches -> pool -> sorted runs -> SortedRows: one merge by the caller's order
//! ```
//!
//! What must stay true: every byte that grows with the data is charged before it is allocated; nobody waits for memory;
//! what a thread needs at least was set aside for it before the first record.

mod budget;
mod coding;
mod emit;
mod encoder;
mod feed;
mod file;
mod fold;
mod fold_end;
mod folds;
mod frame;
mod groups;
mod hash;
mod index;
mod keys;
mod leaf;
mod lend;
mod merge;
mod packed;
mod pair_index;
mod pairing;
mod pairs;
mod part;
mod probe;
mod ranked;
mod row;
mod rows;
mod run;
mod settle;
mod sink;
mod sort;
mod sort_writer;
mod sorter;
mod sought;
mod space;
mod split;
mod store;
mod stored;
mod table;
mod table_memory;
#[cfg(test)]
mod tests;

pub(crate) use budget::{Budget, Reservation};
pub(crate) use emit::Order;
pub(crate) use fold::{FoldStore, FoldWriter};
pub(crate) use folds::Folds;
#[cfg(any(test, fuzzing))]
pub(crate) use frame::{Expected, compress, decode as decode_frame, header};
pub(crate) use groups::Groups;
pub(crate) use hash::HashKey;
pub(crate) use keys::KeyRule;
pub(crate) use pair_index::Rights;
pub(crate) use pairs::{JoinKind, Joined, Pairs};
pub(crate) use probe::Probe;
pub(crate) use ranked::Ranking;
pub(crate) use row::HEAD as ROW_HEAD;
pub(crate) use rows::{GroupRows, Head};
pub(crate) use sort_writer::SortWriter;
pub(crate) use sorter::{SortStore, SortedRows};
pub(crate) use sought::{Owned, Sought};
pub(crate) use space::Space;
pub(crate) use store::{Store, StoreWriter};
pub(crate) use stored::Stored;
pub(crate) use table::Merging;
