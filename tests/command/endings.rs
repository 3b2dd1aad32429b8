//! How a run ends: exit codes of `-e`, `halt`, a reader that goes, signals.

use std::process::Stdio;
use std::time::Duration;

use super::tool::{at, files, kitbag, names, print, run, run_with};

#[test]
fn the_last_value_decides_with_e() {
    for (input, code) in [("1\nnull\n", 1), ("false\n1\n", 0), ("", 4), ("null\nfalse\n", 1), ("0\n", 0)] {
        for threads in ["1", "8"] {
            let ran = run_with(&["-e", "--threads", threads, "."], input.as_bytes());
            assert_eq!((ran.out.as_str(), ran.code), (input, Some(code)), "{input:?}");
        }
    }
    assert_eq!(run_with(&["-e", "empty"], b"1\n").code, Some(4));
    assert_eq!(run_with(&["-e", "-s", "length > 1"], b"1\n").code, Some(1));
    assert_eq!(run_with(&["-en", "inputs"], b"1\n").code, Some(0));
    assert_eq!(run_with(&["-e", "if . == 2 then error else . end"], b"1\n2\n").code, Some(5));
    assert_eq!(run(&["-e", "select(.status == 999)", "data/web"]).code, Some(4));
    // Where nobody asks, it decides nothing.
    assert_eq!(run_with(&["."], b"null\n").code, Some(0));
}

#[test]
fn halting_ends_the_run_behind_what_was_printed_before() {
    let numbers: String = (0..5000).map(|n| format!("{n}\n")).collect();
    let before: String = (0..3000).map(|n| format!("{n}\n")).collect();
    for threads in ["1", "8"] {
        let ran = run_with(&["--threads", threads, "., if . == 2999 then halt else empty end"], numbers.as_bytes());
        assert_eq!((ran.out == before, ran.err.as_str(), ran.code), (true, "", Some(0)));
        let program = "., if . >= 2999 then \"enough\\n\" | halt_error(. | length) else empty end";
        let ran = run_with(&["--threads", threads, program], numbers.as_bytes());
        assert_eq!((ran.out == before, ran.err.as_str(), ran.code), (true, "enough\n", Some(7)));
    }
    let ran = run(&["-n", "1, ({} | halt_error), 2"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("1\n", "{}\n", Some(5)));
    assert_eq!(print(&["-n", "1, halt, 2"], ""), "1\n");
    let skipped = run_with(&["--on-error", "skip", "if . == 2 then halt else . end"], b"1\n2\n3\n");
    assert_eq!((skipped.out.as_str(), skipped.code), ("1\n", Some(0)));
    let dir = files(&[]);
    let out = at(&dir, "out.jsonl");
    assert_eq!(run_with(&["-o", &out, "., if . == 1 then halt_error else empty end"], b"0\n1\n2\n").code, Some(5));
    assert!(names(dir.path()).is_empty());
    assert_eq!(run_with(&["-o", &out, "., if . == 1 then halt else empty end"], b"0\n1\n2\n").code, Some(0));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "0\n1\n");
}

#[test]
fn a_reader_that_goes_ends_the_run_without_a_word() {
    for options in [&["."][..], &["-n", "range(1e9)"], &["-n", "inputs"], &["-s", ".[]"]] {
        let mut child = kitbag()
            .args(options)
            .args(["data/web", "data/events", "data/web", "data/events", "data/web"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(141), ""), "{options:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_and_leaves_nothing() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let dir = files(&[]);
        let out = at(&dir, "out/part-*.jsonl");
        // It waits for its standard input.
        let mut child = kitbag().args(["-o", &out, "."]).stdin(Stdio::piped()).spawn().unwrap();
        let stage = || names(dir.path()).iter().any(|name| name.starts_with(".kitbag-stage"));
        let begun = std::time::Instant::now();
        while !stage() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the run did not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = std::process::Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(code));
        assert_eq!(names(dir.path()), [""; 0]);
    }
}
