//! Bytes come in: from paths, globs, directories and standard input to line-aligned blocks, and from memory. The only
//! reader of the caller's files.

mod blocks;
mod cutter;
mod damage;
mod decode;
mod feed;
mod format;
mod items;
mod json;
mod line_of;
mod lines;
#[cfg(feature = "libdeflate")]
mod oneshot;
mod open;
mod partition;
mod pattern;
mod reader;
mod salvage;
mod scan;
mod scan_bag;
mod shards;
#[cfg(feature = "libdeflate")]
mod share;
mod source;
mod stream;
mod text;

pub(crate) use decode::{Damage, Decoder, Gzip, Zstd};
pub use reader::Reader;
pub use scan::Scan;
pub(crate) use scan::{RefFan, RefPush};
pub(crate) use shards::{Shard, directory};
pub use source::Input;
