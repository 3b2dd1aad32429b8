//! What a worker carries: where it is (for messages), and what it does with a record that is refused.

use crate::os::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::os::sync::{Mutex, MutexGuard, PoisonError};
use std::error::Error as StdError;

use crate::batch::At;
use crate::config::BadRecords;
use crate::error::{Error, ErrorKind, Place, escape};

use super::rejects::line;
use super::{Flow, Phase, Rejects, Stop};

/// One worker of a phase. Its position is kept in relaxed atomics (plain stores on the usual machines) so that a chain
/// of operators may be handed to another thread, as the ordered verbs do.
#[derive(Debug)]
pub(crate) struct WorkerCx<'r> {
    pub(crate) phase: &'r Phase<'r>,
    stage: AtomicU32,
    shard: AtomicU32,
    byte: AtomicU64,
    refused_any: AtomicBool,
    rejected_any: AtomicBool,
    /// Records read since the account was handed on.
    read: AtomicU64,
    /// Whether that matters.
    limited: bool,
    account: Mutex<Account>,
}

/// The account of the unit in hand.
#[derive(Debug, Default)]
struct Account {
    /// Refused by a closure; the source adds place and text when the record is through.
    refused: Vec<(At, Error)>,
    rejects: Rejects,
}

impl<'r> WorkerCx<'r> {
    pub(crate) fn new(phase: &'r Phase<'r>) -> WorkerCx<'r> {
        WorkerCx {
            phase,
            stage: AtomicU32::new(0),
            shard: AtomicU32::new(0),
            byte: AtomicU64::new(0),
            refused_any: AtomicBool::new(false),
            rejected_any: AtomicBool::new(false),
            read: AtomicU64::new(0),
            limited: phase.run.settings.max_errors.is_some(),
            account: Mutex::default(),
        }
    }

    /// The record in hand; the one before is through.
    pub(crate) fn set_at(&self, at: At) {
        self.settle();
        self.shard.store(at.shard, Ordering::Relaxed);
        self.byte.store(at.byte, Ordering::Relaxed);
    }

    /// The source has read so many records more, up to the one in hand.
    pub(crate) fn came(&self, records: u64) {
        // One thread at a time has the chain: no need for one step.
        self.read.store(self.read.load(Ordering::Relaxed) + records, Ordering::Relaxed);
    }

    pub(crate) fn at(&self) -> At {
        At { shard: self.shard.load(Ordering::Relaxed), byte: self.byte.load(Ordering::Relaxed) }
    }

    /// The stage whose closure runs.
    pub(crate) fn set_stage(&self, stage: u32) {
        self.stage.store(stage, Ordering::Relaxed);
    }

    pub(crate) fn stage(&self) -> u32 {
        self.stage.load(Ordering::Relaxed)
    }

    /// A closure refuses a record: an error under `Fail`; otherwise the record is left out, and the source, which has
    /// its text, completes the account when the record is through. The error needs no place: it gets the record's.
    pub(crate) fn refuse(&self, at: At, error: Error) -> Flow {
        if self.phase.run.settings.bad_records == BadRecords::Fail {
            return Flow::Break(Stop::from(error));
        }
        self.account().refused.push((at, error));
        self.refused_any.store(true, Ordering::Relaxed);
        Flow::Continue(())
    }

    /// A closure's error, whatever type it has, refuses the record.
    pub(crate) fn refuse_for(&self, at: At, cause: Box<dyn StdError + Send + Sync>, stage: String) -> Flow {
        use ErrorKind::{Corrupt, Internal, Io, Limit, Stopped};
        let cause = match cause.downcast::<Error>() {
            // The run's own trouble, met in a closure (reading a group from disk), or its end, asked for: no policy
            // makes that a bad record.
            Ok(own) if matches!(own.kind(), Io | Limit | Internal | Corrupt | Stopped) => {
                return Flow::Break(Stop::from(own.in_stage(stage)));
            }
            Ok(own) => own,
            Err(other) => other,
        };
        let text = escape(cause.to_string().as_bytes(), 400);
        self.refuse(at, Error::new(ErrorKind::Closure, text).in_stage(stage).caused_by(cause))
    }

    /// What closures refused since the last call. Costs one load when there is nothing.
    pub(crate) fn take_refused(&self) -> Vec<(At, Error)> {
        if !self.refused_any.load(Ordering::Relaxed) {
            return Vec::new();
        }
        self.refused_any.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.account().refused)
    }

    /// A bad record: an error under `Fail`, otherwise counted, and written down where the policy says so. `place` is
    /// called only if somebody will read it.
    pub(crate) fn reject(&self, error: Error, raw: Option<&[u8]>, place: impl FnOnce() -> Place) -> Flow {
        match self.phase.run.settings.bad_records {
            BadRecords::Fail => {
                let error = if error.place().is_some() { error } else { error.at(place()) };
                return Flow::Break(Stop::from(error));
            }
            BadRecords::Skip => self.add(Vec::new()),
            BadRecords::Quarantine(_) => {
                let place = error.place().cloned().unwrap_or_else(place);
                match line(&place, &error, raw) {
                    Ok(line) => self.add(line),
                    Err(error) => return Flow::Break(Stop::from(error)),
                }
            }
        }
        Flow::Continue(())
    }

    /// Adds what was rejected in the phase before, behind the record that is through.
    pub(crate) fn adopt(&self, rejects: Rejects) {
        self.settle();
        let read = self.read.fetch_add(rejects.read, Ordering::Relaxed);
        self.account().rejects.adopt(rejects, read);
        self.rejected_any.store(true, Ordering::Relaxed);
    }

    /// How many records closures have refused since the account was completed.
    pub(crate) fn refused(&self) -> usize {
        if self.refused_any.load(Ordering::Relaxed) { self.account().refused.len() } else { 0 }
    }

    /// How many records of the unit in hand were rejected so far, where that has a limit.
    pub(crate) fn rejected(&self) -> usize {
        if !self.limited || !(self.rejected_any.load(Ordering::Relaxed) || self.refused_any.load(Ordering::Relaxed)) {
            return 0;
        }
        let account = self.account();
        account.refused.len().saturating_add(usize::try_from(account.rejects.count).unwrap_or(usize::MAX))
    }

    /// Completes the account of those refused behind so many: nobody has their text.
    pub(crate) fn settle_from(&self, before: usize) {
        if self.refused_any.load(Ordering::Relaxed) {
            let refused = self.account().refused.split_off(before);
            self.settle_these(refused);
        }
    }

    /// Completes the account of records that no source completes: nobody has their text any more (they come from
    /// another phase), place and error remain.
    fn settle(&self) {
        self.settle_these(self.take_refused());
    }

    fn settle_these(&self, refused: Vec<(At, Error)>) {
        for (at, error) in refused {
            // Under `Fail` nothing is refused, so the flow is always to go on.
            let _ = self.reject(error, None, || self.phase.run.place(at, None));
        }
    }

    /// So many bytes of a compressed shard are left out with what is rejected next.
    pub(crate) fn lost(&self, bytes: u64) {
        if bytes > 0 {
            self.account().rejects.lost += bytes;
        }
    }

    fn add(&self, line: Vec<u8>) {
        let read = self.limited.then(|| self.read.load(Ordering::Relaxed));
        self.account().rejects.add(self.at(), read, line);
        self.rejected_any.store(true, Ordering::Relaxed);
    }

    /// The account since the last call, for whoever hands it on. Costs one load when there is nothing.
    pub(crate) fn take_rejects(&self) -> Option<Rejects> {
        if !self.rejected_any.load(Ordering::Relaxed) {
            return None;
        }
        self.rejected_any.store(false, Ordering::Relaxed);
        let read = self.read.swap(0, Ordering::Relaxed);
        Some(Rejects { read, ..std::mem::take(&mut self.account().rejects) })
    }

    /// What is left of the account when the unit ends.
    pub(crate) fn end_rejects(&self) -> Option<Rejects> {
        self.settle();
        // What was read counts, rejected or not.
        self.rejected_any.fetch_or(self.limited, Ordering::Relaxed);
        self.take_rejects()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
