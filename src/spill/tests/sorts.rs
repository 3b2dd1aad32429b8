//! Sorting against a model, with budgets down to the smallest: runs, several passes, rows longer than blocks.

use std::cmp::Ordering;

use proptest::test_runner::{Config, TestRunner};

use super::*;

/// So many of the first bytes of a value.
struct First(usize);

impl Ranking for First {
    type Rank = Vec<u8>;

    fn rank(&self, value: &[u8]) -> crate::Result<Vec<u8>> {
        Ok(value[..self.0.min(value.len())].to_vec())
    }

    fn compare(&self, a: &Vec<u8>, b: &Vec<u8>) -> Ordering {
        a.cmp(b)
    }
}

/// Sorts, reads `most` rows and holds them against the model.
fn sorted(space: &Space, workers: usize, values: &[Vec<u8>], first: usize, most: usize) -> crate::Result<()> {
    let store = SortStore::new(space, workers, First(first))?;
    let mut writers: Vec<_> = (0..workers).map(|_| store.writer()).collect::<crate::Result<_>>()?;
    for (no, value) in values.iter().enumerate() {
        let rank = store.ranking.rank(value)?;
        let mut row = [&[0; ROW_HEAD], value.as_slice()].concat();
        writers[no / UNIT * 3 % workers].push(rank, seq(no), &mut row)?;
    }
    writers.into_iter().try_for_each(SortWriter::finish)?;
    let mut rows = store.finish()?;
    let mut model: Vec<&Vec<u8>> = values.iter().collect();
    model.sort_by_key(|value| &value[..first.min(value.len())]);
    for value in model.iter().take(most) {
        assert_eq!(rows.next()?, Some(value.as_slice()));
    }
    if most >= values.len() {
        assert_eq!(rows.next()?, None);
    }
    Ok(())
}

/// A value that begins with a key and ends with its number.
fn value(key: u64, no: usize, length: usize) -> Vec<u8> {
    let mut value = vec![b'a' + u8::try_from(key % 26).unwrap(); 2];
    value.extend(
        (0..length).map(|at| (at as u64).wrapping_mul(no as u64 * 2 + 1).wrapping_mul(0x9E37_79B9).to_le_bytes()[3]),
    );
    value.extend(no.to_le_bytes());
    value
}

#[test]
fn one_pass_or_several_give_the_same_order_and_all_memory_back() {
    let count = 6000;
    type Keys = (&'static str, fn(u64) -> u64);
    let keys: [Keys; 4] = [
        ("many", |n| n * 7 % 26),
        ("one", |_| 3),
        ("descending", |n| 25 - n * 26 / 6000),
        ("skewed", |n| if n % 9 == 0 { n } else { 1 }),
    ];
    for (name, key) in keys {
        let values: Vec<_> = (0..count).map(|no| value(key(no as u64), no, no % 500)).collect();
        for (workers, budget, spills, passes) in [
            (2, 64 << 20, false, false),
            (1, 1 << 20, true, false),
            (1, 100 << 10, true, true),
            (3, 250 << 10, true, true),
        ] {
            for most in [count, 10, 0] {
                let space = space(budget);
                sorted(&space, workers, &values, 2, most).unwrap();
                let spilled = space.stats.read();
                assert_eq!(
                    (spilled.frames > 0, spilled.merges > 0),
                    (spills, passes),
                    "{name}, {workers} workers, {budget}"
                );
                assert!(!passes || most > 0 || spilled.merges > 1, "{name}: one merge before the last");
                assert_eq!((space.budget.used(), space.quota.used()), (0, 0), "{name}: something was kept");
                assert!(space.budget.peak() <= budget);
            }
        }
    }
}

#[test]
fn rows_longer_than_blocks_are_sorted() {
    let values: Vec<_> = (0..60).map(|no| value(no as u64 * 11, no, if no % 4 == 0 { 50_000 } else { 30 })).collect();
    for (workers, budget) in [(1, 8 << 20), (1, 500 << 10), (2, 800 << 10)] {
        let space = space(budget);
        sorted(&space, workers, &values, 40, values.len()).unwrap();
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
    }
}

#[test]
fn a_budget_that_is_too_small_is_refused_by_name() {
    let error = SortStore::new(&space(50 << 10), 1, First(1)).err().unwrap();
    assert!(error.to_string().contains("sorting with 1 threads needs 65536 bytes"), "{error}");
    let values = vec![value(1, 1, 90_000); 2];
    let error = sorted(&space(100 << 10), 1, &values, 1, 2).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Limit, "{error}");
}

#[test]
fn a_row_for_which_there_is_no_memory_is_written_alone() {
    let space = space(2 << 20);
    let store = SortStore::new(&space, 1, First(2)).unwrap();
    let all = space.budget.try_reserve(space.budget.limit() - space.budget.used()).unwrap();
    let mut writer = store.writer().unwrap();
    for no in 0..40 {
        let value = value(100 - no as u64, no, if no % 2 == 0 { 90_000 } else { 300 });
        let mut row = [&[0; ROW_HEAD], value.as_slice()].concat();
        writer.push(store.ranking.rank(&value).unwrap(), seq(no), &mut row).unwrap();
    }
    writer.finish().unwrap();
    drop(all);
    let mut rows = store.finish().unwrap();
    let mut model: Vec<_> = (0..40usize).map(|no| ((100 - no as u64) % 26, no)).collect();
    model.sort_unstable();
    for (_, no) in model {
        let row = rows.next().unwrap().unwrap();
        assert_eq!(row[row.len() - 8..], no.to_le_bytes());
    }
    assert_eq!(rows.next().unwrap(), None);
}

#[test]
fn merging_in_several_passes_ends_when_the_run_is_cancelled() {
    let space = space(100 << 10);
    let store = SortStore::new(&space, 1, First(2)).unwrap();
    let mut writer = store.writer().unwrap();
    for no in 0..3000 {
        let value = value(no as u64 * 7, no, 200);
        let mut row = [&[0; ROW_HEAD], value.as_slice()].concat();
        writer.push(store.ranking.rank(&value).unwrap(), seq(no), &mut row).unwrap();
    }
    writer.finish().unwrap();
    space.cancel.cancel();
    assert_eq!(store.finish().err().map(|error| error.kind()), Some(crate::ErrorKind::Cancelled));
    assert_eq!(space.quota.used(), 0);
}

#[test]
fn any_values_are_sorted_as_a_vec_is() {
    let rows = prop::collection::vec((0u64..30, 0usize..300), 0..700);
    let cases = (rows, 1usize..4, 0u64..200, 0usize..12);
    let mut runner = TestRunner::new(Config { failure_persistence: None, cases: 60, ..Config::default() });
    let result = runner.run(&cases, |(rows, workers, more, first)| {
        let values: Vec<_> = rows.iter().enumerate().map(|(no, (key, length))| value(*key, no, *length)).collect();
        let space = space(((workers as u64 * 70) + more) << 10);
        sorted(&space, workers, &values, first, values.len()).map_err(|error| TestCaseError::fail(error.to_string()))
    });
    result.unwrap();
}
