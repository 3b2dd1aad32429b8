//! The jq language: its interpreter, jaq-core, behind one adapter. Nothing else in the crate knows jaq. What jaq answers
//! otherwise than jq is mended here: by values of our own, natives and a prelude of our own, and by rewriting programs
//! before they are compiled.

mod access;
mod arithmetic;
mod binding;
mod compile;
mod fault;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod lane;
mod natives;
mod notation;
mod number;
mod object;
mod order;
mod outputs;
mod patterns;
mod piece;
pub(crate) mod plan;
mod prelude;
pub(crate) mod print;
mod program;
mod read;
mod rewrite;
mod sketch;
mod slice;
pub(crate) mod slurp;
mod store;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod value;

pub(crate) use natives::events;
pub(crate) use program::{CompileError, Halt, Inputs, Libraries, Modules, Program};
pub(crate) use text::{Colours, Indent, Style};
pub(crate) use value::Val;
