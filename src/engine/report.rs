//! What a run did: counts per stage, waits per edge, bytes spilled, records rejected.

use crate::os::sync::atomic::{AtomicU64, Ordering};
use crate::os::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::shuffle::EdgeMeter;
use crate::spill::Space;

use super::Provenance;
use super::run::Common;

/// What one stage of a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageReport {
    /// The stage's number in the plan (the source is 0) and its verb: `2:map`.
    pub stage: String,
    /// Records that entered.
    pub records_in: u64,
    /// Records that left.
    pub records_out: u64,
    /// Decompressed bytes that entered (sources) or text bytes that left (writers).
    pub bytes: u64,
    /// Batches (units of work) that went over the stage's edge, where it has one.
    pub batches: u64,
    /// Time that its senders waited because the edge was full, added up over threads.
    pub blocked_full: Duration,
    /// Time that its receivers waited because the edge was empty, added up over threads.
    pub blocked_empty: Duration,
    /// Bytes written to spill files.
    pub spilled: u64,
    /// How often a partition of its store was too big for the memory there was, and was cut into smaller ones on disk.
    pub splits: u64,
}

/// What a run did. Read it from a [`Monitor`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunReport {
    /// The stages, source first.
    pub stages: Vec<StageReport>,
    /// Records (and damaged shards) that were skipped or quarantined.
    pub rejected: u64,
    /// Bytes of compressed shards that were left out because of damage: from where it was noticed to the next member or
    /// frame that is whole, or to the end of the file. What the file lacks because it is cut is not counted.
    pub lost_bytes: u64,
    /// Wall time.
    pub elapsed: Duration,
    /// The most bytes of the budget that were in use at once.
    pub peak_budget: u64,
    /// Whether the run came to its end without an error.
    pub complete: bool,
    /// What it has read; empty while the run goes on.
    pub provenance: Provenance,
}

impl RunReport {
    /// Bytes written to spill files by all stages.
    pub fn spilled(&self) -> u64 {
        self.stages.iter().map(|stage| stage.spilled).sum()
    }
}

/// Sees the reports of the runs whose [`Config`](crate::Config) holds a clone of it.
///
/// ```
/// use kitbag::{Bag, Config, Monitor};
///
/// let monitor = Monitor::new();
/// let even = Bag::range(0..100).filter(|n| n % 2 == 0).with(Config::new().monitor(&monitor)).count()?;
/// let report = monitor.report().ok_or("no run yet")?;
/// assert_eq!((even, report.stages[1].records_in, report.stages[1].records_out), (50, 100, 50));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Monitor(Arc<Mutex<Watched>>);

/// The report of the run that ended last, and the run that began last.
#[derive(Debug, Default)]
struct Watched {
    report: Option<RunReport>,
    running: Option<Weak<Common>>,
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    pub fn new() -> Monitor {
        Monitor::default()
    }

    /// The report of the run that ended last, whether it failed or not.
    pub fn report(&self) -> Option<RunReport> {
        self.watched().report.clone()
    }

    pub(super) fn begin(&self, run: &Arc<Common>) {
        self.watched().running = Some(Arc::downgrade(run));
    }

    pub(super) fn running(&self) -> Option<Arc<Common>> {
        self.watched().running.as_ref()?.upgrade()
    }

    pub(super) fn put(&self, report: RunReport) {
        *self.watched() = Watched { report: Some(report), running: None };
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counters of a stage while it runs. Workers add to them once a unit, not once a record.
#[derive(Debug, Default)]
pub(crate) struct StageMeter {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) records_in: AtomicU64,
    pub(crate) records_out: AtomicU64,
    pub(crate) bytes: AtomicU64,
    spilled: AtomicU64,
    splits: AtomicU64,
    pub(crate) edge: Arc<EdgeMeter>,
}

impl StageMeter {
    /// A stage with this number in its own branch, behind so many of others.
    pub(crate) fn new(before: u32, number: u32, verb: &str) -> StageMeter {
        StageMeter { number, name: format!("{}:{verb}", before + number), ..StageMeter::default() }
    }

    /// Takes over what the stage's store counted in this space, which is its alone.
    pub(crate) fn spilled_in(&self, space: &Space) {
        let spilled = space.stats.read();
        self.spilled.store(spilled.stored, Ordering::Relaxed);
        self.splits.store(spilled.splits, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> StageReport {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StageReport {
            stage: self.name.clone(),
            records_in: get(&self.records_in),
            records_out: get(&self.records_out),
            bytes: get(&self.bytes),
            batches: get(&self.edge.batches_in),
            blocked_full: Duration::from_nanos(get(&self.edge.blocked_full)),
            blocked_empty: Duration::from_nanos(get(&self.edge.blocked_empty)),
            spilled: get(&self.spilled),
            splits: get(&self.splits),
        }
    }
}
