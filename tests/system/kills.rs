//! Kills: at each call that writes, syncs or renames, and at random moments of a spilling, sharded run. What stands at the
//! target is the old output or the new one, whole, and the next run takes away what was left.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::job::Job;
use super::plans::{PLANS, Place};
use super::tool::{KITBAG, Running, is_required, kitbag, names, print, program, signal, visible};
use super::trace::{Fault, can_trace, next, traced};
use super::tree::tree;

#[test]
fn killed_at_each_call_that_writes_a_run_leaves_the_old_output_or_the_new_one() {
    if !can_trace() {
        return;
    }
    for plan in &PLANS {
        let place = Place::new(plan);
        for calls in ["write,pwrite64", "fsync", "rename,renameat,renameat2", "mkdir,openat", "unlink,unlinkat,rmdir"] {
            let (mut first, mut kills, mut left, mut new) = (1, 0, 0, 0);
            loop {
                place.restore();
                let kill = Fault { calls, what: "signal=KILL", first, for_ever: false };
                let traced = traced(&kill, &place.arguments);
                let (after, hidden) = visible(tree(&place.out()));
                let label = format!("{}, {calls} {first}: {:?}\n{}", plan.name, traced.ran, traced.log);
                if traced.fired == 0 {
                    assert!(traced.ran.code == Some(0) && after == place.new, "{label}");
                    break;
                }
                assert!(after == place.old || after == place.new, "{label}: half an output");
                (kills, new) = (kills + 1, new + usize::from(after == place.new));
                if hidden > 0 && left < 3 {
                    left += 1;
                    place.next_run_works(&label);
                }
                // Temporary files have no name, so nothing of them is there once the process is gone.
                assert_eq!(names(&place.path().join("temp")), [""; 0], "{label}");
                first = next(first);
            }
            println!("{}: killed {kills} times at {calls}, {new} behind the commit; {left} left something", plan.name);
            assert!(kills > 0, "{}: no kill hit at {calls}", plan.name);
        }
    }
}

#[test]
fn three_hundred_kills_lose_nothing_and_show_nothing_half_done() {
    let kills = if is_required() { 300 } else { 60 };
    let job = Job::new();
    let (mut moments, mut dice, mut was, began) = (job.moments(), Dice::new(7), 0, Instant::now());
    let (mut alive, mut old, mut new, mut left, mut swept) = (0, 0, 0, 0, 0);
    for round in 1..=kills {
        let before = job.hidden();
        let mut run = Running::start(kitbag(&job.arguments(round)).stdout(Stdio::null()).stderr(Stdio::null()));
        std::thread::sleep(moments.next(&mut dice));
        // Most by the signal that no program sees, some by those that end a program that goes wrong itself.
        let name = ["KILL", "KILL", "KILL", "ABRT", "SEGV", "KILL"][round % 6];
        signal(name, &run.0.id().to_string());
        let status = run.ended_within(Duration::from_secs(60)).expect("HANG: a killed run does not end");
        alive += usize::from(status.code().is_none());
        moments.hit(status.code().is_none());
        assert!(status.code().is_none_or(|code| code == 0), "round {round}: {status:?}");
        let label = format!("round {round}, {status:?}");
        let is = job.number(&label);
        assert!(is == was || is == round, "{label}: {is}, before it was {was}");
        (old, new) = (old + usize::from(is == was), new + usize::from(is == round));
        was = is;
        // No run leaves more than its own, and the next one that gets so far takes that away.
        let now = job.hidden();
        (left, swept) = (left + usize::from(now > 0), swept + usize::from(before > 0 && now == 0));
        assert!(now <= before + 1, "{label}: {now} things are left, before there were {before}");
    }
    print(&job.arguments(kills + 1));
    assert_eq!((job.number("the last run"), job.hidden()), (kills + 1, 0));
    assert_eq!(names(job.dir()), ["in.jsonl", "out"]);
    let spent = began.elapsed();
    println!(
        "{alive} of {kills} kills hit a run; {old} left the old output, {new} the new one; {left} left a stage, {swept} runs took one away; {spent:?}"
    );
    assert!(alive >= kills / 3 && old >= kills / 15 && new >= kills / 60 && left >= kills / 15 && swept > 0);
}

/// A program that ends its process in the middle of a run of the library, in a closure.
#[test]
fn a_process_that_ends_itself_within_a_closure_leaves_the_old_output() {
    const HOW: &str = "KITBAG_TEST_ENDS";
    let target = |dir: &Path| dir.join("out/part-*.jsonl");
    if let Some(how) = std::env::var_os(HOW) {
        let dir = PathBuf::from(std::env::var_os("KITBAG_TEST_DIR").unwrap());
        let ends = move |n: i64| match (n, how.to_str().unwrap()) {
            (70_000, "abort") => std::process::abort(),
            (70_000, "exit") => std::process::exit(9),
            _ => n,
        };
        let config = kitbag::Config::new().memory(4 << 20).threads(2).temp_dir(&dir);
        let bag = kitbag::Bag::range(0..100_000).with(config).sort_by_key(|n| -n).map(ends);
        let _ = bag.write_jsonl(kitbag::Target::new(target(&dir)).overwrite().shard_size(50_000));
        return;
    }
    for (how, code) in [("abort", None), ("exit", Some(9))] {
        let dir = tempfile::tempdir().unwrap();
        print(&["-n", "-o", target(dir.path()).to_str().unwrap(), "range(10)"]);
        let old = tree(&dir.path().join("out"));
        let mut command = program(std::env::current_exe().unwrap().to_str().unwrap());
        let name = "kills::a_process_that_ends_itself_within_a_closure_leaves_the_old_output";
        command.args(["--exact", name, "--nocapture"]).env("KITBAG_TEST_DIR", dir.path()).env(HOW, how);
        let ran = super::tool::run(&mut command);
        assert!(ran.code == code && (code.is_some() || ran.signal == Some(6)), "{how}: {ran:?}");
        assert!(tree(&dir.path().join("out")) == old, "{how}");
        assert!(names(dir.path()).len() <= 2, "{how}: {:?}", names(dir.path()));
        print(&["-n", "--overwrite", "-o", target(dir.path()).to_str().unwrap(), "1"]);
        assert_eq!(names(dir.path()), ["out"], "{how}: the next run takes away what was left");
    }
    assert!(Path::new(KITBAG).exists());
}
