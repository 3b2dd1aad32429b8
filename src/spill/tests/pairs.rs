//! Joining against a model: rows of two sides in one store, with hashes as good as any and with ones that meet.

use std::collections::HashSet;

use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::spill::pair_index::Rights;

type Pair = (Option<Vec<u8>>, Option<Vec<u8>>);

const KINDS: [JoinKind; 6] =
    [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Semi, JoinKind::Anti];

fn expected(left: &Rows, right: &Rows, kind: JoinKind) -> Vec<Pair> {
    let mut by_key = HashMap::<&[u8], Vec<&Vec<u8>>>::new();
    right.iter().for_each(|(key, value)| by_key.entry(key).or_default().push(value));
    let keys: HashSet<&Vec<u8>> = left.iter().map(|(key, _)| key).collect();
    let mut pairs = Vec::new();
    for (key, value) in left {
        let partners = by_key.get(key.as_slice()).map_or(&[][..], |partners| partners);
        let alone = match kind {
            JoinKind::Semi => !partners.is_empty(),
            JoinKind::Left | JoinKind::Full | JoinKind::Anti => partners.is_empty(),
            _ => false,
        };
        if alone {
            pairs.push((Some(value.clone()), None));
        } else if !matches!(kind, JoinKind::Semi | JoinKind::Anti) {
            pairs.extend(partners.iter().map(|&partner| (Some(value.clone()), Some(partner.clone()))));
        }
    }
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        let alone = right.iter().filter(|(key, _)| !keys.contains(key));
        pairs.extend(alone.map(|(_, value)| (None, Some(value.clone()))));
    }
    pairs
}

fn joined(
    space: &Space,
    workers: usize,
    (left, right): (&Rows, &Rows),
    (kind, order): (JoinKind, Order),
    hash: impl Fn(&[u8]) -> u64,
) -> crate::Result<Vec<Pair>> {
    let store = Store::new(space, workers)?;
    for (rows, behind) in [(right, true), (left, false)] {
        let mut writers: Vec<_> = (0..workers).map(|_| store.writer()).collect::<crate::Result<_>>()?;
        for (no, (key, value)) in rows.iter().enumerate() {
            let seq = if behind { seq(no).behind() } else { seq(no) };
            writers[no / 7 % workers].push(hash(key), seq, key, value)?;
        }
        writers.into_iter().try_for_each(StoreWriter::finish)?;
    }
    let mut pairs = store.finish()?.into_pairs(kind, order)?;
    let mut all = Vec::new();
    while let Some((seq, joined)) = pairs.next()? {
        match joined {
            Joined::Alone(row) if seq.is_behind() => all.push((None, Some(row.to_vec()))),
            Joined::Alone(row) => all.push((Some(row.to_vec()), None)),
            Joined::Pairs(row, mut rights) => {
                assert!(!seq.is_behind());
                while let Some(right) = Rights::next(&mut rights)? {
                    all.push((Some(row.to_vec()), Some(right.to_vec())));
                }
            }
        }
    }
    Ok(all)
}

#[test]
fn any_two_sides_give_the_pairs_of_the_model() {
    let (mut spilled, mut split, mut sorted, mut met) = (0, 0, 0, 0);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let budgets = prop_oneof![Just(0u64), 0..100_000u64, 0..3_000_000u64, Just(1 << 40)];
    let hashes = prop_oneof![3 => Just(u64::MAX), 1 => Just(0u64), 1 => Just(1)];
    let how = (prop::sample::select(&KINDS[..]), any::<bool>(), hashes);
    let strategy = (specs(4000), specs(6000), 1..5usize, budgets, any::<u64>(), how);
    let check = |(left, right, workers, more, key, (kind, any, mask)): (Spec, Spec, usize, u64, u64, _)| {
        // Several giant values must fit at once, with a thread's own buffers.
        let space = space(Store::least(workers) + more + left.giant.or(right.giant).map_or(0, |_| 1_500_000));
        let (mut left, right) = (left.rows(), right.rows());
        // An answer that a test can hold.
        left.truncate(40_000 / (right.len() + 1));
        let key = HashKey::fixed(key, 0);
        let order = if any { Order::Any } else { Order::FirstOccurrence };
        let mut found = joined(&space, workers, (&left, &right), (kind, order), |k| key.hash(k) & mask).unwrap();
        let mut expected = expected(&left, &right, kind);
        if any {
            found.sort();
            expected.sort();
        }
        assert!(found == expected, "{} pairs for {}", found.len(), expected.len());
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
        let stats = space.stats.read();
        spilled += u64::from(stats.frames > 0);
        split += stats.splits;
        sorted += stats.sorts;
        met += u64::from(mask != u64::MAX && stats.frames > 0);
    };
    let check = std::cell::RefCell::new(check);
    runner
        .run(&strategy, |case| {
            (check.borrow_mut())(case);
            Ok(())
        })
        .unwrap();
    assert!(spilled > 20 && split > 10 && sorted > 3, "{spilled} spilled, {split} splits, {sorted} sorts");
    assert!(met > 3, "{met} of those spilled that have few hashes");
}

#[test]
fn keys_with_one_hash_are_joined_apart() {
    let rows = |count: u32, keys: u32| -> Rows {
        (0..count).map(|no| ((no % keys).to_le_bytes().to_vec(), no.to_le_bytes().repeat(40))).collect()
    };
    let (left, right) = (rows(900, 50), rows(4000, 60));
    for kind in KINDS {
        let space = space(Store::least(1) + 50_000);
        let found = joined(&space, 1, (&left, &right), (kind, Order::FirstOccurrence), |_| 42).unwrap();
        assert!(found == expected(&left, &right, kind), "{kind:?}");
        let stats = space.stats.read();
        assert!(stats.frames > 0, "{kind:?}: {stats:?}");
    }
}
