//! The command under faults of the real system: full disks, calls that fail, kills, signals, limits, little memory. What a
//! test needs and this machine has not (root, strace) makes it say "skipped"; with `KITBAG_SYSTEM=required` it fails then.

#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::exit,
    reason = "a test may panic, touch the system and say why it skips"
)]

mod changing;
#[path = "../common/dice.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by tests that each use a part of it")]
mod dice;
mod full;
mod hostile;
mod injected;
mod job;
mod kills;
mod limits;
mod memory;
mod order;
mod plans;
mod power;
mod secrets;
mod signals;
mod small;
mod threads;
mod tool;
mod trace;
#[path = "../common/tree.rs"]
#[allow(unreachable_pub, reason = "shared with tests that are parts of another crate")]
mod tree;
