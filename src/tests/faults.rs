//! Fault loops, as SQLite's tests have them: for each plan and each kind of operation the first one fails, then the
//! second, and so on until none is left to fail; once, and from then on for ever. Each time the run ends with an error
//! and all is as it was before, or it ends well and all is as it should be; nothing is left behind; and the next run in
//! the same process works.

#![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tree::{Tree, tree};
use crate::agg::{self, Float};
use crate::os::{Op, Plan};
use crate::{BadRecords, Bag, Config, ErrorKind, Json, Monitor, Partition, Result, Target};

/// Where a plan reads and writes.
struct Place {
    input: PathBuf,
    out: PathBuf,
}

/// A plan: from where to where, with which settings.
type Run = fn(&Place, Config) -> Result<()>;

fn numbers(place: &Place, config: Config) -> Bag<Json> {
    Bag::<Json>::read_json(&place.input).with(config)
}

fn n(record: &Json) -> i64 {
    record.get("n").and_then(|n| n.as_i64()).unwrap_or(-1)
}

fn target(place: &Place, name: &str) -> Target {
    Target::new(place.out.join(name)).overwrite().shard_size(200_000)
}

/// The plans, whether each must spill, and the kinds of operations that each must meet.
const PLANS: [(&str, bool, Run, &[Op]); 10] = [
    ("count", false, |place, config| numbers(place, config).count().map(|count| assert_eq!(count, RECORDS)), &READS),
    ("file", false, |place, config| numbers(place, config).write_jsonl(target(place, "a.jsonl.gz")).map(drop), &FILE),
    ("shards", false, |place, config| numbers(place, config).write_jsonl(target(place, "d/p*.zst")).map(drop), &WRITES),
    (
        "partitions",
        true,
        |place, config| {
            let by = |record: &Json| Partition::new().with("k", Some(&(n(record) % 3).to_string()));
            numbers(place, config).write_partitioned(target(place, "d"), by).map(drop)
        },
        &WRITES,
    ),
    (
        "groups",
        true,
        |place, config| {
            let sized = |(key, group): (i64, crate::Group<Json>)| {
                let sum: Result<i64> = group.map(|record| Ok(n(&record?))).sum();
                sum.map(|sum| (key, sum))
            };
            let groups = numbers(place, config).group_by(|record| n(record) % 700).try_map(sized);
            groups.write_jsonl(target(place, "d/p*")).map(drop)
        },
        &WRITES,
    ),
    (
        "folds",
        true,
        |place, config| {
            let key = |record: &Json| format!("{:0>60}", n(record));
            let folds = numbers(place, config).fold_by(key, (agg::count(), agg::max(|r: &Json| Float(n(r) as f64))));
            folds.map(|(key, (count, _))| (key, count)).write_jsonl(target(place, "d/p*")).map(drop)
        },
        &WRITES,
    ),
    (
        "sort",
        true,
        |place, config| {
            let sorted = numbers(place, config).sort_by_key(|record| -n(record));
            sorted.write_jsonl(target(place, "a.jsonl")).map(drop)
        },
        &FILE,
    ),
    (
        "join",
        true,
        |place, config| {
            let right = numbers(place, config.clone()).filter(|record| n(record) % 2 == 0);
            let joined = numbers(place, config).join(right, n, n).map(|(left, _)| left);
            joined.write_jsonl(target(place, "d/p*.gz")).map(drop)
        },
        &WRITES,
    ),
    (
        "quarantine",
        false,
        |place, config| {
            let config = config.bad_records(BadRecords::Quarantine(place.out.join("bad.jsonl")));
            let some = |record: Json| if n(&record) % 100 == 7 { Err("a seven") } else { Ok(record) };
            numbers(place, config).try_map(some).write_jsonl(target(place, "d/p*")).map(drop)
        },
        &WRITES,
    ),
    (
        "proof",
        false,
        |place, config| {
            // What it verifies is the input: a directory that was written before.
            let verified = crate::verify(&place.input, &config).map(drop);
            verified.map_err(|unverified| unverified.faults.into_iter().next().expect("at least one"))
        },
        &READS,
    ),
];

const READS: [Op; 3] = [Op::Look, Op::Open, Op::Read];
const FILE: [Op; 8] = [Op::Look, Op::Open, Op::Read, Op::Write, Op::Sync, Op::Rename, Op::MakeDir, Op::Remove];
const WRITES: [Op; 8] = FILE;

const RECORDS: u64 = 9000;

/// Records in three shards, written as an output is, so that it can be verified too.
fn input(dir: &Path) -> PathBuf {
    let at = dir.join("in");
    let record = |n: i64| Json::parse(&format!(r#"{{"n":{},"pad":"{:x>120}"}}"#, n * 7919 % 9001, n));
    let target = Target::new(at.join("part-*.jsonl.gz")).shard_size(500_000);
    Bag::range(0..RECORDS as i64).try_map(record).write_jsonl(target).unwrap();
    at
}

fn config() -> Config {
    Config::new().threads(2).memory(2 << 20).block_size(16 << 10).max_record(4096)
}

/// A place with an old output, and what it looks like after a run.
fn prepared(dir: &Path, run: Run) -> (Place, Tree, Tree) {
    let place = Place { input: dir.join("in"), out: dir.join("out") };
    let _ = std::fs::remove_dir_all(&place.out);
    std::fs::create_dir_all(place.out.join("d")).unwrap();
    std::fs::write(place.out.join("d/old"), "old").unwrap();
    for name in ["a.jsonl", "a.jsonl.gz"] {
        std::fs::write(place.out.join(name), "old").unwrap();
    }
    let old = tree(&place.out);
    run(&place, config()).unwrap();
    let new = tree(&place.out);
    (place, old, new)
}

/// Puts the old output back.
fn restore(out: &Path, old: &Tree) {
    std::fs::remove_dir_all(out).unwrap();
    std::fs::create_dir_all(out).unwrap();
    for (name, bytes) in old {
        match bytes {
            None => std::fs::create_dir_all(out.join(name)).unwrap(),
            Some(bytes) => std::fs::write(out.join(name), bytes).unwrap(),
        }
    }
}

/// The quarantine is written as the run goes on: it is not committed with the rest.
fn committed(tree: &Tree) -> Tree {
    tree.iter().filter(|(name, _)| *name != "bad.jsonl").map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

/// Runs a plan with a fault; gives whether it fired.
fn one(label: &str, run: Run, place: &Place, plan: &Arc<Plan>, op: Op, (old, new): (&Tree, &Tree)) -> bool {
    restore(&place.out, old);
    let ended = run(place, config().faults(plan));
    let fired = plan.fired() > 0;
    let after = committed(&tree(&place.out));
    let expected = committed(if ended.is_ok() { new } else { old });
    // What cannot be removed is left to the next run.
    let left = |tree: &Tree| tree.keys().filter(|name| !expected.contains_key(*name)).cloned().collect::<Vec<_>>();
    let hidden = left(&after).iter().all(|name| op == Op::Remove && name.starts_with(".kitbag-"));
    let same = expected.iter().all(|(name, bytes)| after.get(name) == Some(bytes));
    assert!(hidden && same, "{label}: {ended:?}: {:?} is left, {same}", left(&after));
    match &ended {
        // What is only looked for, and what cannot be taken away, the run does without.
        Ok(()) if matches!(op, Op::Look | Op::Open | Op::Remove) || plan.first() == 0 => {}
        Ok(()) => assert!(!fired, "{label}: a fault fired, and it said that all is well"),
        Err(error) => {
            assert!(fired, "{label}: {error}");
            assert!(error.kind() == ErrorKind::Io && error.to_string().contains("os error 5"), "{label}: {error:?}");
            assert!(error.place().is_some_and(|place| !place.path.is_empty()), "{label}: no place: {error:?}");
        }
    }
    if fired && (plan.first() < 12 || plan.first().is_multiple_of(5)) {
        let again = run(place, config());
        assert!(again.is_ok() && tree(&place.out) == *new, "{label}: the next run: {again:?}");
    }
    fired
}

/// A plan under every fault there is.
fn all(name: &str) {
    let (_, spills, run, meets) = *PLANS.iter().find(|plan| plan.0 == name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    input(dir.path());
    let (place, old, new) = prepared(dir.path(), run);
    let monitor = Monitor::new();
    run(&place, config().monitor(&monitor)).unwrap();
    let spilled = monitor.report().map_or(0, |report| report.spilled());
    assert_eq!(spilled > 0, spills, "{name}: {spilled} bytes were spilled");
    for op in [Op::Look, Op::Open, Op::Read, Op::Write, Op::Sync, Op::Rename, Op::MakeDir, Op::Remove] {
        for for_ever in [false, true] {
            let mut first = 1;
            while one(
                &format!("{name}: {op:?} {first}, {}", if for_ever { "for ever" } else { "once" }),
                run,
                &place,
                &Plan::new(op, first, for_ever),
                op,
                (&old, &new),
            ) {
                // Forty one by one, then every seventh: where faults come by the hundred they are much alike.
                first += if first < 40 { 1 } else { 7 };
                assert!(first < 5000, "{name}: {op:?} does not come to an end");
            }
            assert_eq!(first > 1, meets.contains(&op), "{name}: {op:?} failed {} times", first - 1);
            println!("{name}: {op:?}: up to the {}th", first - 1);
        }
    }
    for op in [Op::Read, Op::Write] {
        let short = Plan::new(op, 0, false);
        let fired = one(&format!("{name}: short {op:?}"), run, &place, &short, op, (&old, &new));
        assert_eq!(fired, meets.contains(&op), "{name}: short {op:?}");
    }
}

macro_rules! loops {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            all(stringify!($name));
        }
    )*};
}

loops! { count file shards partitions groups folds sort join quarantine proof }
