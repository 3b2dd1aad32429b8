//! The part of crossbeam's bounded channel that edges use, made of locks that the model checker knows. It checks our
//! protocol on top of a channel, not crossbeam.

use std::collections::VecDeque;
use std::time::Duration;

pub(super) use crossbeam_channel::{SendTimeoutError, TrySendError};

use crate::os::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

struct Channel<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    capacity: usize,
}

struct State<T> {
    queue: VecDeque<T>,
    senders: usize,
}

pub(super) struct Sender<T>(Arc<Channel<T>>);
pub(super) struct Receiver<T>(Arc<Channel<T>>);

/// No message: there is none yet, or there will be none.
pub(super) struct Empty;

pub(super) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = Mutex::new(State { queue: VecDeque::new(), senders: 1 });
    let channel = Arc::new(Channel { state, changed: Condvar::new(), capacity });
    (Sender(channel.clone()), Receiver(channel))
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    pub(super) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut state = self.0.lock();
        if state.queue.len() >= self.0.capacity {
            return Err(TrySendError::Full(message));
        }
        state.queue.push_back(message);
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    pub(super) fn send_timeout(&self, mut message: T, time: Duration) -> Result<(), SendTimeoutError<T>> {
        for _ in 0..2 {
            message = match self.try_send(message) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => back,
            };
            let state = self.0.lock();
            if state.queue.len() >= self.0.capacity {
                drop(self.0.changed.wait_timeout(state, time));
            }
        }
        Err(SendTimeoutError::Timeout(message))
    }
}

impl<T> Receiver<T> {
    pub(super) fn try_recv(&self) -> Result<T, Empty> {
        let received = self.0.lock().queue.pop_front().ok_or(Empty)?;
        self.0.changed.notify_all();
        Ok(received)
    }

    pub(super) fn recv(&self) -> Result<T, Empty> {
        loop {
            if let Ok(received) = self.try_recv() {
                return Ok(received);
            }
            let state = self.0.lock();
            if state.queue.is_empty() {
                if state.senders == 0 {
                    return Err(Empty);
                }
                drop(self.0.changed.wait(state));
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().senders -= 1;
        self.0.changed.notify_all();
    }
}
