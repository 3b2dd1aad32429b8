//! How many different values there are, exactly. What must stay true: the state is the set of the values themselves, so
//! that it does not matter how often, where or in which order they were seen.

use std::collections::HashSet;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::weight::{Weights, table_of};
use super::{Aggregate, Fold, Project};
use crate::batch::Seq;

/// The number of different values that a closure gets out of the records, exactly. Costs a look into a hash table a
/// record; the state holds each value once (for values that are written differently but compare as equal, one of them).
/// Where that is too much there is [`approx_count_distinct`](super::approx_count_distinct()).
///
/// ```
/// use kitbag::agg::{self, count_distinct};
/// let words = ["to", "be", "or", "not", "to", "be"];
/// assert_eq!(agg::apply(&count_distinct(|word: &&str| word.to_string()), words), 4);
/// assert_eq!(agg::apply(&count_distinct(|word: &&str| word.len()), words), 2);
/// ```
#[doc(alias = "nunique")]
pub fn count_distinct<T: ?Sized, V: Hash + Eq, F: Project<T, V>>(value: F) -> CountDistinct<F, V> {
    CountDistinct { value, _value: PhantomData }
}

/// See [`count_distinct`].
#[derive(Clone, Debug)]
pub struct CountDistinct<F, V> {
    value: F,
    _value: PhantomData<fn() -> V>,
}

/// The values so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "V: Serialize", deserialize = "V: Hash + Eq + Deserialize<'de>"))]
pub struct Seen<V> {
    values: HashSet<V>,
    weights: Weights,
}

impl<F, V> Fold for CountDistinct<F, V>
where
    F: Send + Sync,
    V: Hash + Eq + Send + Serialize + DeserializeOwned,
{
    type State = Seen<V>;
    type Out = u64;

    fn init(&self) -> Seen<V> {
        Seen { values: HashSet::new(), weights: Weights::default() }
    }

    fn merge(&self, into: &mut Seen<V>, mut from: Seen<V>) {
        if into.values.len() < from.values.len() {
            std::mem::swap(into, &mut from);
        }
        into.values.extend(from.values);
        into.weights.merge(from.weights);
    }

    fn finish(&self, state: Seen<V>) -> u64 {
        state.values.len() as u64
    }

    fn heap_size(&self, state: &Seen<V>) -> usize {
        table_of::<V>(state.values.capacity()) + state.weights.of(state.values.len())
    }
}

impl<T: ?Sized, F, V> Aggregate<T> for CountDistinct<F, V>
where
    F: Project<T, V>,
    V: Hash + Eq + Send + Serialize + DeserializeOwned,
{
    #[inline]
    fn step(&self, state: &mut Seen<V>, _: Seq, item: &T) {
        let value = self.value.get(item);
        if !state.values.contains(&value) {
            state.weights.see(state.values.len(), &value);
            state.values.insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(("[ab]{0,3}", any::<f64>()), 0..60), cut in any::<Cut>()) {
            let words = || count_distinct(|item: &(String, f64)| item.0.clone());
            holds(&(words(), count_distinct(|item: &(String, f64)| (Float(item.1), item.0.len()))), &items, cut)?;
            let model: BTreeSet<_> = items.iter().map(|item| item.0.clone()).collect();
            prop_assert_eq!(apply(&words(), items), model.len() as u64);
        }
    }

    #[test]
    fn what_the_state_weighs_is_about_what_it_holds() {
        let texts = count_distinct(|n: &u64| format!("{n:0>100}"));
        let mut state = texts.init();
        assert_eq!(texts.heap_size(&state), 0);
        for index in 0..20_000 {
            texts.step(&mut state, Seq::new(Default::default(), index), &(index % 1000));
        }
        // 1000 texts of 100 bytes in a table of 2048 buckets.
        let table = 2048 * (size_of::<String>() + 1);
        assert!((table + 100_000..table + 110_000).contains(&texts.heap_size(&state)), "{}", texts.heap_size(&state));
        assert_eq!(texts.finish(state), 1000);
    }
}
