//! Any plan over any records gives what a `Vec` gives, in the same order, for any threads, blocks and budgets: one to six
//! verbs, narrow and wide, joins whose other side is a plan of its own. Many cases have more than the budget, so that
//! stores spill, cut their partitions again and sort keys that are too big. A plan that fails says the same thing in
//! any case. `PROPTEST_CASES` sets the number of cases.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use super::common;
use super::model;

use std::cell::Cell;

use common::watched;
use kitbag::agg::{self, collect_of, count, fold_with, step_in_order};
use kitbag::{Bag, Config, Error, ErrorKind, Json, Monitor};
use model::{Join, Kind, Plan, Rec, Source, Verb};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

type Flat = (String, i64, String);

fn flat(records: Vec<Rec>) -> Vec<Flat> {
    records.into_iter().map(|rec| (rec.k.raw().to_owned(), rec.n, rec.pad)).collect()
}

/// Shards on disk, which must live as long as the bags that read them.
type Shards = Vec<tempfile::TempDir>;

fn source(source: &Source, shards: &mut Shards) -> Bag<Rec> {
    let parts = source.records();
    if !source.text {
        return Bag::from_partitions(parts);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let text: String = part.iter().map(|rec| serde_json::to_string(rec).unwrap() + "\n").collect();
        paths.push(dir.path().join(format!("part-{number}.jsonl")));
        std::fs::write(&paths[number], text).unwrap();
    }
    shards.push(dir);
    Bag::read_json(paths)
}

fn key(m: i64) -> impl Fn(&Rec) -> (Json, i64) + Send + Sync + Clone + 'static {
    move |rec| (rec.k.clone(), rec.n.rem_euclid(m))
}

fn bag(plan: &Plan, shards: &mut Shards) -> Bag<Rec> {
    let from = source(&plan.source, shards);
    plan.verbs.iter().fold(from, |bag, verb| append(bag, verb, shards))
}

fn append(bag: Bag<Rec>, verb: &Verb, shards: &mut Shards) -> Bag<Rec> {
    match *verb {
        Verb::Map(m) => bag.map(move |rec| model::mapped(rec, m)),
        Verb::Filter(m) => bag.filter(move |rec| rec.n.rem_euclid(m) != 0),
        Verb::FlatMap(m) => bag.flat_map(move |rec| model::copies(rec, m)),
        Verb::TryFilter(m) => bag.try_filter(move |rec| Ok::<_, String>(rec.n.rem_euclid(m) != 1)),
        Verb::Fail(m) => bag.try_map(move |rec| match rec.n.rem_euclid(89) == m {
            true => Err(format!("{} is refused", rec.n)),
            false => Ok(rec),
        }),
        Verb::Take(n) => bag.take(n as u64),
        Verb::MapPartitions => bag.map_partitions(|records| model::summary(records.collect())),
        Verb::GroupBy(m) => bag.group_by(key(m)).try_map(|((k, n), group)| {
            let group = group.collect::<Result<Vec<Rec>, Error>>()?;
            Ok::<_, Error>(model::of_group(k, n, &group))
        }),
        Verb::FoldBy(m) => {
            let all = (count(), collect_of(|rec: &Rec| rec.n), agg::first_of(|rec: &Rec| rec.pad.clone()));
            bag.fold_by(key(m), all)
                .map(|((k, n), (count, all, pad))| model::of_fold(k, n, count, &all, pad.unwrap_or_default()))
        }
        Verb::FoldByMerged(m) => {
            let xor = fold_with(|| 0, |all: &mut i64, rec: &Rec| *all ^= rec.n, |all, other| *all ^= other).exact();
            bag.fold_by(key(m), xor).map(|((k, n), xor)| Rec { k, n: xor.wrapping_add(n), pad: String::new() })
        }
        Verb::FoldByInOrder(m) => {
            let all = step_in_order(Vec::new, |all: &mut Vec<Rec>, rec: &Rec| all.push(rec.clone()));
            bag.fold_by_in_order(key(m), all).map(|((k, n), all)| model::of_group(k, n, &all))
        }
        Verb::CountBy(m) => bag.count_by(key(m)).map(|((k, n), count)| model::counted(k, n, count)),
        Verb::Frequencies(m) => bag
            .map(move |rec| model::coarse(rec, m))
            .frequencies()
            .map(|(rec, count)| Rec { n: rec.n.wrapping_add_unsigned(count * 1009), ..rec }),
        Verb::Distinct(m) => bag.map(move |rec| model::coarse(rec, m)).distinct(),
        Verb::DistinctBy(m) => bag.distinct_by(key(m)),
        Verb::DistinctLastBy(m) => bag.distinct_last_by(key(m)),
        Verb::SortByKey(m) => bag.sort_by_key(move |rec| rec.n.rem_euclid(m)),
        Verb::SortByJson => bag.sort_by_key(|rec| rec.k.clone()),
        Verb::SortBy => bag.sort_by(|a, b| b.pad.len().cmp(&a.pad.len())),
        Verb::Join(ref join) => joined(bag, join, shards),
    }
}

fn joined(left: Bag<Rec>, Join { kind, by, right }: &Join, shards: &mut Shards) -> Bag<Rec> {
    let (right, key) = (self::bag(right, shards), key(*by));
    let both = |left, right| model::pair(Some(left), Some(right));
    match kind {
        Kind::Inner => left.join(right, key.clone(), key).map(move |(a, b)| both(a, b)),
        Kind::Left => left.left_join(right, key.clone(), key).map(|(a, b)| model::pair(Some(a), b)),
        Kind::Right => left.right_join(right, key.clone(), key).map(|(a, b)| model::pair(a, Some(b))),
        Kind::Full => left.full_join(right, key.clone(), key).map(|(a, b)| model::pair(a, b)),
        Kind::Semi => left.semi_join(right, key.clone(), key),
        Kind::Anti => left.anti_join(right, key.clone(), key),
    }
}

/// How a plan is run.
#[derive(Clone, Copy, Debug)]
struct Way {
    threads: usize,
    block: Option<usize>,
    /// Bytes of the budget beyond the smallest.
    more: u64,
}

fn way() -> impl Strategy<Value = Way> {
    let block = prop_oneof![1 => Just(None), 3 => (1..4096_usize).prop_map(Some), 1 => (1..40_usize).prop_map(Some)];
    let more = prop_oneof![4 => Just(0), 2 => 0..4_u64 << 20, 1 => Just(64 << 20)];
    (1..=8_usize, block, more).prop_map(|(threads, block, more)| Way { threads, block, more })
}

/// The smallest budget that an error about a smaller one names, and more. Blocks are not so small that long records are
/// read byte by byte.
fn config(way: Way, plan: &Plan) -> Config {
    let config = Config::new().threads(way.threads).max_record(plan.longest() as u64 + 1000);
    let config = way.block.map_or(config.clone(), |bytes| config.block_size(bytes.max(plan.longest() / 50)));
    let refused = bag(plan, &mut Shards::new()).with(config.clone().memory(1)).count().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Limit);
    let least: u64 = refused.to_string().rsplit(' ').next().unwrap().parse().unwrap();
    config.memory(least + way.more)
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() }
}

#[test]
fn any_plan_over_any_records_gives_what_a_vec_gives_however_little_memory_there_is() {
    let (ran, spilled, split) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(cases());
    let ended = runner.run(&(model::plan(false), way()), |(plan, way)| {
        let plan = plan.bounded();
        let expected = flat(plan.model());
        let monitor = Monitor::new();
        let mut shards = Shards::new();
        let bag = bag(&plan, &mut shards).with(config(way, &plan).monitor(&monitor));
        let answer = watched(&format!("{plan:?} {way:?}"), || bag.collect());
        let answer = answer.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let answer = flat(answer);
        let differs = answer.iter().zip(&expected).position(|(a, b)| a != b);
        prop_assert!(
            differs.is_none(),
            "{:?}: {:?}",
            differs,
            differs.map(|no| model::short(&answer[no], &expected[no]))
        );
        prop_assert_eq!(answer.len(), expected.len());
        let report = monitor.report().unwrap();
        ran.set(ran.get() + 1);
        spilled.set(spilled.get() + u32::from(report.spilled() > 0));
        split.set(split.get() + u32::from(report.stages.iter().any(|stage| stage.splits > 0)));
        Ok(())
    });
    let (ran, spilled, split) = (ran.get(), spilled.get(), split.get());
    println!("{ran} plans, {spilled} of them spilled, {split} cut partitions again");
    ended.unwrap_or_else(|error| panic!("{error}"));
    assert!(ran < 100 || (spilled > ran / 8 && split > ran / 200), "{ran} plans: {spilled} spilled, {split} split");
}

#[test]
fn a_plan_that_fails_says_the_same_thing_under_any_configuration() {
    let failed = Cell::new(0_u32);
    let mut runner = TestRunner::new(ProptestConfig { cases: cases().cases / 2, ..cases() });
    let ended = runner.run(&(model::plan(true), way()), |(plan, way)| {
        let plan = plan.bounded();
        let run = |config: Config| {
            let mut shards = Shards::new();
            let bag = bag(&plan, &mut shards).with(config);
            let answer = watched(&format!("{plan:?} {way:?}"), || bag.collect());
            let named =
                |text: String| shards.iter().fold(text, |text, dir| text.replace(dir.path().to_str().unwrap(), ""));
            answer.map(flat).map_err(|error| named(error.to_string()))
        };
        let plenty = run(Config::new().threads(1).memory(1 << 30));
        let scarce = run(config(way, &plan));
        failed.set(failed.get() + u32::from(plenty.is_err()));
        match (plenty, scarce) {
            (Err(plenty), Err(scarce)) => prop_assert_eq!(plenty, scarce),
            (Err(error), Ok(_)) => prop_assert!(false, "with plenty of memory alone: {}", error),
            (Ok(_), Err(error)) => prop_assert!(false, "with little memory alone: {}", error),
            (Ok(plenty), Ok(scarce)) => prop_assert!(plenty == scarce, "the answers differ"),
        }
        Ok(())
    });
    println!("{} plans failed", failed.get());
    ended.unwrap_or_else(|error| panic!("{error}"));
    assert!(failed.get() > cases().cases / 20, "only {} plans failed", failed.get());
}

/// A plan that was refused memory in one run of fourteen, when the right side of its last join held what the first groups
/// were to be settled with.
#[test]
fn the_smallest_budget_does_in_every_run() {
    let source = |seed, count, keys, skew, pad, shards, text| Source { seed, count, keys, skew, pad, shards, text };
    let right = Plan { source: source(12059825086058196849, 62, 6, 6, 9000, 4, true), verbs: vec![] };
    let last = Plan { source: source(4044978624404876293, 961, 165, 7, 12000, 1, true), verbs: vec![] };
    let plan = Plan {
        source: source(644675449745808274, 898, 42, 2, 12000, 3, false),
        verbs: vec![
            Verb::GroupBy(4),
            Verb::GroupBy(1),
            Verb::DistinctLastBy(2),
            Verb::Join(Box::new(Join { kind: Kind::Semi, by: 6, right })),
            Verb::Join(Box::new(Join { kind: Kind::Right, by: 1 << 40, right: last })),
            Verb::Map(3),
        ],
    };
    let plan = plan.bounded();
    let expected = flat(plan.model());
    for run in 0..60 {
        let mut shards = Shards::new();
        let way = Way { threads: 3, block: Some(4038), more: 0 };
        let bag = bag(&plan, &mut shards).with(config(way, &plan));
        assert!(flat(bag.collect().unwrap_or_else(|error| panic!("run {run}: {error}"))) == expected, "run {run}");
    }
}

/// A plan that stood still in one run of some hundred: the first `take` had enough while batches were on their way to it,
/// and the reader of the fold before waited for the permits that lay with them.
#[test]
fn a_take_that_has_enough_lets_what_comes_before_end() {
    let source = |seed, count, keys, skew, pad, shards| Source { seed, count, keys, skew, pad, shards, text: true };
    let right =
        Plan { source: source(4432649988984652992, 277, 190, 7, 9000, 3), verbs: vec![Verb::Map(6), Verb::SortBy] };
    let plan = Plan {
        source: source(6190256347577972415, 1398, 145, 6, 12000, 5),
        verbs: vec![
            Verb::FoldBy(1),
            Verb::Take(35),
            Verb::Distinct(6),
            Verb::Take(159),
            Verb::MapPartitions,
            Verb::Join(Box::new(Join { kind: Kind::Semi, by: 1, right })),
        ],
    };
    let plan = plan.bounded();
    let expected = flat(plan.model());
    for run in 0..60 {
        let mut shards = Shards::new();
        let way = Way { threads: 3, block: None, more: 0 };
        let bag = bag(&plan, &mut shards).with(config(way, &plan));
        let answer = watched(&format!("run {run}"), || bag.collect());
        assert!(flat(answer.unwrap_or_else(|error| panic!("run {run}: {error}"))) == expected, "run {run}");
    }
}
