//! The library, through its public face: verbs, inputs, outputs and what is wrong with them.

#[path = "../common/mod.rs"]
mod common;

mod bad_lines;
mod bad_shards;
mod distinct;
mod join;
mod manifest;
mod max_errors;
mod metamorphic;
mod model;
mod operators;
mod partitioned;
mod plans;
mod progress;
mod properties;
mod quirks;
mod regression;
mod repartition;
mod salvage;
mod sample;
mod sort;
mod wide;
mod write_with;
