//! Adaptors: another answer ([`Map`]), fewer records ([`Filter`]), a part of each record ([`Of`]). What must stay true:
//! they hold no state of their own, so merging is as exact as that of the aggregate inside.

use std::marker::PhantomData;

use super::{Aggregate, Fold, Merging, Project};
use crate::batch::Seq;

/// An aggregate with its answer changed; made by [`Fold::map`].
#[derive(Clone, Debug)]
pub struct Map<A, F> {
    inner: A,
    change: F,
}

impl<A, F> Map<A, F> {
    pub(super) fn new(inner: A, change: F) -> Self {
        Map { inner, change }
    }
}

impl<A: Fold, U, F: Fn(A::Out) -> U + Send + Sync> Fold for Map<A, F> {
    type State = A::State;
    type Out = U;

    fn init(&self) -> A::State {
        self.inner.init()
    }

    fn merge(&self, into: &mut A::State, from: A::State) {
        self.inner.merge(into, from);
    }

    fn finish(&self, state: A::State) -> U {
        (self.change)(self.inner.finish(state))
    }

    fn merging(&self) -> Merging {
        self.inner.merging()
    }

    fn heap_size(&self, state: &A::State) -> usize {
        self.inner.heap_size(state)
    }
}

impl<T: ?Sized, A: Aggregate<T>, U, F: Fn(A::Out) -> U + Send + Sync> Aggregate<T> for Map<A, F> {
    #[inline]
    fn step(&self, state: &mut A::State, at: Seq, item: &T) {
        self.inner.step(state, at, item);
    }
}

/// An aggregate of some of the records; made by [`Fold::filter`].
#[derive(Clone, Debug)]
pub struct Filter<A, P> {
    inner: A,
    keep: P,
}

impl<A, P> Filter<A, P> {
    pub(super) fn new(inner: A, keep: P) -> Self {
        Filter { inner, keep }
    }
}

impl<T: ?Sized, A: Aggregate<T>, P: Project<T, bool>> Aggregate<T> for Filter<A, P> {
    #[inline]
    fn step(&self, state: &mut A::State, at: Seq, item: &T) {
        if self.keep.get(item) {
            self.inner.step(state, at, item);
        }
    }
}

/// An aggregate of a part of each record; made by [`Fold::of`].
#[derive(Clone, Debug)]
pub struct Of<A, F, U> {
    inner: A,
    part: F,
    _part: PhantomData<fn() -> U>,
}

impl<A, F, U> Of<A, F, U> {
    pub(super) fn new(inner: A, part: F) -> Self {
        Of { inner, part, _part: PhantomData }
    }
}

impl<T: ?Sized, U, A: Aggregate<U>, F: Project<T, U>> Aggregate<T> for Of<A, F, U> {
    #[inline]
    fn step(&self, state: &mut A::State, at: Seq, item: &T) {
        self.inner.step(state, at, &self.part.get(item));
    }
}

macro_rules! same_fold {
    ($($name:ident<A, F $(, $other:ident)?>),+) => {$(
        impl<A: Fold, F: Send + Sync $(, $other)?> Fold for $name<A, F $(, $other)?> {
            type State = A::State;
            type Out = A::Out;

            fn init(&self) -> A::State {
                self.inner.init()
            }

            fn merge(&self, into: &mut A::State, from: A::State) {
                self.inner.merge(into, from);
            }

            fn finish(&self, state: A::State) -> A::Out {
                self.inner.finish(state)
            }

            fn merging(&self) -> Merging {
                self.inner.merging()
            }

            fn heap_size(&self, state: &A::State) -> usize {
                self.inner.heap_size(state)
            }
        }
    )+};
}

same_fold!(Filter<A, F>, Of<A, F, U>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<i32>(), 0..60), cut in any::<Cut>()) {
            let aggregate = (collect(), sum(Itself)).of(|x: &i32| i64::from(*x) / 3).filter(|x: &i32| x % 3 != 0);
            holds(&aggregate.map(|(all, total)| (all.len(), total)), &items, cut)?;
        }
    }

    #[test]
    fn adaptors_pass_on_what_the_inside_says() {
        let inner = || step_in_order(String::new, |all: &mut String, c: &char| all.push(*c));
        assert_eq!(inner().map(|all| all.len()).merging(), Merging::Never);
        assert_eq!(inner().filter(|c: &char| *c == 'a').merging(), Merging::Never);
        let kept = collect().of(|c: &char| *c as u32).filter(|c: &char| *c != 'b').map(|all| all.len());
        let mut state = kept.init();
        "abc".chars().for_each(|c| kept.step(&mut state, Seq::default(), &c));
        assert!(kept.heap_size(&state) >= 2 * size_of::<(Seq, u32)>());
        assert_eq!(kept.finish(state), 2);
    }
}
