//! Settling: every partition of a store becomes either something kept in memory or a run on disk, by several threads
//! and within the budget. What does not fit makes others go to disk, and is else partitioned again, until it fits.

use crate::os::sync::atomic::{AtomicBool, Ordering};
use crate::os::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;

use super::merge::Sorted;
use super::part::Part;
use super::run::{Hand, Run};
use super::space::Purse;
use super::split;
use super::stored::Stored;
use crate::error::Result;
use crate::os::Os;

/// What partitions are made into.
pub(crate) trait Recipe: Sync {
    /// A partition in memory, charged to the budget.
    type Kept: Send;

    /// Something kept that is being walked through.
    type Walk: Sorted;

    /// Settles a partition; gives it back if memory refuses.
    fn make(&self, part: Part, hand: &mut Hand) -> Result<Result<Made<Self::Kept>, Box<Refused>>>;

    /// Writes something kept to a run.
    fn evict(&self, kept: Self::Kept, hand: &mut Hand) -> Result<Arc<Run>>;

    /// Makes a partition whose rows all have one hash into a run, though it does not fit; gives it back if it has
    /// several keys.
    fn single(&self, part: Part, hand: &mut Hand) -> Result<Result<Arc<Run>, Part>>;

    /// Walks through something kept.
    fn walk(&self, kept: Self::Kept) -> Self::Walk;

    /// Whether a partition of one key that does not fit may do so when the other threads are through.
    fn may_fit_later(&self) -> bool {
        false
    }
}

/// What became of a partition.
#[derive(Debug)]
pub(crate) enum Made<K> {
    Kept(K),
    Run(Arc<Run>),
}

/// A partition that was not settled, and how many bytes should be free before that is tried again; none if it is too big
/// whatever is free.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) part: Part,
    pub(crate) wants: Option<u64>,
}

/// Partitions that are not settled, and what came of the others.
#[derive(Debug)]
pub(crate) struct Settled<K> {
    waiting: Mutex<VecDeque<Part>>,
    kept: Mutex<Vec<K>>,
    runs: Mutex<Vec<Arc<Run>>>,
    /// Partitions that wait until other threads have given their memory back, while there are any.
    late: Mutex<Vec<Part>>,
    shared: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Send> Settled<K> {
    /// The partitions of a store, and what need not be settled.
    pub(crate) fn of(stored: &mut Stored, kept: Vec<K>) -> Settled<K> {
        let mut parts = std::mem::take(&mut stored.parts);
        parts.retain(|part| part.tally.rows > 0);
        // Those on disk first, the smallest before all: settling them frees memory for the next.
        parts.sort_by_key(|part| (part.frames.is_empty(), part.on_disk()));
        Settled { waiting: Mutex::new(parts.into()), kept: Mutex::new(kept), ..Settled::none() }
    }

    pub(crate) fn none() -> Settled<K> {
        let (waiting, kept, runs, late) = (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        Settled { waiting, kept, runs, late, shared: AtomicBool::new(false) }
    }

    /// Settles one partition; cuts it into smaller ones if it does not fit.
    pub(crate) fn one<R: Recipe<Kept = K>>(
        &self,
        recipe: &R,
        mut part: Part,
        hand: &mut Hand,
    ) -> Result<Result<Made<K>, Vec<Part>>> {
        loop {
            let wants = match recipe.make(part, hand)? {
                Ok(made) => return Ok(Ok(made)),
                Err(refused) => {
                    part = refused.part;
                    refused.wants
                }
            };
            let Some(wants) = wants else { break };
            if !self.evict(recipe, hand)? {
                break;
            }
            while hand.purse.budget.free() < wants && self.evict(recipe, hand)? {}
        }
        hand.release();
        if part.tally.common_bits() < 64 {
            return split::split(part, hand).map(Err);
        }
        if recipe.may_fit_later() && self.shared.load(Ordering::Relaxed) {
            lock(&self.late).push(part);
            return Ok(Err(Vec::new()));
        }
        match recipe.single(part, hand)? {
            Ok(run) => Ok(Ok(Made::Run(run))),
            // Hashing again tells keys apart whose hashes met by chance, not those whose type gives them one.
            Err(part) if part.rehashed >= 8 => {
                Err(hand.purse.refused(part.tally.bytes, "keys that all have the same hash"))
            }
            Err(part) => split::rehash(part, hand).map(Err),
        }
    }

    /// Where records are longer than blocks, a floor is not deep enough: widens it from the budget. `false` if that refuses
    /// though nothing is left that could go to disk.
    pub(crate) fn enlarge<R: Recipe<Kept = K>>(&self, recipe: &R, stored: &Stored, hand: &mut Hand) -> Result<bool> {
        let long = 4 * stored.longest as u64;
        if stored.longest <= stored.block {
            return Ok(true);
        }
        loop {
            hand.release();
            if let Some(floor) = hand.purse.floor.widened(long, &stored.space.budget) {
                hand.purse = Purse { spared: hand.purse.spared + long, floor, ..hand.purse.clone() };
                return Ok(true);
            }
            if !self.evict(recipe, hand)? {
                return Ok(false);
            }
        }
    }

    /// Makes others give memory back; `false` if nothing can.
    pub(crate) fn evict<R: Recipe<Kept = K>>(&self, recipe: &R, hand: &mut Hand) -> Result<bool> {
        let biggest = {
            let mut waiting = lock(&self.waiting);
            let biggest = waiting.iter().enumerate().max_by_key(|(_, part)| part.held());
            let no = biggest.filter(|(_, part)| part.held() > 0).map(|(no, _)| no);
            no.and_then(|no| waiting.remove(no))
        };
        if let Some(mut part) = biggest {
            part.evict(hand, 0)?;
            lock(&self.waiting).push_front(part);
            return Ok(true);
        }
        self.evict_kept(recipe, hand)
    }

    /// Writes one of those kept to disk; `false` if there is none.
    pub(crate) fn evict_kept<R: Recipe<Kept = K>>(&self, recipe: &R, hand: &mut Hand) -> Result<bool> {
        let Some(kept) = lock(&self.kept).pop() else { return Ok(false) };
        let run = recipe.evict(kept, hand)?;
        lock(&self.runs).push(run);
        Ok(true)
    }

    /// One of those that are settled.
    pub(crate) fn made(&self) -> Option<Made<K>> {
        let kept = lock(&self.kept).pop();
        kept.map(Made::Kept).or_else(|| lock(&self.runs).pop().map(Made::Run))
    }

    pub(crate) fn next(&self) -> Option<Part> {
        lock(&self.waiting).pop_front()
    }

    /// Puts the pieces of a partition first in line.
    pub(crate) fn add(&self, parts: Vec<Part>) {
        let mut waiting = lock(&self.waiting);
        parts.into_iter().for_each(|part| waiting.push_front(part));
    }

    pub(crate) fn runs(&self) -> MutexGuard<'_, Vec<Arc<Run>>> {
        lock(&self.runs)
    }

    pub(crate) fn into_kept(self) -> Vec<K> {
        self.kept.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settles all, on as many threads as the store had.
    pub(crate) fn all<R: Recipe<Kept = K>>(&self, recipe: &R, stored: &Stored) -> Result<()> {
        let stop = AtomicBool::new(false);
        let work = |hand: &mut Hand| -> Result<()> {
            // Another thread may still add pieces of its partition after this one has left; it then settles them.
            while let Some(part) = self.next() {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                match self.one(recipe, part, hand).inspect_err(|_| stop.store(true, Ordering::Relaxed))? {
                    Ok(Made::Kept(kept)) => lock(&self.kept).push(kept),
                    Ok(Made::Run(run)) => lock(&self.runs).push(run),
                    Err(parts) => self.add(parts),
                }
            }
            Ok(())
        };
        let mut hands = Vec::with_capacity(stored.workers);
        for _ in 0..stored.workers {
            let mut hand = stored.hand()?;
            // Where not all threads can have what one needs, those that have it do the work.
            if !self.enlarge(recipe, stored, &mut hand)? && !hands.is_empty() {
                break;
            }
            hands.push(hand);
        }
        self.shared.store(true, Ordering::Relaxed);
        on_threads(&stored.space.os, hands, work).map(drop)?;
        self.shared.store(false, Ordering::Relaxed);
        self.add(std::mem::take(&mut *lock(&self.late)));
        let mut hand = stored.last_hand()?;
        self.enlarge(recipe, stored, &mut hand)?;
        work(&mut hand)
    }
}

/// Works with each of the tools on a thread of its own; gives the tools back. The first error wins.
pub(crate) fn on_threads<T: Send>(
    os: &Os,
    mut tools: Vec<T>,
    work: impl Fn(&mut T) -> Result<()> + Sync,
) -> Result<Vec<T>> {
    let Some((own, others)) = tools.split_first_mut() else { return Ok(tools) };
    os.scope(|scope| {
        let (mut threads, work) = (Vec::new(), &work);
        for (no, tool) in others.iter_mut().enumerate() {
            // Where a thread cannot be had, the others do its part.
            threads.extend(os.spawn_scoped(scope, format!("kitbag-settle-{no}"), move || work(tool)));
        }
        let mut result = work(own);
        for thread in threads {
            let joined = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(joined);
        }
        result
    })?;
    Ok(tools)
}
