//! The one door to files, threads, clock and randomness. Everything else in the crate asks here (clippy's disallowed
//! methods see to it), so that a fault put into this room reaches every caller. [`Os`] travels in the run: no globals.

mod faults;
mod files;
mod hidden;
mod machine;
#[cfg(all(test, shuttle))]
pub(crate) mod model;
mod output;
mod owner;
pub(crate) mod sync;
mod tree;

use std::hash::{BuildHasher, Hasher};
use std::time::Instant;

use sync::thread;

pub(crate) use faults::Faults;
#[cfg(test)]
pub(crate) use faults::{Op, Plan};
pub(crate) use files::File;
pub(crate) use output::{Commit, Out, StageDir};
pub(crate) use tree::Meta;

/// A handle on the operating system. Cheap to clone; carries what threads are made with, and is where a fault plan goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Os {
    /// Bytes of stack of each thread; the standard library's default if none.
    pub(crate) stack: Option<usize>,
    /// Faults that tests put in; none outside of unit tests.
    pub(crate) faults: Faults,
}

impl Os {
    /// Monotonic time, for durations only.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn now(&self) -> Instant {
        Instant::now()
    }

    /// 64 random bits from the standard library's seeding of hash maps (the operating system's randomness).
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn random(&self) -> u64 {
        match cfg!(all(test, shuttle)) {
            // A schedule that is run again must go the same way.
            true => 1,
            false => std::collections::hash_map::RandomState::new().build_hasher().finish(),
        }
    }

    /// Runs `body` with a scope whose threads are all joined before it returns.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn scope<'env, R>(&self, body: impl for<'scope> FnOnce(&'scope thread::Scope<'scope, 'env>) -> R) -> R {
        sync::scope(body)
    }

    /// Starts a named thread in a scope.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn spawn_scoped<'scope, 'env, R: Send + 'scope>(
        &self,
        scope: &'scope thread::Scope<'scope, 'env>,
        name: String,
        body: impl FnOnce() -> R + Send + 'scope,
    ) -> std::io::Result<sync::ScopedJoinHandle<'scope, R>> {
        #[cfg(not(all(test, shuttle)))]
        return self.thread(name).spawn_scoped(scope, body);
        #[cfg(all(test, shuttle))]
        Ok(model::spawn_scoped(scope, || (name, body()).1))
    }

    /// Starts a named thread that may outlive the caller's frame; whoever starts it joins it.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn spawn<R: Send + 'static>(
        &self,
        name: String,
        body: impl FnOnce() -> R + Send + 'static,
    ) -> std::io::Result<thread::JoinHandle<R>> {
        self.thread(name).spawn(body)
    }

    fn thread(&self, name: String) -> thread::Builder {
        let thread = thread::Builder::new().name(name);
        match self.stack {
            Some(bytes) => thread.stack_size(bytes),
            None => thread,
        }
    }
}
