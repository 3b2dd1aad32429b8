//! Runs that come to their end, and two of them at once.

use std::path::Path;

use super::{config, explore, long, names, numbers, spilled};
use crate::agg;
use crate::{Config, Partition, Result, Target};

#[test]
fn a_chain() {
    explore(|| {
        let even = numbers(config()).map(|n| n * 2).filter(|n| n % 3 > 0).collect().unwrap();
        assert_eq!(even, (0..12).map(|n| n * 2).filter(|n| n % 3 > 0).collect::<Vec<_>>());
    });
}

#[test]
fn a_consumer_of_its_own_speed() {
    explore(|| {
        let all: Result<Vec<i64>> = numbers(config()).iter().unwrap().collect();
        assert_eq!(all.unwrap(), (0..12).collect::<Vec<_>>());
    });
}

#[test]
fn unordered() {
    explore(|| {
        let mut all = numbers(config().ordered(false)).map(|n| n + 1).collect().unwrap();
        all.sort_unstable();
        assert_eq!(all, (1..13).collect::<Vec<_>>());
    });
}

#[test]
fn groups_that_spill() {
    explore(|| {
        let groups = spilled(|config| {
            let sizes = long(config).group_by(|(key, _)| *key);
            sizes.map(|(key, group)| (key, group.total())).collect().unwrap()
        });
        assert_eq!(groups, (0..5).map(|key| (key, 32_u64)).collect::<Vec<_>>());
    });
}

#[test]
fn folds_that_spill() {
    explore(|| {
        let counts = spilled(|config| long(config).fold_by(|(_, text)| text.clone(), agg::count()).count().unwrap());
        assert_eq!(counts, 160);
    });
}

#[test]
fn a_sort_that_spills() {
    explore(|| {
        let sorted =
            spilled(|config| long(config).sort_by_key(|(key, _)| -*key).map(|(key, _)| key).collect().unwrap());
        assert!(sorted.len() == 160 && sorted.is_sorted_by(|a, b| a >= b));
    });
}

#[test]
fn a_join_that_spills() {
    explore(|| {
        let pairs = spilled(|config| {
            let right = long(config.clone()).filter(|(_, text)| text.ends_with('3'));
            right.join(long(config), |left| left.1.clone(), |right| right.1.clone()).count().unwrap()
        });
        assert_eq!(pairs, 16);
    });
}

#[test]
fn partitions_of_their_own() {
    explore(|| {
        let more = numbers(config()).map_partitions(|records| records.map(|n| n + 1));
        assert_eq!(more.collect().unwrap(), (1..13).collect::<Vec<_>>());
        let sizes = numbers(config()).repartition(2).unwrap().map_partitions(|records| [records.count()]);
        assert_eq!(sizes.collect().unwrap().iter().sum::<usize>(), 12);
    });
}

#[test]
fn a_run_inside_a_run() {
    explore(|| {
        let inner = |n: i64| numbers(config()).filter(move |m| *m < n).count();
        let counts = numbers(config()).filter(|n| n % 4 == 0).try_map(inner).collect().unwrap();
        assert_eq!(counts, [0, 4, 8]);
    });
}

#[test]
fn shards_are_written() {
    explore(|| {
        let dir = tempfile::tempdir().unwrap();
        let target = Target::new(dir.path().join("out/part-*.jsonl")).shard_size(1);
        let written = numbers(config()).write_jsonl(target).unwrap();
        assert_eq!((written.records, names(dir.path())), (12, vec!["out".to_owned()]));
        assert!(crate::verify(dir.path().join("out"), &Config::new()).is_ok());
    });
}

#[test]
fn partitions_are_written() {
    explore(|| {
        let dir = tempfile::tempdir().unwrap();
        let by = |n: &i64| Partition::new().with("k", Some(&(n % 2).to_string()));
        numbers(config()).write_partitioned(dir.path().join("out"), by).unwrap();
        assert_eq!(names(&dir.path().join("out")), [".manifest.json", "_SUCCESS", "k=0", "k=1"]);
    });
}

#[test]
fn two_runs_at_one_target() {
    explore(|| {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out/part-*.jsonl");
        let run = |target: &Path| numbers(config()).write_jsonl(target).map(drop);
        let other = shuttle::thread::spawn({
            let target = target.clone();
            move || run(&target)
        });
        let ended = [run(&target), other.join().unwrap()];
        assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 1, "{ended:?}");
        assert_eq!(names(dir.path()), ["out"]);
    });
}
