//! [`Records`]: what a closure reads, and what the reader that gave it away must know of it.

use crate::os::sync::atomic::{AtomicBool, Ordering};
use crate::os::sync::{Arc, Mutex};
use std::collections::VecDeque;
use std::marker::PhantomData;

use crate::batch::{At, Unit};
use crate::engine::{Entry, Fence, Rejects};
use crate::shuffle::Permit;

use super::lock;
use super::queues::{Handed, Queues};

/// The records of one partition, in order, for [`Bag::map_partitions`](crate::Bag::map_partitions). They stay on the
/// closure's thread.
pub struct Records<T> {
    queues: Arc<Queues<T>>,
    task: u32,
    ready: VecDeque<Entry<T>>,
    permit: Option<Permit>,
    seen: Arc<Seen>,
    /// Not to be sent to another thread: a run would wait for ever for records that are kept and not read.
    _here: PhantomData<*const ()>,
}

/// What is known of the iterator that was given away.
pub(super) struct Seen {
    task: u32,
    /// Where the phase ends that reads it.
    fence: Arc<Fence>,
    state: Mutex<State>,
    cut: AtomicBool,
    done: AtomicBool,
    dry: AtomicBool,
    /// The closure's turn is over.
    ended: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The record that was handed out last.
    at: At,
    /// Those before it.
    rejects: Vec<Rejects>,
}

impl Seen {
    pub(super) fn new(task: u32, fence: Arc<Fence>) -> Seen {
        let no = || AtomicBool::new(false);
        Seen { task, fence, state: Mutex::default(), cut: no(), done: no(), dry: no(), ended: no() }
    }

    /// Whether nothing more of the task is wanted.
    pub(super) fn halted(&self) -> bool {
        !self.fence.allows(Unit { task: self.task, no: u32::MAX })
    }

    pub(super) fn at(&self) -> At {
        lock(&self.state).at
    }

    pub(super) fn take_rejects(&self) -> Vec<Rejects> {
        std::mem::take(&mut lock(&self.state).rejects)
    }

    /// The partition was cut short, by an error before it or since it is not wanted.
    pub(super) fn cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// The partition was read to its end.
    pub(super) fn done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// The closure's turn is over: its records cannot be read any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// No record is at hand, and there may be more.
    pub(super) fn dry(&self) -> bool {
        self.dry.load(Ordering::Relaxed)
    }
}

impl<T> Records<T> {
    pub(super) fn new(queues: Arc<Queues<T>>, task: u32, seen: Arc<Seen>) -> Records<T> {
        Records { queues, task, ready: VecDeque::new(), permit: None, seen, _here: PhantomData }
    }
}

impl<T> std::fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("partition", &self.task).finish_non_exhaustive()
    }
}

impl<T> Iterator for Records<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let seen = &self.seen;
        if seen.ended.load(Ordering::Relaxed) {
            self.queues.misread.store(true, Ordering::Relaxed);
            return None;
        }
        loop {
            match self.ready.pop_front() {
                Some(Entry::Item(at, item)) => {
                    lock(&seen.state).at = at;
                    let more = seen.done() || self.ready.iter().any(|entry| matches!(entry, Entry::Item(..)));
                    seen.dry.store(!more, Ordering::Relaxed);
                    return Some(item);
                }
                Some(Entry::Rejects(rejects)) => {
                    lock(&seen.state).rejects.push(rejects);
                    continue;
                }
                None => self.permit = None,
            }
            if seen.done() || seen.cut() {
                return None;
            }
            let Some(Handed { last, entries, permit }) = self.queues.next(self.task, &|| seen.halted()) else {
                seen.cut.store(true, Ordering::Relaxed);
                return None;
            };
            seen.done.store(last, Ordering::Relaxed);
            (self.ready, self.permit) = (entries, permit);
        }
    }
}

impl<T> Drop for Records<T> {
    fn drop(&mut self) {
        let unread = self.ready.drain(..).filter_map(Entry::into_rejects);
        lock(&self.seen.state).rejects.extend(unread);
        // What is not read must not hold the permits that other partitions wait for.
        if !self.seen.done() {
            self.queues.leave(self.task);
        }
    }
}
