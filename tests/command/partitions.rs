//! `--partition-by`.

use std::collections::BTreeMap;
use std::path::Path;

use super::tool::{at, files, kitbag, names, print, run, run_with};

/// The text below a directory, by path; its manifest is another test's.
fn contents(dir: &Path) -> BTreeMap<String, String> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(here) = waiting.pop() {
        for entry in std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => waiting.push(entry),
                false if entry.file_name().unwrap().to_str().unwrap().starts_with(['.', '_']) => {}
                false => {
                    let text = std::fs::read_to_string(&entry).unwrap();
                    found.insert(entry.strip_prefix(dir).unwrap().to_str().unwrap().to_owned(), text);
                }
            }
        }
    }
    found
}

const HITS: &str = r#"{"time":"2026-01-02T10:00:00Z","kind":"x","n":1}
{"time":"2026-01-03T10:00:00Z","kind":"y/..","n":2}
{"time":"2026-01-02T11:00:00Z","kind":null,"n":3.0}
{"time":"2026-01-02T12:00:00Z","kind":"x","n":4}
{"time":"2026-01-02T13:00:00Z","n":5}
"#;

#[test]
fn directories_are_named_by_the_values_of_each_output() {
    let dir = files(&[("in.jsonl", HITS)]);
    let (file, out) = (at(&dir, "in.jsonl"), at(&dir, "out"));
    let written = |options: &[&str]| {
        let all = [&["--overwrite", "-o", &out, "--partition-by"], options].concat();
        assert_eq!(print(&all, ""), "", "{options:?}");
        contents(Path::new(&out)).into_iter().collect::<Vec<_>>()
    };
    let expected = |files: &[(&str, &str)]| {
        files.iter().map(|(dir, text)| (format!("{dir}/part-000000.jsonl"), (*text).to_owned())).collect::<Vec<_>>()
    };
    let by_day_and_kind = expected(&[
        ("day=2026-01-02/kind=__HIVE_DEFAULT_PARTITION__", "3.0\n5\n"),
        ("day=2026-01-02/kind=x", "1\n4\n"),
        ("day=2026-01-03/kind=y%2F.%2E", "2\n"),
    ]);
    // The outputs alone have no day: what is partitioned by is taken from each of them.
    let keep = "{day: .time[:10], kind, n}";
    let by = "{day, kind}";
    let strip = |files: Vec<(String, String)>| {
        let n = |line: &str| line.rsplit_once(':').unwrap().1.replace('}', "\n");
        files.into_iter().map(|(name, text)| (name, text.lines().map(n).collect())).collect::<Vec<(String, String)>>()
    };
    for way in [&[][..], &["--values"], &["--threads", "8"]] {
        assert_eq!(strip(written(&[&[by][..], way, &[keep, &file]].concat())), by_day_and_kind, "{way:?}");
    }
    let sequential = format!("inputs | {keep}");
    assert_eq!(strip(written(&[by, "-n", &sequential, &file])), by_day_and_kind);
    let in_turn = format!("if false then input else {keep} end");
    assert_eq!(strip(written(&[by, &in_turn, &file])), by_day_and_kind);
    for slurped in [format!("map({keep})[]"), format!("sort_by(.n)[] | {keep}"), format!(".[0] as $x | .[] | {keep}")] {
        assert_eq!(strip(written(&[by, "-s", &slurped, &file])), by_day_and_kind, "{slurped}");
    }
    // A path names its last key; what is printed may be something else than a record.
    let texts =
        expected(&[("kind=__HIVE_DEFAULT_PARTITION__", "{\"a\":{}}\n"), ("kind=true", "{\"a\":{\"kind\":true}}\n")]);
    assert_eq!(written(&[".a.kind", "-n", "{a: {kind: true}}, {a: {}}"]), texts);
    let lines = expected(&[("length=1", "a\nb\n"), ("length=2", "cd\n")]);
    let text = at(&dir, "text");
    std::fs::write(&text, "a\ncd\nb").unwrap();
    assert_eq!(written(&["{length: length}", "-Rr", ".", &text]), lines);
    let array = expected(&[("n=5", "5\n")]);
    assert_eq!(written(&["{n: .}", "-s", "length", &file]), array);
    let whole = expected(&[("n=2", "[1,2]\n")]);
    assert_eq!(written(&["{n: length}", "-s", "map(.n) | .[:1] + [2]", &file]), whole);
    assert_eq!(written(&["{n: .}", "empty", &file]), []);
    assert!(Path::new(&out).is_dir());
}

#[test]
fn shards_variables_files_and_the_report() {
    let dir = files(&[]);
    let (out, report) = (at(&dir, "out/p-*.jsonl.zst"), at(&dir, "report.json"));
    let options = ["-o", &out, "--partition-by", "{$name, status, from: (input_filename | split(\"/\")[-1][:8])}"];
    let more = ["--arg", "name", "a b", "--shard-size", "2K", "--report", &report, ".", "data/web"];
    assert_eq!(print(&[&options[..], &more].concat(), ""), "");
    let shards = names(&dir.path().join("out/name=a%20b/status=200/from=part-000"));
    assert!(shards.len() > 2 && shards[1] == "p-000001.jsonl.zst", "{shards:?}");
    let back = |folder: &str| print(&["-s", "sort_by(tojson)[]", folder], "");
    assert!(back(&at(&dir, "out")) == back("data/web"));
    let text = std::fs::read_to_string(&report).unwrap();
    let json = kitbag::Json::parse(&text.replace('\n', " ")).unwrap();
    let count = json.pluck(&".written.partitions".parse().unwrap()).unwrap().as_u64().unwrap();
    let statuses = print(&["-s", "map([.status, .x]) | unique | length", "data/web"], "");
    assert!(count >= statuses.trim().parse().unwrap() && text.contains("write_partitioned"), "{count}: {text}");
}

#[test]
fn the_bytes_are_the_same_for_any_threads_and_budget_and_few_files_are_open() {
    let dir = files(&[]);
    let input: String =
        (0..40_000).map(|n| format!("{{\"n\":{n},\"k\":{},\"pad\":\"{n:0>90}\"}}\n", n * 7919 % 499)).collect();
    std::fs::write(dir.path().join("in.jsonl"), input).unwrap();
    let mut first = None;
    for (way, program) in [("each", "."), ("each", "."), ("-n", "inputs"), ("-s", ".[]")] {
        for options in ["--threads 1 --memory 4M", "--threads 2", "--threads 8 --memory 40M"] {
            let way = if way == "each" { "" } else { way };
            let words = format!(
                "ulimit -n 60; exec \"$0\" {options} {way} -o out --overwrite --partition-by .k '{program}' in.jsonl"
            );
            let mut shell = std::process::Command::new("sh");
            let output =
                shell.args(["-c", &words, env!("CARGO_BIN_EXE_kitbag")]).current_dir(dir.path()).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{words}: {output:?}");
            let found = contents(&dir.path().join("out"));
            assert_eq!(found.len(), 499);
            assert!(*first.get_or_insert_with(|| found.clone()) == found, "{words}");
        }
    }
    assert_eq!(names(dir.path()), ["in.jsonl", "out"]);
}

#[test]
fn what_is_wrong_with_the_expression_is_the_programs_error() {
    let dir = files(&[("in.jsonl", HITS)]);
    let (file, out) = (at(&dir, "in.jsonl"), at(&dir, "out"));
    for (by, said) in [
        (
            ".time[:10]",
            "expected an object such as {day: .time[:10], kind}, or a path such as .kind; found \"2026-01-02\"",
        ),
        ("{}", "expected an object such as"),
        ("empty", "expected one value, found none"),
        (".n, .kind", "expected one value, found several"),
        ("{a: [1]}", "expected a string, a number, a boolean or null for a, found an array"),
        ("{a: (\"x\" * 300)}", "at most 255 bytes"),
        ("{\"\": 1}", "expected the name of a partition's key"),
        (".n[0]", "Cannot index number"),
        ("halt", "expected one value, but it halted"),
    ] {
        for way in [&["."][..], &["-n", "inputs"], &["-s", ".[]"]] {
            let failed = run(&[&["-o", &out, "--partition-by", by][..], way, &[&file]].concat());
            assert!(failed.code == Some(5) && failed.err.contains(said), "{by} {way:?}: {failed:?}");
            if way == ["."] {
                assert!(failed.err.starts_with(&format!("{file}:1:1: ")), "{failed:?}");
            }
            assert_eq!(names(dir.path()), ["in.jsonl"], "{by}");
        }
    }
    // By policy it is left out.
    let options = ["--on-error", "skip", "-o", &out, "--partition-by", "{kind: (.kind | ascii_downcase)}"];
    let skipped = run(&[&options[..], &[".", &file]].concat());
    assert_eq!((skipped.err.as_str(), skipped.code), ("kitbag: 2 records were left out\n", Some(5)));
    assert_eq!(contents(Path::new(&out)).len(), 2);
    let in_turn = run(&[&options[..], &["--overwrite", "if false then input else . end", &file]].concat());
    assert_eq!((in_turn.err.as_str(), in_turn.code), ("kitbag: 2 records were left out\n", Some(5)));
    assert_eq!(contents(Path::new(&out)).len(), 2);
    // Records with other keys are no partitions of the same output.
    let mixed = ["-o", &at(&dir, "new"), "--partition-by", "if .kind then {kind} else {n} end", ".", &file];
    let failed = run(&mixed);
    assert!(failed.code == Some(2) && failed.err.contains("the same keys"), "{failed:?}");
    assert_eq!(names(dir.path()), ["in.jsonl", "out"]);
}

#[test]
fn wrong_use() {
    let dir = files(&[("old.jsonl", "1\n")]);
    std::fs::create_dir(dir.path().join("full")).unwrap();
    std::fs::write(dir.path().join("full/x"), "").unwrap();
    for way in [".", "inputs"] {
        let null = if way == "." { "--" } else { "-n" };
        let with = |options: &[&str]| run_with(&[options, &[null, way]].concat(), b"1\n");
        assert_eq!(with(&["--partition-by", ".k"]).code, Some(2));
        for path in ["one.jsonl.gz", "one.jsonl", "old.jsonl", "full"] {
            let failed = with(&["--partition-by", ".k", "-o", &at(&dir, path)]);
            assert!(failed.code == Some(2) && failed.err.contains(path), "{failed:?}");
        }
        let compiled = with(&["--partition-by", "{k", "-o", &at(&dir, "out")]);
        assert!(compiled.code == Some(3) && compiled.err.contains("--partition-by"), "{compiled:?}");
    }
    assert_eq!(names(dir.path()), ["full", "old.jsonl"]);
    let explained = print(&["--explain", "-o", &at(&dir, "out"), "--partition-by", ".k", "."], "");
    assert!(explained.lines().nth(1).unwrap().starts_with("partitions: "), "{explained}");
    // A variable is for the runs that have an output; one without is not refused for its sake.
    let named = super::tool::finish(kitbag().args(["."]).env("KITBAG_PARTITION_BY", ".k"), b"1\n");
    assert_eq!((named.code, named.out.as_str()), (Some(0), "1\n"));
}

#[test]
fn halting_ends_the_output_where_it_happens() {
    let dir = files(&[]);
    let input: String = (0..20_000).map(|n| format!("{n}\n")).collect();
    for threads in ["1", "8"] {
        for program in
            ["if . == 12345 then halt else . end", "if . == 12345 then halt elif . > 20000 then input else . end"]
        {
            let out = at(&dir, "out");
            let options =
                ["--overwrite", "--threads", threads, "-o", &out, "--partition-by", "{odd: (. % 2)}", program];
            assert_eq!(run_with(&options, input.as_bytes()).code, Some(0));
            let found = contents(Path::new(&out));
            let lines: usize = found.values().map(|text| text.lines().count()).sum();
            assert_eq!((found.len(), lines), (2, 12_345), "{program}");
        }
    }
}

#[test]
fn where_a_record_stood_can_be_asked_for_unless_it_stood_nowhere() {
    let dir = files(&[("in.jsonl", "1\n2\n3\n")]);
    let (file, out) = (at(&dir, "in.jsonl"), at(&dir, "out"));
    assert_eq!(print(&["--partition-by", "{l: input_line_number}", "-o", &out, ".", &file], ""), "");
    assert_eq!(names(Path::new(&out)), [".manifest.json", "_SUCCESS", "l=1", "l=2", "l=3"]);
    let ran = run(&["-s", "--partition-by", "{f: input_filename}", "-o", &at(&dir, "other"), ".[]", &file]);
    assert!(ran.code == Some(2) && ran.err.contains("with -s it stood nowhere"), "{ran:?}");
}

#[test]
fn what_prints_as_null_is_no_value() {
    let dir = files(&[]);
    let out = at(&dir, "out");
    assert_eq!(print(&["-n", "--partition-by", ".n", "-o", &out, "{n: nan}, {n: null}, {n: \"null\"}"], ""), "");
    assert_eq!(names(Path::new(&out))[2..], ["n=__HIVE_DEFAULT_PARTITION__", "n=null"]);
}

#[test]
fn too_many_partitions_end_the_run_before_most_are_written() {
    let dir = files(&[]);
    let started = std::time::Instant::now();
    let ran = run(&["-n", "--partition-by", ".i", "-o", &at(&dir, "out"), "{i: range(10001)}"]);
    assert!(ran.code == Some(6) && ran.err.contains("at most 10000 partitions"), "{ran:?}");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    assert_eq!(names(dir.path()), [""; 0]);
}
