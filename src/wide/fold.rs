//! `fold` and `reduce`: all records become one answer.

use crate::agg::{Aggregate, Merging};
use crate::bag::Bag;
use crate::batch::Seq;
use crate::error::Result;

use super::absorb::{Absorb, absorb};

impl<T: Send + 'static> Bag<T> {
    /// Folds all records with an aggregate, or several as a tuple, in one pass. Streams; holds the aggregate's state, on
    /// each worker. The answer does not depend on threads or block size: see [`Merging`].
    ///
    /// ```
    /// use kitbag::{Bag, agg};
    ///
    /// let (count, mean, last) = Bag::range(1..5).fold((agg::count(), agg::mean(|n: &i64| *n), agg::last()))?;
    /// assert_eq!((count, mean, last), (4, Some(2.5), Some(4)));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "reduction")]
    pub fn fold<A: Aggregate<T>>(self, aggregate: A) -> Result<A::Out> {
        self.fold_as("fold", aggregate)
    }

    pub(crate) fn fold_as<A: Aggregate<T>>(self, verb: &str, aggregate: A) -> Result<A::Out> {
        self.run(|run, plan, stage| {
            let state = absorb(run, plan, run.stage(stage, verb), &ByAggregate(&aggregate))?;
            Ok(aggregate.finish(state))
        })
    }

    /// Combines all records with `f`, in record order; `None` if there are none. `f` must be associative
    /// (`f(f(a, b), c)` equal to `f(a, f(b, c))`), since neighbours are combined in parallel. Streams.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let sentence = Bag::from_iter(["a", "b", "c"]).map(String::from).reduce(|a, b| a + &b)?;
    /// assert_eq!(sentence.as_deref(), Some("abc"));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync) -> Result<Option<T>> {
        self.run(|run, plan, stage| absorb(run, plan, run.stage(stage, "reduce"), &Reduce(f)))
    }
}

struct ByAggregate<'a, A>(&'a A);

impl<T, A: Aggregate<T>> Absorb<T> for ByAggregate<'_, A> {
    type State = A::State;

    fn init(&self) -> A::State {
        self.0.init()
    }

    fn step(&self, state: &mut A::State, at: Seq, item: T) {
        self.0.step(state, at, &item);
    }

    fn merge(&self, into: &mut A::State, from: A::State) {
        self.0.merge(into, from);
    }

    fn merging(&self) -> Merging {
        self.0.merging()
    }
}

struct Reduce<F>(F);

impl<T: Send, F: Fn(T, T) -> T + Sync> Absorb<T> for Reduce<F> {
    type State = Option<T>;

    fn init(&self) -> Option<T> {
        None
    }

    fn step(&self, state: &mut Option<T>, _: Seq, item: T) {
        self.merge(state, Some(item));
    }

    fn merge(&self, into: &mut Option<T>, from: Option<T>) {
        *into = match (into.take(), from) {
            (Some(left), Some(right)) => Some((self.0)(left, right)),
            (left, right) => left.or(right),
        };
    }

    fn merging(&self) -> Merging {
        Merging::InOrder
    }
}
