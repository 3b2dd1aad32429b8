//! Joins: every kind gives what a `Vec` gives, in the same order, whether the right side fits into memory or not, for keys of
//! any skew; errors of the left side do not depend on that either.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use super::common;

use common::{grid, json_row, watched};
use kitbag::agg::{self, Fold as _};
use kitbag::{Bag, CancelToken, Config, ErrorKind, Json, Monitor};
use proptest::prelude::*;

/// A key and a number, with text.
type Row = (u32, u32, String);
/// A name for keys, and how they are made of a record's number.
type Keys = (&'static str, fn(u32) -> u32);
/// What all kinds are compared as.
type Pair = (Option<Row>, Option<Row>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
}

const KINDS: [Kind; 6] = [Kind::Inner, Kind::Left, Kind::Right, Kind::Full, Kind::Semi, Kind::Anti];

fn rows(count: u32, pad: usize, key: impl Fn(u32) -> u32) -> Vec<Row> {
    let next = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let noise = |n: u32| {
        let states = std::iter::successors(Some(next(u64::from(n))), |state| Some(next(*state)));
        states.take(pad).map(|state| char::from(b'!' + state.to_le_bytes()[7] % 90))
    };
    (0..count).map(|n| (key(n), n, noise(n).collect())).collect()
}

fn model(left: &[Row], right: &[Row], kind: Kind) -> Vec<Pair> {
    let mut by_key = std::collections::HashMap::<u32, Vec<&Row>>::new();
    right.iter().for_each(|row| by_key.entry(row.0).or_default().push(row));
    let keys: std::collections::HashSet<u32> = left.iter().map(|row| row.0).collect();
    let mut pairs = Vec::new();
    for row in left {
        let partners = by_key.get(&row.0).map_or(&[][..], |partners| partners);
        match kind {
            Kind::Semi if !partners.is_empty() => pairs.push((Some(row.clone()), None)),
            Kind::Left | Kind::Full | Kind::Anti if partners.is_empty() => pairs.push((Some(row.clone()), None)),
            Kind::Semi | Kind::Anti => (),
            _ => pairs.extend(partners.iter().map(|&partner| (Some(row.clone()), Some(partner.clone())))),
        }
    }
    if matches!(kind, Kind::Right | Kind::Full) {
        pairs.extend(right.iter().filter(|row| !keys.contains(&row.0)).map(|row| (None, Some(row.clone()))));
    }
    pairs
}

fn join(left: Bag<Row>, right: Bag<Row>, kind: Kind) -> Bag<Pair> {
    let key = |row: &Row| row.0;
    match kind {
        Kind::Inner => left.join(right, key, key).map(|(a, b)| (Some(a), Some(b))),
        Kind::Left => left.left_join(right, key, key).map(|(a, b)| (Some(a), b)),
        Kind::Right => left.right_join(right, key, key).map(|(a, b)| (a, Some(b))),
        Kind::Full => left.full_join(right, key, key),
        Kind::Semi => left.semi_join(right, key, key).map(|a| (Some(a), None)),
        Kind::Anti => left.anti_join(right, key, key).map(|a| (Some(a), None)),
    }
}

fn bag(rows: &[Row], partition: usize) -> Bag<Row> {
    Bag::from_partitions(rows.chunks(partition).map(<[Row]>::to_vec).collect::<Vec<_>>())
}

fn small(threads: usize) -> Config {
    Config::new().threads(threads).memory(2 << 20).block_size(4096)
}

/// All kinds, in memory and with budgets that do not hold the right side, or neither.
fn check(name: &str, left: &[Row], right: &[Row]) {
    for kind in KINDS {
        let expected = model(left, right, kind);
        for (threads, memory) in [(2, 1 << 30), (1, 2 << 20), (2, 2 << 20), (3, 6 << 20), (8, 4 << 20)] {
            let label = format!("{name}, {kind:?}, {threads} threads, {memory} bytes");
            let monitor = Monitor::new();
            let config = small(threads).memory(memory).monitor(&monitor);
            let joined = join(bag(left, 97).with(config), bag(right, 31), kind);
            let joined = watched(&label, || joined.collect()).unwrap_or_else(|error| panic!("{label}: {error}"));
            if joined != expected {
                let at = joined.iter().zip(&expected).position(|(a, b)| a != b);
                panic!("{label}: {} of {} pairs, the first that differs is {at:?}", joined.len(), expected.len());
            }
            let report = monitor.report().unwrap();
            let stage = report.stages.iter().find(|stage| stage.stage.contains("join")).unwrap();
            assert_eq!(stage.records_out, expected.len() as u64, "{label}");
            let bytes: usize = right.iter().map(|row| row.2.len()).sum();
            if memory == 1 << 30 {
                assert_eq!(report.spilled(), 0, "{label}");
            } else if bytes as u64 > memory && kind != Kind::Semi && kind != Kind::Anti {
                assert!(report.spilled() > memory / 2, "{label}: {} bytes spilled", report.spilled());
            }
        }
    }
}

#[test]
fn small_right_sides_of_any_shape() {
    let left = rows(3000, 20, |n| n * 7 % 501);
    check("no right record", &left, &[]);
    check("no left record", &[], &left[..300]);
    check("nothing in common", &left, &rows(40, 9, |n| 1000 + n));
    check("several partners", &left, &rows(900, 9, |n| n * 13 % 400));
}

#[test]
fn right_sides_that_do_not_fit() {
    let keys: [Keys; 3] = [
        ("distinct", |n| n.wrapping_mul(2_654_435_761) % 60_000),
        ("skewed", |n| if n % 5 == 0 { n } else { 1_000_000 + n % 4000 }),
        ("half missing", |n| n * 2),
    ];
    for (name, key) in keys {
        check(name, &rows(6000, 60, key), &rows(30_000, 300, |n| key(29_999 - n)));
    }
    check("left too", &rows(30_000, 200, |n| n % 20_011), &rows(20_000, 200, |n| n * 3 % 20_011));
}

#[test]
fn one_key_on_either_side_or_both() {
    // More right records of one key than memory holds, for each of a few left ones; and the other way round.
    check("giant right key", &rows(6, 800, |n| n % 3), &rows(9000, 400, |n| if n % 50 == 0 { 1 } else { 2 }));
    check("giant left key", &rows(3000, 900, |n| if n % 50 == 0 { 1 } else { 2 }), &rows(8, 60_000, |n| n % 4));
    check("giant left key, no partner", &rows(20_000, 200, |_| 1), &rows(12_000, 300, |n| n + 2));
    check("giant right key, no partner", &rows(900, 200, |n| n + 2), &rows(20_000, 200, |_| 1));
}

#[test]
fn every_sink_takes_right_records_without_partners() {
    let (left, right) = (rows(400, 5, |n| n), rows(300, 5, |n| n * 3));
    let expected = model(&left, &right, Kind::Full);
    let numbers = |pair: &Pair| (pair.0.as_ref().map(|row| row.1), pair.1.as_ref().map(|row| row.1));
    let expected: Vec<_> = expected.iter().map(numbers).collect();
    for setting in grid() {
        let label = setting.to_string();
        let joined =
            || join(bag(&left, 17).with(setting.config()), bag(&right, 11), Kind::Full).map(move |p| numbers(&p));
        watched(&label, || {
            assert_eq!(joined().collect().unwrap(), expected, "{label}");
            assert_eq!(joined().count().unwrap(), expected.len() as u64, "{label}");
            assert_eq!(joined().iter().unwrap().collect::<Result<Vec<_>, _>>().unwrap(), expected, "{label}");
            let last = expected.len() as u64 - 50;
            assert_eq!(joined().take(last).collect().unwrap(), expected[..expected.len() - 50], "{label}");
            assert_eq!(joined().take(3).collect().unwrap(), expected[..3], "{label}");
            assert!(joined().any(|pair| pair.0.is_none()).unwrap(), "{label}");
            let folded = joined().map(|pair| format!("{pair:?}")).reduce(|a, b| a + &b).unwrap().unwrap();
            assert_eq!(folded, expected.iter().map(|pair| format!("{pair:?}")).collect::<String>(), "{label}");
            let mut text = Vec::new();
            joined().write_jsonl_to(&mut text).unwrap();
            let model: String = expected.iter().map(|pair| serde_json::to_string(pair).unwrap() + "\n").collect();
            assert_eq!(String::from_utf8(text).unwrap(), model, "{label}");
            let groups = joined().count_by(|pair| pair.0.is_some()).collect().unwrap();
            assert_eq!(groups, [(true, 400), (false, expected.len() as u64 - 400)], "{label}");
            let sorted = joined().sort_by_key(|pair| std::cmp::Reverse(pair.1)).map(|pair| pair.1).take(2).collect();
            assert_eq!(sorted.unwrap(), [Some(299), Some(298)], "{label}");
            let partitions = joined().map_partitions(|records| [records.collect::<Vec<_>>()]);
            assert_eq!(partitions.collect().unwrap(), std::slice::from_ref(&expected), "{label}");
        });
    }
}

#[test]
fn joins_of_joins_and_of_wide_verbs() {
    let numbers = || Bag::range(0..60);
    for setting in grid() {
        let label = setting.to_string();
        let sums = numbers().map(|n| (n % 7, n)).fold_by(|pair| pair.0, kitbag::agg::count());
        let evens = numbers().filter(|n| n % 2 == 0).semi_join(numbers().take(20), |n| *n, |n| *n);
        // Four stores and a sort at once need more than the least that the grid has.
        let memory = setting.memory.map_or(1 << 30, |_| 8 << 20);
        let joined = numbers()
            .with(setting.config().memory(memory))
            .sort_by_key(|n| std::cmp::Reverse(*n))
            .join(sums, |n| n % 9, |sum| sum.0)
            .left_join(evens, |pair| pair.0, |n| *n)
            .distinct_by(|pair| pair.0.0 % 11)
            .map(|((n, (key, count)), even)| (n, key, count, even));
        let stages = "0:range 1:sort_by_key 2:range 3:map 4:fold_by 5:join 6:range 7:filter 8:range 9:take 10:semi_join \
                      11:left_join 12:distinct_by 13:map ";
        assert_eq!(joined.to_string().replace('\n', " "), stages);
        let expected: Vec<(i64, i64, u64, Option<i64>)> = (0..60)
            .rev()
            .filter(|n| n % 9 < 7)
            .scan(std::collections::HashSet::new(), |seen, n| Some(seen.insert(n % 11).then_some(n)))
            .flatten()
            .map(|n| (n, n % 9, if n % 9 < 4 { 9 } else { 8 }, (n % 2 == 0 && n < 20).then_some(n)))
            .collect();
        assert_eq!(watched(&label, || joined.collect()).unwrap(), expected, "{label}");
    }
}

#[test]
fn records_of_every_shape_join_by_value() {
    let records: Vec<String> = (0..60)
        .map(|n| {
            format!(
                r#"{{"n":{n},"k":{}}}"#,
                [format!("{}", n % 9), format!("{}.0", n % 9), format!("{}e0", n % 9)][n % 3]
            )
        })
        .collect();
    let names = || Bag::from_iter((0..6).map(|n| (Json::parse(&n.to_string()).unwrap(), format!("name {n}"))));
    let k = |record: &Json| record.get("k").map(|k| k.to_json());
    let n = |record: &Json| record.get("n").and_then(|n| n.as_i64()).unwrap();
    json_row(
        &records,
        |bag| {
            bag.join(names(), k, |name| Some(name.0.clone())).map(move |(record, name)| (n(&record), name.1)).collect()
        },
        |v| v.iter().map(n).filter(|n| n % 9 < 6).map(|n| (n, format!("name {}", n % 9))).collect(),
    );
}

#[test]
fn an_error_of_the_left_side_waits_for_what_lies_before_it_wherever_the_right_side_is() {
    let right = rows(20_000, 150, |n| n);
    for (threads, memory) in [(1, 2 << 20), (2, 2 << 20), (8, 4 << 20), (1, 1 << 30), (2, 1 << 30)] {
        let label = format!("{threads} threads, {memory} bytes");
        let config = || small(threads).memory(memory);
        let left = || {
            let refuse = |n: i64| if n == 3000 { Err("refused") } else { Ok(n) };
            Bag::range(0..9000).with(config()).try_map(refuse)
        };
        let joined = || left().join(bag(&right, 31), |n| u32::try_from(*n).unwrap(), |row| row.0);
        let error = watched(&label, || joined().count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:3001:1: refused (stage 1:try_map)", "{label}");
        let first = watched(&label, || joined().map(|pair| pair.0).take(2999).collect()).unwrap();
        assert!(first == (0..2999).collect::<Vec<_>>(), "{label}: what lies behind is no error");
        let earlier = joined().try_map(|(n, _)| if n == 100 { Err("no hundred") } else { Ok(n) });
        let error = watched(&label, || earlier.count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:101:1: no hundred (stage 4:try_map)", "{label}");
        let panics = left().map(|n| if n == 2000 { panic!("at two thousand") } else { n });
        let panics = panics.full_join(bag(&right, 31), |n| u32::try_from(*n).unwrap(), |row| row.0);
        let earlier = panics.try_map(|(n, _)| if n == Some(100) { Err("no hundred") } else { Ok(n) });
        let error = watched(&label, || earlier.count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:101:1: no hundred (stage 5:try_map)", "{label}");
    }
}

#[test]
fn errors_of_the_right_side_and_of_the_join_name_their_stages() {
    for setting in grid() {
        let right = || Bag::range(0..400).map(|n| n).try_filter(|n| if *n == 77 { Err("no such") } else { Ok(true) });
        let left = || Bag::range(0..90).with(setting.config()).map(|n| n + 1);
        let error = watched("right", || left().join(right(), |n| *n, |n| *n).count()).unwrap_err();
        assert_eq!(error.to_string(), "<range>:78:1: no such (stage 4:try_filter)", "{setting}");
        let joined = || left().anti_join(Bag::range(0..50), |n| if *n == 60 { panic!("key") } else { *n }, |n| *n);
        assert_eq!(joined().to_string(), "0:range\n1:map\n2:range\n3:anti_join\n");
        let error = watched("key", || joined().count()).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("3:anti_join")), "{setting}: {error}");
        let joined = left().join(Bag::range(0..50), |n| *n, |n| if *n == 9 { panic!("key") } else { *n });
        let error = watched("right key", || joined.count()).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("3:join")), "{setting}: {error}");
    }
}

#[test]
fn a_join_that_is_cancelled_or_has_no_temporary_space_ends_with_that_error() {
    let (left, right) = (rows(20_000, 200, |n| n), rows(20_000, 200, |n| n));
    for threads in [1, 2, 8] {
        let config = small(threads).memory(4 << 20).max_temp(100_000);
        let error = watched("quota", || join(bag(&left, 97).with(config), bag(&right, 31), Kind::Inner).count());
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Limit, Some("2:join")), "{error}");
        for (side, at) in [(0, 10_000), (1, 10_000), (2, 5000)] {
            let token = CancelToken::new();
            let config = small(threads).memory(4 << 20).cancel_token(&token);
            let cancel = move |no: i32, row: &Row| {
                if no == side && row.1 == at {
                    token.cancel();
                }
            };
            let (on_left, on_right, behind) = (cancel.clone(), cancel.clone(), cancel);
            let left = bag(&left, 97).with(config).inspect(move |row| on_left(1, row));
            let joined = join(left, bag(&right, 31).inspect(move |row| on_right(0, row)), Kind::Inner);
            let joined = joined.inspect(move |pair| behind(2, pair.0.as_ref().unwrap()));
            assert_eq!(watched("cancel", || joined.count()).unwrap_err().kind(), ErrorKind::Cancelled);
        }
    }
}

/// A number that cannot be read back.
#[derive(Clone, Debug, serde::Serialize)]
struct Unreadable(i64);

impl<'de> serde::Deserialize<'de> for Unreadable {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Unreadable, D::Error> {
        let n = i64::deserialize(from)?;
        if n == 50 { panic!("fifty") } else { Ok(Unreadable(n)) }
    }
}

#[test]
fn what_panics_when_it_is_read_back_is_blamed_on_the_verb_that_stored_it() {
    let texts = rows(20_000, 150, |n| n);
    for memory in [2 << 20, 1 << 30] {
        let records = || Bag::range(0..400).with(small(2).memory(memory)).map(|n| n);
        let blamed = |stage: &str, error: kitbag::Error| {
            let expected = format!("<range>:51:1: a closure panicked: fifty (stage {stage})");
            assert_eq!(error.to_string(), expected, "{memory}");
        };
        let right = bag(&texts, 999).map(|row| (Unreadable(i64::from(row.0)), row.2));
        blamed("4:join", records().join(right, |n| *n, |row| row.0.0).map(|pair| pair).count().unwrap_err());
        let sorted = records().map(Unreadable).sort_by_key(|n| n.0).map(|n| n);
        blamed("3:sort_by_key", sorted.count().unwrap_err());
        let grouped = records().group_by(|n| if *n == 50 { 50.0 } else { 7.0 }.to_string()).map(|group| group.0);
        assert_eq!(grouped.count().unwrap(), 2);
        let folded = records().fold_by(|n| *n, agg::count().map(|n| if n == 1 { panic!("fifty") } else { n }));
        let error = folded.map(|pair| pair).count().unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("2:fold_by")), "{error}");
        // The other side of a join numbers its stages from there.
        let right = records().map(Unreadable).sort_by_key(|n| n.0).map(|n| n.0);
        blamed("5:sort_by_key", records().join(right, |n| *n, |n| *n).count().unwrap_err());
    }
}

#[test]
fn a_record_of_the_left_side_that_is_too_long_waits_for_what_lies_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("left.jsonl");
    let text = |n: i64| if n == 3000 { "x".repeat(300_000) } else { String::new() };
    let lines: String = (0..9000).map(|n| format!("[{n},\"{}\"]\n", text(n))).collect();
    std::fs::write(&path, lines).unwrap();
    let right = rows(20_000, 150, |n| n);
    for (threads, memory) in [(1, 2 << 20), (2, 2 << 20), (1, 1 << 30), (2, 1 << 30)] {
        let label = format!("{threads} threads, {memory} bytes");
        let joined = || {
            let left = Bag::<(i64, String)>::read_json(&path).with(small(threads).memory(memory).max_record(50_000));
            left.join(bag(&right, 31), |row| row.0, |row| i64::from(row.0)).map(|pair| pair.0.0)
        };
        let error = watched(&label, || joined().count()).unwrap_err();
        let place = error.place().unwrap();
        assert_eq!((error.kind(), place.line, error.stage()), (ErrorKind::Limit, Some(3001), Some("0:read_json")));
        assert_eq!(watched(&label, || joined().take(5).collect()).unwrap(), [0, 1, 2, 3, 4], "{label}");
        let earlier = joined().try_map(|n| if n == 100 { Err("no hundred") } else { Ok(n) });
        assert!(watched(&label, || earlier.count()).unwrap_err().to_string().contains(":101:1: no hundred"), "{label}");
    }
}

#[test]
fn where_no_spill_file_can_be_made_the_run_says_so_whichever_side_needs_one() {
    let left = rows(20_000, 100, |n| n);
    for threads in [1, 2, 4] {
        for rights in [3000, 5000, 8000, 10_000, 12_000] {
            let config = small(threads).memory(4 << 20).temp_dir("/no such directory");
            let right = rows(rights, 80, |n| n);
            let joined = join(bag(&left, 97).with(config), bag(&right, 31), Kind::Inner);
            match watched("no directory", || joined.count()) {
                Ok(count) => assert_eq!((rights, count), (3000, 3000), "the others do not fit"),
                Err(error) => {
                    assert_eq!((error.kind(), error.stage()), (ErrorKind::NotFound, Some("2:join")), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_join_that_spills_writes_no_more_than_some_times_its_input() {
    // An answer of 100 MB, of which each left row would have its own part beside it.
    let skewed = |n: u32| if n.is_multiple_of(1000) { 7 } else { n + 8 };
    let (left, right) = (rows(40_000, 10, |n| if n % 2 == 0 { 7 } else { n + 8 }), rows(20_000, 200, skewed));
    let monitor = Monitor::new();
    let config = small(2).memory(8 << 20).monitor(&monitor);
    let joined = join(bag(&left, 997).with(config), bag(&right, 31), Kind::Inner);
    let expected = model(&left, &right, Kind::Inner).len() as u64;
    assert_eq!(watched("skewed", || joined.count()).unwrap(), expected);
    let spilled = monitor.report().unwrap().spilled();
    assert!((1 << 20..16 << 20).contains(&spilled), "{spilled} bytes for {expected} pairs");
}

#[test]
fn without_an_order_the_pairs_are_the_same_ones() {
    let (left, right) = (rows(3000, 60, |n| n * 7 % 2501), rows(9000, 300, |n| if n % 3 == 0 { 1 } else { n % 4001 }));
    for kind in KINDS {
        let mut expected = model(&left, &right, kind);
        expected.sort_unstable();
        for (threads, memory) in [(2, 1 << 30), (1, 2 << 20), (3, 3 << 20), (8, 4 << 20)] {
            let label = format!("{kind:?}, {threads} threads, {memory} bytes");
            let config = || small(threads).memory(memory).ordered(false);
            let joined = || join(bag(&left, 97).with(config()), bag(&right, 31), kind);
            let mut pairs = watched(&label, || joined().collect()).unwrap();
            pairs.sort_unstable();
            assert!(pairs == expected, "{label}: {} of {} pairs", pairs.len(), expected.len());
            let failing = bag(&left, 97).with(config()).try_map(|row| if row.1 == 2000 { Err("no") } else { Ok(row) });
            let error = watched(&label, || join(failing, bag(&right, 31), kind).count()).unwrap_err();
            assert_eq!(error.to_string(), "<from_partitions>:61:1: no (stage 1:try_map)", "{label}");
        }
    }
}

#[test]
fn wide_verbs_before_joins_find_room_whatever_the_other_sides_hold() {
    let numbers = |threads, memory| Bag::range(0..3000).with(small(threads).memory(memory));
    for (threads, memory) in [(1, 3 << 20), (2, 4 << 20), (5, 4 << 20), (8, 5 << 20)] {
        // Other sides of a third, more than half and a multiple of the budget.
        for count in [memory / 1500, memory / 700, memory / 100] {
            let label = format!("{threads} threads, {memory} bytes, {count} records");
            let right =
                || bag(&rows(u32::try_from(count).unwrap(), 400, |n| n), 31).map(|row| (i64::from(row.0), row.2));
            let grouped = numbers(threads, memory).group_by(|n| *n).map(|(n, _)| n);
            let joined = grouped.semi_join(right(), |n| *n, |row| row.0);
            assert_eq!(watched(&label, || joined.count()).unwrap(), count.min(3000), "{label}");
            let sorted = numbers(threads, memory).sort_by_key(|n| std::cmp::Reverse(*n));
            let joined = sorted.join(right(), |n| *n, |row| row.0).map(|pair| pair.0);
            let joined = joined.left_join(right(), |n| *n, |row| row.0).map(|pair| pair.0);
            let expected: Vec<i64> = (0..3000.min(i64::try_from(count).unwrap())).rev().collect();
            assert!(watched(&label, || joined.collect()).unwrap() == expected, "{label}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_bag_is_joined_as_a_vec_is(
        left in prop::collection::vec((0u32..40, 0usize..300), 0..300),
        right in prop::collection::vec((0u32..60, 0usize..3000), 0..300),
        skew in 1u32..60,
        threads in 1usize..4,
        cut in (1usize..90, 1usize..90),
        memory in prop_oneof![Just(2u64 << 20), Just(3 << 20), Just(64 << 20)],
    ) {
        let rows = |from: Vec<(u32, usize)>| -> Vec<Row> {
            (0..).zip(from).map(|(no, (key, pad))| (key % skew, no, "x".repeat(pad * 3))).collect()
        };
        let (left, right) = (rows(left), rows(right));
        for kind in KINDS {
            let config = Config::new().threads(threads).memory(memory).block_size(4096);
            let joined = join(bag(&left, cut.0).with(config), bag(&right, cut.1), kind);
            prop_assert!(watched("join", || joined.collect()).unwrap() == model(&left, &right, kind), "{:?}", kind);
        }
    }
}

/// A key all of whose values have one hash.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Colliding(u32);

impl std::hash::Hash for Colliding {
    fn hash<H: std::hash::Hasher>(&self, to: &mut H) {
        (self.0 % 2).hash(to);
    }
}

#[test]
fn keys_of_equal_hashes_are_told_apart() {
    let key = |row: &Row| Colliding(row.0);
    for (threads, memory, count) in [(2, 1 << 30, 3000), (2, 6 << 20, 3000)] {
        let (left, right) = (rows(count / 2, 900, |n| n % 50), rows(count, 900, |n| n * 7 % 60));
        let label = format!("{threads} threads, {memory} bytes");
        let joined = bag(&left, 97).with(small(threads).memory(memory)).full_join(bag(&right, 31), key, key);
        match watched(&label, || joined.collect()) {
            Ok(pairs) => assert!(pairs == model(&left, &right, Kind::Full), "{label}"),
            Err(error) => assert!(memory < 1 << 30 && error.to_string().contains("the same hash"), "{label}: {error}"),
        }
    }
}
