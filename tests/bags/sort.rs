//! Sorting: stable, for any keys, in memory and spilled, lazily merged behind `take`, and with errors that name the stage.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::common;

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{grid, watched};
use kitbag::{Bag, CancelToken, Config, ErrorKind, Monitor};
use proptest::prelude::*;

/// A name for keys, and how they are made of a record's number.
type Keys = (&'static str, fn(u32) -> u32);

/// A key's number, a record's number, and text that does not compress well.
type Row = (u32, u32, String);

fn rows(count: u32, pad: usize, key: impl Fn(u32) -> u32) -> Vec<Row> {
    let next = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let noise = |n: u32| {
        let states = std::iter::successors(Some(next(u64::from(n))), |state| Some(next(*state)));
        states.take(pad).map(|state| char::from(b'!' + state.to_le_bytes()[7] % 90))
    };
    (0..count).map(|n| (key(n), n, noise(n).collect())).collect()
}

fn bag(rows: &[Row], config: &Config) -> Bag<Row> {
    Bag::from_partitions(rows.chunks(97).map(<[Row]>::to_vec).collect::<Vec<_>>()).with(config.clone())
}

fn small(threads: usize) -> Config {
    Config::new().threads(threads).memory(2 << 20).block_size(4096)
}

#[test]
fn equal_keys_keep_their_order_spilled_and_in_memory() {
    let keys: [Keys; 5] = [
        ("all distinct", |n| n.wrapping_mul(2_654_435_761)),
        ("few", |n| n * 7 % 13),
        ("skewed", |n| if n % 5 == 0 { n } else { 1 }),
        ("descending", |n| 100_000 - n),
        ("one", |_| 5),
    ];
    for (name, key) in keys {
        let rows = rows(30_000, 120, key);
        let (mut up, mut down) = (rows.clone(), rows.clone());
        up.sort_by_key(|row| row.0);
        down.sort_by_key(|row| (Reverse(row.0), row.2.clone()));
        let monitor = Monitor::new();
        let whole = Config::new().threads(2).memory(1 << 30).monitor(&monitor);
        assert!(
            watched(name, || bag(&rows, &whole).sort_by_key(|row| row.0).collect()).unwrap() == up,
            "{name}, in memory"
        );
        assert_eq!(monitor.report().unwrap().spilled(), 0, "{name}: this budget holds it all");
        for threads in [1, 2, 8] {
            let label = format!("{name}, {threads} threads");
            let config = small(threads).monitor(&monitor);
            let spilled = || monitor.report().unwrap().spilled();
            assert!(
                watched(&label, || bag(&rows, &config).sort_by_key(|row| row.0).collect()).unwrap() == up,
                "{label}"
            );
            assert!(spilled() > 1 << 20, "{label}: {}", spilled());
            let sorted = bag(&rows, &config).sort_by_key(|row| (Reverse(row.0), row.2.clone()));
            assert!(watched(&label, || sorted.collect()).unwrap() == down, "{label}, in two parts");
            let sorted = bag(&rows, &config).sort_by(|a, b| a.0.cmp(&b.0));
            assert!(watched(&label, || sorted.collect()).unwrap() == up, "{label}, by comparison");
            assert!(spilled() > 1 << 20, "{label}: {}", spilled());
        }
    }
}

#[test]
fn long_records_need_more_than_one_pass() {
    // A block and a key each of so many runs is more than the budget.
    let rows = rows(700, 40_000, |n| n * 31 % 97);
    let mut model = rows.clone();
    model.sort_by_key(|row| row.0);
    let bytes: u64 = rows.iter().map(|row| row.2.len() as u64).sum();
    for threads in [1, 2, 8] {
        let monitor = Monitor::new();
        let config = small(threads).monitor(&monitor);
        let sorted =
            watched("long", || bag(&rows, &config).sort_by_key(|row| format!("{:0>5}", row.0)).collect()).unwrap();
        assert!(sorted == model, "threads {threads}");
        let spilled = monitor.report().unwrap().spilled();
        assert!(spilled > bytes * 5 / 4, "threads {threads}: {spilled} of {bytes} bytes: no record was written twice");
    }
}

#[test]
fn take_ends_the_merge() {
    let rows = rows(60_000, 100, |n| n.wrapping_mul(2_654_435_761));
    let mut model = rows.clone();
    model.sort_by_key(|row| row.0);
    for (threads, memory) in [(1, 2 << 20), (2, 2 << 20), (2, 1 << 30), (8, 2 << 20)] {
        let passed = Arc::new(AtomicU64::new(0));
        let count = passed.clone();
        let config = small(threads).memory(memory);
        let sorted =
            bag(&rows, &config).sort_by_key(|row| row.0).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        assert!(watched("take", || sorted.take(5).collect()).unwrap() == model[..5]);
        let passed = passed.load(Ordering::Relaxed);
        // A quarter of the budget may be under way: of the large one, that is all records.
        assert!(
            memory == 1 << 30 || passed < 30_000,
            "threads {threads}, memory {memory}: {passed} records came out of the merge"
        );
    }
}

#[test]
fn panics_and_errors_name_stage_and_record() {
    for setting in grid() {
        let numbers = || Bag::range(0..400).map(|n| n * 7 % 400).with(setting.config());
        let fails = numbers().sort_by(|a, b| if a.max(b) == &399 { panic!("no order") } else { a.cmp(b) });
        let error = watched("compare", || fails.count()).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("2:sort_by")), "{setting}: {error}");
        let fails = numbers().sort_by_key(|n| if *n == 7 { panic!("no key") } else { *n });
        let error = watched("key", || fails.map(|n| n + 1).take(3).count()).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("2:sort_by_key")), "{setting}: {error}");
        let fails = numbers().sort_by_key(|n| *n).try_map(|n| if n == 21 { Err("refused") } else { Ok(n) });
        let error = watched("behind", || fails.count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:4:1: refused (stage 3:try_map)", "{setting}");
    }
}

/// A number that may be stored, and in one case not be read back.
#[derive(serde::Serialize)]
struct Fragile(i64);

impl<'de> serde::Deserialize<'de> for Fragile {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Fragile, D::Error> {
        let number = i64::deserialize(from)?;
        if number == 7 { panic!("seven is not read") } else { Ok(Fragile(number)) }
    }
}

#[test]
fn a_panic_where_a_record_is_read_back_names_the_stage_and_the_record() {
    for setting in grid() {
        let numbers = || Bag::range(0..400).map(Fragile).with(setting.config());
        let error = watched("sort", || numbers().sort_by_key(|n| n.0).map(|n| n.0 + 1).count()).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("2:sort_by_key")), "{setting}: {error}");
        assert!(error.to_string().starts_with("<range>:8:1: "), "{setting}: {error}");
    }
}

#[test]
fn a_panic_in_the_last_merges_names_the_stage() {
    let rows = rows(30_000, 120, |n| n * 17 % 1000);
    for (threads, limit) in [(1, 31_000), (2, 31_000), (1, 200_000), (2, 350_000)] {
        let calls = Arc::new(AtomicU64::new(0));
        // The key is made again only where records come back from disk.
        let key =
            move |row: &Row| if calls.fetch_add(1, Ordering::Relaxed) > limit { panic!("too often") } else { row.0 };
        match watched("merge", || bag(&rows, &small(threads)).sort_by_key(key).map(|row| row.1).take(29_000).count()) {
            Ok(count) => assert!(limit > 31_000 && count == 29_000, "threads {threads}: {limit} calls are not all"),
            Err(error) => {
                assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("1:sort_by_key")), "{error}")
            }
        }
    }
}

#[test]
fn a_sort_that_is_cancelled_or_has_no_temporary_space_ends_with_that_error() {
    let rows = rows(30_000, 120, |n| n * 17 % 1000);
    for threads in [1, 2, 8] {
        let error = watched("quota", || bag(&rows, &small(threads).max_temp(100_000)).sort_by_key(|row| row.0).count());
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Limit, Some("1:sort_by_key")), "{error}");
        assert!(error.to_string().contains("the quota of 100000 bytes is used up"), "{error}");
        let token = CancelToken::new();
        let config = small(threads).cancel_token(&token);
        let cancelling = bag(&rows, &config).sort_by_key(move |row| {
            if row.1 == 20_000 {
                token.cancel();
            }
            row.0
        });
        assert_eq!(watched("cancel", || cancelling.count()).unwrap_err().kind(), ErrorKind::Cancelled);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_bag_is_sorted_as_a_vec_is(keys in prop::collection::vec(any::<Option<i8>>(), 0..400), threads in 1usize..4, partition in 1usize..90) {
        let rows: Vec<(Option<i8>, usize)> = keys.iter().copied().zip(0..).collect();
        let bag = || {
            let partitions: Vec<_> = rows.chunks(partition).map(<[_]>::to_vec).collect();
            Bag::from_partitions(partitions).with(Config::new().threads(threads).memory(2 << 20))
        };
        let mut model = rows.clone();
        model.sort_by_key(|row| Reverse(row.0));
        prop_assert_eq!(bag().sort_by_key(|row| Reverse(row.0)).collect().unwrap(), model);
        let mut model = rows.clone();
        model.sort_by_key(|row| row.0);
        prop_assert_eq!(bag().sort_by(|a, b| a.0.cmp(&b.0)).collect().unwrap(), model);
    }
}
