//! Some records drawn at random, the same ones on every run. What must stay true: whether a record is drawn depends on
//! the seed and on the records' order, on nothing else. So records are counted in record order and states are not
//! merged; positions would not do, since their numbers depend on the cut.
//!
//! Every record gets a number from the seed and its index, and the records with the smallest numbers are drawn: bottom-k
//! sampling (Cohen and Kaplan, "Summarizing data using bottom-k sketches", 2007), uniform and without replacement.

use std::hash::Hasher;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::top_k::Candidates;
use super::{Aggregate, Fold, Itself, Merging, Project, TopK, bottom_k};
use crate::batch::Seq;

/// `n` records drawn at random, without replacement, in record order; all of them where there are not more. Every set of
/// `n` records is as likely as any other. The same seed draws the same records of the same sequence, whatever the
/// threads, blocks, shards and budget, and a larger `n` draws those of a smaller one and more.
///
/// For that records are stepped in order, into one state ([`Merging::Never`]): one thread steps, also the other parts of
/// a tuple, and by key it takes [`fold_by_in_order`](crate::Bag::fold_by_in_order). A record costs one hash; the state
/// holds up to 2`n` records.
///
/// ```
/// use kitbag::agg::{self, sample};
/// let drawn = agg::apply(&sample(3, 42), 0..1000);
/// assert_eq!(drawn.len(), 3);
/// assert!(drawn.is_sorted());
/// assert_eq!(drawn, agg::apply(&sample(3, 42), 0..1000));
/// assert_ne!(drawn, agg::apply(&sample(3, 43), 0..1000));
/// ```
#[doc(alias = "random.sample")]
pub fn sample<T: Clone>(n: usize, seed: u64) -> Sample<Itself, T> {
    sample_of(n, seed, Itself)
}

/// A value out of each of `n` records drawn as by [`sample`], which is asked for only where a record may be drawn: also
/// for borrowed records.
///
/// ```
/// use kitbag::agg::{self, sample_of};
/// assert_eq!(agg::apply(&sample_of(5, 0, |line: &&str| line.len()), ["one", "three"]), [3, 5]);
/// ```
pub fn sample_of<T: ?Sized, V, F: Project<T, V>>(n: usize, seed: u64, value: F) -> Sample<F, V> {
    Sample { seed, value, lowest: bottom_k(n, |_: &V| 0) }
}

/// See [`sample`] and [`sample_of`].
#[derive(Clone, Debug)]
pub struct Sample<F, V> {
    seed: u64,
    value: F,
    /// Keeps the values with the lowest numbers; never asks for the key of a value.
    lowest: TopK<V, u64, fn(&V) -> u64>,
}

/// How many records there were, and the values of those that may be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Drawn<V> {
    seen: u64,
    candidates: Candidates<V, u64>,
}

/// The number of the record with this index, random and uniform: the same for every `Sample` with this seed.
#[inline]
pub(crate) fn draw(seed: u64, index: u64) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(seed, 0);
    hasher.write(&index.to_le_bytes());
    hasher.finish()
}

impl<F: Send + Sync, V: Send + Serialize + DeserializeOwned> Fold for Sample<F, V> {
    type State = Drawn<V>;
    type Out = Vec<V>;

    fn init(&self) -> Drawn<V> {
        Drawn { seen: 0, candidates: self.lowest.empty() }
    }

    /// Not to be called: the records of `from` were counted from 0.
    fn merge(&self, into: &mut Drawn<V>, from: Drawn<V>) {
        debug_assert!(false, "an aggregate that is stepped in order was merged");
        *into = from;
    }

    fn finish(&self, state: Drawn<V>) -> Vec<V> {
        let mut drawn: Vec<_> = self.lowest.best(state.candidates).collect();
        drawn.sort_unstable_by_key(|entry| entry.at);
        drawn.into_iter().map(|entry| entry.item).collect()
    }

    fn merging(&self) -> Merging {
        Merging::Never
    }

    fn heap_size(&self, state: &Drawn<V>) -> usize {
        self.lowest.heap(&state.candidates)
    }
}

impl<T: ?Sized, V: Send + Serialize + DeserializeOwned, F: Project<T, V>> Aggregate<T> for Sample<F, V> {
    #[inline]
    fn step(&self, state: &mut Drawn<V>, at: Seq, item: &T) {
        let number = draw(self.seed, state.seen);
        state.seen += 1;
        if self.lowest.counts(&state.candidates, &number, at) {
            self.lowest.keep(&mut state.candidates, number, at, self.value.get(item));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::draw;
    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<String>(), 0..60), n in 0..9usize, seed: u64, cut in any::<Cut>()) {
            holds(&(sample(n, seed), sample_of(n, seed, String::len)), &items, cut)?;
            let mut model: Vec<usize> = (0..items.len()).collect();
            model.sort_by_key(|index| draw(seed, *index as u64));
            model.truncate(n);
            model.sort_unstable();
            let model: Vec<String> = model.into_iter().map(|index| items[index].clone()).collect();
            prop_assert_eq!(apply(&sample(n, seed), items), model);
        }
    }

    #[test]
    fn every_record_is_drawn_as_often_as_any_other_and_beside_any_other() {
        let (mut alone, mut pairs) = ([0u32; 20], [0u32; 20]);
        for seed in 0..20_000 {
            let drawn = apply(&sample(5, seed), 0..20usize);
            assert_eq!(drawn.len(), 5);
            drawn.iter().for_each(|x| alone[*x] += 1);
            // Those beside the first record.
            drawn.iter().filter(|_| drawn[0] == 0).for_each(|x| pairs[*x] += 1);
        }
        // 5/20 of 20,000 are 5000, with a deviation of 61; 5/20 · 4/19 are 1053, with one of 32.
        assert!(alone.iter().all(|times| times.abs_diff(5000) < 300), "{alone:?}");
        assert!(pairs[1..].iter().all(|times| times.abs_diff(1053) < 160), "{pairs:?}");
    }

    #[test]
    fn a_larger_sample_holds_the_smaller_one_and_no_state_grows_with_the_input() {
        let (small, large) = (apply(&sample(10, 1), 0..100_000), apply(&sample(1000, 1), 0..100_000));
        assert!(small.iter().all(|x| large.contains(x)) && large.len() == 1000);
        let ten = sample(10, 1);
        let mut state = ten.init();
        (0..100_000).for_each(|x| ten.step(&mut state, Seq::new(Default::default(), x), &x));
        assert!(ten.heap_size(&state) <= 32 * 48, "{}", ten.heap_size(&state));
    }
}
