//! Verbs that gather: groups, folds by key, frequencies, and whole partitions. Order is that of first occurrence, for
//! every shape and configuration, in memory or spilled.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::common;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

use common::{Kind, check, grid, json_row, text_row, watched};
use kitbag::agg::{self, collect, count};
use kitbag::{BadRecords, Bag, Config, ErrorKind, Json, Monitor, Scan};

fn records() -> Vec<String> {
    (0..120).map(|n: u64| format!(r#"{{"n":{n},"k":"{}","deep":{{"x":[{},{}]}}}}"#, n * n % 13, n % 3, n % 7)).collect()
}

fn n(record: &Json) -> i64 {
    record.get("n").and_then(|n| n.as_i64()).unwrap()
}

fn k(record: &Json) -> String {
    record.get("k").and_then(|k| k.as_str().map(|k| k.into_owned())).unwrap()
}

/// Groups a `Vec` in order of first occurrence.
fn grouped<T, K: Hash + Eq + Clone>(items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<(K, Vec<T>)> {
    let (mut place, mut groups) = (HashMap::new(), Vec::<(K, Vec<T>)>::new());
    for item in items {
        let key = key(&item);
        let at = *place.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(item);
    }
    groups
}

macro_rules! rows {
    ($($row:ident: $kind:ident($records:expr), $pipeline:expr, $model:expr;)*) => {$(
        #[test]
        fn $row() {
            $kind(&$records, $pipeline, $model);
        }
    )*};
}

rows! {
    fold_by: json_row(records()),
        |bag| bag.fold_by(k, (count(), collect_n())).collect(),
        |v| grouped(v, k).into_iter().map(|(k, g)| (k, (g.len() as u64, g.iter().map(n).collect::<Vec<_>>()))).collect();
    fold_by_in_order: json_row(records()),
        |bag| bag.fold_by_in_order(k, agg::fold_with(|| 1_i64, |s: &mut i64, r: &Json| *s = s.wrapping_mul(31) ^ n(r), |_: &mut i64, _| ())).collect(),
        |v| grouped(v, k).into_iter().map(|(k, g)| (k, g.iter().fold(1_i64, |s, r| s.wrapping_mul(31) ^ n(r)))).collect();
    fold_by_of_values_and_sketches: json_row(records()),
        |bag| bag.fold_by(k, answers()).map(|row| format!("{row:?}")).collect(),
        |v| grouped(v, k).into_iter().map(|(k, g)| format!("{:?}", (k, agg::apply(&answers(), g)))).collect();
    fold_by_in_order_of_a_sample: json_row(records()),
        |bag| bag.fold_by_in_order(k, agg::sample_of(3, 8, n)).collect(),
        |v| grouped(v, k).into_iter().map(|(k, g)| (k, agg::apply(&agg::sample_of(3, 8, n), g))).collect();
    groups_are_aggregated: json_row(records()),
        |bag| bag.group_by(k).try_map(|(k, group)| Ok::<_, kitbag::Error>((k, format!("{:?}", group.aggregate(&(answers(), agg::sample_of(3, 8, n)))?)))).collect(),
        |v| grouped(v, k).into_iter().map(|(k, g)| (k, format!("{:?}", agg::apply(&(answers(), agg::sample_of(3, 8, n)), g)))).collect();
    groups_half_read_are_aggregated_from_there: json_row(records()),
        |bag| bag.group_by(k).try_map(|(_, mut group)| { group.next(); group.aggregate(&agg::collect_of(n)) }).collect(),
        |v| grouped(v, k).into_iter().map(|(_, g)| g[1..].iter().map(n).collect()).collect();
    count_by: json_row(records()),
        |bag| bag.count_by(|r| n(r) % 9).collect(),
        |v| grouped(v, |r| n(r) % 9).into_iter().map(|(k, g)| (k, g.len() as u64)).collect();
    frequencies: text_row(records().iter().map(|r| r[r.len() - 9..].to_owned()).collect::<Vec<_>>()),
        |bag| bag.frequencies().collect(),
        |v| grouped(v, String::clone).into_iter().map(|(k, g)| (k, g.len() as u64)).collect();
    group_by: json_row(records()),
        |bag| bag.group_by(k).map(|(k, group)| (k, group.map(|r| n(&r.unwrap())).collect::<Vec<_>>())).collect(),
        |v| grouped(v, k).into_iter().map(|(k, g)| (k, g.iter().map(n).collect())).collect();
    groups_dropped_half_read: json_row(records()),
        |bag| bag.group_by(k).map(|(k, mut group)| (k, group.total(), group.next().map(|r| n(&r.unwrap())))).collect(),
        |v| grouped(v, k).into_iter().map(|(k, g)| (k, g.len() as u64, g.first().map(n))).collect();
    groups_that_outlive_the_run: json_row(records()),
        |bag| Ok(bag.group_by(k).collect()?.into_iter().rev().map(|(k, g)| (k, g.map(|r| n(&r.unwrap())).sum::<i64>())).collect::<Vec<_>>()),
        |v| grouped(v, k).into_iter().rev().map(|(k, g)| (k, g.iter().map(n).sum())).collect();
    group_by_after_group_by: json_row(records()),
        |bag| bag.count_by(k).group_by(|pair| pair.1).map(|(times, group)| (times, group.map(|p| p.unwrap().0).collect::<Vec<_>>())).take(3).collect(),
        |v| {
            let counts = grouped(v, k).into_iter().map(|(k, g)| (k, g.len() as u64)).collect();
            grouped(counts, |pair: &(String, u64)| pair.1).into_iter().map(|(t, g)| (t, g.into_iter().map(|p| p.0).collect::<Vec<_>>())).take(3).collect()
        };
    group_by_of_nothing: json_row(records()),
        |bag| bag.filter(|_| false).group_by(k).count(), |_| 0;
    distinct: text_row(records().iter().map(|r| r[r.len() - 9..].to_owned()).collect::<Vec<_>>()),
        |bag| bag.distinct().collect(),
        |v| grouped(v, String::clone).into_iter().map(|(k, _)| k).collect();
    distinct_by: json_row(records()),
        |bag| bag.distinct_by(k).map(|r| n(&r)).collect(),
        |v| grouped(v, k).into_iter().map(|(_, g)| n(&g[0])).collect();
    distinct_last_by: json_row(records()),
        |bag| bag.distinct_last_by(k).map(|r| n(&r)).collect(),
        |v| { let mut last: Vec<_> = grouped(v, k).into_iter().map(|(_, g)| n(&g[g.len() - 1])).collect(); last.sort_unstable(); last };
    distinct_by_one_key: json_row(records()),
        |bag| bag.distinct_by(|_| 7).map(|r| n(&r)).collect(), |_| vec![0];
    distinct_by_a_key_of_its_own: json_row(records()),
        |bag| bag.distinct_last_by(n).map(|r| n(&r)).collect(), |v| v.iter().map(n).collect();
    distinct_of_nothing: json_row(records()), |bag| bag.filter(|_| false).distinct().count(), |_| 0;
    distinct_before_other_verbs: json_row(records()),
        |bag| bag.distinct_by(|r| n(r) % 50).count_by(|r| n(r) % 7).take(3).collect(),
        |v| grouped(v.into_iter().take(50).collect(), |r| n(r) % 7).into_iter().map(|(k, g)| (k, g.len() as u64)).take(3).collect();
    sort_by_key: json_row(records()),
        |bag| bag.sort_by_key(k).map(|r| n(&r)).collect(),
        |mut v| { v.sort_by_key(k); v.iter().map(n).collect() };
    sort_by_a_key_of_several_parts: json_row(records()),
        |bag| bag.sort_by_key(|r| (Reverse(n(r) % 7), k(r))).map(|r| n(&r)).collect(),
        |mut v| { v.sort_by_key(|r| (Reverse(n(r) % 7), k(r))); v.iter().map(n).collect() };
    sort_by_one_key_changes_nothing: json_row(records()),
        |bag| bag.sort_by_key(|_| ()).map(|r| n(&r)).collect(), |v| v.iter().map(n).collect();
    sort_by_a_json_key: json_row(records()),
        |bag| bag.sort_by_key(|r| r.get("deep").map(|deep| deep.to_json())).map(|r| n(&r)).collect(),
        |mut v| { v.sort_by_key(|r| (n(r) % 3, n(r) % 7)); v.iter().map(n).collect() };
    sort_by: json_row(records()),
        |bag| bag.sort_by(|a, b| n(b).cmp(&n(a))).map(|r| n(&r)).collect(),
        |v| v.iter().rev().map(n).collect();
    sort_of_nothing: json_row(records()), |bag| bag.filter(|_| false).sort_by_key(n).count(), |_| 0;
    sort_before_other_verbs: json_row(records()),
        |bag| bag.sort_by_key(|r| Reverse(n(r))).filter(|r| n(r) % 2 == 0).count_by(k).take(4).collect(),
        |v| grouped(v.into_iter().rev().filter(|r| n(r) % 2 == 0).collect(), k).into_iter().map(|(k, g)| (k, g.len() as u64)).take(4).collect();
    sort_after_sort: json_row(records()),
        |bag| bag.sort_by_key(|r| Reverse(n(r))).sort_by_key(k).take(50).map(|r| n(&r)).collect(),
        |mut v| { v.reverse(); v.sort_by_key(k); v.iter().take(50).map(n).collect() };
    sort_after_take_and_group_by: json_row(records()),
        |bag| bag.take(70).group_by(k).map(|(k, group)| (k, group.total())).sort_by_key(|pair| Reverse(pair.1)).collect(),
        |v| {
            let mut groups: Vec<_> = grouped(v.into_iter().take(70).collect(), k).into_iter().map(|(k, g)| (k, g.len() as u64)).collect();
            groups.sort_by_key(|pair| Reverse(pair.1));
            groups
        };
    sort_is_written: json_row(records()),
        |bag| { let mut text = Vec::new(); bag.sort_by_key(k).write_jsonl_to(&mut text)?; Ok(String::from_utf8(text).unwrap()) },
        |mut v| { v.sort_by_key(k); v.iter().map(|r| r.raw().to_owned() + "\n").collect() };
    pluck: json_row(records()),
        |bag| bag.pluck(".deep.x[1]")?.map(|n| n.as_i64()).collect(), |v| v.iter().map(|r| Some(n(r) % 7)).collect();
    pluck_or: json_row(records()),
        |bag| bag.pluck_or("no.such", 5)?.map(|n| n.as_i64()).sum_of_some(), |v| v.len() as i128 * 5;
}

/// Everything that holds more than a number, over the records of a key.
fn answers() -> impl agg::Aggregate<Json, Out: std::fmt::Debug + Send + 'static, State: 'static> + 'static {
    let deep = |r: &Json| r.get("deep").map(|deep| deep.to_json());
    (
        agg::count_distinct(deep),
        agg::approx_count_distinct(n),
        agg::quantiles([0.5, 0.9], |r: &Json| n(r) as f64 * 1.7).unwrap(),
        agg::frequencies(deep),
        agg::join_strings("|", |r: &Json| r.raw().to_owned()),
    )
}

fn collect_n() -> impl agg::Aggregate<Json, Out = Vec<i64>, State: 'static> + 'static {
    use agg::Fold as _;
    collect().of(n)
}

trait SumOfSome {
    fn sum_of_some(self) -> kitbag::Result<i128>;
}

impl SumOfSome for Bag<Option<i64>> {
    fn sum_of_some(self) -> kitbag::Result<i128> {
        self.flatten().sum()
    }
}

#[test]
fn scan_counts_and_folds_by_a_borrowed_key() {
    let parsed = || records().iter().map(|text| Json::parse(text).unwrap()).collect::<Vec<_>>();
    let model: Vec<(String, u64)> = grouped(parsed(), |r| r.get("k").unwrap().raw().to_owned())
        .into_iter()
        .map(|(k, g)| (k, g.len() as u64))
        .collect();
    let first: Vec<i64> = grouped(parsed(), k).iter().map(|(_, g)| n(&g[0])).collect();
    let keys = first.len() as u64;
    check(&records(), Kind::Json, &grid(), &(model.clone(), model, first, keys), |input, config| {
        let scan = || Scan::new(input.clone()).with(config.clone());
        let text =
            |pairs: Vec<(Json, u64)>| pairs.into_iter().map(|(k, n)| (k.raw().to_owned(), n)).collect::<Vec<_>>();
        Ok((
            text(scan().count_by(|r| r.get("k")).collect()?),
            text(scan().fold_by(|r| r.get("k"), count()).collect()?),
            scan().distinct_by(|r| r.get("k")).map(|r| n(&r)).collect()?,
            scan().count_distinct(|r| r.get("k"))?,
        ))
    });
}

/// Shards of these many records, plain, so large that they do not fit the gate at once.
fn shards(count: usize, records: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for shard in 0..count {
        let text: String =
            (0..records).map(|n| format!("{{\"shard\":{shard},\"n\":{n},\"pad\":\"{:0>60}\"}}\n", n)).collect();
        #[allow(clippy::disallowed_methods, reason = "a test's own input")]
        std::fs::write(dir.path().join(format!("part-{shard}.jsonl")), text).unwrap();
    }
    dir
}

#[test]
fn map_partitions_sees_each_shard_once_in_order() {
    let dir = shards(7, 300);
    let model: Vec<(i64, i64)> =
        (0..7).map(|shard| (shard, (0..300).fold(0, |s: i64, n| s.wrapping_mul(31) ^ n))).collect();
    for setting in grid() {
        let bag = Bag::<Json>::read_json(dir.path()).with(setting.config()).filter(|_| true);
        let folded = bag.map_partitions(|records| {
            let (mut shard, mut state) = (0, 0_i64);
            for record in records {
                shard = record.get("shard").unwrap().as_i64().unwrap();
                state = state.wrapping_mul(31) ^ n(&record);
            }
            [(shard, state)]
        });
        assert_eq!(watched(&setting.to_string(), || folded.collect()).unwrap(), model, "{setting}");
    }
}

#[test]
fn map_partitions_may_leave_records_unread() {
    let dir = shards(6, 40_000);
    for (threads, memory) in [(1, 2 << 20), (2, 2 << 20), (2, 64 << 20), (8, 8 << 20)] {
        let bag = || Bag::<String>::read_text(dir.path()).with(Config::new().threads(threads).memory(memory));
        let label = format!("threads {threads}, memory {memory}");
        let first = watched(&label, || bag().map_partitions(|records| records.take(1)).count());
        assert_eq!(first.unwrap(), 6, "the first of each, {label}");
        let none = watched(&label, || bag().map_partitions(|_| Vec::<u8>::new()).count());
        assert_eq!(none.unwrap(), 0, "none at all, {label}");
        let taken = watched(&label, || bag().map_partitions(|records| records).take(3).count());
        assert_eq!(taken.unwrap(), 3, "a take behind it, {label}");
    }
}

#[test]
fn a_panic_in_map_partitions_names_the_stage() {
    let dir = shards(3, 1000);
    for setting in grid() {
        let bag = Bag::<Json>::read_json(dir.path()).with(setting.config());
        let bag = bag.map_partitions(|records| records.inspect(|r| assert!(n(r) != 500, "on purpose")));
        let error = watched(&setting.to_string(), || bag.count()).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("1:map_partitions")), "{setting}: {error}");
    }
}

#[test]
fn groups_of_many_times_the_budget_are_the_same_as_in_memory() {
    let dir = shards(4, 30_000);
    let run = |config: Config| {
        let monitor = Monitor::new();
        let bag = Bag::<Json>::read_json(dir.path()).with(config.monitor(&monitor));
        let groups = bag.group_by(|r| n(r) % 997).map(|(k, group)| {
            let rows: Vec<(i64, i64)> =
                group.map(|r| r.map(|r| (r.get("shard").unwrap().as_i64().unwrap(), n(&r))).unwrap()).collect();
            (k, rows)
        });
        let groups = watched("spilled groups", || groups.collect()).unwrap();
        (groups, monitor.report().unwrap().spilled())
    };
    let (whole, spilled) = run(Config::new().threads(2).memory(1 << 30));
    assert_eq!(spilled, 0, "this budget holds it all");
    assert!(whole.iter().map(|(k, _)| *k).eq(0..997), "groups come in order of first occurrence");
    assert!(whole.iter().all(|(_, rows)| rows.is_sorted()), "rows come in record order");
    for (threads, memory) in [(1, 4 << 20), (2, 4 << 20), (8, 16 << 20)] {
        let (groups, spilled) = run(Config::new().threads(threads).memory(memory));
        assert!(spilled > 0, "threads {threads}, memory {memory}: nothing was spilled");
        assert!(groups == whole, "threads {threads}, memory {memory}: other groups than in memory");
    }
}

#[test]
fn sketches_and_values_of_many_times_the_budget_are_the_same_as_in_memory() {
    let dir = shards(4, 20_000);
    let run = |config: Config| {
        let monitor = Monitor::new();
        let bag = Bag::<Json>::read_json(dir.path()).with(config.monitor(&monitor));
        let all = (
            agg::count_distinct(Json::clone),
            agg::approx_count_distinct(Json::clone),
            agg::quantiles([0.01, 0.5], |r: &Json| (n(r) as f64).powi(3)).unwrap(),
            agg::frequencies(|r: &Json| r.get("pad").map(|pad| pad.to_json())).top(3),
            agg::join_strings(",", |r: &Json| n(r).to_string()),
        );
        let answers = bag.fold_by(|r| n(r) % 997, all).map(|row| format!("{row:?}"));
        let answers = watched("spilled states", || answers.collect()).unwrap();
        (answers, monitor.report().unwrap().spilled())
    };
    let (whole, spilled) = run(Config::new().threads(2).memory(1 << 30));
    assert_eq!(spilled, 0, "this budget holds it all");
    assert_eq!(whole.len(), 997);
    for (threads, memory) in [(1, 4 << 20), (2, 4 << 20), (8, 16 << 20)] {
        let (answers, spilled) = run(Config::new().threads(threads).memory(memory));
        assert!(spilled > 0, "threads {threads}, memory {memory}: nothing was spilled");
        assert!(answers == whole, "threads {threads}, memory {memory}: other answers than in memory");
    }
}

#[test]
fn count_distinct_of_many_times_the_budget_is_exact() {
    let dir = shards(4, 30_000);
    for (threads, memory) in [(1, 4 << 20), (2, 4 << 20), (8, 16 << 20)] {
        let monitor = Monitor::new();
        let config = Config::new().threads(threads).memory(memory).monitor(&monitor);
        let bag = Bag::<String>::read_text(dir.path()).with(config).flat_map(|line| [line.clone(), line]);
        let label = format!("threads {threads}, memory {memory}");
        assert_eq!(watched(&label, || bag.count_distinct()).unwrap(), 120_000, "{label}");
        assert!(monitor.report().unwrap().spilled() > 0, "{label}: nothing was spilled");
    }
}

#[test]
fn a_sample_by_key_is_refused_with_the_remedy() {
    let bag = Bag::range(0..9).fold_by(|n| n % 2, (count(), agg::sample(2, 0)));
    let error = bag.collect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("`fold_by_in_order` does that"), "{error}");
}

#[test]
fn a_bad_record_before_a_group_is_an_error_or_skipped_as_elsewhere() {
    let mut lines = records();
    lines[50] = "{broken".into();
    let text = lines.join("\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    #[allow(clippy::disallowed_methods, reason = "a test's own input")]
    std::fs::write(file.path(), text).unwrap();
    lines.remove(50);
    let rest = lines.iter().map(|text| Json::parse(text).unwrap()).collect();
    let model: Vec<(String, u64)> = grouped(rest, k).into_iter().map(|(k, g)| (k, g.len() as u64)).collect();
    for setting in grid() {
        let bag = |config| Bag::<Json>::read_json(file.path()).with(config).count_by(k);
        let error = watched("fail", || bag(setting.config()).collect()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{}:51:2: ", file.path().display())), "{setting}: {error}");
        let kept = watched("skip", || bag(setting.config().bad_records(BadRecords::Skip)).collect()).unwrap();
        assert_eq!(kept, model, "{setting}");
    }
}

/// Panics where states meet, or where an answer is made of one.
struct Fragile(&'static str);

impl agg::Fold for Fragile {
    type State = u64;
    type Out = u64;

    fn init(&self) -> u64 {
        0
    }

    fn merge(&self, into: &mut u64, from: u64) {
        if self.0 == "merge" { panic!("no merging") } else { *into += from }
    }

    fn finish(&self, state: u64) -> u64 {
        if self.0 == "finish" { panic!("no answer") } else { state }
    }
}

impl<T> agg::Aggregate<T> for Fragile {
    fn step(&self, state: &mut u64, _: kitbag::Seq, _: &T) {
        *state += 1;
    }
}

#[test]
fn a_panic_after_the_last_record_names_the_stage() {
    for setting in grid() {
        for fails in ["merge", "finish"] {
            // So many keys and partitions that two workers meet some of them; one worker merges only what was spilled.
            let parts: Vec<Vec<u32>> = (0..50).map(|no| (0..400).map(|n| n + no % 2).collect()).collect();
            let bag = Bag::from_partitions(parts).with(setting.config());
            let counts = bag.fold_by(|n| format!("{n:0>90}"), Fragile(fails)).map(|pair| pair.1 + 1);
            match watched(&format!("{fails}, {setting}"), || counts.sort_by_key(|n| *n).count()) {
                // Where one worker was quicker than all others nothing is merged.
                Ok(keys) => assert!(fails == "merge" && keys == 401, "{fails}, {setting}: no panic"),
                Err(error) => {
                    let found = (error.kind(), error.stage());
                    assert_eq!(found, (ErrorKind::Panic, Some("1:fold_by")), "{fails}, {setting}: {error}");
                }
            }
        }
    }
}

#[test]
fn each_stage_counts_what_it_spilled_itself() {
    let monitor = Monitor::new();
    let config = Config::new().threads(2).memory(2 << 20).block_size(4096).max_record(4096).monitor(&monitor);
    let bag = Bag::range(0..40_000).map(|n| format!("{:0>80}", n * 7919 % 40_000)).with(config);
    let kept = watched("twice", || bag.sort_by_key(String::clone).map(|s| s.len()).sort_by_key(|n| *n).count());
    assert_eq!(kept.unwrap(), 40_000);
    let report = monitor.report().unwrap();
    let spilled: Vec<_> = report.stages.iter().filter(|stage| stage.spilled > 0).map(|stage| stage.spilled).collect();
    // The records of the second sort are a few bytes long.
    assert!(spilled.len() == 2 && spilled[1] < spilled[0], "{spilled:?}");
}

#[test]
fn whoever_has_no_temporary_space_names_the_stage() {
    for threads in [1, 2, 8] {
        for quota in [1, 30_000, 300_000, 600_000] {
            let config = Config::new().threads(threads).memory(2 << 20).block_size(4096).max_record(4096);
            let bag = || Bag::range(0..60_000).map(|n| format!("{n:0>80}")).with(config.clone().max_temp(quota));
            let refused = |verb: &str, error: kitbag::Result<u64>| {
                let error = error.unwrap_err();
                let stage = format!("2:{verb}");
                assert_eq!(
                    (error.kind(), error.stage()),
                    (ErrorKind::Limit, Some(&*stage)),
                    "{threads}, {quota}: {error}"
                );
            };
            refused("group_by", watched("group_by", || bag().group_by(String::clone).map(|g| g.0).count()));
            refused("distinct", watched("distinct", || bag().distinct().map(|s| s.len()).count()));
            refused("count_by", watched("count_by", || bag().count_by(String::clone).map(|pair| pair.1).count()));
        }
    }
}

#[test]
fn of_two_errors_behind_map_partitions_the_lower_one_is_reported() {
    let dir = shards(6, 2000);
    for setting in grid() {
        let bag = Bag::<Json>::read_json(dir.path()).with(setting.config());
        let bag = bag.map_partitions(|records| records).try_map(|r| {
            let (shard, n) = (r.get("shard").unwrap().as_i64().unwrap(), n(&r));
            // The later shards fail at once, the second one at its end.
            if shard > 1 || shard == 1 && n == 1990 { Err(format!("refused {shard} {n}")) } else { Ok(n) }
        });
        let error = watched(&setting.to_string(), || bag.count()).unwrap_err();
        let path = dir.path().join("part-1.jsonl");
        assert_eq!(
            error.to_string(),
            format!("{}:1991:1: refused 1 1990 (stage 2:try_map)", path.display()),
            "{setting}"
        );
    }
}

#[test]
fn an_error_in_a_group_names_the_group_s_first_record_wherever_the_group_lies() {
    let dir = shards(3, 20_000);
    let path = dir.path().join("part-0.jsonl");
    let budgets = [(1, 1 << 30), (1, 3 << 20), (2, 4 << 20), (8, 6 << 20)];
    // Groups of sixty records, of eight thousand, and of all.
    for (keys, key) in [(997, 500), (7, 5), (1, 0)] {
        for (ordered, (threads, memory)) in [true, false].into_iter().flat_map(|o| budgets.map(|b| (o, b))) {
            let label = format!("{keys} keys, threads {threads}, memory {memory}, ordered {ordered}");
            let monitor = Monitor::new();
            let config = Config::new().threads(threads).memory(memory).ordered(ordered).monitor(&monitor);
            let bag = Bag::<Json>::read_json(dir.path()).with(config).group_by(move |r| n(r) % keys);
            // The second verb by key stores places again.
            let refused = bag.try_map(move |(k, group)| match k == key {
                true => Err(format!("refused {k}: {} records", group.total())),
                false => Ok(k),
            });
            let error = watched(&label, || refused.group_by(|k| *k).count()).unwrap_err();
            let total = 3 * (key..20_000).step_by(usize::try_from(keys).unwrap()).count();
            let text = format!("refused {key}: {total} records (stage 2:try_map)");
            assert_eq!(error.to_string(), format!("{}:{}:1: {text}", path.display(), key + 1), "{label}");
            let spilled = monitor.report().unwrap().spilled();
            assert!(memory == 1 << 30 || ordered == (spilled > 0) || spilled > 0, "{label}: {spilled} bytes spilled");
        }
    }
}

/// Partitions' iterators that a closure kept beyond its turn.
#[test]
fn map_partitions_ends_when_a_closure_never_reads_or_drops_its_records() {
    let dir = shards(6, 40_000);
    for (threads, memory) in [(1, 2 << 20), (2, 2 << 20), (8, 8 << 20)] {
        let label = format!("threads {threads}, memory {memory}");
        let bag = || Bag::<String>::read_text(dir.path()).with(Config::new().threads(threads).memory(memory));
        let forgotten = bag().map_partitions(|records| {
            std::mem::forget(records);
            [1]
        });
        assert_eq!(watched(&label, || forgotten.count()).unwrap(), 6, "forgotten, {label}");
        let kept = bag().map_partitions(|mut records| {
            thread_local! {
                static KEPT: std::cell::RefCell<Option<kitbag::Records<String>>> = const { std::cell::RefCell::new(None) };
            }
            let first = records.next();
            let before = KEPT.replace(Some(records));
            first.into_iter().chain(before.into_iter().flatten())
        });
        let error = watched(&label, || kept.count());
        // With as many threads as shards no closure meets what another one kept.
        if threads < 6 {
            let error = error.unwrap_err();
            assert_eq!((error.kind(), error.stage()), (ErrorKind::Usage, Some("1:map_partitions")), "{label}: {error}");
        }
    }
}

#[test]
fn a_budget_that_is_refused_names_one_that_would_do() {
    let dir = shards(2, 200);
    let run = |memory: u64| {
        let config = Config::new().threads(8).memory(memory).block_size(4096).max_record(4096);
        let bag = Bag::<Json>::read_json(dir.path()).with(config).group_by(|r| n(r) % 50).map(|(k, _)| k);
        let again = bag.group_by(|k| k % 20).map(|(k, _)| k).group_by(|k| k % 7).map(|(k, _)| k);
        watched(&format!("memory {memory}"), || again.collect())
    };
    let error = run(2 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    let text = error.to_string();
    assert!(text.contains("the memory budget is 2097152 bytes"), "{text}");
    let least = text.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(run(least).unwrap(), (0..7).collect::<Vec<i64>>());
    assert!(run(least - 1).is_err(), "{text}: less would do");
}

#[test]
fn a_group_that_is_bigger_than_the_budget_is_not_collected_but_read() {
    let long = |n: i64| (n % 50 == 0, "x".repeat(300) + &n.to_string());
    let bag = || Bag::range(0..20_000).map(long).with(Config::new().threads(2).memory(4 << 20).hash_seed(7));
    let error =
        watched("collected", || bag().group_by(|r| r.0).try_map(|(_, group)| group.into_vec()).count()).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Limit, Some("3:try_map")), "{error}");
    let text =
        "memory budget of 4194304 bytes: a group of 19600 records does not fit into its 3145728 bytes for records";
    assert!(error.to_string().contains(text), "{error}");
    let small = |(rare, group): (bool, kitbag::Group<(bool, String)>)| {
        if rare { group.into_vec().map(|v| v.len()) } else { Ok(group.count()) }
    };
    let sizes = watched("read", || bag().group_by(|r| r.0).try_map(small).collect()).unwrap();
    assert_eq!(sizes, [400, 19_600]);
}
