//! What a run works with: every default resolved, every dependent limit computed, in one place.

use std::path::PathBuf;

use super::{BadRecords, CancelToken, Config, MIB, MaxErrors};
use crate::engine::{Facts, Monitor};
use crate::error::{Error, ErrorKind, Result};
use crate::os::Os;

/// A [`Config`] with every default filled in.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) memory: u64,
    /// Bytes that one phase may have in flight.
    pub(crate) gate: u64,
    /// Stores between which the space is shared.
    pub(crate) stores: u64,
    pub(crate) block: usize,
    pub(crate) max_record: usize,
    pub(crate) max_depth: usize,
    pub(crate) max_window_log: u32,
    pub(crate) temp_dir: Option<PathBuf>,
    pub(crate) max_temp: u64,
    pub(crate) bad_records: BadRecords,
    pub(crate) max_errors: Option<MaxErrors>,
    /// Whether a line may hold several values.
    pub(crate) concatenated: bool,
    pub(crate) ordered: bool,
    pub(crate) hash_seed: Option<u64>,
    pub(crate) cancel: CancelToken,
    pub(crate) monitor: Option<Monitor>,
    pub(crate) os: Os,
}

impl Config {
    /// Every default filled in, for a plan of which this is known; refuses what cannot work.
    pub(crate) fn settings(&self, plan: &Facts) -> Result<Settings> {
        let os = self.os.clone();
        let usage = |text: String| Err(Error::new(ErrorKind::Usage, text));
        let threads = self.threads.unwrap_or_else(|| os.cores());
        if threads == 0 || threads > 1024 {
            return usage(format!("threads is {threads}: expected 1 to 1024"));
        }
        let memory = self.budget();
        if self.block_size == Some(0) {
            return usage("block_size is 0: expected at least 1".into());
        }
        if self.max_errors.is_some() && self.bad_records == BadRecords::Fail {
            return usage("max_errors is set: expected BadRecords::Skip or Quarantine, which leave records out".into());
        }
        let limits = self.limits(memory, threads as u64, plan);
        let (block, max_record) = (limits.block, limits.max_record);
        if memory < limits.least {
            let mut least = limits.least;
            // Limits that follow from the budget grow with it, more slowly than it does.
            while let next = self.limits(least, threads as u64, plan).least
                && next > least
            {
                least = next;
            }
            let text = format!(
                "the memory budget is {memory} bytes; with {threads} threads, blocks of {block} bytes, records of up to \
                 {max_record} and {} verbs that gather, the smallest that would do is {least}",
                plan.stores
            );
            return Err(Error::new(ErrorKind::Limit, text));
        }
        let max_depth = self.max_depth.unwrap_or(128);
        if max_depth == 0 || max_depth > 1024 {
            return usage(format!("max_depth is {max_depth}: expected 1 to 1024"));
        }
        // A zstd frame asks for its window before anything is decoded: each reader may hold one. 8 MiB is what every
        // decoder should support (RFC 8878), so also one on a small budget.
        let max_window = (memory / (2 * threads as u64)).clamp(8 * MIB, 1 << 31);
        Ok(Settings {
            threads,
            memory,
            gate: memory / 4 / u64::from(plan.phases),
            stores: u64::from(plan.stores.max(1)),
            block: usize::try_from(block).unwrap_or(usize::MAX),
            max_record: usize::try_from(max_record).unwrap_or(usize::MAX),
            max_depth,
            max_window_log: max_window.ilog2(),
            temp_dir: self.temp_dir.clone(),
            max_temp: self.max_temp.unwrap_or(u64::MAX),
            bad_records: self.bad_records.clone(),
            max_errors: self.max_errors,
            concatenated: self.concatenated,
            ordered: !self.unordered,
            hash_seed: self.hash_seed,
            cancel: self.cancel.clone(),
            monitor: self.monitor.clone(),
            os,
        })
    }
}
