//! How work changes threads: bounded edges, the admission gate at the source, and the sequencer that puts units back
//! in order. The only room that knows channels; nothing outside it waits for another thread.

mod edge;
mod gate;
#[cfg(all(test, shuttle))]
mod model;
mod sequencer;

pub(crate) use edge::{EdgeMeter, Inlet, Outlet, edge};
pub(crate) use gate::{Gate, Permit};
pub(crate) use sequencer::Sequencer;
