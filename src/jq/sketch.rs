//! What a sketch and a sample are of values: the library's, so that a plan and the interpreter give the same.

use kitbag::agg::{self, ApproxCountDistinct, Fold, HashOf, Itself, Sample};

use super::value::Val;

/// About how many different values there are.
pub(super) type Distinct = ApproxCountDistinct<HashOf<Itself, Val>>;
/// What it has seen.
pub(super) type Seen = <Distinct as Fold>::State;

/// Some values, with what tells their order.
pub(super) type Drawing<P> = Sample<Itself, (P, Val)>;
/// Those that may be drawn.
pub(super) type Drawn<P> = <Drawing<P> as Fold>::State;

pub(super) fn distinct() -> Distinct {
    agg::approx_count_distinct(Itself)
}

pub(super) fn drawing<P: Clone>(count: u64, seed: i64) -> Drawing<P> {
    agg::sample(usize::try_from(count).unwrap_or(usize::MAX), seed.cast_unsigned())
}

/// A number of values.
pub(super) fn count(number: u64) -> Val {
    Val::count(usize::try_from(number).unwrap_or(usize::MAX))
}

/// About how many of these are different.
pub(super) fn distinct_of(values: Vec<Val>) -> Val {
    count(agg::apply(&distinct(), values))
}

/// So many of these, in their order, drawn by a seed.
pub(super) fn sample_of(values: Vec<Val>, count: u64, seed: i64) -> Val {
    agg::apply(&drawing(count, seed), values.into_iter().map(|value| ((), value)))
        .into_iter()
        .map(|(_, value)| value)
        .collect()
}
