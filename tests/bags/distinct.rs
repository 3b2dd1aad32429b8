//! One record of each key: first and last, for any keys, in memory or spilled, with the place of the record kept.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::common;

use std::collections::HashMap;

use common::{grid, watched};
use kitbag::{Bag, Config, Json, Monitor};
use proptest::prelude::*;

/// How a key is made of a number.
type Key = fn(u32) -> u32;

/// A key's number, and a record's.
type Row = (u32, u32, String);

fn first(rows: &[Row]) -> Vec<Row> {
    let mut known = HashMap::new();
    rows.iter().filter(|row| known.insert(row.0, ()).is_none()).cloned().collect()
}

fn last(rows: &[Row]) -> Vec<Row> {
    let mut last: Vec<Row> = first(&rows.iter().rev().cloned().collect::<Vec<_>>());
    last.reverse();
    last
}

fn rows(count: u32, key: impl Fn(u32) -> u32) -> Vec<Row> {
    (0..count).map(|n| (key(n), n, format!("{:0>50}", n.wrapping_mul(2_654_435_761)))).collect()
}

/// Both answers, and how many bytes were spilled for them.
fn run(rows: &[Row], config: Config) -> ((Vec<Row>, Vec<Row>), u64) {
    let monitor = Monitor::new();
    let config = config.monitor(&monitor);
    let bag = || Bag::from_partitions(rows.chunks(997).map(<[Row]>::to_vec).collect::<Vec<_>>()).with(config.clone());
    let first = watched("first", || bag().distinct_by(|row| row.0).collect()).unwrap();
    let spilled = monitor.report().unwrap().spilled();
    let last = watched("last", || bag().distinct_last_by(|row| row.0).collect()).unwrap();
    ((first, last), spilled.min(monitor.report().unwrap().spilled()))
}

#[test]
fn what_is_kept_is_the_same_spilled_and_in_memory() {
    let small = || Config::new().memory(2 << 20).block_size(4096).max_record(4096);
    let keys: [(&str, bool, Key); 4] = [
        ("all distinct", true, |n| n),
        ("each twice", true, |n| n % 20_000),
        ("skewed", true, |n| if n % 3 == 0 { n } else { n % 2 }),
        ("one", false, |_| 5),
    ];
    for (name, spills, key) in keys {
        let rows = rows(40_000, key);
        let model = (first(&rows), last(&rows));
        let (answer, spilled) = run(&rows, Config::new().threads(2).memory(1 << 30));
        assert!(answer == model && spilled == 0, "{name}, in memory: {spilled} bytes spilled");
        for threads in [1, 2, 8] {
            let (answer, spilled) = run(&rows, small().threads(threads));
            assert!(answer == model, "{name}, {threads} threads: another answer than the model's");
            assert_eq!(spilled > 0, spills, "{name}, {threads} threads");
        }
    }
}

#[test]
fn the_whole_record_is_the_key_of_distinct() {
    let text: Vec<Json> =
        (0..30_000).map(|n| Json::parse(&format!("[{}{}]", n % 9000, [".0", "", "e0"][n % 3])).unwrap()).collect();
    let model: Vec<String> = text[..9000].iter().map(|json| json.raw().to_owned()).collect();
    for (threads, memory) in [(2, 1 << 30), (1, 2 << 20), (8, 2 << 20)] {
        let config = Config::new().threads(threads).memory(memory).block_size(4096).max_record(4096);
        let bag = Bag::from_iter(text.clone()).with(config);
        let found = watched("distinct", || bag.distinct().map(|json| json.raw().to_owned()).collect()).unwrap();
        assert!(found == model, "threads {threads}, memory {memory}: equal by value, spelt as first met");
    }
}

#[test]
fn an_error_behind_names_the_record_that_was_kept() {
    for setting in grid() {
        let bag = Bag::range(0..500).map(|n| n % 100).with(setting.config());
        let refuse = |n: i64| if n == 42 { Err("refused") } else { Ok(n) };
        let error = watched("first", || bag.distinct_by(|n| *n).try_map(refuse).count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:43:1: refused (stage 3:try_map)", "{setting}");
        let bag = Bag::range(0..500).map(|n| n % 100).with(setting.config());
        let error = watched("last", || bag.distinct_last_by(|n| *n).try_map(refuse).count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:443:1: refused (stage 3:try_map)", "{setting}");
        let bag = Bag::range(0..500).map(|n| n % 100).with(setting.config());
        let error = watched("whole", || bag.distinct().try_map(refuse).count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:43:1: refused (stage 3:try_map)", "{setting}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_keys(keys in prop::collection::vec(0u32..60, 0..400), threads in 1usize..4, partition in 1usize..90) {
        let rows: Vec<Row> = keys.iter().zip(0..).map(|(key, n)| (*key, n, n.to_string())).collect();
        let bag = || {
            let partitions: Vec<_> = rows.chunks(partition).map(<[Row]>::to_vec).collect();
            Bag::from_partitions(partitions).with(Config::new().threads(threads).memory(2 << 20))
        };
        prop_assert_eq!(bag().distinct_by(|row| row.0).collect().unwrap(), first(&rows));
        prop_assert_eq!(bag().distinct_last_by(|row| row.0).collect().unwrap(), last(&rows));
        prop_assert_eq!(bag().distinct().collect().unwrap(), rows.clone());
    }
}
