//! How borrowed records reach the tables of keys: each worker looks a record's key up where it stands in the record.

use std::error::Error as StdError;

use crate::agg::Fold;
use crate::batch::{At, Seq, Unit};
use crate::engine::{Flow, UnitEnd, WorkerCx};
use crate::error::Result;
use crate::input::{RefFan, RefPush};
use crate::json::{Json, JsonRef};

use super::by_key::{Absorber, Absorbing};
use super::keys::{Keys, KeysRef};

/// The parts of a record's key, in the record; or why it has none.
type Found<'a, const N: usize> = Result<[Option<JsonRef<'a>>; N], Box<dyn StdError + Send + Sync>>;

/// Finds them.
pub(super) type RefKeys<const N: usize> = dyn for<'a> Fn(JsonRef<'a>) -> Found<'a, N> + Send + Sync;

/// Absorbs borrowed records by their keys.
pub(super) struct ByRef<'a, A: Fold, F, const N: usize> {
    pub(super) by: &'a Absorbing<'a, Keys<N>, A>,
    pub(super) keys: &'a RefKeys<N>,
    pub(super) step: &'a F,
}

impl<A, F, const N: usize> RefFan for ByRef<'_, A, F, N>
where
    A: Fold,
    F: for<'a> Fn(&A, &mut A::State, (Seq, At), JsonRef<'a>) + Send + Sync,
{
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn RefPush + 's> {
        let null = Json::null();
        Box::new(ByRefPush { absorber: self.by.absorber(cx), cx, keys: self.keys, step: self.step, null })
    }

    fn unwanted(&self) -> bool {
        (self.by.unwanted)()
    }
}

struct ByRefPush<'s, A: Fold, F, const N: usize> {
    absorber: Absorber<'s, Keys<N>, A>,
    cx: &'s WorkerCx<'s>,
    keys: &'s RefKeys<N>,
    step: &'s F,
    null: Json,
}

impl<A, F, const N: usize> RefPush for ByRefPush<'_, A, F, N>
where
    A: Fold,
    F: for<'a> Fn(&A, &mut A::State, (Seq, At), JsonRef<'a>) + Send + Sync,
{
    fn begin(&mut self, unit: Unit) -> Flow {
        self.absorber.begin(unit);
        Flow::Continue(())
    }

    fn push(&mut self, at: At, record: JsonRef<'_>) -> Flow {
        let by = self.absorber.by;
        self.cx.set_stage(by.stage);
        let keys = match (self.keys)(record) {
            Ok(keys) => KeysRef(keys.map(|key| key.unwrap_or(self.null.view()))),
            Err(error) => return self.cx.refuse_for(at, error, self.cx.phase.run.stage_name(by.stage)),
        };
        let step = |state: &mut _, seq| (self.step)(by.aggregate, state, (seq, at), record);
        self.absorber.step(by.hash.hash(&keys), (|known: &Keys<N>| keys.is(known), || keys.to_keys()), step)
    }

    fn end(&mut self, _: UnitEnd) -> Flow {
        self.absorber.end();
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.absorber.finish()
    }
}
