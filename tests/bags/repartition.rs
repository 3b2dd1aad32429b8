//! Other partitions: the same records, in the same order, cut by number, size or key, in memory and spilled.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::common;

use std::collections::HashMap;

use common::{grid, watched};
use kitbag::{Bag, CancelToken, Config, ErrorKind, Monitor};

type Row = (u32, String);

fn rows(count: u32, pad: usize) -> Vec<Row> {
    let next = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let noise = |n: u32| {
        let states = std::iter::successors(Some(next(u64::from(n))), |state| Some(next(*state)));
        states.take(pad).map(|state| char::from(b'!' + state.to_le_bytes()[7] % 90)).collect()
    };
    (0..count).map(|n| (n, noise(n))).collect()
}

fn parts(bag: Bag<Row>) -> kitbag::Result<Vec<Vec<Row>>> {
    bag.map_partitions(|records| [records.collect::<Vec<_>>()]).collect()
}

/// Bytes of a row in MessagePack.
fn encoded(row: &Row) -> u64 {
    let number = match row.0 {
        0..=127 => 1,
        128..=255 => 2,
        256..=65_535 => 3,
        _ => 5,
    };
    let head = match row.1.len() {
        0..=31 => 1,
        32..=255 => 2,
        _ => 3,
    };
    1 + number + head + row.1.len() as u64
}

/// Every way to cut, over a bag.
fn check(label: &str, bag: impl Fn() -> Bag<Row>, rows: &[Row]) {
    for number in [1, 2, 7, 100] {
        let found = watched(label, || parts(bag().repartition(number).unwrap())).unwrap();
        let at = |part: usize| part * rows.len() / number as usize;
        let expected: Vec<_> = (0..number as usize).map(|part| rows[at(part)..at(part + 1)].to_vec()).collect();
        assert!(found == expected, "{label}: {number} partitions");
        let found = watched(label, || parts(bag().repartition_by_key(number, |row| row.0 % 13).unwrap())).unwrap();
        assert_eq!(found.len(), number as usize, "{label}");
        let mut home = HashMap::new();
        for (part, records) in found.iter().enumerate() {
            assert!(records.is_sorted_by_key(|row| row.0), "{label}: record order");
            records.iter().for_each(|row| assert_eq!(*home.entry(row.0 % 13).or_insert(part), part, "{label}"));
        }
        let mut all: Vec<_> = found.into_iter().flatten().collect();
        all.sort_unstable();
        assert!(all == rows, "{label}: {number} partitions by key");
    }
    let size = 5000;
    let found = watched(label, || parts(bag().repartition_by_size(size).unwrap())).unwrap();
    assert!(found.concat() == rows, "{label}");
    let bytes = |part: &Vec<Row>| part.iter().map(encoded).sum::<u64>();
    let longest = rows.iter().map(encoded).max().unwrap_or(0);
    assert!(found.iter().all(|part| bytes(part) <= size + longest), "{label}");
    let total: u64 = found.iter().map(bytes).sum();
    assert!(found.len() as u64 <= total / size + 1, "{label}: {} partitions of {total} bytes", found.len());
}

#[test]
fn partitions_of_a_few_records_under_every_setting() {
    let rows = rows(60, 500);
    for setting in grid() {
        // One store and two phases take more than the least of the grid.
        let config = || setting.config().memory(setting.memory.map_or(1 << 30, |_| 4 << 20));
        check(
            &setting.to_string(),
            || Bag::from_partitions([rows[..9].to_vec(), vec![], rows[9..].to_vec()]).with(config()),
            &rows,
        );
    }
    let none = Bag::from_iter(Vec::<Row>::new()).repartition(3).unwrap();
    assert_eq!(parts(none).unwrap(), [[], [], []] as [[Row; 0]; 3]);
}

#[test]
fn partitions_beyond_memory() {
    let rows = rows(40_000, 150);
    for threads in [1, 2, 8] {
        let monitor = Monitor::new();
        let config = || Config::new().threads(threads).memory(4 << 20).block_size(4096).monitor(&monitor);
        check(&format!("{threads} threads"), || Bag::from_iter(rows.clone()).with(config()), &rows);
        assert!(monitor.report().unwrap().spilled() > 1 << 20, "{threads} threads");
    }
}

#[test]
fn whoever_wants_no_more_ends_it_and_errors_name_it() {
    let rows = rows(20_000, 150);
    for threads in [1, 2, 8] {
        let config = || Config::new().threads(threads).memory(4 << 20).block_size(4096);
        let bag = || Bag::from_iter(rows.clone()).with(config());
        let first = bag().repartition(50).unwrap().map_partitions(|records| [records.count()]).take(3);
        assert_eq!(watched("take", || first.collect()).unwrap(), [400, 400, 400]);
        let fails = bag().repartition_by_key(9, |row| if row.0 == 70 { panic!("key") } else { row.0 }).unwrap();
        let error = watched("panic", || fails.count()).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("1:repartition_by_key")), "{error}");
        let behind = bag().repartition(9).unwrap().try_map(|row| if row.0 == 15_000 { Err("no") } else { Ok(row) });
        let error = watched("behind", || behind.count()).unwrap_err();
        assert_eq!(error.to_string(), "<from_iter>:15001:1: no (stage 2:try_map)");
        let token = CancelToken::new();
        let config = config().cancel_token(&token);
        let cancels = Bag::from_iter(rows.clone()).with(config).repartition(9).unwrap().inspect(move |row| {
            if row.0 == 11_000 {
                token.cancel();
            }
        });
        assert_eq!(watched("cancel", || cancels.count()).unwrap_err().kind(), ErrorKind::Cancelled);
    }
    for wrong in [
        Bag::range(0..9).repartition(0),
        Bag::range(0..9).repartition_by_key(0, |n| *n),
        Bag::range(0..9).repartition_by_size(0),
    ] {
        assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Usage);
    }
    let many = Bag::range(0..2_000_000).repartition_by_size(1).unwrap();
    let error = many.count().unwrap_err().to_string();
    assert!(
        error.starts_with("expected 1 to 1000000 partitions, found ")
            && error.ends_with("(stage 1:repartition_by_size)")
    );
}
