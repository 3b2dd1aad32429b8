//! The record with the smallest or largest key. What must stay true: of records with equal keys the one at the lowest
//! position is kept, which is what makes merging exact.

use std::cmp::Ordering;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::weight::heap_of;
use super::{Aggregate, Fold, Project};
use crate::batch::Seq;

/// The record with the smallest key, the first of equals; `None` for no records. Costs one comparison a record and a
/// clone of every record that is the smallest so far; the state is a key and a record.
///
/// ```
/// use kitbag::agg::{self, min_by};
/// let shortest = min_by(|word: &String| word.len());
/// let words = ["ccc", "bb", "aa"].map(str::to_owned);
/// assert_eq!(agg::apply(&shortest, words), Some("bb".to_owned()));
/// ```
pub fn min_by<T, K: Ord, F: Project<T, K>>(key: F) -> Best<T, K, F> {
    Best { key, better: Ordering::Less, _types: PhantomData }
}

/// The record with the largest key, the first of equals; `None` for no records. Costs what [`min_by`] costs.
///
/// ```
/// use kitbag::agg::{self, Float, max_by};
/// let highest = max_by(|point: &(f64, f64)| Float(point.1));
/// assert_eq!(agg::apply(&highest, [(0.0, 1.0), (1.0, 3.0), (2.0, 3.0)]), Some((1.0, 3.0)));
/// ```
pub fn max_by<T, K: Ord, F: Project<T, K>>(key: F) -> Best<T, K, F> {
    Best { key, better: Ordering::Greater, _types: PhantomData }
}

/// See [`min_by`] and [`max_by`].
#[derive(Clone, Debug)]
pub struct Best<T, K, F> {
    key: F,
    /// What a key must be, compared with the kept one, to replace it.
    better: Ordering,
    _types: PhantomData<fn() -> (T, K)>,
}

/// The best record so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept<T, K> {
    key: K,
    at: Seq,
    item: T,
    heap: usize,
}

impl<T, K: Ord, F> Best<T, K, F> {
    #[inline]
    fn replaces(&self, key: &K, at: Seq, kept: Option<&Kept<T, K>>) -> bool {
        kept.is_none_or(|kept| match key.cmp(&kept.key) {
            Ordering::Equal => at < kept.at,
            other => other == self.better,
        })
    }
}

impl<T, K, F> Fold for Best<T, K, F>
where
    T: Send + Serialize + DeserializeOwned,
    K: Ord + Send + Serialize + DeserializeOwned,
    F: Send + Sync,
{
    type State = Option<Kept<T, K>>;
    type Out = Option<T>;

    fn init(&self) -> Self::State {
        None
    }

    fn merge(&self, into: &mut Self::State, from: Self::State) {
        if from.as_ref().is_some_and(|from| self.replaces(&from.key, from.at, into.as_ref())) {
            *into = from;
        }
    }

    fn finish(&self, state: Self::State) -> Option<T> {
        state.map(|kept| kept.item)
    }

    fn heap_size(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, |kept| kept.heap)
    }
}

impl<T, K, F> Aggregate<T> for Best<T, K, F>
where
    T: Clone + Send + Serialize + DeserializeOwned,
    K: Ord + Send + Serialize + DeserializeOwned,
    F: Project<T, K>,
{
    #[inline]
    fn step(&self, state: &mut Self::State, at: Seq, item: &T) {
        let key = self.key.get(item);
        if self.replaces(&key, at, state.as_ref()) {
            let heap = heap_of(&key) + heap_of(item);
            *state = Some(Kept { key, at, item: item.clone(), heap });
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
        fn laws(items in prop::collection::vec(any::<(u8, String)>(), 0..40), cut in any::<Cut>()) {
            let key = || |item: &(u8, String)| item.0 % 4;
            holds(&(min_by(key()), max_by(key())), &items, cut)?;
            // `min_by_key` keeps the first of equals, `max_by_key` the last.
            prop_assert_eq!(apply(&min_by(key()), items.clone()), items.iter().min_by_key(|x| x.0 % 4).cloned());
            let first = items.iter().rev().max_by_key(|x| x.0 % 4).cloned();
            prop_assert_eq!(apply(&max_by(key()), items), first);
        }
    }
}
