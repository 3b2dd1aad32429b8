//! The laws of aggregates as one test: however the input is cut, stepped, merged and stored, the answer is the same.

use std::fmt::Debug;

use proptest::arbitrary::Arbitrary;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::{Aggregate, Fold, Merging, fold_with, last};
use crate::batch::{Seq, Unit};

/// A way to cut an input: the seed of everything that is random about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut(u64);

impl Arbitrary for Cut {
    type Parameters = ();
    type Strategy = BoxedStrategy<Cut>;

    fn arbitrary_with((): ()) -> BoxedStrategy<Cut> {
        any::<u64>().prop_map(Cut).boxed()
    }
}

impl Cut {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// Checks that `aggregate` answers for a cut input, merged as freely as it allows, what it answers for the whole.
/// Answers are compared by their debug text, which tells all floats but NaNs apart.
pub(super) fn holds<T, A>(aggregate: &A, items: &[T], mut cut: Cut) -> Result<(), TestCaseError>
where
    A: Aggregate<T>,
    A::Out: Debug,
{
    let at = |index: usize| {
        let task = u32::try_from(index / 7).unwrap_or(u32::MAX);
        Seq::new(Unit { task, no: u32::from(index % 7 > 3) }, index as u64)
    };
    let mut whole = aggregate.init();
    items.iter().enumerate().for_each(|(index, item)| aggregate.step(&mut whole, at(index), item));
    let expected = format!("{:?}", aggregate.finish(whole));

    let mut parts: Vec<Vec<usize>> = vec![Vec::new(); 1 + cut.below(6)];
    if aggregate.merging() == Merging::Exact {
        // Any order, any cut.
        let mut order: Vec<usize> = (0..items.len()).collect();
        (1..order.len()).for_each(|i| order.swap(i, cut.below(i + 1)));
        for index in order {
            let part = cut.below(parts.len());
            parts[part].push(index);
        }
    } else {
        let (mut part, last) = (0, parts.len() - 1);
        for index in 0..items.len() {
            part = last.min(part + usize::from(aggregate.merging() != Merging::Never && cut.below(8) == 0));
            parts[part].push(index);
        }
    }
    if aggregate.merging() == Merging::Never {
        parts.truncate(1);
    }

    let mut states = Vec::new();
    for part in parts {
        let mut state = aggregate.init();
        for index in part {
            if cut.below(5) == 0 {
                state = stored(aggregate, state)?;
            }
            aggregate.step(&mut state, at(index), &items[index]);
        }
        if aggregate.merging() != Merging::Never && cut.below(2) == 0 {
            // A state that has seen nothing is neutral on both sides.
            let mut neutral = aggregate.init();
            aggregate.merge(&mut neutral, state);
            aggregate.merge(&mut neutral, aggregate.init());
            state = neutral;
        }
        states.push(stored(aggregate, state)?);
    }
    while states.len() > 1 {
        let mut left = cut.below(states.len() - 1);
        let mut right = left + 1;
        if aggregate.merging() == Merging::Exact && cut.below(2) == 0 {
            (left, right) = (right, left);
        }
        let from = states.remove(right);
        let into = if right < left { left - 1 } else { left };
        aggregate.merge(&mut states[into], from);
    }
    let state = states.remove(0);
    // Asked for at all times, whatever the state is.
    let _ = aggregate.heap_size(&state);
    prop_assert_eq!(format!("{:?}", aggregate.finish(state)), expected);
    Ok(())
}

/// A state after a way through the spill format.
fn stored<A: Fold>(_: &A, state: A::State) -> Result<A::State, TestCaseError> {
    let fail = |error: &dyn std::error::Error| TestCaseError::fail(error.to_string());
    let bytes = rmp_serde::to_vec_named(&state).map_err(|error| fail(&error))?;
    rmp_serde::from_slice(&bytes).map_err(|error| fail(&error))
}

#[test]
fn the_laws_catch_what_breaks_them() {
    let broken =
        |result: &dyn Fn(Cut) -> Result<(), TestCaseError>| (0..100).filter(|cut| result(Cut(*cut)).is_err()).count();
    // A sum that rounds on the way, a start value that is counted with every part, a merge that forgets.
    let items = [1e16, 1.0, -1e16, 3.0, 0.1, 0.7];
    let rounds = fold_with(|| 0.0, |sum: &mut f64, x: &f64| *sum += x, |sum, other| *sum += other);
    assert!(broken(&|cut| holds(&rounds.clone().exact(), &items, cut)) > 20);
    let starts = fold_with(|| 1, |sum: &mut u8, _: &f64| *sum += 1, |sum, other| *sum += other);
    assert!(broken(&|cut| holds(&starts, &items, cut)) > 20);
    let forgets = fold_with(|| 0, |sum: &mut u8, _: &f64| *sum += 1, |_, _| ());
    assert!(broken(&|cut| holds(&forgets, &items, cut)) > 20);
    assert_eq!(broken(&|cut| holds(&last(), &items, cut)), 0);
}
