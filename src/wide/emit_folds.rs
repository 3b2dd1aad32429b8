//! The emitting half of every fold by key: one reader walks the merged states in order, the workers turn them into
//! answers. A unit is bounded by what its states weigh, not only by their number.

use crate::os::sync::{Arc, Mutex, PoisonError};
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agg::Fold;
use crate::batch::{At, Unit};
use crate::engine::{Fan, Feed, Feeder, Flow, Halted, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::{Error, Result};
use crate::spill::Folds;

use super::by_key::{Answer, ByKey};
use super::emit::Emitter;

/// States in one unit of the next phase, and what a state counts for at its gate.
const BATCH: usize = 1024;
const WEIGHT: usize = 64;

/// The emitting half.
pub(super) struct FoldFeed<'a, K, A, U>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Fold,
{
    pub(super) folds: Mutex<Option<Folds<ByKey<K, A>>>>,
    pub(super) aggregate: &'a A,
    pub(super) answer: Answer<K, A, U>,
    pub(super) meter: Arc<StageMeter>,
    pub(super) down: &'a dyn Fan<U>,
}

impl<K, A, U> Feed<Vec<(K, A::State)>> for FoldFeed<'_, K, A, U>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    A: Fold<State: 'static>,
    U: Send,
{
    fn tasks(&self) -> u32 {
        1
    }

    fn feed(&self, _task: u32, out: &mut Feeder<'_, Vec<(K, A::State)>>) -> Result<()> {
        let taken = self.folds.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut folds) = taken else { return Ok(()) };
        let most = out.run().settings.block.max(BATCH * WEIGHT);
        loop {
            let (mut batch, mut weight, mut last) = (Vec::new(), 0, false);
            while batch.len() < BATCH && weight < most {
                let Some(fold) = folds.next() else {
                    last = true;
                    break;
                };
                let (key, state, _, length) = fold.map_err(|error| error.in_stage(self.meter.name.clone()))?;
                weight += WEIGHT + usize::try_from(length).unwrap_or(most) + self.aggregate.heap_size(&state);
                batch.push((key, state));
            }
            let sent = out.admit(weight).and_then(|permit| out.emit(batch, weight, permit, last));
            if last || matches!(sent, Err(Halted)) {
                return Ok(());
            }
        }
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Vec<(K, A::State)>> + 's> {
        let (aggregate, answer) = (self.aggregate, self.answer);
        Box::new(FoldWork { aggregate, answer, out: Emitter::new(cx, &self.meter, self.down) })
    }
}

struct FoldWork<'s, K, A: Fold, U> {
    aggregate: &'s A,
    answer: Answer<K, A, U>,
    out: Emitter<'s, U>,
}

impl<K: Send, A: Fold, U: Send> Work<Vec<(K, A::State)>> for FoldWork<'_, K, A, U> {
    fn unit(&mut self, unit: Unit, batch: Vec<(K, A::State)>) -> Flow {
        self.out.begin(unit)?;
        for (key, state) in batch {
            let answer = || (self.answer)(self.aggregate, key, state);
            let none = || Error::internal("the state of a key has seen no record");
            self.out.emit_placed(At::nowhere(), || answer().ok_or_else(none))?;
        }
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.out.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.out.finish()
    }
}
