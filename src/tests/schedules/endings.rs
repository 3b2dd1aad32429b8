//! Runs that end early: enough, errors, panics, a full disk, and cancelling at any moment.

use super::{cancelled, config, explore, long, names, numbers};
use crate::agg;
use crate::os::{Op, Plan};
use crate::{BadRecords, Bag, Config, ErrorKind, Json, Result, Target};

#[test]
fn an_iterator_that_is_dropped() {
    explore(|| {
        let mut some = numbers(config()).iter().unwrap();
        assert_eq!(some.next().unwrap().unwrap(), 0);
    });
}

#[test]
fn enough() {
    explore(|| assert_eq!(numbers(config()).take(5).collect().unwrap(), [0, 1, 2, 3, 4]));
}

/// What is on its way to a step that has enough holds the permits that the reader waits for.
#[test]
fn enough_of_what_fills_the_gate() {
    explore(|| {
        let keys = long(config()).fold_by(|(_, text)| format!("{text}{text:.10000}"), agg::count()).take(1);
        assert_eq!(keys.count().unwrap(), 1);
    });
}

#[test]
fn the_first_of_two_errors() {
    explore(|| {
        let ended = numbers(config()).try_map(|n| if n % 7 == 6 || n == 11 { Err(n.to_string()) } else { Ok(n) });
        let error = ended.collect().unwrap_err();
        assert!(error.to_string().starts_with("<from_partitions>:3:1: 6"), "{error}");
    });
}

#[test]
fn a_panic_in_a_stage() {
    explore(|| {
        let ended = numbers(config()).map(|n| if n == 6 { std::panic::panic_any("six") } else { n }).collect();
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Panic);
    });
}

#[test]
fn a_panic_in_the_source() {
    explore(|| {
        let part = |part| (0..3).map(move |n| if part == 1 && n == 2 { std::panic::panic_any("two") } else { n });
        let ended = Bag::from_partitions((0..3).map(part)).with(config()).count();
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Panic);
    });
}

#[test]
fn bad_lines() {
    explore(|| {
        let dir = tempfile::tempdir().unwrap();
        let (shard, bad) = (dir.path().join("a.jsonl"), dir.path().join("bad"));
        std::fs::write(&shard, "1\n2\nno\n4\n".repeat(30)).unwrap();
        let records = |policy| Bag::<Json>::read_json(&*shard).with(config().bad_records(policy)).count();
        let error = records(BadRecords::Fail).unwrap_err();
        assert!(error.to_string().contains("a.jsonl:3:2: "), "{error}");
        assert_eq!(records(BadRecords::Quarantine(bad.clone())).unwrap(), 90);
        assert_eq!(std::fs::read_to_string(bad).unwrap().lines().count(), 30);
    });
}

#[test]
fn a_disk_that_is_full() {
    explore(|| {
        let dir = tempfile::tempdir().unwrap();
        for op in [Op::Write, Op::Sync, Op::Rename] {
            let target = Target::new(dir.path().join("out/part-*.jsonl")).shard_size(1);
            let plan = Plan::new(op, 2, true);
            let ended = numbers(config().faults(&plan)).write_jsonl(target).map(drop);
            assert!(plan.fired() == 0 || ended.is_err(), "{op:?}");
            assert!(ended.is_ok() || names(dir.path()).is_empty(), "{op:?}: {:?}", names(dir.path()));
            let _ = std::fs::remove_dir_all(dir.path().join("out"));
        }
    });
}

#[test]
fn no_room_to_spill() {
    explore(|| {
        let plan = Plan::new(Op::Write, 2, true);
        let ended = long(config().faults(&plan)).sort_by_key(|(key, _)| -*key).count();
        assert!(plan.fired() > 0 && ended.is_err());
    });
}

#[test]
fn cancelled_while_reading() {
    explore(|| cancelled(|config| numbers(config).map(|n| n + 1).count()));
}

#[test]
fn cancelled_while_a_consumer_waits() {
    explore(|| cancelled(|config| numbers(config).iter()?.collect::<Result<Vec<_>>>()));
}

#[test]
fn cancelled_while_spilling() {
    explore(|| cancelled(|config| long(config).sort_by_key(|(key, _)| -*key).count()));
}

#[test]
fn cancelled_while_joining() {
    explore(|| {
        cancelled(|config| {
            let right = numbers(config.clone()).map(|n| (n, String::new()));
            long(config).left_join(right, |left| left.0, |right| right.0).count()
        });
    });
}

#[test]
fn cancelled_while_committing() {
    explore(|| {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out/part-*.jsonl");
        cancelled(move |config| numbers(config).write_jsonl(Target::new(target).shard_size(1)).map(drop));
        let left = names(dir.path());
        assert!(left.is_empty() || left == ["out"], "{left:?}");
        assert!(left.is_empty() || crate::verify(dir.path().join("out"), &Config::new()).is_ok());
    });
}
