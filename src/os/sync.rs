//! Locks, atomics and threads: the standard library's. With `--cfg shuttle` they are the model checker's, which then
//! runs the whole library on schedules of its own (`tests::schedules`). Whoever waits for another thread takes them
//! from here.

pub(crate) use std::sync::{Arc, PoisonError, Weak};

#[cfg(not(all(test, shuttle)))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread,
    thread::{ScopedJoinHandle, scope},
};

#[cfg(all(test, shuttle))]
pub(crate) use {
    super::model::{Condvar, ScopedJoinHandle, scope},
    shuttle::{
        sync::{Mutex, MutexGuard, atomic},
        thread,
    },
};
