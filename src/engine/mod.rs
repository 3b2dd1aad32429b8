//! Runs a plan: phases of reader and worker threads joined by one bounded edge. The engine knows the contracts of
//! [`contract`] and not one operator.
//!
//! A phase: readers take tasks in order and feed bodies (blocks) through the gate and the edge; each worker pushes the
//! records of a body through the chain of operators fused behind it. A wide verb ends a phase by absorbing it, and
//! begins the next as its source, so that no live edge crosses a wide verb.

mod account;
mod contract;
mod cx;
mod early;
mod facts;
mod fence;
mod ordered;
mod phase;
mod progress;
mod provenance;
mod quarantine;
mod rejects;
mod report;
mod run;
mod tally;

pub(crate) use account::{Gaps, UnitAccount};
pub(crate) use contract::{Fan, Feed, Flow, InOrder, Pass, Plan, Push, Stop, UnitEnd, Work};
pub(crate) use cx::WorkerCx;
pub(crate) use early::Early;
pub(crate) use facts::Facts;
pub(crate) use fence::Fence;
pub(crate) use ordered::Ordered;
pub(crate) use phase::{Ended, Feeder, Halted, Phase, panic_error};
pub use progress::Progress;
pub(crate) use provenance::Trail;
pub use provenance::{InputFile, Provenance};
pub(crate) use quarantine::Quarantine;
pub(crate) use rejects::{Entry, Rejects};
pub(crate) use report::StageMeter;
pub use report::{Monitor, RunReport, StageReport};
pub(crate) use run::{Origin, Run};
pub(crate) use tally::Tally;
