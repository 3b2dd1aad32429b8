//! The absorbing half of the verbs that store records by key: each record is encoded once and routed to its partition's store
//! (see [`Store`]). The two sides of a join go to the same store, the right one at positions behind all of the left one.

use crate::os::sync::atomic::{AtomicBool, Ordering};
use crate::os::sync::{Arc, Mutex, PoisonError};
use std::hash::Hash;

use serde::Serialize;

use crate::batch::{At, Seq, Unit};
use crate::engine::{Fan, Fence, Flow, Push, Run, StageMeter, Stop, UnitEnd, WorkerCx};
use crate::error::Result;
use crate::spill::{HashKey, Store, StoreWriter};

use super::codec::encode;
use super::place::put_place;

/// Where records go, and by what.
pub(super) struct Route<'a, T, K> {
    store: &'a Store,
    key: &'a (dyn Fn(&T) -> K + Send + Sync),
    /// Writes what is stored of a record, behind its place.
    value: fn(&T, &mut Vec<u8>) -> Result<()>,
    hash: HashKey,
    behind: bool,
    stage: u32,
    meter: Arc<StageMeter>,
    /// Whether nobody takes the answers any more: see [`Fan::unwanted`].
    unwanted: &'a (dyn Fn() -> bool + Sync),
    fence: Mutex<Option<Arc<Fence>>>,
    /// Whether a row could not be stored: then others that were may be lost too.
    broken: AtomicBool,
}

impl<'a, T, K> Route<'a, T, K> {
    pub(super) fn new(
        run: &Run,
        store: &'a Store,
        (stage, meter): (u32, Arc<StageMeter>),
        key: &'a (dyn Fn(&T) -> K + Send + Sync),
        value: fn(&T, &mut Vec<u8>) -> Result<()>,
        unwanted: &'a (dyn Fn() -> bool + Sync),
    ) -> Route<'a, T, K> {
        let hash = run.hash_key;
        let (fence, broken) = (Mutex::default(), AtomicBool::new(false));
        Route { store, key, value, hash, behind: false, stage, meter, unwanted, fence, broken }
    }

    /// The records are those of a join's right side.
    pub(super) fn behind(self) -> Route<'a, T, K> {
        Route { behind: true, ..self }
    }

    /// Where the phase stopped that ran into this: at a unit, or not here but before; none if there was no such phase, or
    /// if what lies before that is not all here.
    pub(super) fn stopped(self) -> Option<Option<Unit>> {
        if self.broken.into_inner() {
            return None;
        }
        let fence = self.fence.into_inner().unwrap_or_else(PoisonError::into_inner);
        fence.map(|fence| fence.stopped_at())
    }
}

impl<T: Send, K: Hash + Serialize> Fan<T> for Route<'_, T, K> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        *self.fence.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.phase.fence.clone());
        let (unit, index) = (Unit::default(), 0);
        Box::new(RoutePush { route: self, cx, writer: None, unit, index, key: Vec::new(), value: Vec::new() })
    }

    fn unwanted(&self) -> bool {
        (self.unwanted)()
    }
}

struct RoutePush<'s, T, K> {
    route: &'s Route<'s, T, K>,
    cx: &'s WorkerCx<'s>,
    /// Made at the first record; a worker without records needs none.
    writer: Option<StoreWriter>,
    unit: Unit,
    index: u64,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl<T, K: Hash + Serialize> RoutePush<'_, T, K> {
    fn store(&mut self, at: At, item: &T) -> Result<()> {
        let key = (self.route.key)(item);
        let hash = self.route.hash.hash(&key);
        self.key.clear();
        self.value.clear();
        encode(&key, &mut self.key)?;
        put_place(at, &mut self.value);
        (self.route.value)(item, &mut self.value)?;
        let seq = Seq::new(self.unit, self.index);
        let seq = if self.route.behind { seq.behind() } else { seq };
        let writer = match &mut self.writer {
            Some(writer) => Ok(writer),
            None => self.route.store.writer().map(|writer| self.writer.insert(writer)),
        };
        let stored = writer.and_then(|writer| writer.push(hash, seq, &self.key, &self.value));
        stored.inspect_err(|_| self.route.broken.store(true, Ordering::Relaxed))
    }
}

impl<T: Send, K: Hash + Serialize> Push<T> for RoutePush<'_, T, K> {
    fn begin(&mut self, unit: Unit) -> Flow {
        (self.unit, self.index) = (unit, 0);
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        self.cx.set_stage(self.route.stage);
        let stored = self.store(at, &item);
        self.index += 1;
        match stored {
            Ok(()) => Flow::Continue(()),
            Err(error) => Flow::Break(Stop::from(error.in_stage(self.route.meter.name.clone()))),
        }
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.route.meter.records_in.fetch_add(self.index, Ordering::Relaxed);
        self.index = 0;
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        let finished = self.writer.take().map_or(Ok(()), StoreWriter::finish);
        finished.map_err(|error| error.in_stage(self.route.meter.name.clone()))
    }
}

impl<T, K> Drop for RoutePush<'_, T, K> {
    /// After a panic in a closure of the caller's what is stored is whole: a join still gives what lies before it.
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // A store that could not take the rest is not read: see [`Store::finish`].
            let _ = writer.finish();
        }
    }
}
