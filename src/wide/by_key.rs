//! The absorbing half of every fold by key, and its plan: each worker keeps a table of states, which goes to disk when
//! memory is short (see [`FoldStore`]). What is emitted afterwards is in [`super::emit_folds`]. Only for aggregates whose
//! merging is exact.

use crate::os::sync::atomic::Ordering;
use crate::os::sync::{Arc, Mutex};
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agg::{self, Fold};
use crate::batch::{At, Seq, Unit};
use crate::engine::{Facts, Fan, Flow, Plan, Run, StageMeter, Stop, Tally, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::spill::{FoldStore, FoldWriter, HashKey, Merging, Order, Sought};

use super::emit::{emit, in_stage};
use super::emit_folds::FoldFeed;

/// Where a key stands in the order of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    First,
    Last,
}

impl Stands {
    /// Whether a record at one position takes the place of one at another.
    #[inline]
    pub(crate) fn moves(self, new: Seq, old: Seq) -> bool {
        match self {
            Stands::First => new < old,
            Stands::Last => new > old,
        }
    }
}

/// States of an aggregate by keys.
pub(crate) struct ByKey<K, A> {
    aggregate: Arc<A>,
    stands: Stands,
    _key: std::marker::PhantomData<fn() -> K>,
}

impl<K, A> Merging for ByKey<K, A>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Fold,
{
    type Key = K;
    type State = A::State;

    fn merge(&self, into: &mut A::State, other: A::State) {
        self.aggregate.merge(into, other);
    }

    fn heap_size(&self, state: &A::State) -> usize {
        self.aggregate.heap_size(state)
    }

    #[inline]
    fn moves(&self, new: Seq, old: Seq) -> bool {
        self.stands.moves(new, old)
    }
}

/// What the absorbing half needs to know, for whatever feeds it.
pub(crate) struct Absorbing<'a, K, A>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Fold,
{
    store: &'a FoldStore<ByKey<K, A>>,
    pub(crate) aggregate: &'a A,
    pub(crate) hash: HashKey,
    pub(crate) stage: u32,
    pub(crate) meter: Arc<StageMeter>,
    /// Whether nobody takes the answers any more: see [`Fan::unwanted`].
    pub(crate) unwanted: &'a (dyn Fn() -> bool + Sync),
}

/// One worker's absorbing half.
pub(crate) struct Absorber<'s, K, A>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Fold,
{
    pub(crate) by: &'s Absorbing<'s, K, A>,
    cx: &'s WorkerCx<'s>,
    /// Made at the first record.
    writer: Option<FoldWriter<ByKey<K, A>>>,
    unit: Unit,
    index: u64,
}

impl<K, A> Absorbing<'_, K, A>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Fold,
{
    pub(crate) fn absorber<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Absorber<'s, K, A> {
        Absorber { by: self, cx, writer: None, unit: Unit::default(), index: 0 }
    }
}

impl<K, A> Absorber<'_, K, A>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Fold,
{
    pub(crate) fn begin(&mut self, unit: Unit) {
        (self.unit, self.index) = (unit, 0);
    }

    /// Steps the state of the record's key.
    #[inline]
    pub(crate) fn step(&mut self, hash: u64, key: impl Sought<K>, step: impl FnOnce(&mut A::State, Seq)) -> Flow {
        let seq = Seq::new(self.unit, self.index);
        self.index += 1;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => match self.by.store.writer() {
                Ok(writer) => self.writer.insert(writer),
                // After a panic there may be no writer for the chain that takes over; the run has failed already.
                Err(_) if self.cx.phase.fence.stopped() => return Flow::Continue(()),
                Err(error) => return Flow::Break(Stop::from(error.in_stage(self.by.meter.name.clone()))),
            },
        };
        let folded = writer.fold((hash, seq), key, || self.by.aggregate.init(), |state| step(state, seq));
        match folded {
            Ok(()) => Flow::Continue(()),
            Err(error) => Flow::Break(Stop::from(error.in_stage(self.by.meter.name.clone()))),
        }
    }

    pub(crate) fn end(&mut self) {
        self.by.meter.records_in.fetch_add(self.index, Ordering::Relaxed);
        self.index = 0;
    }

    pub(crate) fn finish(&mut self) -> Result<()> {
        let finished = self.writer.take().map_or(Ok(()), FoldWriter::finish);
        finished.map_err(|error| error.in_stage(self.by.meter.name.clone()))
    }
}

/// Runs whatever comes before into the absorbing half.
type Upstream<K, A> = dyn FnOnce(&Run, &Absorbing<'_, K, A>) -> Result<()> + Send;

/// The answer that is made of a key and its state, and its place in the input, where it has one; none
/// is a defect: no state has seen nothing.
pub(crate) type Answer<K, A, U> = fn(&A, K, <A as Fold>::State) -> Option<(At, U)>;

/// A key with the answer of an aggregate, which comes from many records: it has no place in the input.
pub(crate) fn pair<K, A: Fold>(aggregate: &A, key: K, state: A::State) -> Option<(At, (K, A::Out))> {
    Some((At::nowhere(), (key, aggregate.finish(state))))
}

/// A fold by key, whatever feeds it.
pub(crate) struct FoldBy<K, A, U>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send,
    A: Fold,
{
    pub(crate) verb: &'static str,
    pub(crate) stage: u32,
    /// What is known of the plan before.
    pub(crate) before: Facts,
    pub(crate) aggregate: A,
    pub(crate) upstream: Box<Upstream<K, A>>,
    pub(crate) stands: Stands,
    pub(crate) answer: Answer<K, A, U>,
}

impl<K, A, U> Plan<U> for FoldBy<K, A, U>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    A: Fold<State: 'static> + 'static,
    U: Send,
{
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<U>) -> Result<()> {
        self.run_in(run, if run.settings.ordered { Order::FirstOccurrence } else { Order::Any }, down)
    }

    fn count(self: Box<Self>, run: &Run) -> Result<u64> {
        // Whoever counts answers needs no order, which takes another pass where keys were spilled.
        let tally = Tally::default();
        self.run_in(run, Order::Any, &tally)?;
        Ok(tally.0.into_inner())
    }

    fn describe(&self, to: &mut Facts) {
        to.extend(&self.before);
        to.gathering(self.verb);
    }
}

impl<K, A, U> FoldBy<K, A, U>
where
    K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    A: Fold<State: 'static> + 'static,
    U: Send,
{
    fn run_in(self, run: &Run, order: Order, down: &dyn Fan<U>) -> Result<()> {
        let meter = run.stage(self.stage, self.verb);
        if self.aggregate.merging() != agg::Merging::Exact {
            let text = "expected an aggregate whose states merge exactly: this one must see the records of a key in \
                        order; `fold_by_in_order` does that";
            return Err(Error::new(ErrorKind::Usage, text).in_stage(meter.name.clone()));
        }
        let aggregate = Arc::new(self.aggregate);
        let merging = ByKey { aggregate: aggregate.clone(), stands: self.stands, _key: std::marker::PhantomData };
        let space = run.space.counted_apart();
        let store = in_stage(&meter, || FoldStore::new(&space, run.settings.threads, merging))?;
        let (stage, hash, answer) = (self.stage, run.hash_key, self.answer);
        (self.upstream)(
            run,
            &Absorbing {
                store: &store,
                aggregate: &aggregate,
                hash,
                stage,
                meter: meter.clone(),
                unwanted: &|| down.unwanted(),
            },
        )?;
        let folds = Mutex::new(Some(in_stage(&meter, || store.finish(order))?));
        let feed = FoldFeed { folds, aggregate: &*aggregate, answer, meter: meter.clone(), down };
        emit(run, &meter, &space, &feed)
    }
}
