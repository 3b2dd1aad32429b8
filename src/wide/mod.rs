//! Verbs that need to see other records: they absorb, merge and emit, or end the run early.

mod absorb;
mod by_key;
mod by_ref;
mod codec;
mod count_distinct;
mod distinct;
mod emit;
mod emit_folds;
mod emit_sorted;
mod fold;
mod fold_by;
mod group;
mod group_by;
mod join;
mod keys;
mod map_partitions;
mod numbers;
mod packer;
mod place;
mod repartition;
mod route;
mod sample;
mod scan_by;
mod search;
mod sort;
mod take;

pub use group::Group;
pub use map_partitions::Records;
