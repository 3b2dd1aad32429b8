//! Verbs that see one record at a time. No thread, no channel, no file: each is a step in the workers' fused loop.

mod filter;
mod flat_map;
mod inspect;
mod map;
mod pluck;
mod try_map;
mod with_paths;
