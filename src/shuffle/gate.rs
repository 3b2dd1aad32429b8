//! The one admission gate of a phase: bytes enter at the source by permits that travel with the work and come back on
//! drop. Nothing else in a run waits for bytes.
//!
//! Why this cannot hang: units that are ahead of their turn may hold every permit, but the oldest task being read has a
//! reserve of its own, so the unit whose turn it is always gets in; once delivered, its bytes come back. The reserve
//! is bounded, so a slow consumer of one huge shard does not let it pile up either: with the reserve full, the oldest
//! task's own next unit is already inside and needs no permit to go on.

use crate::os::sync::atomic::{AtomicU64, Ordering};
use crate::os::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::CancelToken;

/// Admits bytes of tasks; see the module text.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    capacity: u64,
    reserve: u64,
    cancel: CancelToken,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// Tasks being read, with the bytes that each has outstanding; a task leaves when it is read to its end.
    reading: BTreeMap<u32, u64>,
    shut: bool,
    /// Readers that wait. Waking is a call of the system: with nobody to wake it is spared.
    waiting: usize,
}

/// Admitted bytes; when the last clone is dropped, as many others are let in.
#[derive(Clone, Debug)]
pub(crate) struct Permit(Arc<Held>);

#[derive(Debug)]
struct Held {
    gate: Arc<Gate>,
    task: u32,
    /// Changed under the gate's lock alone.
    bytes: AtomicU64,
}

impl Gate {
    pub(crate) fn new(capacity: u64, reserve: u64, cancel: &CancelToken) -> Arc<Gate> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Arc::new(Gate { state, changed, capacity, reserve, cancel: cancel.clone() })
    }

    /// A reader takes the next task from `next`. One step with the gate's entry, so that the oldest is always known.
    pub(crate) fn claim(&self, next: impl FnOnce() -> Option<u32>) -> Option<u32> {
        let mut state = self.lock();
        let task = next()?;
        state.reading.insert(task, 0);
        Some(task)
    }

    /// A reader is through with this task: the next one becomes the oldest.
    pub(crate) fn end(&self, task: u32) {
        let mut state = self.lock();
        state.reading.remove(&task);
        self.wake_waiting(state);
    }

    /// Nobody is let in any more; those who wait are sent away.
    pub(crate) fn shut(&self) {
        self.lock().shut = true;
        self.changed.notify_all();
    }

    /// Whoever waits looks again whether it is still wanted.
    pub(crate) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Waits until `bytes` of `task` may enter; `None` when the gate is shut, the run cancelled, or `halted` says that
    /// they are not wanted any more.
    pub(crate) fn admit(self: &Arc<Gate>, task: u32, bytes: u64, halted: impl Fn() -> bool) -> Option<Permit> {
        let mut state = self.lock();
        loop {
            if state.shut || self.cancel.is_cancelled() || halted() {
                return None;
            }
            let oldest = state.reading.first_key_value().is_none_or(|(&oldest, _)| oldest >= task);
            let own = state.reading.get(&task).copied().unwrap_or(0);
            let fits = state.used + bytes <= self.capacity;
            if fits || oldest && (own == 0 || own + bytes <= self.reserve) {
                state.used += bytes;
                if let Some(own) = state.reading.get_mut(&task) {
                    *own += bytes;
                }
                return Some(Permit(Arc::new(Held { gate: self.clone(), task, bytes: AtomicU64::new(bytes) })));
            }
            // Woken by every return and when the phase stops; the time limit is only for the cancellation token, which
            // wakes nobody.
            state.waiting += 1;
            let waited = self.changed.wait_timeout(state, Duration::from_millis(50));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
        }
    }

    /// Bytes inside now.
    #[cfg(test)]
    pub(crate) fn used(&self) -> u64 {
        self.lock().used
    }

    fn wake_waiting(&self, state: MutexGuard<'_, State>) {
        let waiting = state.waiting;
        drop(state);
        if waiting > 0 {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of the caller runs under this lock, so it cannot be poisoned half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Holds at least so many bytes from now on, without waiting: what was admitted turned out to be longer. Beyond the
    /// capacity this lets nobody else in until it is back.
    pub(crate) fn grow_to(&self, bytes: u64) {
        let Held { gate, task, bytes: held } = &*self.0;
        let mut state = gate.lock();
        let more = bytes.saturating_sub(held.load(Ordering::Relaxed));
        held.fetch_add(more, Ordering::Relaxed);
        state.used += more;
        if let Some(own) = state.reading.get_mut(task) {
            *own += more;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        let mut state = self.gate.lock();
        state.used -= bytes;
        if let Some(own) = state.reading.get_mut(&self.task) {
            *own -= bytes;
        }
        self.gate.wake_waiting(state);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes its own files and threads")]

    use super::*;

    #[test]
    fn the_oldest_task_always_gets_in_and_no_other_beyond_the_capacity() {
        let gate = Gate::new(10, 6, &CancelToken::new());
        for task in 0..2 {
            gate.claim(|| Some(task));
        }
        let ahead = gate.admit(1, 10, || false).unwrap();
        let first = gate.admit(0, 5, || false).unwrap();
        assert_eq!(gate.used(), 15);
        let late = std::thread::spawn({
            let gate = gate.clone();
            move || gate.admit(1, 4, || false).is_some()
        });
        drop((ahead, first));
        assert!(late.join().unwrap());
        gate.shut();
        assert!(gate.admit(0, 1, || false).is_none());
        assert_eq!(gate.used(), 0);
    }

    #[test]
    fn a_permit_that_grows_keeps_others_out_until_it_is_back() {
        let gate = Gate::new(10, 6, &CancelToken::new());
        for task in 0..2 {
            gate.claim(|| Some(task));
        }
        let long = gate.admit(0, 5, || false).unwrap();
        long.grow_to(3);
        assert_eq!(gate.used(), 5);
        long.grow_to(20);
        assert_eq!(gate.used(), 20);
        let looks = std::cell::Cell::new(0);
        let twice = || looks.replace(looks.get() + 1) == 1;
        assert!(gate.admit(1, 1, twice).is_none(), "beyond the capacity");
        drop(long);
        assert!(gate.used() == 0 && gate.admit(1, 10, || false).is_some());
    }

    #[test]
    fn cancelling_sends_the_waiting_away() {
        let token = CancelToken::new();
        let gate = Gate::new(1, 1, &token);
        for task in 0..2 {
            gate.claim(|| Some(task));
        }
        let _first = gate.admit(0, 1, || false).unwrap();
        token.cancel();
        assert!(gate.admit(1, 1, || false).is_none());
    }
}
