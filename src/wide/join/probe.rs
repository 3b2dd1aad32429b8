//! The left side streams past the right one, which is in memory: its records keep their blocks and their order.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU32, Ordering};
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::{At, Unit};
use crate::engine::{Fan, Flow, Push, Run, StageMeter, Stop, UnitEnd, WorkerCx};
use crate::error::{Error, Result};
use crate::spill::{HashKey, JoinKind, Probe, Rights};

use super::super::codec::{decode, encode};
use super::super::place::PLACE;
use super::Make;

/// What left records are pushed into.
pub(super) struct Probing<'a, T: Send, K, V> {
    probe: &'a Probe,
    key: &'a (dyn Fn(&T) -> K + Send + Sync),
    kind: JoinKind,
    make: Make<T, V>,
    hash: HashKey,
    stage: u32,
    meter: Arc<StageMeter>,
    down: &'a dyn Fan<V>,
    /// Tasks that were seen.
    tasks: AtomicU32,
}

impl<'a, T: Send, K, V> Probing<'a, T, K, V> {
    pub(super) fn new(
        run: &Run,
        probe: &'a Probe,
        (stage, meter): (u32, Arc<StageMeter>),
        key: &'a (dyn Fn(&T) -> K + Send + Sync),
        (kind, make): (JoinKind, Make<T, V>),
        down: &'a dyn Fan<V>,
    ) -> Probing<'a, T, K, V> {
        let (hash, tasks) = (run.hash_key, AtomicU32::new(run.tasks_before));
        Probing { probe, key, kind, make, hash, stage, meter, down, tasks }
    }

    /// How many tasks have been seen; what comes after them is numbered behind them.
    pub(super) fn tasks(&self) -> u32 {
        self.tasks.load(Ordering::Relaxed)
    }
}

impl<T, K, V> Fan<T> for Probing<'_, T, K, V>
where
    T: Serialize + DeserializeOwned + Send,
    K: Hash + Serialize,
    V: Send,
{
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        let down = self.down.worker(cx);
        Box::new(ProbePush { by: self, cx, down, key: Vec::new(), left: Vec::new(), read: 0, given: 0 })
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }
}

struct ProbePush<'s, T: Send, K, V> {
    by: &'s Probing<'s, T, K, V>,
    cx: &'s WorkerCx<'s>,
    down: Box<dyn Push<V> + 's>,
    key: Vec<u8>,
    left: Vec<u8>,
    read: u64,
    given: u64,
}

impl<T, K, V> ProbePush<'_, T, K, V>
where
    T: Serialize + DeserializeOwned + Send,
    K: Hash + Serialize,
{
    fn answer(&mut self, at: At, left: T, right: Option<&[u8]>) -> Flow {
        let made = (self.by.make)(Some(left), right);
        let answer = match made {
            Ok(answer) => answer,
            Err(error) => return self.failed(error),
        };
        self.given += 1;
        let before = self.cx.refused();
        let flow = self.down.push(at, answer);
        // What is made of several records has no text of its own: the same as where both sides were stored.
        self.cx.settle_from(before);
        self.cx.set_stage(self.by.stage);
        flow
    }

    fn failed(&self, error: Error) -> Flow {
        Flow::Break(Stop::from(error.in_stage(self.by.meter.name.clone())))
    }

    fn pairs(&mut self, at: At, item: T, mut rights: Rights<'_>, count: u32) -> Flow {
        let mut item = Some(item);
        if count > 1 {
            self.left.clear();
            if let Some(Err(error)) = item.as_ref().map(|item| encode(item, &mut self.left)) {
                return self.failed(error);
            }
        }
        for no in 1..=count {
            let own = if no == count { item.take() } else { None };
            let left = own.map_or_else(|| decode::<T>(&self.left), Ok);
            let both = left.and_then(|left| {
                let right = rights.next()?.and_then(|row| row.get(PLACE..));
                Ok((left, right.ok_or_else(|| Error::internal("a stored row is too short"))?))
            });
            match both {
                Ok((left, right)) => self.answer(at, left, Some(right))?,
                Err(error) => return self.failed(error),
            }
        }
        Flow::Continue(())
    }
}

impl<T, K, V> Push<T> for ProbePush<'_, T, K, V>
where
    T: Serialize + DeserializeOwned + Send,
    K: Hash + Serialize,
    V: Send,
{
    fn begin(&mut self, unit: Unit) -> Flow {
        self.by.tasks.fetch_max(unit.task + 1, Ordering::Relaxed);
        self.down.begin(unit)
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        let by = self.by;
        self.cx.set_stage(by.stage);
        self.read += 1;
        let key = (by.key)(&item);
        self.key.clear();
        if let Err(error) = encode(&key, &mut self.key) {
            return self.failed(error);
        }
        let found = by.probe.find(by.hash.hash(&key), &self.key);
        if by.kind.left_alone(found.is_some()) {
            return self.answer(at, item, None);
        }
        match found {
            Some(found) if by.kind.pairs() => {
                if by.kind.right_alone() {
                    found.meet();
                }
                self.pairs(at, item, found.rights(), found.rows())
            }
            _ => Flow::Continue(()),
        }
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.by.meter.records_in.fetch_add(std::mem::take(&mut self.read), Ordering::Relaxed);
        self.by.meter.records_out.fetch_add(std::mem::take(&mut self.given), Ordering::Relaxed);
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}
