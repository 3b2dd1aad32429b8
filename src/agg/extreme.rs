//! The smallest and the largest value, and an order for floats. What must stay true: values that compare as equal are
//! equal, as `Ord` demands, so that it does not matter which of them is kept.

use std::cmp::Ordering;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::weight::heap_of;
use super::{Aggregate, Fold, Project};
use crate::batch::Seq;

/// The smallest value that a closure gets out of the records, `None` for no records; for floats see [`Float`].
/// Costs one comparison a record, and the value as state.
///
/// ```
/// use kitbag::agg::{self, min};
/// assert_eq!(agg::apply(&min(|line: &&str| line.len()), ["aaa", "bb"]), Some(2));
/// ```
pub fn min<T: ?Sized, V: Ord, F: Project<T, V>>(value: F) -> Extreme<F, V> {
    Extreme { value, better: Ordering::Less, _value: PhantomData }
}

/// The largest value that a closure gets out of the records, `None` for no records; for floats see [`Float`].
/// Costs one comparison a record, and the value as state.
///
/// ```
/// use kitbag::agg::{self, Float, max};
/// assert_eq!(agg::apply(&max(|x: &f64| Float(*x)), [2.5, -1.0]), Some(Float(2.5)));
/// ```
pub fn max<T: ?Sized, V: Ord, F: Project<T, V>>(value: F) -> Extreme<F, V> {
    Extreme { value, better: Ordering::Greater, _value: PhantomData }
}

/// See [`min`] and [`max`].
#[derive(Clone, Debug)]
pub struct Extreme<F, V> {
    value: F,
    /// What a value must be, compared with the kept one, to replace it.
    better: Ordering,
    _value: PhantomData<fn() -> V>,
}

impl<F, V: Ord> Extreme<F, V> {
    #[inline]
    fn offer(&self, kept: &mut Option<V>, value: V) {
        if kept.as_ref().is_none_or(|kept| value.cmp(kept) == self.better) {
            *kept = Some(value);
        }
    }
}

impl<F: Send + Sync, V: Ord + Send + Serialize + DeserializeOwned> Fold for Extreme<F, V> {
    type State = Option<V>;
    type Out = Option<V>;

    fn init(&self) -> Option<V> {
        None
    }

    fn merge(&self, into: &mut Option<V>, from: Option<V>) {
        if let Some(value) = from {
            self.offer(into, value);
        }
    }

    fn finish(&self, state: Option<V>) -> Option<V> {
        state
    }

    fn heap_size(&self, state: &Option<V>) -> usize {
        state.as_ref().map_or(0, heap_of)
    }
}

impl<T: ?Sized, V: Ord + Send + Serialize + DeserializeOwned, F: Project<T, V>> Aggregate<T> for Extreme<F, V> {
    #[inline]
    fn step(&self, state: &mut Option<V>, _: Seq, item: &T) {
        self.offer(state, self.value.get(item));
    }
}

/// A float with a total order, that of [`f64::total_cmp`]: −NaN, −∞, …, −0, +0, …, +∞, NaN. A NaN is therefore the
/// largest of all; whoever does not want it filters it out.
///
/// ```
/// use kitbag::agg::Float;
/// assert!(Float(-0.0) < Float(0.0) && Float(f64::INFINITY) < Float(f64::NAN));
/// assert_eq!(Float(f64::NAN), Float(f64::NAN));
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Float(pub f64);

impl Ord for Float {
    fn cmp(&self, other: &Float) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Float) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Float {
    fn eq(&self, other: &Float) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Float {}

impl std::hash::Hash for Float {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // Equal in the total order means equal in every bit.
        self.0.to_bits().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<(i8, f64)>(), 0..40), cut in any::<Cut>()) {
            let x = || |item: &(i8, f64)| item.0;
            let floats = || |item: &(i8, f64)| Float(item.1);
            holds(&(min(x()), max(x()), min(floats()), max(floats())), &items, cut)?;
            prop_assert_eq!(apply(&max(x()), items.clone()), items.iter().map(|item| item.0).max());
            prop_assert_eq!(apply(&min(x()), items.clone()), items.iter().map(|item| item.0).min());
        }
    }

    #[test]
    fn texts_have_a_weight() {
        let largest = max(|text: &&str| (*text).to_owned());
        let mut state = largest.init();
        ["a", "bbbb"].iter().for_each(|text| largest.step(&mut state, Seq::default(), text));
        assert!((4..16).contains(&largest.heap_size(&state)));
        assert_eq!(largest.finish(state).as_deref(), Some("bbbb"));
    }
}
