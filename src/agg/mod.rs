//! Aggregates as values: how many records become one answer, in one pass, on many threads, with states that can be
//! spilled. What must stay true: `init` is neutral, `merge` loses nothing, and an aggregate whose merging is
//! [`Merging::Exact`] gives bit for bit the same answer for every cut of its input and every order of merging.
//!
//! A closure given to a constructor names the type of its argument: `sum(|r: &Record| r.bytes)`. For records that are
//! borrowed views, `sum(|view: &View<'_>| view.size())` holds for every lifetime of the view (see [`Project`]).
//!
//! ```
//! use kitbag::agg::{self, Fold, count, max, mean};
//!
//! struct Hit { path: String, ms: u32 }
//!
//! // Three answers from one pass; the last one is over a part of the records.
//! let slow = (count(), mean(|hit: &Hit| hit.ms), max(|hit: &Hit| hit.ms).filter(|hit: &Hit| hit.path != "/"));
//! let hits = [("/", 40), ("/a", 10), ("/b", 25)].map(|(path, ms)| Hit { path: path.to_owned(), ms });
//! assert_eq!(agg::apply(&slow, hits), (3, Some(25.0), Some(25)));
//! ```

mod project;

mod adapt;
mod tuple;

mod count;
mod sum;
mod variance;

mod best;
mod collect;
mod ends;
mod extreme;
mod join_strings;
mod top_k;

mod count_distinct;
mod frequencies;

mod approx_count_distinct;
mod quantile;
mod sample;

mod with;

mod big;
mod buckets;
mod exact;
mod number;
mod part;
mod registers;
pub(crate) mod weight;

#[cfg(test)]
mod laws;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::Seq;

pub(crate) use approx_count_distinct::{hash_of, of_hashes};
pub(crate) use sample::draw;

pub use adapt::{Filter, Map, Of};
pub use approx_count_distinct::{ApproxCountDistinct, HashOf, approx_count_distinct};
pub use best::{Best, max_by, min_by};
pub use collect::{Collect, collect, collect_of};
pub use count::{Count, count};
pub use count_distinct::{CountDistinct, count_distinct};
pub use ends::{End, first, first_of, last, last_of};
pub use extreme::{Extreme, Float, max, min};
pub use frequencies::{Frequencies, frequencies};
pub use join_strings::{JoinStrings, join_strings};
pub use number::Number;
pub use project::{Itself, Project};
pub use quantile::{Quantile, Quantiles, quantile, quantiles};
pub use sample::{Sample, sample, sample_of};
pub use sum::{Mean, Sum, mean, sum};
pub use top_k::{TopK, bottom_k, top_k};
pub use variance::{Variance, std, var};
pub use with::{FoldWith, InOrder, Step, fold_with, step_in_order};

/// The half of an aggregate that does not know what it reads: its state and its answer.
///
/// It is a trait of its own so that one aggregate can read owned and borrowed records alike, and so that tuples and
/// adaptors need not name the type of the records. See the [module](self) for an example.
pub trait Fold: Send + Sync {
    /// What is kept between records. It goes to disk when memory is short, in a self-describing format.
    type State: Send + Serialize + DeserializeOwned;

    /// The answer.
    type Out;

    /// A state that has seen nothing. Neutral by law: merging it into any state, or any state into it, changes no
    /// answer. How often it is called depends on how the input was cut, so a start value belongs in `finish`.
    fn init(&self) -> Self::State;

    /// Adds what `from` has seen to what `into` has seen; see [`Merging`] for what may be merged with what.
    fn merge(&self, into: &mut Self::State, from: Self::State);

    /// Turns the state into the answer.
    fn finish(&self, state: Self::State) -> Self::Out;

    /// What may be merged without changing the answer.
    fn merging(&self) -> Merging {
        Merging::Exact
    }

    /// The bytes that the state holds on the heap, beyond its own size: what a memory budget is charged. It is asked
    /// for often and must cost little. What kept records of the caller's types hold is estimated by the length of
    /// their serialised form (`collect` weighs every sixteenth record); types that own nothing are not looked at.
    fn heap_size(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }

    /// The aggregate whose answer is `change` of this one's answer. Costs one call, at the end.
    ///
    /// ```
    /// use kitbag::agg::{self, Fold, count};
    /// assert_eq!(agg::apply(&count().map(|n| n > 2), ["a", "b", "c"]), true);
    /// ```
    fn map<U, F>(self, change: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Out) -> U + Send + Sync,
    {
        Map::new(self, change)
    }

    /// The aggregate that reads only the records for which `keep` holds.
    ///
    /// ```
    /// use kitbag::agg::{self, Fold, count};
    /// let errors = count().filter(|status: &u16| *status >= 500);
    /// assert_eq!(agg::apply(&errors, [200, 503, 404, 500]), 2);
    /// ```
    fn filter<T: ?Sized, P>(self, keep: P) -> Filter<Self, P>
    where
        Self: Sized,
        P: Project<T, bool>,
    {
        Filter::new(self, keep)
    }

    /// The aggregate that reads `part` of every record in place of the record.
    ///
    /// ```
    /// use kitbag::agg::{self, Fold, Itself, last, max};
    /// let both = (max(Itself), last()).of(|line: &&str| line.len());
    /// assert_eq!(agg::apply(&both, ["a", "ccc", "bb"]), (Some(3), Some(2)));
    /// ```
    fn of<T: ?Sized, U, F>(self, part: F) -> Of<Self, F, U>
    where
        Self: Sized,
        F: Project<T, U>,
    {
        Of::new(self, part)
    }
}

/// The half of an aggregate that reads records of type `T`, which may be borrowed.
///
/// An aggregate of one's own implements both traits, and then goes wherever those of this module go: into tuples, under
/// adaptors, over groups, to disk. Where three closures will do there is [`fold_with`].
///
/// ```
/// use kitbag::agg::{Aggregate, Fold, count};
/// use kitbag::{Bag, Seq};
///
/// /// The greatest common divisor.
/// struct Gcd;
///
/// impl Fold for Gcd {
///     type State = u64;
///     type Out = Option<u64>;
///
///     // Neutral: the greatest common divisor of 0 and n is n.
///     fn init(&self) -> u64 {
///         0
///     }
///
///     fn merge(&self, into: &mut u64, mut from: u64) {
///         while from != 0 {
///             (*into, from) = (from, *into % from);
///         }
///     }
///
///     fn finish(&self, state: u64) -> Option<u64> {
///         (state > 0).then_some(state)
///     }
/// }
///
/// impl Aggregate<u64> for Gcd {
///     fn step(&self, state: &mut u64, _: Seq, item: &u64) {
///         self.merge(state, *item);
///     }
/// }
///
/// let numbers = Bag::from_iter([12u64, 9, 18, 30, 15]);
/// let by_parity = numbers.fold_by(|n| n % 2, (count(), Gcd)).collect()?;
/// assert_eq!(by_parity, [(0, (3, Some(6))), (1, (2, Some(3)))]);
/// # Ok::<(), kitbag::Error>(())
/// ```
pub trait Aggregate<T: ?Sized>: Fold {
    /// Adds the record at position `at`. No two records of a run have the same position.
    fn step(&self, state: &mut Self::State, at: Seq, item: &T);
}

/// What may be merged with what without changing an aggregate's answer, from the most to the least free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Merging {
    /// States of any parts of the input, stepped and merged in any order.
    Exact,
    /// Only states of neighbouring parts, the earlier one as `into`: merging is associative, not commutative.
    InOrder,
    /// Nothing: every record must be stepped, in record order, into one state.
    Never,
}

/// Applies an aggregate to the items of an iterator, in the calling thread: for tests of aggregates, and for data that
/// is in memory already.
///
/// ```
/// use kitbag::agg::{self, sum};
/// assert_eq!(agg::apply(&sum(|x: &f64| *x), [1e16, 1.0, -1e16]), 1.0);
/// ```
pub fn apply<T, A: Aggregate<T>>(aggregate: &A, items: impl IntoIterator<Item = T>) -> A::Out {
    let mut state = aggregate.init();
    for (index, item) in (0..).zip(items) {
        aggregate.step(&mut state, Seq::new(crate::batch::Unit::default(), index), &item);
    }
    aggregate.finish(state)
}
