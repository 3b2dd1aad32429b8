//! All records, in record order. What must stay true: the order comes from the positions alone.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::weight::Weights;
use super::{Aggregate, Fold, Itself, Project};
use crate::batch::Seq;

/// All records, in record order, in a `Vec`. The state holds them all, with 16 bytes more each; they are sorted at the
/// end, which is quick for states that were stepped in order.
///
/// ```
/// use kitbag::agg::{self, collect};
/// assert_eq!(agg::apply(&collect(), [3, 1, 2]), [3, 1, 2]);
/// ```
pub fn collect<T: Clone>() -> Collect<Itself, T> {
    collect_of(Itself)
}

/// A value out of every record, in record order, in a `Vec`: also for borrowed records.
///
/// ```
/// use kitbag::agg::{self, collect_of};
/// assert_eq!(agg::apply(&collect_of(|line: &&str| line.len()), ["one", "three"]), [3, 5]);
/// ```
pub fn collect_of<T: ?Sized, V, F: Project<T, V>>(value: F) -> Collect<F, V> {
    Collect { value, _value: PhantomData }
}

/// See [`collect`] and [`collect_of`].
#[derive(Clone, Debug)]
pub struct Collect<F, V> {
    value: F,
    _value: PhantomData<fn() -> V>,
}

/// The values so far, in any order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept<V> {
    values: Vec<(Seq, V)>,
    weights: Weights,
}

impl<F: Send + Sync, V: Send + Serialize + DeserializeOwned> Fold for Collect<F, V> {
    type State = Kept<V>;
    type Out = Vec<V>;

    fn init(&self) -> Kept<V> {
        Kept { values: Vec::new(), weights: Weights::default() }
    }

    fn merge(&self, into: &mut Kept<V>, mut from: Kept<V>) {
        if into.values.len() < from.values.len() {
            std::mem::swap(into, &mut from);
        }
        into.values.append(&mut from.values);
        into.weights.merge(from.weights);
    }

    fn finish(&self, state: Kept<V>) -> Vec<V> {
        let mut values = state.values;
        // The stable sort finds and merges the runs that were stepped in order.
        values.sort_by_key(|(at, _)| *at);
        values.into_iter().map(|(_, value)| value).collect()
    }

    fn heap_size(&self, state: &Kept<V>) -> usize {
        state.values.capacity() * size_of::<(Seq, V)>() + state.weights.of(state.values.len())
    }
}

impl<T: ?Sized, V: Send + Serialize + DeserializeOwned, F: Project<T, V>> Aggregate<T> for Collect<F, V> {
    #[inline]
    fn step(&self, state: &mut Kept<V>, at: Seq, item: &T) {
        let value = self.value.get(item);
        state.weights.see(state.values.len(), &value);
        state.values.push((at, value));
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
            holds(&(collect(), collect_of(String::len)), &items, cut)?;
            prop_assert_eq!(apply(&collect(), items.clone()), items);
        }
    }

    #[test]
    fn the_weight_of_texts_is_about_their_length() {
        let all = collect();
        let mut state = all.init();
        for index in 0..1000 {
            all.step(&mut state, Seq::new(Default::default(), index), &"x".repeat(500));
        }
        assert!((500_000..600_000).contains(&all.heap_size(&state)), "{}", all.heap_size(&state));
    }
}
