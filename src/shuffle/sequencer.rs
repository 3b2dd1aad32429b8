//! Puts the units of parallel workers back in record order without a thread of its own: a worker hands in what it made
//! of a unit; whoever hands in the one whose turn it is delivers it and all that wait behind it. Nobody waits: a unit
//! that is ahead of its turn stays here with its permit, and the gate at the source does the bounding.

use crate::os::sync::{Mutex, MutexGuard, PoisonError};
use std::collections::BTreeMap;

use crate::batch::Unit;

/// Orders payloads of type `P`; see the module text.
#[derive(Debug)]
pub(crate) struct Sequencer<P> {
    state: Mutex<State<P>>,
}

#[derive(Debug)]
struct State<P> {
    ordered: bool,
    next: Unit,
    ahead: BTreeMap<Unit, (bool, P)>,
    delivering: bool,
    /// Nothing is delivered any more, and nothing is kept: whoever waits for a permit gets it.
    dead: bool,
    submitted: u64,
    delivered: u64,
}

impl<P> Sequencer<P> {
    /// Without `ordered`, every unit is in turn as soon as it is handed in.
    pub(crate) fn new(ordered: bool) -> Sequencer<P> {
        let (next, ahead) = (Unit::default(), BTreeMap::new());
        let state = State { ordered, next, ahead, delivering: false, dead: false, submitted: 0, delivered: 0 };
        Sequencer { state: Mutex::new(state) }
    }

    /// The first unit is that of another task than the first.
    pub(crate) fn starting_at(mut self, task: u32) -> Sequencer<P> {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).next = Unit { task, no: 0 };
        self
    }

    /// Hands in a unit (`last` of its task or not). If it is in turn and nobody else delivers, `deliver` is called for
    /// every unit that is in turn now, in order, never by two threads at once and not under the lock. `deliver` says
    /// whether to go on; once it says no, nothing is delivered any more.
    pub(crate) fn submit(&self, unit: Unit, last: bool, payload: P, mut deliver: impl FnMut(Unit, P) -> bool) {
        let mut state = self.lock();
        state.submitted += 1;
        if state.dead {
            return;
        }
        state.ahead.insert(unit, (last, payload));
        if state.delivering {
            return;
        }
        state.delivering = true;
        // Until it has said that it goes on, a delivery counts as the last one: a panic in it is one.
        let mut ended = Ended { sequencer: self, armed: true };
        loop {
            let next = match state.ordered {
                true => state.next,
                false => state.ahead.first_key_value().map_or(state.next, |(&unit, _)| unit),
            };
            let Some((last, payload)) = state.ahead.remove(&next) else { break };
            drop(state);
            let more = deliver(next, payload);
            state = self.lock();
            state.delivered += 1;
            if !more {
                drop(state);
                return;
            }
            state.next = match last {
                true => Unit { task: next.task + 1, no: 0 },
                false => Unit { task: next.task, no: next.no + 1 },
            };
        }
        state.delivering = false;
        ended.armed = false;
    }

    /// Whether everything that was handed in has been delivered.
    pub(crate) fn balanced(&self) -> bool {
        let state = self.lock();
        state.submitted == state.delivered && state.ahead.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State<P>> {
        // `deliver` runs outside the lock, so a panic in it leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a sequencer whose delivery said no, or panicked.
struct Ended<'a, P> {
    sequencer: &'a Sequencer<P>,
    armed: bool,
}

impl<P> Drop for Ended<'_, P> {
    fn drop(&mut self) {
        if self.armed {
            let mut state = self.sequencer.lock();
            state.dead = true;
            let ahead = std::mem::take(&mut state.ahead);
            // Payloads hold permits, whose return takes the gate's lock: not under this one.
            drop(state);
            drop(ahead);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivers_in_order_whatever_the_order_of_submission() {
        let sequencer = Sequencer::new(true);
        let mut seen = Vec::new();
        for (task, no, last) in [(1, 0, true), (0, 1, true), (2, 0, false), (0, 0, false)] {
            sequencer.submit(Unit { task, no }, last, (task, no), |_, payload| {
                seen.push(payload);
                true
            });
        }
        assert_eq!(seen, [(0, 0), (0, 1), (1, 0), (2, 0)]);
        assert!(sequencer.balanced());
    }

    #[test]
    fn stops_for_good() {
        let sequencer = Sequencer::new(true);
        sequencer.submit(Unit { task: 0, no: 0 }, false, (), |_, ()| false);
        sequencer.submit(Unit { task: 0, no: 1 }, true, (), |_, ()| unreachable!());
        assert!(!sequencer.balanced());
    }
}
