//! Aggregates of the caller's own closures. What must stay true: nothing is assumed of a closure that its author did
//! not promise.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Aggregate, Fold, Merging};
use crate::batch::Seq;

/// An aggregate of three closures: an empty state, how a record is added to it, and how a later state is added to an
/// earlier one. The answer is the state; [`Fold::map`] makes something else of it.
///
/// What the closures promise: `init` is neutral (it is called for every part of the input), and `merge` is associative.
/// States are merged in record order only, unless [`exact`](FoldWith::exact) promises more. What a state holds on the
/// heap is not known, see [`heap`](FoldWith::heap).
///
/// ```
/// use kitbag::agg::{self, fold_with};
/// let product = fold_with(|| 1.0, |product: &mut f64, x: &f64| *product *= x, |product, other| *product *= other);
/// assert_eq!(agg::apply(&product, [2.0, 3.0, 4.0]), 24.0);
/// ```
pub fn fold_with<T: ?Sized, S, I, P, M>(init: I, step: P, merge: M) -> FoldWith<S, I, P, M>
where
    I: Fn() -> S,
    P: Step<S, T>,
    M: Fn(&mut S, S),
{
    FoldWith { init, step, merge, merging: Merging::InOrder, heap: |_| 0 }
}

/// An aggregate of two closures that cannot be merged: every record is stepped, in record order, into one state. Such
/// work is not shared among threads. `init` need not be neutral, for it is called once for each answer.
///
/// ```
/// use kitbag::agg::{self, step_in_order};
/// let balance = step_in_order(|| 100.0, |balance: &mut f64, change: &f64| *balance = (*balance + change).max(0.0));
/// assert_eq!(agg::apply(&balance, [-150.0, 20.0]), 20.0);
/// ```
pub fn step_in_order<T: ?Sized, S, I, P>(init: I, step: P) -> InOrder<S, I, P>
where
    I: Fn() -> S,
    P: Step<S, T>,
{
    InOrder { init, step, heap: |_| 0 }
}

/// Adds a `T` to a state: every `Fn(&mut S, &T)` does. It is not that trait for the reason that
/// [`Project`](super::Project) gives, with the same price: `|state: &mut S, record: &T| …` writes both types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not add a `&{T}` to a `&mut {S}`",
    label = "expected a closure that names the types of its arguments: `|state: &mut {S}, record: &{T}| …`"
)]
pub trait Step<S, T: ?Sized>: Send + Sync {
    /// Adds `item` to `state`.
    fn add(&self, state: &mut S, item: &T);
}

impl<S, T: ?Sized, F: Fn(&mut S, &T) + Send + Sync> Step<S, T> for F {
    #[inline]
    fn add(&self, state: &mut S, item: &T) {
        self(state, item);
    }
}

/// See [`fold_with`].
#[derive(Clone, Debug)]
pub struct FoldWith<S, I, P, M> {
    init: I,
    step: P,
    merge: M,
    merging: Merging,
    heap: fn(&S) -> usize,
}

impl<S, I, P, M> FoldWith<S, I, P, M> {
    /// Promises that neither the order of records nor that of merging matters, so that threads need not keep it.
    ///
    /// ```
    /// use kitbag::agg::{Fold, Merging, fold_with};
    /// let xor = fold_with(|| 0, |all: &mut u64, x: &u64| *all ^= x, |all, other| *all ^= other);
    /// assert_eq!(xor.merging(), Merging::InOrder);
    /// assert_eq!(xor.exact().merging(), Merging::Exact);
    /// ```
    #[must_use]
    pub fn exact(self) -> Self {
        FoldWith { merging: Merging::Exact, ..self }
    }

    /// Says how many bytes a state holds on the heap, for the memory budget.
    ///
    /// ```
    /// use kitbag::agg::{Fold, fold_with};
    /// let all = fold_with(Vec::new, |all: &mut Vec<u8>, x: &u8| all.push(*x), |all, mut other| all.append(&mut other));
    /// assert_eq!(all.heap(Vec::capacity).heap_size(&Vec::with_capacity(64)), 64);
    /// ```
    #[must_use]
    pub fn heap(self, heap: fn(&S) -> usize) -> Self {
        FoldWith { heap, ..self }
    }
}

impl<S, I, P, M> Fold for FoldWith<S, I, P, M>
where
    S: Send + Serialize + DeserializeOwned,
    I: Fn() -> S + Send + Sync,
    P: Send + Sync,
    M: Fn(&mut S, S) + Send + Sync,
{
    type State = S;
    type Out = S;

    fn init(&self) -> S {
        (self.init)()
    }

    fn merge(&self, into: &mut S, from: S) {
        (self.merge)(into, from);
    }

    fn finish(&self, state: S) -> S {
        state
    }

    fn merging(&self) -> Merging {
        self.merging
    }

    fn heap_size(&self, state: &S) -> usize {
        (self.heap)(state)
    }
}

impl<T: ?Sized, S, I, P, M> Aggregate<T> for FoldWith<S, I, P, M>
where
    S: Send + Serialize + DeserializeOwned,
    I: Fn() -> S + Send + Sync,
    P: Step<S, T>,
    M: Fn(&mut S, S) + Send + Sync,
{
    #[inline]
    fn step(&self, state: &mut S, _: Seq, item: &T) {
        self.step.add(state, item);
    }
}

/// See [`step_in_order`].
#[derive(Clone, Debug)]
pub struct InOrder<S, I, P> {
    init: I,
    step: P,
    heap: fn(&S) -> usize,
}

impl<S, I, P> InOrder<S, I, P> {
    /// Says how many bytes the state holds on the heap, for the memory budget.
    ///
    /// ```
    /// use kitbag::agg::{Fold, step_in_order};
    /// let text = step_in_order(String::new, |all: &mut String, c: &char| all.push(*c)).heap(String::capacity);
    /// assert_eq!(text.heap_size(&String::with_capacity(64)), 64);
    /// ```
    #[must_use]
    pub fn heap(self, heap: fn(&S) -> usize) -> Self {
        InOrder { heap, ..self }
    }
}

impl<S, I, P> Fold for InOrder<S, I, P>
where
    S: Send + Serialize + DeserializeOwned,
    I: Fn() -> S + Send + Sync,
    P: Send + Sync,
{
    type State = S;
    type Out = S;

    fn init(&self) -> S {
        (self.init)()
    }

    /// Not to be called: there is no right answer.
    fn merge(&self, into: &mut S, from: S) {
        debug_assert!(false, "an aggregate that is stepped in order was merged");
        *into = from;
    }

    fn finish(&self, state: S) -> S {
        state
    }

    fn merging(&self) -> Merging {
        Merging::Never
    }

    fn heap_size(&self, state: &S) -> usize {
        (self.heap)(state)
    }
}

impl<T: ?Sized, S, I, P> Aggregate<T> for InOrder<S, I, P>
where
    S: Send + Serialize + DeserializeOwned,
    I: Fn() -> S + Send + Sync,
    P: Step<S, T>,
{
    #[inline]
    fn step(&self, state: &mut S, _: Seq, item: &T) {
        self.step.add(state, item);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<char>(), 0..40), cut in any::<Cut>()) {
            let text = fold_with(String::new, |all: &mut String, c: &char| all.push(*c), |a, b| a.push_str(&b));
            holds(&text, &items, cut)?;
            let xor = fold_with(|| 0, |all: &mut u32, c: &char| *all ^= *c as u32, |a, b| *a ^= b).exact();
            holds(&xor, &items, cut)?;
            let turns = step_in_order(|| 7, |all: &mut u32, c: &char| *all = all.rotate_left(3) ^ *c as u32);
            holds(&(turns, count()), &items, cut)?;
        }
    }
}
