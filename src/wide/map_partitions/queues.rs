//! Units on their way between the two phases of `map_partitions`, by task.

use crate::os::sync::atomic::{AtomicBool, Ordering};
use crate::os::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use crate::batch::Unit;
use crate::engine::Entry;
use crate::shuffle::Permit;

use super::lock;

/// A unit that was handed over.
pub(super) struct Handed<T> {
    pub(super) last: bool,
    pub(super) entries: VecDeque<Entry<T>>,
    pub(super) permit: Option<Permit>,
}

impl<T> Handed<T> {
    /// Takes all out that only the task's closure wants: the rest has to be counted.
    fn strip(&mut self) -> (VecDeque<Entry<T>>, Option<Permit>) {
        let (rejects, items) =
            std::mem::take(&mut self.entries).into_iter().partition(|entry| matches!(entry, Entry::Rejects(_)));
        self.entries = rejects;
        (items, self.permit.take())
    }
}

/// See the module text.
pub(super) struct Queues<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Nobody wants any more.
    gone: AtomicBool,
    /// Records were read after their turn.
    pub(super) misread: AtomicBool,
}

struct State<T> {
    tasks: BTreeMap<u32, (u32, BTreeMap<u32, Handed<T>>)>,
    /// Tasks seen so far; all of them, once closed.
    count: u32,
    closed: bool,
    abandoned: bool,
    /// Tasks whose closure wants no more.
    left: HashSet<u32>,
    ended: HashSet<u32>,
}

impl<T> Default for Queues<T> {
    fn default() -> Queues<T> {
        let (left, ended) = (HashSet::new(), HashSet::new());
        let state = State { tasks: BTreeMap::new(), count: 0, closed: false, abandoned: false, left, ended };
        let (gone, misread) = (AtomicBool::new(false), AtomicBool::new(false));
        Queues { state: Mutex::new(state), changed: Condvar::new(), gone, misread }
    }
}

impl<T> Queues<T> {
    /// Takes a unit; `false` if nobody wants any more.
    pub(super) fn put(&self, unit: Unit, mut handed: Handed<T>) -> bool {
        let mut state = lock(&self.state);
        state.count = state.count.max(unit.task + 1);
        let wanted = !state.abandoned;
        // What is dropped may run the caller's code: not under the lock.
        let mut unread = (None, None);
        if !wanted || state.ended.contains(&unit.task) {
            unread.0 = Some(handed);
        } else {
            unread.1 = state.left.contains(&unit.task).then(|| handed.strip());
            state.tasks.entry(unit.task).or_default().1.insert(unit.no, handed);
        }
        drop(state);
        drop(unread);
        self.changed.notify_all();
        wanted
    }

    /// The next unit of a task; waits for it. `None` if the phase before ended without it, or it is not wanted.
    pub(super) fn next(&self, task: u32, halted: &dyn Fn() -> bool) -> Option<Handed<T>> {
        let mut state = lock(&self.state);
        loop {
            if let Some((next, units)) = state.tasks.get_mut(&task)
                && let Some(handed) = units.remove(next)
            {
                *next += 1;
                if handed.last {
                    state.tasks.remove(&task);
                }
                return Some(handed);
            }
            if state.closed || halted() {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// Whether the next unit of a task is there.
    pub(super) fn has_next(&self, task: u32) -> bool {
        lock(&self.state).tasks.get(&task).is_some_and(|(next, units)| units.contains_key(next))
    }

    /// Waits until a task has come, or will not, or is not wanted.
    pub(super) fn comes(&self, task: u32, halted: &dyn Fn() -> bool) -> bool {
        let mut state = lock(&self.state);
        while task >= state.count && !state.closed && !halted() {
            state = self.wait(state);
        }
        task < state.count
    }

    /// Woken by what happens here; the time limit is for the end of the phase, which wakes nobody.
    fn wait<'s>(&self, state: MutexGuard<'s, State<T>>) -> MutexGuard<'s, State<T>> {
        let waited = self.changed.wait_timeout(state, Duration::from_millis(50));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// How many tasks there are, if that is known.
    pub(super) fn count(&self) -> Option<u32> {
        let state = lock(&self.state);
        state.closed.then_some(state.count)
    }

    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// The closure of a task wants no more of it.
    pub(super) fn leave(&self, task: u32) {
        let mut state = lock(&self.state);
        state.left.insert(task);
        let unread: Vec<_> = state
            .tasks
            .get_mut(&task)
            .map(|(_, units)| units.values_mut().map(Handed::strip).collect())
            .unwrap_or_default();
        drop(state);
        drop(unread);
    }

    /// Nobody reads a task any more, nor counts what was rejected in it.
    pub(super) fn end(&self, task: u32) {
        let mut state = lock(&self.state);
        state.left.remove(&task);
        state.ended.insert(task);
        let unread = state.tasks.remove(&task);
        drop(state);
        drop(unread);
    }

    pub(super) fn gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub(super) fn abandon(&self) {
        self.gone.store(true, Ordering::Release);
        let mut state = lock(&self.state);
        state.abandoned = true;
        let unread = std::mem::take(&mut state.tasks);
        drop(state);
        drop(unread);
    }
}
