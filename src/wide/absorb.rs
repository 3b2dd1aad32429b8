//! Folds every record of a run into one state. Where merging is exact each worker keeps one state for all its units;
//! where it is only associative each unit has one, and they are merged in record order; where it is neither the records
//! themselves are put in order and stepped one by one.

use crate::os::sync::{Arc, Mutex, PoisonError};

use crate::agg::Merging;
use crate::batch::{At, Seq, Unit};
use crate::engine::{Fan, Flow, Plan, Push, Run, StageMeter, UnitEnd, WorkerCx};
use crate::error::{Error, Result};
use crate::shuffle::{Permit, Sequencer};

use crate::os::sync::atomic::Ordering;

/// How records become a state.
pub(crate) trait Absorb<T>: Sync {
    type State: Send;
    fn init(&self) -> Self::State;
    fn step(&self, state: &mut Self::State, at: Seq, item: T);
    fn merge(&self, into: &mut Self::State, from: Self::State);
    fn merging(&self) -> Merging;
}

/// Runs the plan into one state.
pub(crate) fn absorb<T: Send + 'static, A: Absorb<T>>(
    run: &Run,
    plan: Box<dyn Plan<T>>,
    meter: Arc<StageMeter>,
    how: &A,
) -> Result<A::State> {
    let fan =
        AbsorbFan { how, merging: how.merging(), total: Mutex::new(how.init()), parts: Sequencer::new(true), meter };
    plan.run(run, &fan)?;
    if !fan.parts.balanced() {
        return Err(Error::internal(format!("units are missing at stage {}", fan.meter.name)));
    }
    Ok(fan.total.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct AbsorbFan<'a, T, A: Absorb<T>> {
    how: &'a A,
    merging: Merging,
    total: Mutex<A::State>,
    parts: Parts<T, A::State>,
    meter: Arc<StageMeter>,
}

type Parts<T, S> = Sequencer<(Part<T, S>, Option<Permit>)>;

/// What came of a unit.
enum Part<T, S> {
    State(S),
    Items(Vec<(Seq, T)>),
}

impl<T: Send, A: Absorb<T>> Fan<T> for AbsorbFan<'_, T, A> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        let unit = Unit::default();
        Box::new(AbsorbPush { fan: self, cx, state: self.how.init(), items: Vec::new(), unit, index: 0 })
    }
}

struct AbsorbPush<'s, T, A: Absorb<T>> {
    fan: &'s AbsorbFan<'s, T, A>,
    cx: &'s WorkerCx<'s>,
    state: A::State,
    items: Vec<(Seq, T)>,
    unit: Unit,
    index: u64,
}

impl<T, A: Absorb<T>> AbsorbPush<'_, T, A> {
    fn merge_into_total(&self, part: Part<T, A::State>) {
        let mut total = self.fan.total.lock().unwrap_or_else(PoisonError::into_inner);
        match part {
            Part::State(state) => self.fan.how.merge(&mut total, state),
            Part::Items(items) => {
                for (at, item) in items {
                    self.fan.how.step(&mut total, at, item);
                }
            }
        }
    }
}

impl<T: Send, A: Absorb<T>> Push<T> for AbsorbPush<'_, T, A> {
    fn begin(&mut self, unit: Unit) -> Flow {
        (self.unit, self.index) = (unit, 0);
        Flow::Continue(())
    }

    fn push(&mut self, _: At, item: T) -> Flow {
        self.cx.set_stage(self.fan.meter.number);
        let at = Seq::new(self.unit, self.index);
        self.index += 1;
        match self.fan.merging {
            Merging::Never => self.items.push((at, item)),
            _ => self.fan.how.step(&mut self.state, at, item),
        }
        Flow::Continue(())
    }

    fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        self.fan.meter.records_in.fetch_add(self.index, Ordering::Relaxed);
        self.index = 0;
        self.cx.set_stage(self.fan.meter.number);
        let part = match self.fan.merging {
            Merging::Exact => return Flow::Continue(()),
            Merging::InOrder => Part::State(std::mem::replace(&mut self.state, self.fan.how.init())),
            Merging::Never => Part::Items(std::mem::take(&mut self.items)),
        };
        let fence = &self.cx.phase.fence;
        self.fan.parts.submit(unit, last, (part, permit), |unit, (part, _permit)| {
            let wanted = fence.allows(unit);
            if wanted {
                self.merge_into_total(part);
            }
            wanted
        });
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        if self.fan.merging == Merging::Exact {
            let state = std::mem::replace(&mut self.state, self.fan.how.init());
            self.merge_into_total(Part::State(state));
        }
        Ok(())
    }
}
