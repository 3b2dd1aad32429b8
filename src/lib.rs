//! Kitbag: a bag processor for heaps of JSON lines.

#![forbid(unsafe_code)]

pub mod agg;
mod batch;
mod os;

mod bag;
mod config;
mod engine;
mod error;
mod input;
mod narrow;
mod shuffle;
mod spill;
mod write;

pub use bag::Bag;
pub use batch::Seq;
pub use config::{BadRecords, CancelToken, Config};
pub use engine::{Monitor, RunReport, StageReport};
pub use error::{Error, ErrorKind, Place, Result};
pub use input::Input;
pub use write::{Iter, Target, Written};
