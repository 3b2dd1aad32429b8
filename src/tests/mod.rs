//! Tests of whole runs that need what only this crate can reach: faults put into the one door
//! to the system, and schedules.

mod faults;
#[cfg(shuttle)]
mod schedules;
