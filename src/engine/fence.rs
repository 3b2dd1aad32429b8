//! Where a phase ends early. The lowest place in record order wins: an error beyond it is no error, and a `take` that
//! was satisfied before it makes it none either. So the same error is reported for any number of threads.

use crate::os::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::os::sync::{Mutex, PoisonError};

use crate::batch::Unit;
use crate::error::Error;

use super::Stop;

/// The lowest stop of a phase so far.
#[derive(Debug)]
pub(crate) struct Fence {
    /// The unit of the lowest stop, packed; units beyond it are not begun.
    unit: AtomicU64,
    /// Nothing is of any use any more.
    barred: AtomicBool,
    verdict: Mutex<Option<Verdict>>,
}

#[derive(Debug)]
struct Verdict {
    unit: Unit,
    byte: u64,
    stop: Stop,
}

fn pack(unit: Unit) -> u64 {
    u64::from(unit.task) << 32 | u64::from(unit.no)
}

impl Fence {
    pub(crate) fn new() -> Fence {
        Fence { unit: AtomicU64::new(u64::MAX), barred: AtomicBool::new(false), verdict: Mutex::new(None) }
    }

    /// Whether a unit lies at or before the lowest stop.
    pub(crate) fn allows(&self, unit: Unit) -> bool {
        pack(unit) <= self.unit.load(Ordering::Acquire) && !self.barred.load(Ordering::Acquire)
    }

    /// A stop before all units: not even the first one goes on. What was found at a record before still wins.
    pub(crate) fn bar(&self, stop: Stop) {
        self.lower(Unit { task: 0, no: 0 }, 0, stop);
        self.barred.store(true, Ordering::Release);
    }

    /// A stop at a record (`byte` orders records inside the unit); kept if it is the lowest.
    pub(crate) fn lower(&self, unit: Unit, byte: u64, stop: Stop) {
        let mut verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        if verdict.as_ref().is_none_or(|lowest| (unit, byte) < (lowest.unit, lowest.byte)) {
            self.unit.store(pack(unit), Ordering::Release);
            *verdict = Some(Verdict { unit, byte, stop });
        }
    }

    /// Whether anything stopped the phase.
    pub(crate) fn stopped(&self) -> bool {
        self.unit.load(Ordering::Acquire) != u64::MAX
    }

    /// The unit of the lowest stop.
    pub(crate) fn stopped_at(&self) -> Option<Unit> {
        let unit = self.unit.load(Ordering::Acquire);
        (unit != u64::MAX).then_some(Unit { task: (unit >> 32) as u32, no: (unit & 0xFFFF_FFFF) as u32 })
    }

    /// The error that wins, if one does; for the one who asks when the phase has ended.
    pub(crate) fn take_error(&self) -> Option<Error> {
        match self.verdict.lock().unwrap_or_else(PoisonError::into_inner).take()?.stop {
            Stop::Enough => None,
            Stop::Error(error) => Some(*error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn the_lowest_place_wins() {
        let error = |text: &str| Stop::from(Error::new(ErrorKind::Record, text));
        let unit = |task, no| Unit { task, no };
        let fence = Fence::new();
        fence.lower(unit(1, 0), 5, error("late"));
        assert!(fence.allows(unit(0, 9)) && fence.allows(unit(1, 0)) && !fence.allows(unit(1, 1)));
        fence.lower(unit(1, 0), 4, error("earlier in the same unit"));
        fence.lower(unit(2, 0), 0, Stop::Enough);
        assert_eq!(fence.take_error().unwrap().to_string(), "earlier in the same unit");
        let fence = Fence::new();
        fence.lower(unit(1, 0), 0, error("beyond"));
        fence.lower(unit(0, 0), 0, Stop::Enough);
        assert!(fence.take_error().is_none());
    }
}
