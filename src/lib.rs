//! Kitbag: a bag processor for heaps of JSON lines.
//!
//! A [`Bag`] is a lazy plan over shards (plain, gzip, zstd) or over records from memory. Verbs append to the plan;
//! an action runs it, on all cores, within one memory budget, and gives the same answer for any setting.
//!
//! ```
//! use kitbag::{Bag, agg};
//!
//! #[derive(serde::Deserialize)]
//! struct Hit { path: String, status: u16, latency_ms: f64 }
//!
//! let slowest = Bag::<Hit>::read_json("data/web/*.gz")
//!     .filter(|hit| hit.status < 500)
//!     .fold_by(|hit| hit.path.clone(), (agg::count(), agg::max(|hit: &Hit| agg::Float(hit.latency_ms))))
//!     .fold(agg::max_by(|row: &(String, (u64, Option<agg::Float>))| row.1.1))?;
//! assert_eq!(slowest.map(|(path, _)| path).as_deref(), Some("/checkout/confirm"));
//! # Ok::<(), kitbag::Error>(())
//! ```
//!
//! * **Records**: any serde type; [`Json`] for documents of any shape; lines of text. [`Scan`] hands each record to
//!   closures in place, as a [`JsonRef`], and is the fastest way to read.
//! * **Answers**: [`agg`] has the aggregates that [`Bag::fold`] and [`Bag::fold_by`] take, several at once as a tuple.
//!   [`Bag::group_by`] streams whole groups, [`Bag::sort_by_key`] sorts, both from disk where memory is short.
//! * **Outputs**: [`Bag::write_jsonl`] to a file or a directory of shards ([`Target`]), visible when complete, with a
//!   manifest by which [`verify`] proves them later.
//! * **Settings**: [`Config`] for threads, memory, temporary space, limits and what to do with bad records
//!   ([`BadRecords`]); a [`Monitor`] sees what a run did; a [`CancelToken`] stops it.
//! * **Errors**: an [`Error`]'s text begins with its place: `logs/part-3.jsonl.gz:1841:17: expected …`.
//!
//! Each verb says what it holds in memory and whether it keeps order. The modules below are in the order in which a
//! record walks through them; `docs/architecture.md` tells the way.

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
pub use config::{BadRecords, CancelToken, Config, MaxErrors};
pub use engine::{InputFile, Monitor, Progress, Provenance, RunReport, StageReport};
pub use error::{Error, ErrorKind, Place, Result, escape};
pub use input::{Input, Reader, Scan};
pub use json::{Elements, Entries, Json, JsonKind, JsonLine, JsonParser, JsonRef, Path, values_in};
pub use wide::{Group, Records};
pub use write::{Iter, Output, Part, Partition, Target, TargetWriter, Unverified, Verified, Written, verify};

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(test)]
mod tests;

/// The README's programs, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
