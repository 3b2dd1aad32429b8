//! The library on schedules of a model checker (shuttle): every lock, wait, thread and atomic of a run is a point where
//! another thread may go on. Random schedules and such with few changes of priority (PCT: Burckhardt and others, A
//! Randomized Scheduler with Probabilistic Guarantees of Finding Bugs, ASPLOS 2010). A schedule on which nobody can go
//! on is a deadlock, and found as one; waits of limited time end only where a scenario lets time pass.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test --lib --no-default-features tests::schedules`; `KITBAG_SCHEDULES` says how many
//! for each scenario and scheduler. A failure prints its schedule, which `shuttle::replay` runs again.

#![expect(clippy::disallowed_methods, reason = "a test makes its own files, and asks how long it may take")]

mod endings;
mod runs;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{MaxSteps, Runner};

use crate::os::model;
use crate::{Bag, CancelToken, Config, ErrorKind, Monitor, Result};

/// Runs `scenario` on many schedules.
fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    let most = std::env::var("KITBAG_SCHEDULES").map_or(100, |number| number.parse().unwrap());
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 20;
    // Beyond it threads run in circles.
    config.max_steps = MaxSteps::FailAfter(1_000_000);
    let scenario = Arc::new(scenario);
    let ran = Arc::new(AtomicU64::new(0));
    let body = || {
        let (scenario, ran) = (scenario.clone(), ran.clone());
        move || {
            model::begin();
            scenario();
            ran.fetch_add(1, Ordering::Relaxed);
        }
    };
    Runner::new(RandomScheduler::new(most), config.clone()).run(body());
    Runner::new(PctScheduler::new(3, most), config).run(body());
    assert_eq!(ran.load(Ordering::Relaxed), 2 * most as u64);
}

fn config() -> Config {
    Config::new().threads(2).block_size(64).memory(2 << 20).max_record(32 << 10).hash_seed(1)
}

/// Numbers in three partitions.
fn numbers(config: Config) -> Bag<i64> {
    Bag::from_partitions((0..3).map(|part| (part * 4..part * 4 + 4).collect::<Vec<i64>>())).with(config)
}

/// Records that are more than the budget, in two partitions.
fn long(config: Config) -> Bag<(i64, String)> {
    let record = |n: i64| (n % 5, format!("{n:0>20000}"));
    Bag::from_partitions((0..2).map(move |part| (part * 80..part * 80 + 80).map(record).collect::<Vec<_>>()))
        .with(config)
}

/// Bytes that a run spilled.
fn spilled<R>(run: impl FnOnce(Config) -> R) -> R {
    let monitor = Monitor::new();
    let answer = run(config().monitor(&monitor));
    assert!(monitor.report().unwrap().spilled() > 0, "nothing was spilled");
    answer
}

/// A run that is cancelled by another thread at any moment; from then on time passes.
fn cancelled<R: std::fmt::Debug + Send + 'static>(run: impl FnOnce(Config) -> Result<R> + Send + 'static) {
    let (token, over) = (CancelToken::new(), Arc::new(AtomicBool::new(false)));
    let clock = shuttle::thread::spawn({
        let (token, over) = (token.clone(), over.clone());
        move || {
            token.cancel();
            while !over.load(Ordering::Relaxed) {
                model::tick();
                shuttle::thread::yield_now();
            }
        }
    });
    let ended = run(config().cancel_token(&token));
    over.store(true, Ordering::Relaxed);
    clock.join().unwrap();
    if let Err(error) = ended {
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    }
}

/// What lies in a directory, hidden names too.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
