//! One test for each bug that was found by reading: what happened, and what must happen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may panic, wait, make files"
)]

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use kitbag::{Bag, Config, ErrorKind, Json, Result};

/// What `run` gives; a run that hangs is a failure.
fn ends<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(run()));
    receiver.recv_timeout(Duration::from_secs(30)).expect("the run hangs")
}

/// Two shards: the first has a bad line at its end, the second is good and long.
fn shards(dir: &tempfile::TempDir) -> Vec<PathBuf> {
    let (bad, good) = (dir.path().join("a.jsonl"), dir.path().join("b.jsonl"));
    let lines = |count: usize| (0..count).map(|n| format!("{{\"n\":{n}}}\n")).collect::<String>();
    std::fs::write(&bad, lines(60_000) + "{]\n").unwrap();
    std::fs::write(&good, lines(300_000)).unwrap();
    vec![bad, good]
}

fn small() -> Config {
    Config::new().threads(2).memory(2 << 20).block_size(4096)
}

#[test]
fn a_partition_that_is_cut_short_ends_the_run_with_the_error_that_cut_it() {
    let dir = tempfile::tempdir().unwrap();
    let input = shards(&dir);
    for _ in 0..5 {
        let (input, target) = (input.clone(), dir.path().join("out.jsonl"));
        let all = Bag::<Json>::read_json(input.clone()).with(small()).map_partitions(|records| records);
        let error = ends(move || all.write_jsonl(target)).unwrap_err();
        assert!(error.to_string().contains("a.jsonl:60001:2: "), "{error}");
        let counts = Bag::<Json>::read_json(input).with(small()).map_partitions(|records| [records.count()]);
        let found = ends(move || counts.any(|count| *count == 300_000));
        assert!(found.unwrap_err().to_string().contains("a.jsonl:60001:2: "));
    }
}

#[test]
fn what_is_behind_a_record_that_ends_the_run_is_no_error_behind_take_either() {
    let dir = tempfile::tempdir().unwrap();
    let input = shards(&dir);
    for _ in 0..20 {
        let bag = Bag::<Json>::read_json(input.clone()).with(small()).take(1_000_000);
        assert!(ends(move || bag.any(|record| record.get("n").and_then(|n| n.as_u64()) == Some(1))).unwrap());
    }
}

#[test]
fn an_output_that_breaks_ends_the_run_at_once_in_order_or_not() {
    struct Broken(u64);
    impl Write for Broken {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            if self.0 > 50_000 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let good = shards(&dir).remove(1);
    for ordered in [true, false] {
        let bag = Bag::<Json>::read_json(vec![good.clone(); 4]).with(small().ordered(ordered));
        let error = ends(move || bag.write_jsonl_to(Broken(0))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
}

#[test]
fn the_run_s_own_trouble_is_never_a_bad_record() {
    let trouble = |n: i64| -> Result<i64> {
        // A group that cannot be read gives errors like this one.
        if n == 3 { Bag::range(0..1).with(Config::new().memory(1)).count().map(|_| n) } else { Ok(n) }
    };
    let config = Config::new().bad_records(kitbag::BadRecords::Skip);
    let run = Bag::range(0..5).with(config.clone()).try_map(trouble).collect();
    assert_eq!(run.unwrap_err().kind(), ErrorKind::Limit);
    let own = Bag::range(0..5).with(config).try_map(|n| if n == 3 { Err::<i64, &str>("no") } else { Ok(n) });
    assert_eq!(own.collect().unwrap(), [0, 1, 2, 4]);
}

#[test]
fn a_state_that_shrinks_gives_its_memory_back() {
    let long = |n: i64| (n % 10, "x".repeat(if n % 2 == 0 { 5_000 } else { 10 }));
    let monitor = kitbag::Monitor::new();
    let config = Config::new().threads(2).memory(8 << 20).monitor(&monitor);
    let last = Bag::range(0..60_000).with(config).map(long).fold_by(|item| item.0, kitbag::agg::last());
    assert_eq!(last.count().unwrap(), 10);
    assert_eq!(monitor.report().unwrap().spilled(), 0, "ten small states are no reason to spill");
}

#[test]
fn an_iterator_dropped_before_a_wide_verb_has_its_input_ends_the_run() {
    let endless = || Bag::from_iter((0i64..).inspect(|n| assert!(*n < 200_000_000, "it is read on and on")));
    ends(move || drop(endless().group_by(|n| n % 7).iter().unwrap()));
    ends(move || drop(endless().count_by(|n| n % 7).map(|(_, count)| count).iter().unwrap()));
    ends(move || drop(endless().frequencies().iter().unwrap()));
}
