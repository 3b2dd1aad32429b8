//! What all phases of one run share: settings, budget, the places that messages name, rejects, and the report.

use crate::os::sync::atomic::{AtomicU64, Ordering};
use crate::os::sync::{Arc, Mutex, PoisonError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use crate::batch::At;
use crate::config::Settings;
use crate::error::{Error, Place, Result};
use crate::os::Os;
use crate::spill::{Budget, HashKey, Space};

use super::progress::Intake;
use super::rejects::Over;
use super::{Provenance, Quarantine, Rejects, RunReport, StageMeter, Trail, panic_error};

/// The record that is one too many: which of the rejects, and its byte. Before all of them if they cannot be written down.
#[derive(Debug)]
pub(crate) struct TooMany {
    pub(crate) count: u64,
    pub(crate) byte: u64,
    pub(crate) error: Error,
}

/// Finds the line of a byte by reading a shard again from its start.
pub(crate) type LineOf = fn(&Run, &std::path::Path, u64) -> Option<(u64, u64)>;

/// Where the records of a shard number come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A file, by the path that the caller gave or that was found, and as it is shown. The function counts lines when a
    /// message needs one.
    File(PathBuf, Arc<str>, LineOf),
    /// Standard input, whose lines can only be counted while they pass.
    Stdin,
    /// Records from memory; a record's byte is its index.
    Memory(&'static str),
}

/// One run, as one branch of its plan sees it: the stages of a plan that is joined to another are numbered behind those of
/// the other, and a phase that runs into a fan after another one numbers its tasks behind those.
#[derive(Debug)]
pub(crate) struct Run {
    common: Arc<Common>,
    stages_before: u32,
    pub(crate) tasks_before: u32,
}

/// What all branches share.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) settings: Settings,
    pub(crate) os: Os,
    /// Memory and temporary space for everything but the blocks in flight, which the gates admit from their own share.
    pub(crate) space: Space,
    /// The key of this run's partition hash.
    pub(crate) hash_key: HashKey,
    origins: Mutex<Vec<Origin>>,
    stages: Mutex<Vec<Arc<StageMeter>>>,
    rejected: AtomicU64,
    lost: AtomicU64,
    /// Records read, in order; counted where that has a limit.
    read: AtomicU64,
    pub(super) quarantine: Quarantine,
    /// Held while a very long record is parsed: a parser may need 24 times a line's length, which is within the budget
    /// for one at a time.
    pub(crate) long_record: Mutex<()>,
    pub(crate) intake: Intake,
    pub(crate) trail: Trail,
    begun: Instant,
}

impl std::ops::Deref for Run {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl Run {
    /// Runs `body`, then hands the report to the monitor.
    pub(crate) fn start<R>(settings: Settings, body: impl FnOnce(&Run) -> Result<R>) -> Result<R> {
        let os = settings.os.clone();
        let begun = os.now();
        let monitor = settings.monitor.clone();
        let quarantine = Quarantine::open(&os, &settings.bad_records)?;
        let budget = Budget::part(settings.memory - settings.memory / 4, settings.memory);
        let space = Space::new(os.clone(), budget, settings.temp_dir.clone(), settings.max_temp);
        let space = space.for_run(settings.stores, &settings.cancel);
        let hash_key = settings.hash_seed.map_or_else(|| HashKey::random(&os), |seed| HashKey::fixed(seed, 0));
        let (origins, stages) = (Mutex::default(), Mutex::default());
        let common = Common {
            os,
            space,
            hash_key,
            settings,
            origins,
            stages,
            rejected: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            read: AtomicU64::new(0),
            quarantine,
            long_record: Mutex::new(()),
            intake: Intake::default(),
            trail: Trail::default(),
            begun,
        };
        let run = Run { common: Arc::new(common), stages_before: 0, tasks_before: 0 };
        if let Some(monitor) = &monitor {
            monitor.begin(&run.common);
        }
        let within = || {
            let answer = body(&run)?;
            // Where nothing was read.
            run.quarantine.begin()?;
            run.within_limit().map(|()| answer)
        };
        let result = catch_unwind(AssertUnwindSafe(within)).unwrap_or_else(|payload| {
            // No thread of the run is left: a closure of the last stage that is called at the very end.
            let stages = run.stages();
            let last = stages.iter().max_by_key(|meter| stage_number(&meter.name)).map_or("", |meter| &meter.name);
            Err(panic_error(&*payload, last))
        });
        if let Some(monitor) = monitor {
            monitor.put(RunReport { provenance: run.provenance(), ..run.report(result.is_ok()) });
        }
        result
    }

    /// The run for a plan whose stages are numbered behind so many others.
    pub(crate) fn branch(&self, stages: u32) -> Run {
        Run { common: self.common.clone(), stages_before: self.stages_before + stages, tasks_before: 0 }
    }

    /// The run for a phase into a fan that has seen so many tasks.
    pub(crate) fn after(&self, tasks: u32) -> Run {
        Run { common: self.common.clone(), stages_before: self.stages_before, tasks_before: tasks }
    }

    /// Registers a stage: its place in the plan and its verb.
    pub(crate) fn stage(&self, number: u32, verb: &str) -> Arc<StageMeter> {
        let meter = Arc::new(StageMeter::new(self.stages_before, number, verb));
        self.stages().push(meter.clone());
        meter
    }

    /// The label of a stage, for messages.
    pub(crate) fn stage_name(&self, number: u32) -> String {
        let number = self.stages_before + number;
        let stages = self.stages();
        let found = stages.iter().find(|meter| stage_number(&meter.name) == number);
        found.map_or_else(|| number.to_string(), |meter| meter.name.clone())
    }

    /// Gives each origin a shard number; the first one's is returned.
    pub(crate) fn add_origins(&self, origins: impl IntoIterator<Item = Origin>) -> u32 {
        let mut all = self.origins();
        let first = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.extend(origins);
        first
    }

    /// The place of a record, with `column` (from 1) in its line. Reads a file again to count its lines: for messages.
    pub(crate) fn place(&self, at: At, column: Option<u64>) -> Place {
        let origin = self.origins().get(at.shard as usize).cloned();
        match origin {
            Some(Origin::File(path, shown, line_of)) => {
                let found = line_of(self, &path, at.byte);
                Place {
                    path: shown.as_ref().into(),
                    line: found.map(|(line, _)| line),
                    column: found.map(|(_, before)| before + column.unwrap_or(1)),
                    byte: Some(at.byte),
                }
            }
            Some(Origin::Stdin) => Place { path: "<stdin>".into(), line: None, column: None, byte: Some(at.byte) },
            Some(Origin::Memory(name)) => {
                Place { path: format!("<{name}>"), line: Some(at.byte + 1), column: Some(1), byte: None }
            }
            None => Place::default(),
        }
    }

    /// The path of a shard, for messages about the shard as a whole.
    pub(crate) fn path(&self, shard: u32) -> Arc<str> {
        match self.origins().get(shard as usize) {
            Some(Origin::File(_, shown, _)) => shown.clone(),
            Some(Origin::Stdin) => "<stdin>".into(),
            Some(Origin::Memory(name)) => format!("<{name}>").into(),
            None => "".into(),
        }
    }

    /// Counts rejects, which come in record order.
    pub(crate) fn reject(&self, rejects: &Rejects) -> Result<(), TooMany> {
        let (refused, read) = (self.rejected.load(Ordering::Relaxed), self.read.load(Ordering::Relaxed));
        let over = self.settings.max_errors.and_then(|limit| rejects.over(limit, refused, read));
        let (count, read, lines, lost) = rejects.up_to(over.as_ref());
        self.rejected.fetch_add(count, Ordering::Relaxed);
        self.lost.fetch_add(lost, Ordering::Relaxed);
        self.read.fetch_add(read, Ordering::Relaxed);
        self.quarantine.write(&rejects.lines[..lines]).map_err(|error| TooMany { count: 0, byte: 0, error })?;
        over.map_or(Ok(()), |Over { count, at, error, .. }| {
            Err(TooMany { count, byte: at.byte, error: error.at(self.place(at, None)) })
        })
    }

    /// Asked before anything is committed: whether the run has rejected no more than it may. What was rejected is
    /// durable then, for the output is without it.
    pub(crate) fn may_commit(&self) -> Result<()> {
        self.quarantine.sync()?;
        self.within_limit()
    }

    /// Whether a run that came to its end has rejected no more than it may.
    fn within_limit(&self) -> Result<()> {
        let (refused, read) = (self.rejected.load(Ordering::Relaxed), self.read.load(Ordering::Relaxed));
        self.settings.max_errors.map_or(Ok(()), |limit| limit.check(refused, read))
    }

    fn stages(&self) -> crate::os::sync::MutexGuard<'_, Vec<Arc<StageMeter>>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn origins(&self) -> crate::os::sync::MutexGuard<'_, Vec<Origin>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Common {
    /// What an output of this run, which has come to its end, was made from.
    pub(crate) fn provenance(&self) -> Provenance {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let sources = stages.iter().filter(|meter| meter.number == 0);
        let read = sources.map(|meter| meter.records_in.load(Ordering::Relaxed)).sum();
        let (rejected, lost) = (self.rejected.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed));
        self.trail.end(read, rejected, lost, self.settings.bad_records.name())
    }

    /// What the run has done so far.
    pub(crate) fn report(&self, complete: bool) -> RunReport {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stages: Vec<_> = stages.iter().map(|meter| meter.report()).collect();
        stages.sort_by_key(|stage| stage_number(&stage.stage));
        let (rejected, peak_budget) = (self.rejected.load(Ordering::Relaxed), self.space.budget.peak());
        let (elapsed, lost_bytes) = (self.os.now() - self.begun, self.lost.load(Ordering::Relaxed));
        RunReport { stages, rejected, lost_bytes, elapsed, peak_budget, complete, provenance: Provenance::default() }
    }
}

fn stage_number(name: &str) -> u32 {
    name.split(':').next().and_then(|number| number.parse().ok()).unwrap_or(u32::MAX)
}
