//! The records with the largest or smallest keys. What must stay true: the order of the answer is total (by key, then
//! by position), and no state holds more than 2k records, however many are merged.

use std::cmp::Ordering;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::weight::heap_of;
use super::{Aggregate, Fold, Project};
use crate::batch::Seq;

/// The `k` records with the largest keys, the largest first, equals in record order. Costs one comparison for a record
/// that does not come close, a clone for one that does; the state holds up to 2`k` records.
///
/// ```
/// use kitbag::agg::{self, top_k};
/// let longest = top_k(2, |word: &String| word.len());
/// let words = ["a", "cc", "bb", "dd"].map(str::to_owned);
/// assert_eq!(agg::apply(&longest, words), ["cc", "bb"]);
/// ```
pub fn top_k<T, K: Ord, F: Project<T, K>>(k: usize, key: F) -> TopK<T, K, F> {
    TopK { k, key, largest: true, _types: PhantomData }
}

/// The `k` records with the smallest keys, the smallest first, equals in record order. Costs what [`top_k`] costs.
///
/// ```
/// use kitbag::agg::{self, Itself, bottom_k};
/// assert_eq!(agg::apply(&bottom_k(2, Itself), [3, 1, 2]), [1, 2]);
/// ```
pub fn bottom_k<T, K: Ord, F: Project<T, K>>(k: usize, key: F) -> TopK<T, K, F> {
    TopK { k, key, largest: false, _types: PhantomData }
}

/// See [`top_k`] and [`bottom_k`].
#[derive(Clone, Debug)]
pub struct TopK<T, K, F> {
    k: usize,
    key: F,
    largest: bool,
    _types: PhantomData<fn() -> (T, K)>,
}

/// A record that may be in the answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry<T, K> {
    key: K,
    pub(super) at: Seq,
    pub(super) item: T,
    heap: usize,
}

/// The candidates so far. Once they have been `cut`, the first k hold the k best of what was seen until then, the worst
/// of them as the k-th: nothing that comes after that one can be in the answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Candidates<T, K> {
    entries: Vec<Entry<T, K>>,
    cut: bool,
    heap: usize,
}

impl<T, K: Ord, F> TopK<T, K, F> {
    pub(super) fn empty(&self) -> Candidates<T, K> {
        Candidates { entries: Vec::new(), cut: false, heap: 0 }
    }

    fn order(&self, left: (&K, Seq), right: (&K, Seq)) -> Ordering {
        let keys = left.0.cmp(right.0);
        if self.largest { keys.reverse() } else { keys }.then(left.1.cmp(&right.1))
    }

    /// Whether a record may still be in the answer.
    #[inline]
    pub(super) fn counts(&self, state: &Candidates<T, K>, key: &K, at: Seq) -> bool {
        let worst = if state.cut { state.entries.get(self.k.wrapping_sub(1)) } else { None };
        self.k > 0 && worst.is_none_or(|worst| self.order((key, at), (&worst.key, worst.at)).is_lt())
    }

    /// Adds a record that [counts](TopK::counts).
    pub(super) fn keep(&self, state: &mut Candidates<T, K>, key: K, at: Seq, item: T)
    where
        T: Serialize,
        K: Serialize,
    {
        let heap = heap_of(&key) + heap_of(&item);
        self.push(state, Entry { key, at, item, heap });
    }

    fn push(&self, state: &mut Candidates<T, K>, entry: Entry<T, K>) {
        state.heap += entry.heap;
        state.entries.push(entry);
        // With room for k more, cutting costs a constant time a record: each cut takes time in 2k and frees k.
        if state.entries.len() >= self.k.saturating_mul(2) {
            let by = |a: &Entry<T, K>, b: &Entry<T, K>| self.order((&a.key, a.at), (&b.key, b.at));
            state.entries.select_nth_unstable_by(self.k - 1, by);
            let dropped = state.entries.drain(self.k..).map(|entry| entry.heap).sum::<usize>();
            state.heap -= dropped;
            state.cut = true;
        }
    }

    /// The k best, the best first.
    pub(super) fn best(&self, mut state: Candidates<T, K>) -> impl Iterator<Item = Entry<T, K>> + use<T, K, F> {
        state.entries.sort_unstable_by(|a, b| self.order((&a.key, a.at), (&b.key, b.at)));
        state.entries.into_iter().take(self.k)
    }

    pub(super) fn heap(&self, state: &Candidates<T, K>) -> usize {
        state.entries.capacity() * size_of::<Entry<T, K>>() + state.heap
    }
}

impl<T, K, F> Fold for TopK<T, K, F>
where
    T: Send + Serialize + DeserializeOwned,
    K: Ord + Send + Serialize + DeserializeOwned,
    F: Send + Sync,
{
    type State = Candidates<T, K>;
    type Out = Vec<T>;

    fn init(&self) -> Self::State {
        self.empty()
    }

    fn merge(&self, into: &mut Self::State, mut from: Self::State) {
        if from.cut && !into.cut {
            std::mem::swap(into, &mut from);
        }
        for entry in from.entries {
            if self.counts(into, &entry.key, entry.at) {
                self.push(into, entry);
            }
        }
    }

    fn finish(&self, state: Self::State) -> Vec<T> {
        self.best(state).map(|entry| entry.item).collect()
    }

    fn heap_size(&self, state: &Self::State) -> usize {
        self.heap(state)
    }
}

impl<T, K, F> Aggregate<T> for TopK<T, K, F>
where
    T: Clone + Send + Serialize + DeserializeOwned,
    K: Ord + Send + Serialize + DeserializeOwned,
    F: Project<T, K>,
{
    #[inline]
    fn step(&self, state: &mut Self::State, at: Seq, item: &T) {
        let key = self.key.get(item);
        if self.counts(state, &key, at) {
            self.keep(state, key, at, item.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<(u8, String)>(), 0..60), k in 0..9usize, cut in any::<Cut>()) {
            let key = || |item: &(u8, String)| item.0 % 8;
            holds(&(top_k(k, key()), bottom_k(k, key())), &items, cut)?;
            let mut sorted = items.clone();
            sorted.sort_by_key(|item| Reverse(item.0 % 8));
            sorted.truncate(k);
            prop_assert_eq!(apply(&top_k(k, key()), items.clone()), sorted);
            let mut sorted = items.clone();
            sorted.sort_by_key(key());
            sorted.truncate(k);
            prop_assert_eq!(apply(&bottom_k(k, key()), items), sorted);
        }
    }

    #[test]
    fn no_state_outgrows_twice_k() {
        let top = top_k(10, |x: &u64| *x);
        let mut state = top.init();
        for round in 0..100 {
            let mut part = top.init();
            (0..500).for_each(|x| top.step(&mut part, Seq::new(Default::default(), round * 500 + x), &(x * round)));
            top.merge(&mut state, part);
            assert!(state.entries.len() < 20 && top.heap_size(&state) <= 32 * 48);
        }
        assert_eq!(top.finish(state)[..2], [499 * 99, 498 * 99]);
        assert_eq!(apply(&top_k(usize::MAX, Itself), [1, 3, 2]), [3, 2, 1]);
    }
}
