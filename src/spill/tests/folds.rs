//! Folding against a model.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU64, Ordering};
use std::cell::Cell;

use proptest::test_runner::{Config, TestRunner};

use super::*;

/// Sums and lists: a state of fixed size and one that grows.
#[derive(Debug)]
struct Totals;

type Total = (u64, Vec<u64>);

impl Merging for Totals {
    type Key = String;
    type State = Total;

    fn merge(&self, into: &mut Total, other: Total) {
        into.0 += other.0;
        into.1.extend(other.1);
        into.1.sort_unstable();
    }

    fn heap_size(&self, state: &Total) -> usize {
        state.1.capacity() * 8
    }
}

fn folded(
    space: &Space,
    workers: usize,
    rows: &Rows,
    lists: bool,
    order: Order,
) -> crate::Result<Vec<(String, Total, Seq)>> {
    let store = FoldStore::new(space, workers, Totals)?;
    let mut writers: Vec<_> = (0..workers).map(|_| store.writer()).collect::<crate::Result<_>>()?;
    let key_of = HashKey::fixed(5, 6);
    for (no, (key, value)) in rows.iter().enumerate() {
        let key = std::str::from_utf8(key).unwrap();
        let step = |state: &mut Total| {
            state.0 += value.len() as u64;
            if lists {
                state.1.push(no as u64);
            }
        };
        let writer = &mut writers[(no / UNIT * 7) % workers];
        let sought = (|known: &String| known == key, || key.to_owned());
        writer.fold((key_of.hash(key), seq(no)), sought, Total::default, step)?;
    }
    writers.into_iter().try_for_each(FoldWriter::finish)?;
    store
        .finish(order)?
        .map(|state| {
            state.map(|(key, mut total, seq, _)| {
                total.1.sort_unstable();
                (key, total, seq)
            })
        })
        .collect()
}

fn expected(rows: &Rows, lists: bool) -> Vec<(String, Total, Seq)> {
    let total = |numbers: &[usize]| numbers.iter().map(|&no| rows[no].1.len() as u64).sum();
    let list = |numbers: &[usize]| if lists { numbers.iter().map(|&no| no as u64).collect() } else { Vec::new() };
    let of = |(key, numbers): (Vec<u8>, Vec<usize>)| {
        (String::from_utf8(key).unwrap(), (total(&numbers), list(&numbers)), seq(numbers[0]))
    };
    model(rows).into_iter().map(of).collect()
}

#[test]
fn any_rows_threads_and_budget_give_the_states_of_the_model() {
    let (spilled, split, memory) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let budgets = prop_oneof![Just(0u64), 0..200_000u64, Just(1 << 40)];
    let strategy = (specs(20_000), 1..5usize, budgets, any::<(bool, bool)>());
    runner
        .run(&strategy, |(spec, workers, more, (lists, any))| {
            let rows = Spec { longest: spec.longest.min(20), giant: None, ..spec }.rows();
            // With lists, the state of a single key needs memory for all rows.
            let space = space(Store::least(workers) + more + if lists { 1_000_000 } else { 0 });
            let order = if any { Order::Any } else { Order::FirstOccurrence };
            let mut found = folded(&space, workers, &rows, lists, order).unwrap();
            let mut expected = expected(&rows, lists);
            if any {
                found.sort();
                expected.sort();
            }
            prop_assert!(found == expected, "{} states for {}", found.len(), expected.len());
            prop_assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
            prop_assert!(space.budget.peak() <= space.budget.limit());
            let stats = space.stats.read();
            let count = |cell: &Cell<u64>, more| cell.set(cell.get() + more);
            count(if stats.frames > 0 { &spilled } else { &memory }, 1);
            count(&split, stats.splits);
            Ok(())
        })
        .unwrap();
    assert!(spilled.get() > 20 && memory.get() > 20 && split.get() > 5, "{spilled:?} {memory:?} {split:?}");
}

#[test]
fn nearly_unique_keys_go_past_the_table() {
    let rows: Rows = (0..60_000).map(|no| (format!("key {}", no % 59_000).into_bytes(), vec![1])).collect();
    let space = space(2_000_000);
    assert!(folded(&space, 2, &rows, false, Order::FirstOccurrence).unwrap() == expected(&rows, false));
    assert!(space.stats.read().frames > 0);
}

#[test]
fn a_little_too_little_memory_writes_few_states() {
    const KEYS: usize = 40_000;
    let rows: Rows = (0..3 * KEYS).map(|no| (format!("key {}", no % KEYS).into_bytes(), vec![1])).collect();
    let (plenty, workers) = (space(1 << 30), 2);
    assert!(folded(&plenty, workers, &rows, false, Order::FirstOccurrence).unwrap() == expected(&rows, false));
    let enough = plenty.budget.peak() - Store::floor(&plenty, workers);
    for (part, order) in [(95, Order::FirstOccurrence), (85, Order::FirstOccurrence), (85, Order::Any)] {
        let space = space(Store::least(workers) + enough * part / 100);
        let mut found = folded(&space, workers, &rows, false, order).unwrap();
        found.sort_by_key(|state| state.2);
        assert!(found == expected(&rows, false));
        let written = space.stats.read().records;
        assert!(written > 0 && written < KEYS as u64 / 2, "{part} %: {written} of {KEYS} keys");
    }
}

/// States that claim so many bytes, and count how often one was weighed: once when a record makes it, and once when it is
/// read and put into a table.
#[derive(Debug)]
struct Weighed(usize, Arc<AtomicU64>);

impl Merging for Weighed {
    type Key = u64;
    type State = u64;

    fn merge(&self, into: &mut u64, other: u64) {
        *into += other;
    }

    fn heap_size(&self, _: &u64) -> usize {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0
    }
}

#[test]
fn a_state_that_was_written_is_read_few_times() {
    const KEYS: u64 = 60_000;
    // Of partitions that fit a table, and of such as must be cut again.
    for heap in [100, 300, 1000] {
        let (space, weighed) = (space(3_000_000), Arc::default());
        let store = FoldStore::new(&space, 2, Weighed(heap, Arc::clone(&weighed))).unwrap();
        let mut writers = [store.writer().unwrap(), store.writer().unwrap()];
        for no in 0..KEYS {
            let (known, key) = (|known: &u64| *known == no, || no);
            let place = (HashKey::fixed(5, 6).hash(&no), seq(no as usize));
            writers[no as usize % 2].fold(place, (known, key), || 0, |state| *state += 1).unwrap();
        }
        writers.into_iter().try_for_each(FoldWriter::finish).unwrap();
        let states = store.finish(Order::FirstOccurrence).unwrap().map(|state| state.unwrap().1);
        assert_eq!(states.sum::<u64>(), KEYS);
        let times = weighed.load(Ordering::Relaxed) as f64 / KEYS as f64;
        assert!(space.stats.read().frames > 0 && times < 4.0, "{heap}: {times} times");
    }
}

#[test]
fn a_state_bigger_than_memory_is_refused() {
    let rows: Rows = (0..100_000).map(|_| (b"one".to_vec(), vec![1])).collect();
    let space = space(400_000);
    let error = folded(&space, 1, &rows, true, Order::FirstOccurrence).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Limit);
    assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
}

#[test]
fn memory_may_end_at_any_moment() {
    let rows: Rows = (0..12_000u64).map(|no| ((no * 7 % 11_003).to_string().into_bytes(), vec![0; 3])).collect();
    let expected = expected(&rows, false);
    let (mut spilled, mut memory) = (0, 0);
    for step in 0..100 {
        let space = space(Store::least(4) + step * 80_000);
        assert!(folded(&space, 4, &rows, false, Order::FirstOccurrence).unwrap() == expected, "step {step}");
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
        if space.stats.read().frames > 0 { spilled += 1 } else { memory += 1 }
    }
    assert!(spilled > 10 && memory > 10, "{spilled} {memory}");
}
