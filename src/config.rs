//! Settings of a run: one builder, no globals, nothing read from the environment. [`Settings`] is what a run works
//! with.

mod cancel;
mod limits;
mod policy;
mod settings;

use std::path::PathBuf;

use crate::engine::Monitor;
use crate::os::Os;

pub use cancel::CancelToken;
pub use policy::{BadRecords, MaxErrors};
pub(crate) use settings::Settings;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// How a run works. Results never depend on it, except through [`ordered`](Config::ordered) and the limits.
///
/// ```
/// use kitbag::{Bag, Config};
///
/// let config = Config::new().threads(2).memory(64 << 20);
/// let sum = Bag::range(0..10).with(config).sum()?;
/// assert_eq!(sum, 45);
/// # Ok::<(), kitbag::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a configuration does nothing until it is given to a bag"]
pub struct Config {
    threads: Option<usize>,
    memory: Option<u64>,
    temp_dir: Option<PathBuf>,
    max_temp: Option<u64>,
    block_size: Option<usize>,
    max_record: Option<u64>,
    max_depth: Option<usize>,
    bad_records: BadRecords,
    max_errors: Option<MaxErrors>,
    concatenated: bool,
    unordered: bool,
    hash_seed: Option<u64>,
    cancel: CancelToken,
    monitor: Option<Monitor>,
    os: Os,
}

impl Config {
    /// The defaults.
    pub fn new() -> Config {
        Config::default()
    }

    /// Threads that read and as many that compute. Default: the cores this process may use.
    pub fn threads(mut self, threads: usize) -> Config {
        self.threads = Some(threads);
        self
    }

    /// The memory budget in bytes. Default: half of what the machine or its cgroup allows.
    pub fn memory(mut self, bytes: u64) -> Config {
        self.memory = Some(bytes);
        self
    }

    /// Where spill files go. They have no name and vanish with the process. Default: the system's temporary directory.
    pub fn temp_dir(mut self, dir: impl Into<PathBuf>) -> Config {
        self.temp_dir = Some(dir.into());
        self
    }

    /// The most bytes that may be spilled. Default: no limit but the disk's.
    pub fn max_temp(mut self, bytes: u64) -> Config {
        self.max_temp = Some(bytes);
        self
    }

    /// Bytes of decompressed text in a block, the unit of work. Default: 256 KiB, less under a small budget.
    pub fn block_size(mut self, bytes: usize) -> Config {
        self.block_size = Some(bytes);
        self
    }

    /// The longest record, in bytes. Default: the smaller of 64 MiB and a thirty-second of the budget.
    pub fn max_record(mut self, bytes: u64) -> Config {
        self.max_record = Some(bytes);
        self
    }

    /// The deepest nesting of arrays and objects, at most 1024. Default: 128.
    pub fn max_depth(mut self, levels: usize) -> Config {
        self.max_depth = Some(levels);
        self
    }

    /// Whether a line (of up to 256 KiB) may hold several values, each of which is a record then; see
    /// [`values_in`](crate::values_in). Default: no, such a line is a bad record.
    pub fn concatenated(mut self, may: bool) -> Config {
        self.concatenated = may;
        self
    }

    /// What to do with bad records. Default: [`BadRecords::Fail`].
    pub fn bad_records(mut self, policy: BadRecords) -> Config {
        self.bad_records = policy;
        self
    }

    /// How many bad records may be left out before the run fails. Default: any number. Refused with
    /// [`BadRecords::Fail`], which leaves none out.
    pub fn max_errors(mut self, most: MaxErrors) -> Config {
        self.max_errors = Some(most);
        self
    }

    /// Whether results and outputs keep record order (the default). `false` lets outputs be written in the order in
    /// which they are ready; results that are values (counts, folds) are the same.
    pub fn ordered(mut self, ordered: bool) -> Config {
        self.unordered = !ordered;
        self
    }

    /// A fixed key for the hash that partitions, in place of one drawn for each run: for measurements that repeat which key
    /// falls where. No answer depends on it; input that was made to know it can make a run slow.
    pub fn hash_seed(mut self, seed: u64) -> Config {
        self.hash_seed = Some(seed);
        self
    }

    /// Bytes of stack of each thread of a run, for closures that recurse deeply. The system gives memory to what is used
    /// of it, outside the budget. Default: the standard library's (2 MiB).
    ///
    /// ```
    /// use kitbag::{Bag, Config};
    ///
    /// fn depth(n: u64) -> u64 { if n == 0 { 0 } else { 1 + std::hint::black_box(depth(n - 1)) } }
    ///
    /// let config = Config::new().threads(1).stack_size(64 << 20);
    /// assert_eq!(Bag::from_iter([200_000]).map(depth).with(config).collect()?, [200_000]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn stack_size(mut self, bytes: usize) -> Config {
        self.os.stack = Some(bytes);
        self
    }

    /// The memory budget in bytes that a run with this configuration has.
    ///
    /// ```
    /// # use kitbag::Config;
    /// assert_eq!(Config::new().memory(64 << 20).budget(), 64 << 20);
    /// assert!(Config::new().budget() > 0);
    /// ```
    pub fn budget(&self) -> u64 {
        self.memory.unwrap_or_else(|| self.os.memory() / 2)
    }

    /// Lets the token stop the run.
    pub fn cancel_token(mut self, token: &CancelToken) -> Config {
        self.cancel = token.clone();
        self
    }

    /// Lets the monitor see the run's report.
    pub fn monitor(mut self, monitor: &Monitor) -> Config {
        self.monitor = Some(monitor.clone());
        self
    }

    /// Lets what the plan says fail.
    #[cfg(test)]
    pub(crate) fn faults(mut self, plan: &std::sync::Arc<crate::os::Plan>) -> Config {
        self.os.faults = crate::os::Faults(Some(plan.clone()));
        self
    }
}
