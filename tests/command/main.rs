//! The command, as it is run: options, order, errors and exit codes of the real program.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may panic, touch the system and say why it skips"
)]

mod endings;
mod errors;
mod explained;
mod help;
mod joins;
mod logs;
mod options;
mod outputs;
mod partitions;
mod pipes;
mod planned;
mod recipes;
mod same_as_jq;
mod suites;
mod targets;
mod tool;
