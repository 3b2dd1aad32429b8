//! Kitbag: a bag processor for heaps of JSON lines.

#![forbid(unsafe_code)]

pub mod agg;
mod batch;
mod error;
mod os;
mod spill;

pub use batch::Seq;
pub use error::{Error, ErrorKind, Place, Result};
