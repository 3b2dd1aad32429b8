//! Results go out: into memory, to a closure, to files that appear when they are complete.

mod chunks;
mod codec;
mod collect;
mod count;
mod ends;
mod files;
mod iter;
mod jsonl;
mod manifest;
mod output;
mod partition;
mod partitioned;
mod parts;
mod proof;
mod resolve;
mod target;
mod texts;
mod verify;
mod with;
mod writer;

pub use iter::Iter;
pub use manifest::Part;
pub use output::Output;
pub use partition::Partition;
pub use target::{Target, Written};
pub use verify::{Unverified, Verified, verify};
pub use writer::TargetWriter;
