//! Signals at random moments, and second signals.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::plans::{PLANS, Place};
use super::tool::{Running, is_required, kitbag, names, run, signal};
use super::tree::tree;

/// How soon a run is gone.
const SOON: Duration = Duration::from_secs(2);
const SIGNALS: [(&str, i32); 3] = [("INT", 2), ("TERM", 15), ("HUP", 1)];

#[test]
fn signals_at_random_moments_end_runs_soon_and_leave_nothing() {
    let mut dice = Dice::new(3);
    let rounds = if is_required() { 45 } else { 12 };
    let (mut cancelled, mut ended, mut unheard, mut longest) = (0, 0, 0, Duration::ZERO);
    for plan in &PLANS {
        let mut place = Place::new(plan);
        let threads = place.arguments.iter().position(|argument| argument == "--threads").unwrap() + 1;
        place.arguments[threads] = "3".to_owned();
        let begun = Instant::now();
        place.next_run_works(plan.name);
        let whole = begun.elapsed();
        for round in 0..rounds {
            place.restore();
            let (name, number) = SIGNALS[round % 3];
            let mut child = Running::start(kitbag(&place.arguments).stderr(Stdio::null()));
            std::thread::sleep(whole.mul_f64(dice.below(1_000_000) as f64 / 1e6));
            let (sent, was_there) = (Instant::now(), signal(name, &child.0.id().to_string()));
            let status = child.ended_within(Duration::from_secs(60)).expect("HANG: a signal ends nothing");
            let label = format!("{}, {round}, SIG{name}: {status:?}", plan.name);
            longest = longest.max(sent.elapsed());
            assert!(sent.elapsed() < SOON, "{label}: it took {:?}", sent.elapsed());
            let expected = match status.code() {
                Some(0) => &place.new,
                code if was_there => {
                    use std::os::unix::process::ExitStatusExt as _;
                    // Before it listens a signal ends it as any program.
                    let deaf = status.signal() == Some(number);
                    assert!(deaf || code == Some(128 + number), "{label}");
                    (cancelled, unheard) = (cancelled + usize::from(!deaf), unheard + usize::from(deaf));
                    &place.old
                }
                _ => panic!("{label}"),
            };
            ended += usize::from(status.code() == Some(0));
            assert!(tree(&place.out()) == *expected, "{label}: {:?}", names(&place.out()));
            assert_eq!(names(&place.path().join("temp")), [""; 0], "{label}");
        }
    }
    println!("{cancelled} runs cancelled, {ended} had ended, {unheard} did not listen yet; at most {longest:?}");
    assert!(cancelled > rounds, "{cancelled} of {} signals hit a run that listened", 4 * rounds);
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out/part-*.jsonl");
    for (first, second, code) in [("INT", "TERM", [130, 143]), ("TERM", "HUP", [143, 129]), ("HUP", "INT", [129, 130])]
    {
        let mut command = kitbag(&["--overwrite", "-o", out.to_str().unwrap(), "."]);
        let mut child = Running::start(command.stdin(Stdio::piped()));
        let hidden = || names(dir.path()).iter().filter(|name| name.starts_with(".kitbag-stage-")).count();
        let begun = Instant::now();
        while hidden() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "the run did not begin");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Both are there before it can do anything about the first one.
        let pid = child.0.id().to_string();
        assert!(signal("STOP", &pid) && signal(first, &pid) && signal(second, &pid) && signal("CONT", &pid));
        let status = child.ended_within(SOON).expect("a second signal ends nothing");
        assert!(status.code().is_some_and(|ended| code.contains(&ended)), "{first}, {second}: {status:?}");
        // It did not even clear away, which the first one alone would have let it do; the next run does.
        assert_eq!(hidden(), 1, "{first}, {second}: this was not the second signal's end");
        let next = run(&mut kitbag(&["--overwrite", "-n", "-o", out.to_str().unwrap(), "1"]));
        assert!(next.code == Some(0) && names(dir.path()) == ["out"], "{next:?} {:?}", names(dir.path()));
    }
}

/// A run whose standard output nobody reads, though it is open, and one that waits for its input.
#[test]
fn a_signal_ends_a_run_that_waits_for_others() {
    for (options, feeds) in [
        (&["."][..], true),
        (&["-n", "inputs"], true),
        (&["-n", "range(1e9)"], false),
        (&["-s", ".[]"], true),
        (&["--unordered", "."], true),
    ] {
        for (name, number) in SIGNALS {
            let mut command = kitbag(&["--threads", "2"]);
            command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = Running::start(&mut command);
            let stdin = child.0.stdin.take().unwrap();
            if feeds {
                let mut stdin = stdin;
                std::thread::spawn(move || _ = stdin.write_all("{\"a\":\"some text\"}\n".repeat(100_000).as_bytes()));
            } else {
                drop(stdin);
            }
            // The pipe is full by now, and a little of it has been read, so that it was not full of nothing.
            let mut some = [0; 10];
            if options[0] != "-s" {
                child.0.stdout.as_mut().unwrap().read_exact(&mut some).unwrap();
            }
            std::thread::sleep(Duration::from_millis(300));
            assert!(child.0.try_wait().unwrap().is_none(), "{options:?}: it waits for nobody");
            assert!(signal(name, &child.0.id().to_string()));
            let status = child.ended_within(SOON);
            assert!(
                status.is_some_and(|status| status.code() == Some(128 + number)),
                "{options:?}, {name}: {status:?}"
            );
        }
    }
}

/// Programs that give nothing and take no input for as long as they like.
#[test]
fn a_signal_ends_a_program_that_does_not_end() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("in.jsonl"), dir.path().join("out.jsonl"));
    std::fs::write(&input, "1\n2\n").unwrap();
    let (input, out) = (input.to_str().unwrap(), out.to_str().unwrap());
    for (round, options) in [
        &["-n", "last(range(1e12))"][..],
        &["-n", "-o", out, "range(1e12) | select(false)"],
        &["-n", "reduce range(1e12) as $i (0; . + $i)"],
        &["-n", "def f: f; f"],
        &["-n", "try last(repeat(1)) catch 2"],
        &["-n", "[limit(1e12; repeat(1) | empty)]"],
        &["last(range(1e12))", input],
        &["-o", out, "until(false; . + 1)", input],
        &["--on-error", "skip", "last(range(1e12))", input],
        &["-s", "map(last(range(1e12)))", input],
        &["-s", "group_by(last(repeat(1)))", input],
        &["-s", "length, last(.[] | range(1e12))", input],
        &["-s", "reduce .[] as $x (0; last(range(1e12)))", input],
    ]
    .into_iter()
    .enumerate()
    {
        let (name, number) = SIGNALS[round % 3];
        let mut child =
            Running::start(kitbag(options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.0.try_wait().unwrap().is_none(), "{options:?} has an end");
        assert!(signal(name, &child.0.id().to_string()));
        let status = child.ended_within(SOON);
        assert!(status.is_some_and(|status| status.code() == Some(128 + number)), "{options:?}, {name}: {status:?}");
        assert_eq!(names(dir.path()), ["in.jsonl"], "{options:?}");
    }
}
