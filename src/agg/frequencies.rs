//! How often each value occurs. What must stay true: a value is spelt as and stands where it first occurs, by position,
//! so that merging is exact even where values that compare as equal can be told apart.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::weight::{Weights, table_of};
use super::{Aggregate, Fold, Project};
use crate::batch::Seq;

/// The different values that a closure gets out of the records, each with how often it occurs, in order of first
/// occurrence; [`top`](Frequencies::top) gives the most frequent ones instead. Costs a look into a hash table a record;
/// the state holds each value once. Out of core, over a whole bag, there is [`Bag::frequencies`](crate::Bag::frequencies).
///
/// ```
/// use kitbag::agg::{self, Itself, frequencies};
/// assert_eq!(agg::apply(&frequencies(Itself), "banana".chars()), [('b', 1), ('a', 3), ('n', 2)]);
/// ```
#[doc(alias = "value_counts")]
pub fn frequencies<T: ?Sized, V: Hash + Eq, F: Project<T, V>>(value: F) -> Frequencies<F, V> {
    Frequencies { value, top: None, _value: PhantomData }
}

/// See [`frequencies`].
#[derive(Clone, Debug)]
pub struct Frequencies<F, V> {
    value: F,
    top: Option<usize>,
    _value: PhantomData<fn() -> V>,
}

impl<F, V> Frequencies<F, V> {
    /// Only the `n` most frequent values, the most frequent first, of equals the one that occurs first. The counts are
    /// exact, so the state still holds all values.
    ///
    /// ```
    /// use kitbag::agg::{self, Itself, frequencies};
    /// assert_eq!(agg::apply(&frequencies(Itself).top(2), "abracadabra".chars()), [('a', 5), ('b', 2)]);
    /// ```
    #[must_use]
    pub fn top(self, n: usize) -> Self {
        Frequencies { top: Some(n), ..self }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    first: Seq,
    count: u64,
}

/// The values so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "V: Serialize", deserialize = "V: Hash + Eq + Deserialize<'de>"))]
pub struct Counts<V> {
    values: HashMap<V, Seen>,
    weights: Weights,
}

impl<V: Hash + Eq> Counts<V> {
    /// Adds a value; gives it back with what is known of it if it is new.
    #[inline]
    fn add(&mut self, value: V, new: Seen) -> Option<(V, Seen)> {
        let Some(known) = self.values.get_mut(&value) else { return Some((value, new)) };
        known.count += new.count;
        if new.first < known.first {
            let moved = Seen { first: new.first, count: known.count };
            // To insert it would keep the old spelling.
            self.values.remove(&value);
            self.values.insert(value, moved);
        }
        None
    }
}

impl<F, V> Fold for Frequencies<F, V>
where
    F: Send + Sync,
    V: Hash + Eq + Send + Serialize + DeserializeOwned,
{
    type State = Counts<V>;
    type Out = Vec<(V, u64)>;

    fn init(&self) -> Counts<V> {
        Counts { values: HashMap::new(), weights: Weights::default() }
    }

    fn merge(&self, into: &mut Counts<V>, mut from: Counts<V>) {
        if into.values.len() < from.values.len() {
            std::mem::swap(into, &mut from);
        }
        for (value, seen) in from.values {
            if let Some((value, seen)) = into.add(value, seen) {
                into.values.insert(value, seen);
            }
        }
        into.weights.merge(from.weights);
    }

    fn finish(&self, state: Counts<V>) -> Vec<(V, u64)> {
        let mut values: Vec<(V, Seen)> = state.values.into_iter().collect();
        match self.top {
            Some(_) => values.sort_unstable_by_key(|(_, seen)| (Reverse(seen.count), seen.first)),
            None => values.sort_unstable_by_key(|(_, seen)| seen.first),
        }
        let most = self.top.unwrap_or(usize::MAX);
        values.into_iter().take(most).map(|(value, seen)| (value, seen.count)).collect()
    }

    fn heap_size(&self, state: &Counts<V>) -> usize {
        table_of::<(V, Seen)>(state.values.capacity()) + state.weights.of(state.values.len())
    }
}

impl<T: ?Sized, F, V> Aggregate<T> for Frequencies<F, V>
where
    F: Project<T, V>,
    V: Hash + Eq + Send + Serialize + DeserializeOwned,
{
    #[inline]
    fn step(&self, state: &mut Counts<V>, at: Seq, item: &T) {
        let seen = Seen { first: at, count: 1 };
        if let Some((value, seen)) = state.add(self.value.get(item), seen) {
            state.weights.see(state.values.len(), &value);
            state.values.insert(value, seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::hash::{Hash, Hasher};

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    /// A text that compares without its case: equal ones can be told apart.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Caseless(String);

    impl PartialEq for Caseless {
        fn eq(&self, other: &Caseless) -> bool {
            self.0.eq_ignore_ascii_case(&other.0)
        }
    }

    impl Eq for Caseless {}

    impl Hash for Caseless {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.to_ascii_lowercase().hash(state);
        }
    }

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec("[aAbB]{0,2}", 0..80), n in 0..6usize, cut in any::<Cut>()) {
            let caseless = || frequencies(|text: &String| Caseless(text.clone()));
            holds(&(caseless(), caseless().top(n), frequencies(String::len)), &items, cut)?;

            let mut model: Vec<(String, u64)> = Vec::new();
            for item in &items {
                match model.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(item)) {
                    Some((_, count)) => *count += 1,
                    None => model.push((item.clone(), 1)),
                }
            }
            let plain = |all: Vec<(Caseless, u64)>| all.into_iter().map(|(text, n)| (text.0, n)).collect::<Vec<_>>();
            prop_assert_eq!(plain(apply(&caseless(), items.clone())), model.clone());
            model.sort_by_key(|(_, count)| Reverse(*count));
            model.truncate(n);
            prop_assert_eq!(plain(apply(&caseless().top(n), items)), model);
        }
    }

    #[test]
    fn the_state_weighs_what_it_holds_and_not_what_it_has_seen() {
        let texts = frequencies(|n: &u64| format!("{n:0>100}"));
        let mut state = texts.init();
        for index in 0..20_000 {
            texts.step(&mut state, Seq::new(Default::default(), index), &(index % 1000));
        }
        let table = 2048 * (size_of::<String>() + 3 * 8 + 1);
        assert!((table + 100_000..table + 110_000).contains(&texts.heap_size(&state)), "{}", texts.heap_size(&state));
    }
}
