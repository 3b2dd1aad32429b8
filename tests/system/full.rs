//! Disks that are full: for temporary files, for outputs, for standard output; and files that may not grow.

use std::fs::File;

use super::plans::{RECORDS, records};
use super::small::Small;
use super::tool::{after, kitbag, names, run};
use super::tree::tree;

/// Runs that need temporary space, each with the verb or the place that takes it.
const SPILLING: [&[&str]; 7] = [
    &["-s", "group_by(.k)[]"],
    &["-s", "sort_by(.n)[]"],
    &["-s", "unique_by(.n)[]"],
    &["-s", "map(.n += 1)"],
    &["--partition-by", ".k", "."],
    &["-n", "--partition-by", ".k", "inputs"],
    &["-s", "--bag", "r=IN", "join_on($r; .n; .n) | .[0]"],
];

#[test]
fn temporary_space_that_ends_is_a_limit_that_names_directory_and_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    records(&input, 3 * RECORDS);
    let (input, mut said_bytes) = (input.to_str().unwrap(), 0);
    for options in ["size=64k", "size=1m", "nr_inodes=1"] {
        let Some(small) = Small::new(options) else { return };
        let free = small.free();
        for program in SPILLING {
            let out = dir.path().join("out");
            let target = if program.contains(&"--partition-by") { out.clone() } else { out.join("p-*.gz") };
            let program: Vec<String> = program.iter().map(|word| word.replace("r=IN", &format!("r={input}"))).collect();
            for threads in ["1", "3"] {
                let settings = ["--threads", threads, "--memory", "3MiB", "--max-record", "4K", "--temp-dir"];
                let mut command = kitbag(&settings);
                command.arg(small.path()).arg("-o").arg(&target).args(&program).arg(input);
                let ran = run(&mut command);
                let label = format!("{options}, {threads} threads, {program:?}: {ran:?}");
                assert_eq!(ran.code, Some(6), "{label}");
                assert!(ran.err.contains(small.path().to_str().unwrap()), "{label}");
                assert!(ran.err.contains("(os error 28)"), "{label}");
                // How much of it was ours.
                said_bytes += usize::from(options == "size=1m" && ran.err.contains(" bytes"));
                assert_eq!(names(dir.path()), ["in.jsonl"], "{label}");
                assert_eq!((small.free(), names(small.path()).len()), (free, 0), "{label}");
            }
        }
    }
    assert!(said_bytes > 8, "{said_bytes}");
}

#[test]
fn an_output_for_which_there_is_no_space_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    records(&input, RECORDS);
    for (options, fits_file) in [("size=1m", false), ("size=16m,nr_inodes=6", true)] {
        let Some(small) = Small::new(options) else { return };
        std::fs::write(small.path().join("a.jsonl"), "old").unwrap();
        std::fs::create_dir(small.path().join("d")).unwrap();
        std::fs::write(small.path().join("d/old"), "old").unwrap();
        let (before, free) = (tree(small.path()), small.free());
        for (target, more) in [
            ("a.jsonl", &["."][..]),
            ("new.jsonl", &["."]),
            ("d/part-*.jsonl", &["--shard-size", "100K", "."]),
            ("new/part-*.jsonl", &["--shard-size", "100K", "."]),
            ("d", &["--partition-by", ".k", "."]),
            ("a.jsonl", &["-n", "inputs"]),
        ] {
            if fits_file && target.ends_with("l") && !target.contains('*') {
                continue;
            }
            for threads in ["1", "3"] {
                let mut command = kitbag(&["--threads", threads, "--overwrite", "-o", &small.at(target)]);
                let ran = run(command.args(more).arg(&input));
                let label = format!("{options}, {threads} threads, {target} {more:?}: {ran:?}");
                assert!(ran.code == Some(6) && ran.err.contains("(os error 28)"), "{label}");
                assert!(ran.err.starts_with(small.path().to_str().unwrap()), "{label}");
                assert!(tree(small.path()) == before, "{label}: {:?}", tree(small.path()).keys());
                assert_eq!(small.free(), free, "{label}");
            }
        }
    }
}

#[test]
fn standard_output_that_is_full_is_an_error_and_not_silent() {
    for options in [
        &[".", "data/web"][..],
        &["--unordered", ".", "data/web"],
        &["-n", "range(1e5)"],
        &["-n", "1"],
        &["-n", "inputs", "data/web"],
        &["-s", ".[]", "data/web"],
        &["-s", "map(.)", "data/web"],
        &["-s", "length", "data/web"],
        &["--explain", "-s", "length"],
        &["--help"],
        &["-h"],
        &["--version"],
        &["--man"],
        &["--completions", "bash"],
    ] {
        let mut command = kitbag(options);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let full = File::options().write(true).open("/dev/full").unwrap();
        command.stdout(full).stderr(std::process::Stdio::piped());
        let ran = super::tool::Running::start(&mut command).finish();
        let told = ran.err.starts_with("kitbag: ") && ran.err.contains("standard output");
        assert!(ran.code == Some(2) && told && ran.err.contains("(os error 28)"), "{options:?}: {ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{options:?}: {ran:?}");
    }
}

#[test]
fn files_that_may_not_grow_are_a_limit_and_no_signal() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    records(&input, RECORDS);
    let (input, out) = (input.to_str().unwrap(), dir.path().join("out"));
    let at = |name: &str| out.join(name).to_str().unwrap().to_owned();
    let spill = ["--memory", "3MiB", "--max-record", "4K", "--threads", "1", "-s", "group_by(.k)[]"];
    // Blocks of 512 bytes, in every shell.
    for (blocks, arguments) in [
        (200, vec!["-o", &at("a.jsonl"), "."]),
        (1, vec!["-o", &at("d/p-*.jsonl"), "--shard-size", "100K", "."]),
        (200, spill.to_vec()),
    ] {
        let ran = run(&mut after(&format!("ulimit -f {blocks}"), &[&arguments[..], &[input]].concat()));
        assert!(ran.code == Some(6) && ran.err.contains("(os error 27)"), "{arguments:?}: {ran:?}");
        assert!(tree(dir.path()).keys().all(|name| name == "in.jsonl" || name == "out"), "{arguments:?}");
    }
}
