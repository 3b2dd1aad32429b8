//! The account of a unit's rejected records on its way with the unit's output, for those who put outputs in order: they
//! count when the output's turn comes, and where they are too many the output ends with the one too many: what was made of
//! it before its error still counts, as it does where the first error ends a run. So what is
//! handed out of a run that fails by its limit is the same for any number of threads.

use crate::batch::Unit;
use crate::config::BadRecords;
use crate::shuffle::Permit;

use super::{Phase, Rejects, Stop, WorkerCx};

/// Where in the output of the unit in hand records were rejected.
#[derive(Debug, Default)]
pub(crate) struct Gaps(Vec<usize>);

/// What was rejected in a unit.
#[derive(Debug, Default)]
pub(crate) struct UnitAccount {
    rejects: Option<Rejects>,
    gaps: Vec<usize>,
}

impl Gaps {
    /// More is about to be put behind an output of this length.
    pub(crate) fn note(&mut self, cx: &WorkerCx<'_>, length: usize) {
        let rejected = cx.rejected();
        if rejected > self.0.len() {
            self.0.resize(rejected, length);
        }
    }

    /// The account of the unit, which is through and whose output has this length. Outputs that keep no order leave it
    /// to the worker.
    pub(crate) fn end(&mut self, cx: &WorkerCx<'_>, length: usize, permit: &Option<Permit>) -> UnitAccount {
        let settings = &cx.phase.run.settings;
        if settings.bad_records == BadRecords::Fail || !settings.ordered {
            return UnitAccount::default();
        }
        self.note(cx, length);
        let (rejects, gaps) = (cx.end_rejects(), std::mem::take(&mut self.0));
        if let (Some(rejects), Some(permit)) = (&rejects, permit) {
            permit.grow_to((rejects.weight() + size_of_val(&gaps[..])) as u64);
        }
        UnitAccount { rejects, gaps }
    }
}

impl UnitAccount {
    /// Counts what was rejected. If that is too much the phase ends, and all of the output that counts is this long.
    pub(crate) fn settle(self, phase: &Phase<'_>, unit: Unit) -> Option<usize> {
        let over = phase.run.reject(&self.rejects?).err()?;
        phase.fence.lower(unit, over.byte, Stop::from(over.error));
        let gap = over.count.checked_sub(1).and_then(|gap| self.gaps.get(usize::try_from(gap).ok()?));
        Some(gap.copied().unwrap_or(0))
    }
}
