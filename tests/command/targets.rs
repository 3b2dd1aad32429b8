//! Runs that meet at one target, and what killed ones leave beside it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::tool::{at, files, kitbag, names, print, run_with};

/// A run that has begun its output, and waits for its input.
fn begun(dir: &Path, arguments: &[&str]) -> Child {
    let before = names(dir);
    let child = kitbag().args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| names(dir).iter().any(|name| !before.contains(name)), || "the run did not begin".into());
    child
}

fn wait_until(done: impl Fn() -> bool, said: impl Fn() -> String) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", said());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn killed(mut child: Child) {
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
}

#[test]
fn of_two_runs_at_one_target_one_wins_and_the_other_leaves_nothing() {
    let dir = files(&[]);
    let inputs = ["1\n".repeat(3000), "2\n".repeat(3000)];
    for round in 0..50 {
        let target = if round % 2 == 0 { "out/part-*.jsonl" } else { "out.jsonl" };
        let out = at(&dir, target);
        let shards = if round % 2 == 0 { &["--shard-size", "1K"][..] } else { &[] };
        let start = |_| {
            let mut command = kitbag();
            command.args(["-o", &out]).args(shards).arg(".").stdin(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let mut pair = [0, 1].map(start);
        for (child, input) in pair.iter_mut().zip(&inputs) {
            // One that is refused at once reads nothing.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        }
        let ended = pair.map(|child| child.wait_with_output().unwrap());
        let codes: Vec<_> = ended.iter().map(|output| output.status.code().unwrap()).collect();
        assert!(codes == [0, 2] || codes == [2, 0], "round {round}: {ended:?}");
        let loser = codes.iter().position(|&code| code == 2).unwrap();
        let said = String::from_utf8_lossy(&ended[loser].stderr);
        assert!(said.contains("the target exists") || said.contains("the target appeared"), "round {round}: {said}");
        let name = target.split('/').next().unwrap();
        assert_eq!(names(dir.path()), [name], "round {round}");
        let back = print(&[".", &at(&dir, name)], "");
        assert!(back == inputs[1 - loser], "round {round}: the output is not the winner's, or not whole");
        if round % 2 == 0 {
            assert!(print(&["--verify", &at(&dir, name)], "").contains(" 3000 lines"));
        }
        let path = dir.path().join(name);
        if round % 2 == 0 { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    }
}

#[test]
fn overwriting_never_shows_anything_but_a_whole_output() {
    let dir = files(&[]);
    let (out, target) = (at(&dir, "out"), at(&dir, "out/part-*.jsonl"));
    assert_eq!(print(&["-o", &target, "."], &"0\n".repeat(500)), "");
    std::thread::scope(|scope| {
        for writer in 1..3 {
            let target = &target;
            scope.spawn(move || {
                for _ in 0..25 {
                    let text = format!("{writer}\n").repeat(500);
                    assert_eq!(print(&["--overwrite", "--shard-size", "100", "-o", target, "."], &text), "");
                }
            });
        }
        for _ in 0..400 {
            let manifest = std::fs::read(Path::new(&out).join(".manifest.json"));
            assert!(manifest.is_ok_and(|text| text.ends_with(b"}\n")), "there was a moment without a whole target");
        }
    });
    assert!(print(&["--verify", &out], "").contains(" 500 lines"));
    assert_eq!(names(dir.path()), ["out"]);
}

#[test]
fn what_killed_runs_leave_is_taken_away_by_the_next_one_and_what_lives_stays() {
    let dir = files(&[("old.jsonl", "0\n")]);
    let here = dir.path();
    let hidden = || names(here).into_iter().filter(|name| name.starts_with('.')).count();
    let start = |target| begun(here, &["--overwrite", "-o", &at(&dir, target), "."]);
    ["a/part-*.jsonl.gz", "a.jsonl", "old.jsonl"].map(start).into_iter().for_each(killed);
    assert_eq!((hidden(), std::fs::read_to_string(here.join("old.jsonl")).unwrap().as_str()), (3, "0\n"));
    // Things that only look like it, and a link with such a name.
    let random = "x".repeat(22);
    std::fs::create_dir(here.join(".kitbag-stage-mine")).unwrap();
    std::fs::create_dir(here.join("precious")).unwrap();
    std::fs::write(here.join("precious/file"), "").unwrap();
    std::os::unix::fs::symlink(here.join("precious"), here.join(format!(".kitbag-stage-{random}"))).unwrap();
    std::fs::write(here.join(format!(".kitbag-stage-{}", random.to_uppercase())), "").unwrap();
    // Two living ones, to another target: not theirs to take away, nor is one the other's.
    let living = begun(here, &["-o", &at(&dir, "b/part-*.jsonl"), "."]);
    wait_until(|| hidden() == 4, || format!("{:?}", names(here)));
    let other = begun(here, &["-o", &at(&dir, "c.jsonl"), "."]);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(hidden(), 5, "{:?}", names(here));
    for child in [living, other] {
        let mut child = child;
        child.stdin.take().unwrap().write_all(b"1\n").unwrap();
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(print(&[".", &at(&dir, "b"), &at(&dir, "c.jsonl")], ""), "1\n1\n");
    assert_eq!((hidden(), names(&here.join("precious"))), (3, vec!["file".to_owned()]));
}

#[test]
fn a_run_that_is_killed_anywhere_leaves_the_old_output_or_the_new_one() {
    let dir = files(&[]);
    let (out, target) = (at(&dir, "out"), at(&dir, "out/part-*.jsonl"));
    let input = dir.path().join("in.jsonl");
    let lines = |n: u64| format!("{n}\n").repeat(20_000);
    let (mut before, mut old, mut new) = (0, 0, 0);
    std::fs::write(&input, lines(0)).unwrap();
    let options = ["--overwrite", "--shard-size", "8K", "-o", &target, ".", input.to_str().unwrap()];
    assert_eq!(print(&options, ""), "");
    // How long it takes, so that the kills fall all over it.
    let started = Instant::now();
    assert_eq!(print(&options, ""), "");
    let whole = started.elapsed();
    for round in 1..=300 {
        // On a machine whose speed changes it takes more rounds until some kills came before the end, and one behind it.
        let delay = match round {
            ..=40 => whole * u32::try_from(round).unwrap() / 36,
            _ if new == 0 => whole * 20,
            _ if old <= 3 => whole * u32::try_from(round % 10).unwrap() / 50,
            _ => break,
        };
        std::fs::write(&input, lines(round)).unwrap();
        let mut child = kitbag().args(options).stdin(Stdio::null()).spawn().unwrap();
        std::thread::sleep(delay);
        let _ = child.kill();
        child.wait().unwrap();
        assert!(print(&["--verify", &out], "").contains(" 20000 lines"), "round {round}");
        let first = print(&["first(inputs)", "-n", &out], "").trim().parse::<u64>().unwrap();
        assert!(first == before || first == round, "round {round}: {first}");
        if first == round {
            new += 1
        } else {
            old += 1
        };
        before = first;
    }
    assert!(old > 3 && new > 0, "{old} kills came before the end, {new} behind it: they do not fall all over the run");
    assert_eq!(print(&options, ""), "");
    assert_eq!(names(dir.path()), ["in.jsonl", "out"]);
}

#[test]
fn a_device_is_not_replaced() {
    let dir = files(&[]);
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for more in [&[][..], &["--overwrite"]] {
        let ran = run_with(&[more, &["-o", pipe.to_str().unwrap(), "."]].concat(), b"1\n");
        assert!(ran.code == Some(2) && ran.err.contains("a device or a pipe"), "{ran:?}");
    }
    assert_eq!(names(dir.path()), ["pipe"]);
}
