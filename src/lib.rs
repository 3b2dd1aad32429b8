//! Kitbag: a bag processor for heaps of JSON lines.

#![forbid(unsafe_code)]

mod batch;
mod config;
mod error;
mod os;

mod json;
mod shuffle;
mod spill;

mod bag;
mod engine;

pub mod agg;
mod input;
mod narrow;
mod wide;
mod write;

pub use bag::Bag;
pub use batch::Seq;
pub use config::{BadRecords, CancelToken, Config};
pub use engine::{Monitor, RunReport, StageReport};
pub use error::{Error, ErrorKind, Place, Result};
pub use input::{Input, Scan};
pub use json::{Elements, Entries, Json, JsonKind, JsonLine, JsonParser, JsonRef, Path};
pub use wide::{Group, Records};
pub use write::{Iter, Target, Written};
