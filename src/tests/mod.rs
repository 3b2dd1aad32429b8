//! Tests of whole runs that need what only this crate can reach: faults put into the one door
//! to the system, and schedules.

mod faults;
#[cfg(shuttle)]
mod schedules;
#[path = "../../tests/common/tree.rs"]
#[allow(unreachable_pub, clippy::disallowed_methods, reason = "shared with tests that are crates of their own")]
mod tree;
