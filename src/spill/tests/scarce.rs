//! With the smallest budget that a plan asks for there is memory for whatever a store does, whoever else holds some.

use super::*;
use crate::config::CancelToken;

/// What the smallest budget (`src/config/limits.rs`) leaves for stores.
fn least(stores: u64, workers: usize, longest: usize) -> u64 {
    (128 * 1024 * stores * workers as u64 + 16 * (workers.max(2) * longest) as u64) * 3 / 4
}

/// Rows of so many bytes in all, each as long as a record may be or short; half of them may have one key.
fn rows(bytes: u64, longest: usize, skewed: bool) -> Rows {
    let (mut rows, mut held) = (Rows::new(), 0);
    while held < bytes {
        let no = rows.len() as u64;
        let random = HashKey::fixed(7, 7).hash(&no);
        let length = if random.is_multiple_of(3) { longest - 100 } else { random as usize % 300 };
        let text = random.to_le_bytes().iter().copied().cycle().take(length).collect();
        let key = if skewed && random.is_multiple_of(2) { 0 } else { random % 1000 };
        rows.push((key.to_le_bytes().to_vec(), text));
        held += length as u64 + 40;
    }
    rows
}

fn feed(store: &Store, workers: usize, rows: &Rows) {
    let mut writers: Vec<_> = (0..workers).map(|_| store.writer().unwrap()).collect();
    for (no, (key, value)) in rows.iter().enumerate() {
        writers[no % workers].push(HashKey::fixed(1, 1).hash(&key[..]), seq(no), key, value).unwrap();
    }
    writers.into_iter().try_for_each(StoreWriter::finish).unwrap();
}

#[test]
fn a_store_that_sleeps_leaves_the_others_what_they_settle_with() {
    for (workers, stores, longest) in
        [(1, 2, 100_000), (1, 4, 9_000), (1, 9, 40_000), (2, 2, 60_000), (3, 5, 13_000), (3, 9, 30_000), (6, 3, 40_000)]
    {
        for order in [Order::FirstOccurrence, Order::Any] {
            let space = space(least(stores, workers, longest)).for_run(stores, &CancelToken::new());
            let floor = Store::floor(&space, workers);
            let sleeper = Store::new(&space, workers).unwrap();
            let later = space.budget.try_reserve(floor * (stores - 1)).unwrap();
            // It holds all that it can: of many partitions one is on disk.
            feed(&sleeper, workers, &rows(space.budget.limit() - space.budget.used(), longest, false));
            drop(later);
            sleeper.leave_half(floor * (stores - 1)).unwrap();

            let floors = space.budget.try_reserve(floor * (stores - 2)).unwrap();
            let rows = rows(space.budget.limit() * 3 / 2, longest, true);
            let store = Store::new(&space, workers).unwrap();
            feed(&store, workers, &rows);
            let groups = store.finish().unwrap().into_groups(order).unwrap();
            // All are read at the same time: that takes most.
            let mut kept = groups
                .map(|group| group.map(|(key, rows)| (key, rows, Vec::new())))
                .collect::<crate::Result<Vec<_>>>()
                .unwrap();
            while kept.iter_mut().fold(false, |more, (_, rows, lengths)| {
                let row = rows.next_row().map(|row| row.unwrap().1.len());
                lengths.extend(row);
                more | row.is_some()
            }) {}
            let mut found: Vec<_> = kept.into_iter().map(|(key, _, lengths)| (key, lengths)).collect();
            let lengths = |numbers: Vec<usize>| numbers.into_iter().map(|no| rows[no].1.len()).collect::<Vec<_>>();
            let mut model: Vec<_> = model(&rows).into_iter().map(|(key, rows)| (key, lengths(rows))).collect();
            if order == Order::Any {
                found.sort();
                model.sort();
            }
            assert!(found == model, "{workers} workers, {stores} stores, {longest} bytes");
            drop((floors, sleeper));
            assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
        }
    }
}

#[test]
fn a_row_for_which_there_is_no_block_goes_to_disk_from_where_it_is() {
    let space = space(2_000_000);
    let store = Store::new(&space, 1).unwrap();
    let mut greedy = space.budget.try_reserve(0).unwrap();
    while greedy.grow(1) {}
    let rows = rows(1_500_000, 300_000, true);
    feed(&store, 1, &rows);
    drop(greedy);
    let groups = store.finish().unwrap().into_groups(Order::FirstOccurrence).unwrap();
    let found: Vec<_> = groups.map(|group| group.unwrap()).map(|(key, rows)| (key, rows.total() as usize)).collect();
    let model: Vec<_> = model(&rows).into_iter().map(|(key, rows)| (key, rows.len())).collect();
    assert_eq!(found, model);
    assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
}
