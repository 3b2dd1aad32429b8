//! How far a run is, while it runs.

use crate::os::sync::atomic::{AtomicU64, Ordering};

use super::{Monitor, RunReport};

/// How far a run is; see [`Monitor::progress`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the input's files that have been read, as they lie on the disk.
    pub read: u64,
    /// Bytes of all files; `None` where one is a pipe, and before they have been found.
    pub total: Option<u64>,
    /// Bytes of the budget that the stores of wide verbs hold now.
    pub memory: u64,
    /// Bytes that temporary files hold now.
    pub temp: u64,
    /// What the stages have done so far. Workers count once a block.
    pub report: RunReport,
}

impl Monitor {
    /// How far the run that is going on is; `None` before it begins and after it has ended. Costs a few locks.
    ///
    /// ```
    /// # use kitbag::{Bag, Config, Monitor};
    /// let monitor = Monitor::new();
    /// let seen = monitor.clone();
    /// let run = Bag::range(0..100_000).inspect(move |_| assert!(seen.progress().is_some()));
    /// run.with(Config::new().monitor(&monitor)).count()?;
    /// assert_eq!(monitor.progress(), None);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn progress(&self) -> Option<Progress> {
        let run = self.running()?;
        let (read, total) = run.intake.get();
        let (memory, temp) = (run.space.budget.used(), run.space.quota.used());
        Some(Progress { read, total, memory, temp, report: run.report(false) })
    }
}

/// Counts what is read of the input's files.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    read: AtomicU64,
    total: AtomicU64,
    /// Inputs that were found, and files among them whose size nobody knows.
    inputs: AtomicU64,
    endless: AtomicU64,
}

impl Intake {
    /// An input was found, with files of these sizes.
    pub(crate) fn expect(&self, sizes: impl Iterator<Item = Option<u64>>) {
        for size in sizes {
            match size {
                Some(bytes) => self.total.fetch_add(bytes, Ordering::Relaxed),
                None => self.endless.fetch_add(1, Ordering::Relaxed),
            };
        }
        self.inputs.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more bytes were read.
    pub(crate) fn came(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    fn get(&self) -> (u64, Option<u64>) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let known = get(&self.inputs) > 0 && get(&self.endless) == 0;
        let total = known.then(|| get(&self.total));
        // A file that is read a second time counts once.
        (get(&self.read).min(total.unwrap_or(u64::MAX)), total)
    }
}
