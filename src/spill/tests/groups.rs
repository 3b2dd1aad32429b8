//! Grouping against a model.

use std::collections::HashMap;

use proptest::test_runner::{Config, TestRunner};

use super::*;

type Group = (Vec<u8>, Vec<(Seq, Vec<u8>)>);

fn expected(rows: &Rows) -> Vec<Group> {
    let of = |no: &usize| (seq(*no), rows[*no].1.clone());
    model(rows).into_iter().map(|(key, numbers)| (key, numbers.iter().map(of).collect())).collect()
}

/// How a caller reads groups.
#[derive(Clone, Copy, Debug)]
enum Reading {
    AtOnce,
    /// All groups are kept, then read from the last to the first.
    Later,
}

fn grouped(stored: Stored, order: Order, reading: Reading) -> crate::Result<Vec<Group>> {
    let read = |(key, mut rows): (Vec<u8>, GroupRows)| {
        let (total, mut all) = (rows.total(), Vec::new());
        while let Some(row) = rows.next_row() {
            let (seq, value) = row?;
            all.push((seq, value.to_vec()));
        }
        assert_eq!(all.len() as u64, total);
        Ok((key, all))
    };
    let groups = stored.into_groups(order)?;
    match reading {
        Reading::AtOnce => groups.map(|group| read(group?)).collect(),
        Reading::Later => {
            let kept = groups.collect::<crate::Result<Vec<_>>>()?;
            let mut read = kept.into_iter().rev().map(read).collect::<crate::Result<Vec<_>>>()?;
            read.reverse();
            Ok(read)
        }
    }
}

#[test]
fn any_rows_threads_and_budget_give_the_groups_of_the_model() {
    let (mut spilled, mut split, mut sorted, mut merged, mut memory) = (0, 0, 0, 0, 0);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let budgets = prop_oneof![Just(0u64), 0..100_000u64, 0..3_000_000u64, Just(1 << 40)];
    let reading = prop_oneof![Just(Reading::AtOnce), Just(Reading::Later)];
    let strategy = (specs(6000), 1..5usize, budgets, any::<u64>(), reading, any::<bool>());
    let check = |(spec, workers, more, key, reading, any): (Spec, usize, u64, u64, Reading, bool)| {
        let rows = spec.rows();
        // Several giant values must fit at once, with a thread's own buffers.
        let space = space(Store::least(workers) + more + spec.giant.map_or(0, |_| 1_500_000));
        let key = HashKey::fixed(key, 0);
        let stored = store(&space, workers, &rows, |bytes| key.hash(bytes)).unwrap();
        let order = if any { Order::Any } else { Order::FirstOccurrence };
        let mut found = grouped(stored, order, reading).unwrap();
        let mut expected = expected(&rows);
        if any {
            found.sort();
            expected.sort();
        }
        assert!(found == expected, "{} groups for {}", found.len(), expected.len());
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
        assert!(space.budget.peak() <= space.budget.limit());
        let stats = space.stats.read();
        spilled += u64::from(stats.frames > 0);
        memory += u64::from(stats.frames == 0);
        split += stats.splits;
        sorted += stats.sorts;
        merged += stats.merges;
    };
    let check = std::cell::RefCell::new(check);
    runner
        .run(&strategy, |case| {
            (check.borrow_mut())(case);
            Ok(())
        })
        .unwrap();
    assert!(spilled > 20 && memory > 20, "{spilled} spilled, {memory} did not");
    assert!(split > 10 && sorted > 3 && merged > 3, "{split} splits, {sorted} sorts, {merged} merges");
}

#[test]
fn keys_with_one_hash_are_told_apart() {
    let rows: Rows = (0..4000u32).map(|no| ((no % 13).to_le_bytes().to_vec(), vec![no as u8; 100])).collect();
    let space = space(Store::least(1));
    let stored = store(&space, 1, &rows, |_| 42).unwrap();
    assert!(grouped(stored, Order::FirstOccurrence, Reading::AtOnce).unwrap() == expected(&rows));
    assert!(space.stats.read().depth > 0 || space.stats.read().sorts > 0);
}

#[test]
fn a_group_bigger_than_memory_is_streamed() {
    let rows: Rows = (0..20_000u32).map(|no| (vec![u8::from(no == 77)], no.to_le_bytes().repeat(20))).collect();
    let space = space(600_000);
    let stored = store(&space, 2, &rows, |key| key[0].into()).unwrap();
    assert!(grouped(stored, Order::FirstOccurrence, Reading::Later).unwrap() == expected(&rows));
    let stats = space.stats.read();
    assert!(stats.sorts >= 1 && stats.depth >= 1, "{stats:?}");
    assert!(stats.records < 4 * rows.len() as u64, "rows are not written more often than needed: {stats:?}");
}

#[test]
fn groups_are_read_on_other_threads_after_all_else_is_gone() {
    let rows: Rows = (0..3000u32).map(|no| ((no % 50).to_le_bytes().to_vec(), vec![7; 200])).collect();
    let space = space(300_000);
    let groups = store(&space, 2, &rows, |key| HashKey::fixed(1, 1).hash(key)).unwrap();
    let kept: Vec<_> = groups.into_groups(Order::FirstOccurrence).unwrap().collect::<crate::Result<_>>().unwrap();
    let os = Os::default();
    let threads: Vec<_> = kept
        .into_iter()
        .map(|(key, rows)| {
            os.spawn("reader".into(), move || (key, rows.map(Result::unwrap).fold(0, |count, _| count + 1))).unwrap()
        })
        .collect();
    let counts: HashMap<_, _> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(counts.len() == 50 && counts.values().all(|&count| count == 60));
    assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
}

/// All memory that is left, so that only what was set aside remains.
fn greedy(space: &Space) -> Reservation {
    let mut all = space.budget.try_reserve(0).unwrap();
    while all.grow(1) {}
    all
}

#[test]
fn any_number_of_groups_is_read_at_once_without_memory() {
    // Groups of many runs, of one, and packed ones.
    let key = |no: u32| match no % 6 {
        0 | 2 | 4 => no % 4,
        3 => 4 + no % 97,
        _ => 4 + no % 4001,
    };
    let rows: Rows = (0..24_000u32).map(|no| (key(no).to_le_bytes().to_vec(), no.to_le_bytes().repeat(25))).collect();
    let expected = expected(&rows);
    for (workers, order) in [(1, Order::FirstOccurrence), (1, Order::Any), (3, Order::FirstOccurrence)] {
        let space = space(Store::least(workers) + 100_000);
        let stored = store(&space, workers, &rows, |key| HashKey::fixed(1, 1).hash(key)).unwrap();
        let mut groups: Vec<_> = stored.into_groups(order).unwrap().collect::<crate::Result<_>>().unwrap();
        let all = greedy(&space);
        let mut read: Vec<Group> = groups.iter().map(|(key, _)| (key.clone(), Vec::new())).collect();
        while groups.iter_mut().zip(&mut read).fold(false, |more, ((_, rows), (_, found))| {
            let row = rows.next_row().map(|row| row.map(|(seq, value)| (seq, value.to_vec())).unwrap());
            more | row.is_some_and(|row| {
                found.push(row);
                true
            })
        }) {}
        if order == Order::Any {
            read.sort_by_key(|(_, rows)| rows[0].0);
        }
        assert!(read == expected, "{workers} workers, {order:?}");
        assert!(space.budget.peak() <= space.budget.limit());
        drop((groups, all));
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
    }
}

#[test]
fn groups_of_many_runs_are_opened_by_several_threads_without_memory() {
    let rows: Rows = (0..40_000u32).map(|no| ((no % 8).to_le_bytes().to_vec(), no.to_le_bytes().repeat(25))).collect();
    let expected = expected(&rows);
    let space = space(Store::least(2) + 50_000);
    let stored = store(&space, 2, &rows, |key| HashKey::fixed(1, 1).hash(key)).unwrap();
    let groups: Vec<_> = stored.into_groups(Order::FirstOccurrence).unwrap().collect::<crate::Result<_>>().unwrap();
    let _all = greedy(&space);
    let os = Os::default();
    let read = |(key, rows): (Vec<u8>, GroupRows)| (key, rows.collect::<crate::Result<Vec<_>>>());
    let threads: Vec<_> =
        groups.into_iter().map(|group| os.spawn("reader".into(), move || read(group)).unwrap()).collect();
    let found: Vec<Group> = threads.into_iter().map(|t| t.join().unwrap()).map(|(k, r)| (k, r.unwrap())).collect();
    assert!(found == expected);
}
