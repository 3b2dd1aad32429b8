//! The first and the last record. What must stay true: they are so by position, not by when they were stepped.

use std::cmp::Ordering;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::weight::heap_of;
use super::{Aggregate, Fold, Itself, Project};
use crate::batch::Seq;

/// The first record, in record order; `None` for no records. One record and its position are the state.
///
/// ```
/// use kitbag::agg::{self, first};
/// assert_eq!(agg::apply(&first(), [3, 1, 2]), Some(3));
/// ```
pub fn first<T: Clone>() -> End<Itself, T> {
    first_of(Itself)
}

/// A value out of the first record, in record order, so that only that is kept: also for borrowed records.
///
/// ```
/// use kitbag::agg::{self, first_of};
/// assert_eq!(agg::apply(&first_of(|line: &&str| line.len()), ["one", "three"]), Some(3));
/// ```
pub fn first_of<T: ?Sized, V, F: Project<T, V>>(value: F) -> End<F, V> {
    End { value, better: Ordering::Less, _value: PhantomData }
}

/// The last record, in record order; `None` for no records. One record and its position are the state. Clones every
/// record on the way: where records are large, keep a part with [`last_of`].
///
/// ```
/// use kitbag::agg::{self, last};
/// assert_eq!(agg::apply(&last(), [3, 1, 2]), Some(2));
/// ```
pub fn last<T: Clone>() -> End<Itself, T> {
    last_of(Itself)
}

/// A value out of the last record, in record order, so that only that is kept: also for borrowed records.
///
/// ```
/// use kitbag::agg::{self, last_of};
/// assert_eq!(agg::apply(&last_of(|line: &&str| line.len()), ["one", "three"]), Some(5));
/// ```
pub fn last_of<T: ?Sized, V, F: Project<T, V>>(value: F) -> End<F, V> {
    End { value, better: Ordering::Greater, _value: PhantomData }
}

/// See [`first`], [`last`], [`first_of`] and [`last_of`].
#[derive(Clone, Debug)]
pub struct End<F, V> {
    value: F,
    /// What a position must be, compared with the kept one, to replace it.
    better: Ordering,
    _value: PhantomData<fn() -> V>,
}

/// The outermost value so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept<V> {
    at: Seq,
    value: V,
}

impl<F, V> End<F, V> {
    #[inline]
    fn replaces(&self, at: Seq, kept: Option<&Kept<V>>) -> bool {
        kept.is_none_or(|kept| at.cmp(&kept.at) == self.better)
    }
}

impl<F: Send + Sync, V: Send + Serialize + DeserializeOwned> Fold for End<F, V> {
    type State = Option<Kept<V>>;
    type Out = Option<V>;

    fn init(&self) -> Self::State {
        None
    }

    fn merge(&self, into: &mut Self::State, from: Self::State) {
        if from.as_ref().is_some_and(|from| self.replaces(from.at, into.as_ref())) {
            *into = from;
        }
    }

    fn finish(&self, state: Self::State) -> Option<V> {
        state.map(|kept| kept.value)
    }

    fn heap_size(&self, state: &Self::State) -> usize {
        // Weighed here and not when kept: `last` keeps every record for a moment.
        state.as_ref().map_or(0, |kept| heap_of(&kept.value))
    }
}

impl<T: ?Sized, V: Send + Serialize + DeserializeOwned, F: Project<T, V>> Aggregate<T> for End<F, V> {
    #[inline]
    fn step(&self, state: &mut Self::State, at: Seq, item: &T) {
        if self.replaces(at, state.as_ref()) {
            *state = Some(Kept { at, value: self.value.get(item) });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<String>(), 0..40), cut in any::<Cut>()) {
            holds(&(first(), last(), first_of(String::len), last_of(String::len)), &items, cut)?;
            prop_assert_eq!(apply(&first(), items.clone()), items.first().cloned());
            prop_assert_eq!(apply(&last(), items.clone()), items.last().cloned());
        }
    }
}
