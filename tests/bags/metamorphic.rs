//! Answers that must agree though they are come by in different ways: shards split, merged, permuted and packed anew;
//! verbs that change places; joins with their sides exchanged; folds by key in four ways; in memory and from disk.
//! `PROPTEST_CASES` sets the number of cases.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use super::common;

use std::cell::Cell;
use std::path::PathBuf;

use common::pack::{gzip, gzip_members, zstd, zstd_bare, zstd_frames};
use common::watched;
use kitbag::{Bag, Config, Json, Monitor, Result, agg};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

type Rec = (Json, i64, String);

/// Records as lines, with keys of several types and spellings.
fn lines(most: usize) -> impl Strategy<Value = Vec<String>> {
    let key = prop_oneof![
        (0..9_u32).prop_map(|n| n.to_string()),
        (0..9_u32).prop_map(|n| format!("{n}.0")),
        "\"[a-c]{0,2}\"",
        Just("null".to_owned()),
        Just("[1,{\"a\":2}]".to_owned()),
    ];
    let record = (key, -50..50_i64, "[a-zä \\\\\"]{0,30}");
    let line = record.prop_map(|(k, n, text)| format!("[{k},{n},{}]", serde_json::to_string(&text).unwrap()));
    prop::collection::vec(line, 0..most)
}

/// Shards that hold the lines, cut where these say.
fn shards(lines: &[String], cuts: &[Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(lines.len() + 1)).collect();
    at.sort_unstable();
    let (mut from, mut shards) = (0, Vec::new());
    for to in at.into_iter().chain([lines.len()]) {
        shards.push(lines[from..to].iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect());
        from = to;
    }
    shards
}

/// One shard, packed in the way of this number.
fn packed(text: &[u8], way: usize) -> Vec<u8> {
    let third = text.len() / 3;
    match way % 6 {
        0 => text.to_vec(),
        1 => gzip(text),
        2 => zstd(text),
        3 => gzip_members([&text[..third], &text[third..]]),
        4 => zstd_frames([&text[..third], b"", &text[third..]]),
        _ => zstd_bare(text),
    }
}

struct Shards(#[expect(dead_code, reason = "keeps the files")] tempfile::TempDir, Vec<PathBuf>);

impl Shards {
    fn new(shards: &[Vec<u8>], way: usize) -> Shards {
        let dir = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (number, shard) in shards.iter().enumerate() {
            paths.push(dir.path().join(format!("part-{number}")));
            std::fs::write(&paths[number], packed(shard, way + number * usize::from(way > 5))).unwrap();
        }
        Shards(dir, paths)
    }

    fn read(&self) -> Bag<Rec> {
        Bag::read_json(&self.1[..]).with(Config::new().threads(2).block_size(64).memory(64 << 20))
    }
}

fn cases(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn sorted<T: std::fmt::Debug>(all: Vec<T>) -> Vec<String> {
    let mut texts: Vec<String> = all.iter().map(|one| format!("{one:?}")).collect();
    texts.sort();
    texts
}

/// Answers that depend on the order of records, and on what is equal.
fn answers(bag: impl Fn() -> Bag<Rec>) -> Result<Vec<String>> {
    let group = |bag: Bag<Rec>| {
        bag.group_by(|rec| rec.0.clone()).try_map(|(k, group)| {
            let all = group.map(|rec| rec.map(|rec| rec.1)).collect::<Result<Vec<_>>>()?;
            Ok::<_, kitbag::Error>((k, all))
        })
    };
    Ok(vec![
        format!("{:?}", bag().collect()?),
        format!("{:?}", bag().filter(|rec| rec.1 % 3 != 0).map(|rec| rec.2.len()).take(17).collect()?),
        format!("{:?}", group(bag()).collect()?),
        format!("{:?}", bag().sort_by_key(|rec| rec.1.rem_euclid(5)).collect()?),
        format!("{:?}", bag().distinct_by(|rec| rec.0.clone()).collect()?),
        format!("{:?}", bag().fold_by(|rec| rec.1 % 7, agg::sum(|rec: &Rec| rec.1)).collect()?),
        format!("{:?}", bag().fold((agg::count(), agg::collect_of(|rec: &Rec| rec.2.clone())))?),
    ])
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn shards_split_merged_and_packed_anew_hold_the_same_records(
        lines in lines(120),
        cuts in prop::collection::vec(any::<Index>(), 0..9),
        way in 0..12_usize,
    ) {
        let one = Shards::new(&shards(&lines, &[]), 0);
        let many = Shards::new(&shards(&lines, &cuts), way);
        let (one, many) = watched("shards", || (answers(|| one.read()).unwrap(), answers(|| many.read()).unwrap()));
        prop_assert_eq!(one, many);
    }

    #[test]
    fn shards_in_another_order_hold_the_same_records(
        lines in lines(120),
        cuts in prop::collection::vec(any::<Index>(), 1..9),
        turn in any::<Index>(),
    ) {
        let mut parts = shards(&lines, &cuts);
        let before = Shards::new(&parts, 6);
        let turn = turn.index(parts.len());
        parts.rotate_left(turn);
        parts.swap(0, turn);
        let behind = Shards::new(&parts, 6);
        let whole = |rec: &Rec| (rec.1, rec.0.clone(), rec.2.clone());
        let of = |shards: &Shards| {
            let read = || shards.read();
            Ok::<_, kitbag::Error>((
                sorted(read().collect()?),
                sorted(read().map(|rec| (rec.0, rec.1)).count_by(|rec| rec.1).collect()?),
                // Equal keys in different spellings: the first one's is shown.
                sorted(read().sort_by_key(whole).map(|rec| (rec.1, rec.2)).collect()?),
                sorted(read().distinct_by(|rec| rec.1).map(|rec| rec.1).collect()?),
                read().fold((agg::count(), agg::sum(|rec: &Rec| rec.1), agg::max(|rec: &Rec| rec.1)))?,
            ))
        };
        prop_assert_eq!(of(&before).unwrap(), of(&behind).unwrap());
    }

    #[test]
    fn verbs_that_may_change_places_do(lines in lines(150), cuts in prop::collection::vec(any::<Index>(), 0..4), n in 1..9_i64) {
        let shards = Shards::new(&shards(&lines, &cuts), 6);
        let read = || shards.read();
        let keep = move |rec: &Rec| rec.1.rem_euclid(n + 1) != 0;
        let key = move |rec: &Rec| rec.1.rem_euclid(n);
        let (first, second) = (move |rec: Rec| (rec.0, rec.1 * n, rec.2), |rec: Rec| (rec.0, rec.1 + 1, rec.2 + "!"));
        let same = |a: Bag<Rec>, b: Bag<Rec>| {
            let (a, b) = (a.collect().unwrap(), b.collect().unwrap());
            assert_eq!(format!("{a:?}"), format!("{b:?}"));
        };
        same(read().filter(keep).sort_by_key(key), read().sort_by_key(key).filter(keep));
        same(read().map(first).map(second), read().map(move |rec| second(first(rec))));
        same(read().filter(keep).filter(|rec| rec.1 > 0), read().filter(move |rec| rec.1 > 0 && keep(rec)));
        same(read().filter(keep), read().flat_map(move |rec| keep(&rec).then_some(rec)));
        let texts = |rec: &Rec| rec.0.as_str().is_some();
        let own = |rec: &Rec| rec.0.clone();
        same(read().filter(texts).distinct_by(own), read().distinct_by(own).filter(texts));
        same(read().distinct().distinct(), read().distinct());
        same(read().sort_by_key(key).sort_by_key(key), read().sort_by_key(key));
        same(read().take(30).take(20), read().take(20));
        same(read().map(first).take(20), read().take(20).map(first));
        same(read().sort_by_key(key).take(5), read().sort_by(move |a, b| key(a).cmp(&key(b))).take(5));
    }

    #[test]
    fn the_sides_of_a_join_may_be_exchanged(left in lines(50), right in lines(50), way in 0..6_usize) {
        let (left, right) = (Shards::new(&shards(&left, &[]), way), Shards::new(&shards(&right, &[]), way + 1));
        let (a, b) = (|| left.read(), || right.read());
        let key = |rec: &Rec| rec.0.clone();
        let flipped = |pairs: Vec<(Option<Rec>, Option<Rec>)>| sorted(pairs.into_iter().map(|(x, y)| (y, x)).collect());
        let inner = a().join(b(), key, key).collect().unwrap();
        let other = b().join(a(), key, key).map(|(y, x)| (x, y)).collect().unwrap();
        prop_assert_eq!(sorted(inner.clone()), sorted(other));
        let outer = a().left_join(b(), key, key).map(|(x, y)| (Some(x), y)).collect().unwrap();
        let other = b().right_join(a(), key, key).map(|(y, x)| (y, Some(x))).collect().unwrap();
        prop_assert_eq!(sorted(outer.clone()), flipped(other));
        let full = a().full_join(b(), key, key).collect().unwrap();
        prop_assert_eq!(sorted(full.clone()), flipped(b().full_join(a(), key, key).collect().unwrap()));
        // The parts of one are the others.
        let pairs: Vec<_> = outer.into_iter().filter_map(|(x, y)| Some((x?, y?))).collect();
        prop_assert_eq!(sorted(pairs), sorted(inner.clone()));
        let alone = full.iter().filter_map(|(x, y)| if y.is_none() { x.clone() } else { None }).collect();
        prop_assert_eq!(sorted(alone), sorted(a().anti_join(b(), key, key).collect().unwrap()));
        let met = a().semi_join(b(), key, key).count().unwrap() + a().anti_join(b(), key, key).count().unwrap();
        prop_assert_eq!(met, a().count().unwrap());
    }

    #[test]
    fn a_count_by_key_is_one_number_in_four_ways(lines in lines(150), cuts in prop::collection::vec(any::<Index>(), 0..4)) {
        let shards = Shards::new(&shards(&lines, &cuts), 6);
        let read = || shards.read();
        let key = |rec: &Rec| rec.0.clone();
        let text = |all: Vec<(Json, u64)>| format!("{all:?}");
        let by_fold = text(read().fold_by(key, agg::count()).collect().unwrap());
        let grouped = read().group_by(key).try_map(|(k, group)| {
            let mut count = 0;
            for rec in group {
                rec?;
                count += 1;
            }
            Ok::<_, kitbag::Error>((k, count))
        });
        prop_assert_eq!(&text(grouped.collect().unwrap()), &by_fold);
        prop_assert_eq!(&text(read().count_by(key).collect().unwrap()), &by_fold);
        prop_assert_eq!(&text(read().map(|rec| rec.0).frequencies().collect().unwrap()), &by_fold);
        let joined = read().fold_by(key, agg::sum(|_: &Rec| 1_u64)).collect().unwrap();
        prop_assert_eq!(format!("{joined:?}"), by_fold);
    }
}

#[test]
fn from_disk_and_in_memory_answers_are_the_same() {
    let spilled = Cell::new(0);
    let strategy = (800..1500_i64, 1..60_i64, 500..4_000_usize, any::<u64>());
    TestRunner::new(cases(8))
        .run(&strategy, |(count, keys, pad, seed)| {
            let line = |n: i64| {
                let pad = "p".repeat(pad * usize::try_from(n % 3).unwrap());
                format!("[{}.0,{},\"{}{pad}\"]", n * 7919 % keys, n * n % 97, n * 31 % keys)
            };
            let many: Vec<String> = (0..count).map(line).collect();
            let shards = Shards::new(&shards(&many, &[]), 0);
            let run = |memory: u64| {
                let monitor = Monitor::new();
                let config =
                    Config::new().threads(2).memory(memory).max_record(10_000).hash_seed(seed).monitor(&monitor);
                let read = || shards.read().with(config.clone());
                let mut answers = Vec::new();
                let mut bytes = 0;
                let mut kept = |answer: String| {
                    bytes += monitor.report().unwrap().spilled();
                    answers.push(answer);
                };
                kept(format!("{:?}", read().sort_by_key(|rec| rec.1).map(|rec| (rec.0, rec.1)).collect().unwrap()));
                kept(format!("{:?}", read().distinct().map(|rec| (rec.0, rec.1)).collect().unwrap()));
                let groups = read().group_by(|rec| rec.1).try_map(|(k, group)| {
                    let all = group.map(|rec| rec.map(|rec| rec.2.len())).collect::<Result<Vec<_>>>()?;
                    Ok::<_, kitbag::Error>((k, all))
                });
                kept(format!("{:?}", groups.collect().unwrap()));
                let joined = read().take(40).join(read(), |rec| rec.2.clone(), |rec| rec.2.clone());
                kept(format!("{:?}", joined.map(|(a, b)| (a.0, b.1)).collect().unwrap()));
                (answers, bytes)
            };
            let ((small, from_disk), (large, in_memory)) = watched("spilling", || (run(4 << 20), run(256 << 20)));
            assert_eq!(in_memory, 0);
            spilled.set(spilled.get() + u64::from(from_disk > 0));
            prop_assert_eq!(small, large);
            Ok(())
        })
        .unwrap();
    assert!(spilled.get() > 0, "nothing was written to disk");
}
