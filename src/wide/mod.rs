//! Verbs that need to see other records: they absorb, merge and emit, or end the run early.

mod absorb;
mod fold;
mod numbers;
mod search;
mod take;
