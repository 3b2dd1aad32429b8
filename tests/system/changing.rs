//! Inputs that change while they are read, and a clock that is wrong.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::plans::records;
use super::tool::{KITBAG, Ran, Running, has, is_root, names, print, program, run, skipped};

/// A run that has listed its inputs, and waits in the first of them, a pipe, until the second one was changed.
fn changed(input: &str, options: &[&str], threads: &str, prepare: impl Fn(&Path), change: impl Fn(&Path)) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let (pipe, input, out) = (dir.path().join("pipe"), dir.path().join(input), dir.path().join("out.jsonl"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    prepare(&input);
    let mut command = program(KITBAG);
    // One reader, which is in the pipe; the other ones wait for none.
    command.args(["--threads", threads, "-o"]).arg(&out).args(options).args([&pipe, &input]);
    let run = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let begun = Instant::now();
    while !names(dir.path()).iter().any(|name| name.starts_with(".kitbag-file-")) {
        assert!(begun.elapsed() < Duration::from_secs(10), "the run did not begin");
        std::thread::sleep(Duration::from_millis(1));
    }
    // Opening it waits until it is read from: then the inputs have been listed.
    let mut writer = std::fs::File::options().write(true).open(&pipe).unwrap();
    writer.write_all(b"{\"n\":-1}\n").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    change(&input);
    drop(writer);
    let mut ran = run.finish();
    assert!(!names(dir.path()).iter().any(|name| name.starts_with('.')), "something is left");
    assert_eq!(out.exists(), ran.code == Some(0), "{ran:?}");
    if ran.code == Some(0) {
        ran.out = std::fs::read_to_string(&out).unwrap();
    }
    ran
}

fn cut(path: &Path, to: u64) {
    std::fs::File::options().write(true).open(path).unwrap().set_len(to).unwrap();
}

fn small(path: &Path) {
    records(path, 500);
}

/// Several tasks of a plain file.
fn large(path: &Path) {
    records(path, 60_000);
}

fn packed(path: &Path) {
    let mut text = Vec::new();
    for n in 0..40_000 {
        writeln!(text, "{{\"n\":{n},\"x\":{}}}", n * 7919 % 10_007).unwrap();
    }
    // Members: a cut between two of them is no damage of any of them.
    let mut file = std::fs::File::create(path).unwrap();
    for part in text.chunks(100_000) {
        let mut packer = flate2::write::GzEncoder::new(&mut file, flate2::Compression::new(1));
        packer.write_all(part).unwrap();
        packer.finish().unwrap();
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_an_error() {
    for options in [&["."][..], &["--on-error", "skip", "."], &["-R", "."], &["-n", "inputs"], &["-s", ".[]"]] {
        let lines = |ran: &Ran| ran.out.lines().count();
        for (prepare, name, to) in [
            (small as fn(&Path), "in.jsonl", 0),
            // Behind a newline, where no line is cut in two.
            (small, "in.jsonl", 2250),
            (small, "in.jsonl", 3000),
            (large, "in.jsonl", 0),
            (large, "in.jsonl", 9 << 20),
        ] {
            let ran = changed(name, options, "1", prepare, |path| cut(path, to));
            let label = format!("{options:?}, to {to}: {} {:?}, {} lines", ran.err, ran.code, lines(&ran));
            assert!(ran.code == Some(2) && ran.err.contains("in.jsonl") && ran.err.contains("was cut"), "{label}");
        }
    }
    // Between two members, too.
    let member = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let mut starts = bytes.windows(4).enumerate().filter(|(_, four)| *four == [0x1f, 0x8b, 8, 0]).map(|(at, _)| at);
        cut(path, starts.next_back().unwrap() as u64);
    };
    let ran = changed("in.gz", &["."], "1", packed, member);
    assert!(ran.code == Some(2) && ran.err.contains("in.gz"), "{ran:?}");
    assert!(ran.err.contains("was cut"), "{ran:?}");
}

#[test]
fn a_file_that_grows_while_it_is_read_gives_what_was_there() {
    let more = |path: &Path| {
        let mut file = std::fs::File::options().append(true).open(path).unwrap();
        file.write_all(b"{\"n\":77}\n{\"n\":78}\n").unwrap();
    };
    for (prepare, lines) in [(small as fn(&Path), 501), (large, 60_001)] {
        for threads in ["1", "3"] {
            let ran = changed("in.jsonl", &["."], threads, prepare, more);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            assert!((lines..=lines + 2).contains(&ran.out.lines().count()), "{}", ran.out.lines().count());
        }
    }
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_never_mixed_with_the_other() {
    for (prepare, count) in [(small as fn(&Path), 500), (large, 60_000)] {
        let replace = |path: &Path| {
            let new = path.with_extension("new");
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(&new, text.replace("\"pad\"", "\"new\"")).unwrap();
            std::fs::rename(&new, path).unwrap();
        };
        for threads in ["1", "3"] {
            let ran = changed("in.jsonl", &["."], threads, prepare, replace);
            match ran.code {
                Some(0) => {
                    let new = ran.out.lines().filter(|line| line.contains("\"new\"")).count();
                    assert!(new == 0 || new == count, "{new} of {count} lines are the other file's");
                    assert_eq!(ran.out.lines().count(), count + 1);
                }
                _ => assert!(ran.code == Some(2) && ran.err.contains("was replaced"), "{ran:?}"),
            }
        }
    }
}

/// At any moment, without a pipe that waits: an error, or all of it, and all of one file.
#[test]
fn a_file_that_is_cut_or_replaced_at_a_random_moment_is_an_error_or_was_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (input, other) = (dir.path().join("in.jsonl"), dir.path().join("other"));
    large(&input);
    let (text, path) = (std::fs::read_to_string(&input).unwrap(), input.to_str().unwrap());
    let arguments = ["--threads", "2", "--memory", "8MiB", "-s", "map(has(\"pad\")) | unique, length", path];
    let begun = Instant::now();
    assert_eq!(print(&arguments), "[true]\n60000\n");
    let whole = begun.elapsed();
    let (mut dice, mut refused) = (super::dice::Dice::new(5), [0, 0]);
    for round in 0..60 {
        std::fs::write(&input, &text).unwrap();
        std::fs::write(&other, text.replace("\"pad\"", "\"new\"")).unwrap();
        let mut command = super::tool::kitbag(&arguments);
        let run = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        std::thread::sleep(whole.mul_f64(dice.below(1000) as f64 / 1000.0));
        match round % 2 {
            0 => cut(&input, dice.below(text.len()) as u64),
            _ => std::fs::rename(&other, &input).unwrap(),
        }
        let ran = run.finish();
        match ran.code {
            Some(0) => {
                // What was cut before it was looked for is as short as that, and a cut in a record is an error.
                let lines: Vec<&str> = ran.out.lines().collect();
                assert!(["[true]", "[false]", "[]"].contains(&lines[0]), "two files are mixed: {ran:?}");
                assert!(round % 2 == 0 || lines[1] == "60000", "{ran:?}");
            }
            _ => {
                assert!(ran.code == Some(2) && ran.err.starts_with(path), "{ran:?}");
                refused[round % 2] += 1;
            }
        }
    }
    println!("{refused:?} runs were refused of 30 whose file was cut, and of 30 whose file was replaced");
    assert!(refused[0] > 3 && refused[1] > 3, "{refused:?}");
}

/// A program of two passes sees one file in both, or ends with an error.
#[test]
fn a_file_that_changes_between_two_passes_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (input, other) = (dir.path().join("in.jsonl"), dir.path().join("other"));
    large(&input);
    let (text, path) = (std::fs::read_to_string(&input).unwrap(), input.to_str().unwrap());
    let program = "length as $n | map([$n, has(\"pad\")]) | [unique, length]";
    let arguments = ["--threads", "2", "--memory", "8MiB", "-c", "-s", program, path];
    assert!(print(&["-s", "--explain", program]).contains("pass"), "the program takes one pass");
    let begun = Instant::now();
    assert_eq!(print(&arguments), "[[[60000,true]],60000]\n");
    let whole = begun.elapsed();
    let half = text[..text.len() / 2].rsplit_once('\n').unwrap().0.replace("\"pad\"", "\"new\"");
    let (mut dice, mut refused, mut between) = (super::dice::Dice::new(9), 0, 0);
    for round in 0..40 {
        std::fs::write(&input, &text).unwrap();
        std::fs::write(&other, &half).unwrap();
        let mut command = super::tool::kitbag(&arguments);
        let run = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        std::thread::sleep(whole.mul_f64(dice.below(1000) as f64 / 1000.0));
        std::fs::rename(&other, &input).unwrap();
        let ran = run.finish();
        match ran.code {
            Some(0) => {
                let whole = |count: usize, old: bool| format!("[[[{count},{old}]],{count}]\n");
                let one = ran.out == whole(60_000, true) || ran.out == whole(half.lines().count(), false);
                assert!(one, "round {round}: two files are mixed: {ran:?}");
            }
            _ => {
                assert!(ran.code == Some(2) && ran.err.starts_with(path), "{ran:?}");
                refused += 1;
                between += usize::from(ran.err.contains("in each pass"));
            }
        }
    }
    println!("{refused} runs of 40 were refused, {between} of them because the file had changed between passes");
    assert!(refused > 3 && between > 0, "{refused} refused, {between} between passes");
}

#[test]
fn a_clock_that_is_wrong_changes_no_output() {
    if !is_root() || !has("unshare") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let [input, out, report] = ["in.jsonl", "out/p-*.gz", "report"].map(at);
    records(Path::new(&input), 12_000);
    let settings = ["--memory", "2MiB", "--max-record", "4K", "--threads", "1", "--overwrite"];
    let arguments = [&settings[..], &["--report", &report, "-o", &out, "-s", "sort_by(.k)[]", &input]].concat();
    print(&arguments);
    let before = super::tree::tree(&dir.path().join("out"));
    for seconds in ["1000000000", "0"] {
        let mut shifted = program("unshare");
        shifted.args(["--time", "--monotonic", seconds, "--boottime", seconds]).arg("--fork").arg(KITBAG);
        let ran = run(shifted.args(&arguments));
        if ran.err.contains("unshare") {
            return skipped("there is no clock of one's own here");
        }
        assert!(ran.code == Some(0) && ran.err.is_empty(), "{ran:?}");
        assert!(super::tree::tree(&dir.path().join("out")) == before, "{seconds}");
        assert_eq!(print(&["--values", ".seconds < 60 and .seconds > 0", &report]), "true\n");
    }
}

/// libfaketime, which gives a program another wall clock; `None` where it is not installed.
fn faketime() -> Option<std::path::PathBuf> {
    let found = ["/usr/lib/*/faketime", "/usr/lib*/faketime", "/usr/local/lib/faketime"]
        .into_iter()
        .find_map(|dir| glob::glob(&format!("{dir}/libfaketimeMT.so.1")).unwrap().find_map(Result::ok));
    if found.is_none() {
        eprintln!("skipped: libfaketime is not installed");
    }
    found
}

#[test]
fn a_clock_that_jumps_within_a_run_changes_nothing() {
    let Some(library) = faketime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let [input, out, report, clock] = ["in.jsonl", "out/p-*.gz", "report", "clock"].map(at);
    records(Path::new(&input), 12_000);
    let settings = ["--memory", "2MiB", "--max-record", "4K", "--threads", "2", "--overwrite"];
    let arguments = [&settings[..], &["--report", &report, "-o", &out, "-s", "sort_by(.k)[]", &input]].concat();
    print(&arguments);
    let before = super::tree::tree(&dir.path().join("out"));
    let jump = |to: &str| std::fs::write(&clock, to).unwrap();
    let jumping = |arguments: &[&str]| {
        let mut command = super::tool::kitbag(arguments);
        command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let now = |to: &str| -> f64 {
        jump(to);
        run(&mut jumping(&["-n", "now"])).out.trim().parse().unwrap()
    };
    let years = (now("+10y") - now("-10y")) / (365.0 * 86_400.0);
    assert!((19.0..21.0).contains(&years), "the clock is not another one: {years} years");
    let mut running = Running::start(&mut jumping(&arguments));
    let mut jumps = 0;
    while running.0.try_wait().unwrap().is_none() {
        jump(["-10y", "+10y"][jumps % 2]);
        jumps += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    let ran = running.finish();
    assert!(ran.code == Some(0) && ran.err.is_empty() && jumps > 10, "{jumps} jumps: {ran:?}");
    assert!(super::tree::tree(&dir.path().join("out")) == before);
    assert_eq!(print(&["--values", ".seconds < 60 and .seconds > 0", &report]), "true\n");
}
