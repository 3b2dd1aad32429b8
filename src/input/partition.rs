//! Cuts the shards of an input into tasks: a compressed or small shard is one task, a large plain file several byte
//! ranges. Tasks are in record order; how they are cut changes no result.

use crate::os::sync::Arc;

use crate::config::BadRecords;
use crate::engine::{Origin, Run};
use crate::error::Result;

use super::format::Format;
use super::stream::Stream;
use super::{Input, Shard};

/// What one reader reads at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// Index into the shards.
    pub(crate) shard: usize,
    /// The lines that begin in these bytes of a plain file; `None` for the whole shard.
    pub(crate) range: Option<(u64, u64)>,
}

/// Bytes of a plain file in one task: many blocks, yet small enough that all readers are busy with one file.
const RANGE: u64 = 4 << 20;

/// The shards and tasks of an input, and the shard number that messages know the first of them by.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) shards: Arc<Vec<Shard>>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) first: u32,
}

impl Partition {
    /// `whole` keeps every shard in one task, for verbs that take a shard at a time.
    pub(crate) fn new(input: &Input, run: &Run, whole: bool) -> Result<Partition> {
        let shards = input.shards(&run.os)?;
        let settings = &run.settings;
        // Where line numbers are written down they are counted as the lines pass, which needs a shard's start.
        let whole = whole || matches!(settings.bad_records, BadRecords::Quarantine(_));
        let block = settings.block as u64;
        let range = RANGE.max(block.saturating_mul(4)).min(block.saturating_mul(16).max(64));
        let mut tasks = Vec::new();
        for (index, shard) in shards.iter().enumerate() {
            let len = shard.meta.map_or(0, |meta| meta.len);
            let split = !whole && len > range && {
                // What is wrong with the shard is reported when its turn comes.
                let opened = Stream::open(shard, settings, &|| false);
                opened.is_ok_and(|stream| stream.is_some_and(|stream| stream.format() == Format::Plain))
            };
            if split {
                let mut from = 0;
                while from < len {
                    let to = (from + range).min(len);
                    tasks.push(Task { shard: index, range: Some((from, to)) });
                    from = to;
                }
            } else {
                tasks.push(Task { shard: index, range: None });
            }
        }
        run.trail.reads(shards.iter().map(Shard::as_input));
        run.intake.expect(shards.iter().map(|shard| shard.meta.map(|meta| meta.len)));
        let first = run.add_origins(shards.iter().map(|shard| match shard.is_stdin() {
            true => Origin::Stdin,
            false => Origin::File(shard.path.clone(), shard.path.to_string_lossy().into(), super::line_of::line_of),
        }));
        Ok(Partition { shards: Arc::new(shards), tasks, first })
    }
}
