//! Results go out: into memory, to a closure, to files that appear when they are complete.

mod chunks;
mod codec;
mod collect;
mod count;
mod files;
mod iter;
mod jsonl;
mod parts;
mod target;
mod texts;

pub use iter::Iter;
pub use target::{Target, Written};
