//! The plan of a join: the right side into a store, then the left side past it or into it.

use crate::os::sync::Mutex;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Facts, Fan, Phase, Plan, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::spill::{JoinKind, KeyRule, Order, Store};

use super::super::emit::{emit, in_stage};
use super::super::route::Route;
use super::Make;
use super::emit::{Failed, JoinFeed, RestFeed};
use super::probe::Probing;

/// One side of a join.
pub(super) struct Side<T: Send, K> {
    pub(super) plan: Box<dyn Plan<T>>,
    pub(super) key: Box<dyn Fn(&T) -> K + Send + Sync>,
    /// Writes what is stored of a record.
    pub(super) value: fn(&T, &mut Vec<u8>) -> Result<()>,
    pub(super) _key: PhantomData<fn() -> K>,
}

pub(super) struct Join<T: Send, U: Send, K, V> {
    pub(super) left: Side<T, K>,
    pub(super) right: Side<U, K>,
    /// Stages before those of the right side.
    pub(super) before: u32,
    pub(super) stage: u32,
    pub(super) verb: &'static str,
    pub(super) kind: JoinKind,
    pub(super) make: Make<T, V>,
    /// Whether partitions matter to whoever comes after: then they must not be those of the left side, which they are
    /// only where that streams.
    pub(super) whole: bool,
}

impl<T, U, K, V> Plan<V> for Join<T, U, K, V>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    U: Send + 'static,
    K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    V: Send + 'static,
{
    fn run(self: Box<Self>, run: &Run, down: &dyn Fan<V>) -> Result<()> {
        let Join { left, right, before: others, stage, verb, kind, make, whole } = *self;
        let meter = run.stage(stage, verb);
        let space = run.space.counted_apart();
        let space = space.with_keys(KeyRule::values::<K>());
        let store = in_stage(&meter, || Store::new(&space, run.settings.threads))?;
        let unwanted = || down.unwanted();
        let branch = run.branch(others);
        // The branch numbers its stages from its own first one.
        let at = (stage - others, meter.clone());
        let route = Route::new(run, &store, at, &*right.key, right.value, &unwanted);
        // The left side's stores open later: what they set aside must still be there.
        let mut later = Facts::new();
        left.plan.describe(&mut later);
        let floors = Store::floor(&space, run.settings.threads) * u64::from(later.stores);
        let aside = space.budget.try_reserve(floors);
        right.plan.run(&branch, &route.behind())?;
        let probe = match whole {
            true => None,
            false => in_stage(&meter, || store.probe(kind.right_alone()))?,
        };
        drop(aside);
        let Some(probe) = probe else {
            if later.stores > 0 {
                in_stage(&meter, || store.leave_half(floors))?;
            }
            let route = Route::new(run, &store, (stage, meter.clone()), &*left.key, left.value, &unwanted);
            let ran = left.plan.run(run, &route);
            let failed = match (ran, route.stopped()) {
                (Ok(()), _) => None,
                (Err(error), Some(stopped)) if deferred(&error) => Some(Failed { stopped, error }),
                (Err(error), _) => return Err(error),
            };
            let order = if run.settings.ordered { Order::FirstOccurrence } else { Order::Any };
            let pairs = match in_stage(&meter, || store.finish()?.into_pairs(kind, order)) {
                Ok(pairs) => pairs,
                // What lies before the failure cannot be had.
                Err(error) => return Err(failed.map_or(error, |failed| failed.error)),
            };
            let source = Mutex::new(Some((pairs, failed)));
            return emit(run, &meter, &space, &JoinFeed { source, make, meter: meter.clone(), down });
        };
        drop(store);
        let probing = Probing::new(run, &probe, (stage, meter.clone()), &*left.key, (kind, make), down);
        left.plan.run(run, &probing)?;
        if kind.right_alone() {
            let run = run.after(probing.tasks());
            Phase::run(&run, &meter, &RestFeed { probe: &probe, make, meter: meter.clone(), down })?;
        }
        Ok(())
    }

    fn whole_shards(&mut self) {
        self.whole = true;
    }

    fn describe(&self, to: &mut Facts) {
        to.in_turn(|to| self.left.plan.describe(to), |to| self.right.plan.describe(to));
        to.gathering(self.verb);
    }
}

/// Whether an error of the left side waits for what lies before it, as it would if that side streamed: errors that belong
/// to no record do not. Of limits those of records do, as of their length.
fn deferred(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Cancelled | ErrorKind::Internal | ErrorKind::TooManyErrors => false,
        ErrorKind::Limit => error.place().is_some(),
        _ => true,
    }
}
