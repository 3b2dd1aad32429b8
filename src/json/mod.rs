//! JSON: the only room that knows JSON text. A record is its bytes: parsing checks the whole line, values are decoded
//! when they are asked for, and the text of everything that is not changed stays as it was written.
//!
//! ```text
//! line ──Structure──▶ tokens ──Outline──▶ JsonLine ──view──▶ JsonRef ──to_json──▶ Json ──view──▶ JsonRef
//!                                │ refused
//!                                └─scan─▶ Fault
//! ```
//!
//! `JsonRef` is the one way to read a value; behind it are words beside a text, one for each value (`words`), either in
//! the parser's buffers, alive only while the line is, or in one slice with the text, which owns everything.

mod access;
mod ahead;
mod bits;
mod convert;
mod decode;
mod deserialize;
mod equal;
mod fault;
mod iter;
mod kind;
mod number;
mod order;
mod outline;
mod owned;
mod packed;
mod parser;
mod path;
mod plain;
#[cfg(test)]
mod properties;
mod scan;
mod serialize;
mod several;
mod structure;
mod text;
mod translate;
mod typed;
mod value;
mod weight;
mod whole;
mod words;

pub use iter::{Elements, Entries};
pub use kind::JsonKind;
pub use owned::Json;
pub use parser::{JsonLine, JsonParser};
pub use path::Path;
pub use several::values_in;
pub(crate) use several::{check as check_values, ranges as value_ranges};
pub use value::JsonRef;

#[allow(unused_imports)] // for the rooms that read lines
pub(crate) use decode::{Decode, decoder};
#[allow(unused_imports)]
pub(crate) use fault::{Fault, FaultKind, looks_like_document_start};
#[allow(unused_imports)]
pub(crate) use parser::{JsonParser as Parser, Limits, MAX_DEPTH};
pub(crate) use whole::{begins_container, is_container};
