//! What a run may use: memory (the budget), temporary space (the quota and its directory), and the count of what was
//! spilled. [`Space`] is shared by all stores of a run; [`Purse`] is how one thread takes memory from it.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU64, Ordering};
use std::path::{Path, PathBuf};

use super::budget::{Budget, Reservation};
use super::keys::KeyRule;
use super::store::SPARED_BLOCKS;
use crate::config::CancelToken;
use crate::error::{Error, ErrorKind, Result};
use crate::os::Os;

/// Memory and temporary space of a run. Clones share the same accounts.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    pub(crate) os: Os,
    pub(crate) budget: Budget,
    pub(crate) quota: Quota,
    pub(crate) stats: Arc<Stats>,
    pub(crate) keys: KeyRule,
    /// Stores between which it is shared.
    stores: u64,
    pub(crate) cancel: CancelToken,
}

impl Space {
    /// Temporary files go to `dir` (the system's directory if none) and hold at most `quota` bytes at any time.
    pub(crate) fn new(os: Os, budget: Budget, dir: Option<PathBuf>, quota: u64) -> Space {
        let dir = dir.unwrap_or_else(|| os.temp_dir());
        let quota = Quota(Arc::new(QuotaInner { dir, limit: quota, used: AtomicU64::new(0) }));
        let (stats, keys, cancel) = (Arc::default(), KeyRule::bytes(), CancelToken::new());
        Space { os, budget, quota, stats, keys, stores: 1, cancel }
    }
}

impl Space {
    /// The same space for so many stores at one time, and for a run that this token ends.
    pub(crate) fn for_run(self, stores: u64, cancel: &CancelToken) -> Space {
        Space { stores: stores.max(1), cancel: cancel.clone(), ..self }
    }

    /// Stores between which it is shared.
    pub(crate) fn stores(&self) -> u64 {
        self.stores
    }

    /// The part of the budget by which one store measures itself: it may use what others leave.
    pub(crate) fn share(&self) -> u64 {
        self.budget.limit() / self.stores
    }

    /// The same space with counts of its own, for one stage.
    pub(crate) fn counted_apart(&self) -> Space {
        Space { stats: Arc::default(), ..self.clone() }
    }

    /// The same space for a store whose keys are compared by this rule.
    pub(crate) fn with_keys(&self, keys: KeyRule) -> Space {
        Space { keys, ..self.clone() }
    }
}

/// The most bytes that a run may have in temporary files at once.
#[derive(Clone, Debug)]
pub(crate) struct Quota(Arc<QuotaInner>);

#[derive(Debug)]
struct QuotaInner {
    dir: PathBuf,
    limit: u64,
    used: AtomicU64,
}

impl Quota {
    pub(crate) fn dir(&self) -> &Path {
        &self.0.dir
    }

    pub(crate) fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Counts bytes that are about to be written.
    pub(crate) fn take(&self, bytes: u64) -> Result<()> {
        let QuotaInner { dir, limit, used } = &*self.0;
        let sum = |used: u64| used.checked_add(bytes).filter(|sum| sum <= limit);
        match used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum) {
            Ok(_) => Ok(()),
            Err(used) => Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "temporary directory {}: the quota of {limit} bytes is used up: {used} bytes are in use and {bytes} \
                     more are needed",
                    dir.display()
                ),
            )),
        }
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Running counts of what was spilled; only ever grow.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) frames: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) raw: AtomicU64,
    pub(crate) stored: AtomicU64,
    pub(crate) splits: AtomicU64,
    pub(crate) sorts: AtomicU64,
    pub(crate) merges: AtomicU64,
    pub(crate) depth: AtomicU64,
}

/// What a run has spilled, for its report. Records and bytes count once for each time they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spilled {
    pub(crate) frames: u64,
    pub(crate) records: u64,
    /// Bytes before compression.
    pub(crate) raw: u64,
    /// Bytes written to temporary files.
    pub(crate) stored: u64,
    /// Partitions that were partitioned again.
    pub(crate) splits: u64,
    /// Partitions of a single key that were sorted on disk.
    pub(crate) sorts: u64,
    /// Merges of runs that were needed before the last one.
    pub(crate) merges: u64,
    /// How often one record was partitioned again, at most.
    pub(crate) depth: u64,
}

impl Stats {
    pub(crate) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Spilled {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Spilled {
            frames: get(&self.frames),
            records: get(&self.records),
            raw: get(&self.raw),
            stored: get(&self.stored),
            splits: get(&self.splits),
            sorts: get(&self.sorts),
            merges: get(&self.merges),
            depth: get(&self.depth),
        }
    }
}

/// Where a thread takes memory: from the run's budget, and when that refuses, from a floor of its own that was set
/// aside before the first record. So a thread can always go on, however much others hold. What is taken here must be
/// given back by the same piece of work: memory that outlives it is taken from the budget alone.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    pub(crate) budget: Budget,
    pub(crate) floor: Budget,
    /// Bytes of the floor that only `take` may use: for the buffers that frames are read, written and compressed with.
    pub(crate) spared: u64,
}

impl Purse {
    pub(crate) fn new(space: &Space, floor: Budget, block: usize) -> Purse {
        Purse { budget: space.budget.clone(), floor, spared: (SPARED_BLOCKS * block) as u64 }
    }

    /// Memory for as much data as may be had; leaves enough of the floor to work on it.
    pub(crate) fn take_much(&self, bytes: u64) -> Option<Reservation> {
        self.budget.try_reserve(bytes).or_else(|| self.floor.try_reserve_leaving(bytes, self.spared))
    }

    pub(crate) fn take(&self, bytes: u64) -> Option<Reservation> {
        self.budget.try_reserve(bytes).or_else(|| self.floor.try_reserve(bytes))
    }

    /// Like `take`; refused, it is an error that says what is missing.
    pub(crate) fn need(&self, bytes: u64, what: &str) -> Result<Reservation> {
        self.take(bytes).ok_or_else(|| self.refused(bytes, what))
    }

    /// What grows with each record may need more still than it says.
    pub(crate) fn refused(&self, bytes: u64, what: &str) -> Error {
        let (limit, used) = (self.budget.limit(), self.budget.used());
        let spare = self.floor.limit() - self.floor.used().min(self.floor.limit());
        let least = used.saturating_add(bytes).saturating_sub(spare).max(limit.saturating_add(bytes));
        Error::new(
            ErrorKind::Limit,
            format!(
                "memory budget of {} bytes: {what} needs {bytes} bytes and {used} of {limit} are in use; \
                 it takes at least {}",
                self.budget.whole(),
                self.budget.whole_for(least)
            ),
        )
    }
}
