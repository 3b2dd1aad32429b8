//! Faults that tests put into this room: the k-th operation of a kind fails, once or for ever; reads and writes take
//! one byte at a time. Outside of unit tests there are none, and what asks for them is compiled to nothing.

#[cfg(test)]
pub(crate) use planned::{Faults, Plan};

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Looking at names and directories.
    Look,
    /// Opening a file that is there, or making one.
    Open,
    Read,
    Write,
    /// Making bytes or names durable.
    Sync,
    Rename,
    MakeDir,
    Remove,
}

/// No faults.
#[cfg(not(test))]
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults;

#[cfg(not(test))]
impl Faults {
    #[inline(always)]
    pub(super) fn at(&self, _: Op) -> std::io::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub(super) fn most(&self, _: Op, bytes: usize) -> usize {
        bytes
    }
}

#[cfg(test)]
mod planned {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Op;

    /// The plan of a run, if it has one.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Faults(pub(crate) Option<Arc<Plan>>);

    /// What fails, and what came of it.
    #[derive(Debug)]
    pub(crate) struct Plan {
        op: Op,
        /// The first one that fails, from 1; with 0 none does, and reads and writes are short.
        first: u64,
        /// All that come behind it fail too.
        for_ever: bool,
        seen: AtomicU64,
        fired: AtomicU64,
    }

    impl Plan {
        pub(crate) fn new(op: Op, first: u64, for_ever: bool) -> Arc<Plan> {
            Arc::new(Plan { op, first, for_ever, seen: AtomicU64::new(0), fired: AtomicU64::new(0) })
        }

        /// Which one is the first to fail.
        pub(crate) fn first(&self) -> u64 {
            self.first
        }

        /// How many operations have failed or were cut short.
        pub(crate) fn fired(&self) -> u64 {
            self.fired.load(Ordering::Relaxed)
        }
    }

    impl Faults {
        pub(in crate::os) fn at(&self, op: Op) -> io::Result<()> {
            let Some(plan) = self.0.as_ref().filter(|plan| plan.op == op && plan.first > 0) else { return Ok(()) };
            let number = plan.seen.fetch_add(1, Ordering::Relaxed) + 1;
            if number == plan.first || plan.for_ever && number > plan.first {
                plan.fired.fetch_add(1, Ordering::Relaxed);
                // As the disk says it: the text of the error is the system's.
                return Err(io::Error::from_raw_os_error(5));
            }
            Ok(())
        }

        pub(in crate::os) fn most(&self, op: Op, bytes: usize) -> usize {
            match &self.0 {
                Some(plan) if plan.op == op && plan.first == 0 && bytes > 1 => {
                    plan.fired.fetch_add(1, Ordering::Relaxed);
                    1
                }
                _ => bytes,
            }
        }
    }
}
