//! Kitbag: a bag processor for heaps of JSON lines.

#![forbid(unsafe_code)]

mod batch;
mod error;
mod json;
mod os;
mod spill;

pub use batch::Seq;
pub use error::{Error, ErrorKind, Place, Result};
pub use json::{Elements, Entries, Json, JsonKind, JsonLine, JsonParser, JsonRef, Path};
