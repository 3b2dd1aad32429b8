//! Errors: what is said, where, with which exit code, and what stands on standard output by then.

use super::tool::{at, files, finish, kitbag, print, run, run_with};

#[test]
fn the_programs_error_has_its_records_place_and_what_comes_before_is_printed() {
    let dir = files(&[("a.jsonl", "{\"a\":1}\n{\"a\":2}\n{\"a\":\"x\"}\n{\"a\":4}\n")]);
    let file = at(&dir, "a.jsonl");
    for threads in ["1", "2", "8"] {
        let failed = run(&["--threads", threads, ".a, .a + 1", &file]);
        assert_eq!((failed.out.as_str(), failed.code), ("1\n2\n2\n3\n\"x\"\n", Some(5)), "{failed:?}");
        assert_eq!(failed.err, format!("{file}:3:1: string (\"x\") and number (1) cannot be added\n"));
    }
    let from_pipe = run_with(&[".a + 1"], b"{\"a\":1}\n\n{\"a\":\"x\"}\n");
    assert_eq!(from_pipe.err, "<stdin>:3:1: string (\"x\") and number (1) cannot be added\n");
}

#[test]
fn an_error_of_any_value_is_told_and_nothing_in_it_moves_a_cursor() {
    assert_eq!(run_with(&["error"], b"\"bad\"\n").err, "<stdin>:1:1: bad\n");
    assert_eq!(run_with(&["error"], b"{\"a\":1}\n").err, "<stdin>:1:1: (not a string): {\"a\":1}\n");
    let hidden = run_with(&["error"], b"\"\\u001b[2J\\n\"\n");
    assert_eq!((hidden.err.as_str(), hidden.code), ("<stdin>:1:1: \\u{1b}[2J\\n\n", Some(5)));
    assert_eq!(run(&["-n", "error(\"x\\u0007\")"]).err, "kitbag: x\\u{7}\n");
}

#[test]
fn what_is_no_json_ends_the_run_with_its_place() {
    let dir = files(&[("a.jsonl", "1\n2\n{\"a\" 1}\n4\n")]);
    let file = at(&dir, "a.jsonl");
    for options in [&["."][..], &["-n", "inputs"], &["--threads", "8", "."]] {
        let failed = run(&[options, &[&*file]].concat());
        assert_eq!((failed.out.as_str(), failed.code), ("1\n2\n", Some(2)), "{options:?}: {failed:?}");
        assert!(failed.err.starts_with(&format!("{file}:3:6: ")), "{failed:?}");
    }
    let slurped = run(&["-s", ".", &file]);
    assert_eq!((slurped.out.as_str(), slurped.code), ("", Some(2)), "{slurped:?}");
    assert!(slurped.err.starts_with(&format!("{file}:3:6: ")), "{slurped:?}");
}

#[test]
fn files_are_looked_for_before_anything_is_printed() {
    let dir = files(&[("a.jsonl", "1\n")]);
    let (here, missing) = (at(&dir, "a.jsonl"), at(&dir, "missing.jsonl"));
    for options in [&["."][..], &["-s", "."], &["-n", "1"], &["-R", "."], &["--values", "."], &["input"]] {
        let failed = run(&[options, &[&*here, &missing]].concat());
        assert_eq!((failed.out.as_str(), failed.code), ("", Some(2)), "{options:?}: {failed:?}");
        assert!(failed.err.starts_with(&format!("{missing}: ")), "{failed:?}");
    }
    assert_eq!(run(&[".", &at(&dir, "*.gz")]).code, Some(2));
}

#[test]
fn wrong_use_is_2_and_a_wrong_program_is_3() {
    for wrong in [
        &["--no-such-option", "."][..],
        &[],
        &["--arg", "a", "."],
        &["--memory", "much", "."],
        &["--stream", "-R", "."],
    ] {
        let failed = run(wrong);
        assert!(failed.code == Some(2) && failed.out.is_empty() && !failed.err.is_empty(), "{wrong:?}: {failed:?}");
    }
    for wrong in [".a |", "nothing_of_the_kind", "$undefined", "{", "import \"a\" as a; .", "$ENV", "env"] {
        let failed = run(&["-n", wrong]);
        assert!(failed.code == Some(3) && failed.out.is_empty() && !failed.err.is_empty(), "{wrong:?}: {failed:?}");
    }
    let dir = files(&[("a.gz", "\x1f\u{8b}")]);
    assert_eq!(run(&["--shard-size", "1M", ".", &at(&dir, "a.gz")]).code, Some(2));
}

#[test]
fn a_program_that_is_too_long_is_3_and_one_that_is_not_runs() {
    let dir = files(&[]);
    let program = |name: &str, text: String| {
        std::fs::write(dir.path().join(name), text).unwrap();
        at(&dir, name)
    };
    let long = program("long.jq", "1+".repeat(8999) + "1");
    for options in [&["-n"][..], &[]] {
        let ran = run_with(&[options, &["-f", &long]].concat(), b"null\n");
        assert_eq!((ran.out.as_str(), ran.code), ("9000\n", Some(0)), "{options:?}: {}", ran.err);
    }
    // Where functions have taken all of the stack that they may.
    let deep = "first(1, 2) + ".repeat(5000);
    let deep = program("deep.jq", format!("def f: if . > 12000 then {deep} 1 else 1 + (. + 1 | f) end; 0 | f"));
    let ran = run(&["-n", "-f", &deep]);
    assert!(ran.code == Some(0) || ran.code == Some(5) && ran.err.contains("stack"), "{ran:?}");
    let longest = program("longest.jq", "1|".repeat(1_000_000) + "1");
    let start = std::time::Instant::now();
    let refused = run(&["-n", "-f", &longest]);
    assert_eq!((refused.out.as_str(), refused.code), ("", Some(3)), "{}", refused.err);
    assert!(refused.err.contains("at most 12,500 operators") && start.elapsed().as_secs() < 5, "{}", refused.err);
}

#[test]
fn limits_are_6() {
    let long = format!("\"{}\"\n", "x".repeat(5000));
    let failed = run_with(&["--max-record", "4K", "."], long.as_bytes());
    assert_eq!((failed.out.as_str(), failed.code), ("", Some(6)), "{failed:?}");
    let deep = format!("{}{}\n", "[".repeat(1500), "]".repeat(1500));
    assert_eq!(run_with(&["."], deep.as_bytes()).code, Some(6));
    assert_eq!(print(&["flatten"], &format!("{}7{}\n", "[".repeat(900), "]".repeat(900))), "[7]\n");
    // As deep as it may be read, it may be stored; a program can make more than that.
    let deepest = format!("{{\"a\":1,\"d\":{}{}}}\n{{\"a\":0}}\n", "[".repeat(1023), "]".repeat(1023));
    for program in ["sort_by(.a) | map(.a)", "map({a, d}) | sort_by(.a) | map(.a)", "group_by(.a) | map(.[0].a)"] {
        assert_eq!(print(&["-s", program], &deepest), "[0,1]\n", "{program}");
    }
    let deeper = run_with(&["-s", "map(reduce range(2000) as $n (.; [.])) | sort | length"], b"1\n2\n");
    assert_eq!((deeper.out.as_str(), deeper.code), ("", Some(6)), "{deeper:?}");
    assert!(deeper.err.contains("nested deeper"), "{deeper:?}");
    let held =
        run_with(&["--memory", "4M", "-s", ".[length / 2]"], "{\"a\":\"some text\"}\n".repeat(200_000).as_bytes());
    assert_eq!((held.out.as_str(), held.code), ("", Some(6)), "{held:?}");
    assert!(held.err.contains("--memory"), "{held:?}");
    assert_eq!(run(&["--memory", "1K", ".", "data/web"]).code, Some(6));
}

#[test]
fn a_policy_leaves_records_out_and_the_exit_code_says_so() {
    let dir = files(&[("a.jsonl", "{\"a\":1}\nno\n{\"a\":\"x\"}\n{\"a\":4}\n"), ("b.jsonl", "{\"a\":1}\nno\n")]);
    let (file, bad) = (at(&dir, "a.jsonl"), at(&dir, "bad.jsonl"));
    for threads in ["1", "8"] {
        let skipped = run(&["--threads", threads, "--on-error", "skip", ".a, .a + 1", &file]);
        assert_eq!(skipped.out, "1\n2\n\"x\"\n4\n5\n", "{skipped:?}");
        assert_eq!((skipped.err.as_str(), skipped.code), ("kitbag: 2 records were left out\n", Some(5)));
        let policy = format!("quarantine={bad}");
        let kept = run(&["--threads", threads, "--on-error", &policy, ".a, .a + 1", &file]);
        assert_eq!((kept.out.as_str(), kept.code), ("1\n2\n4\n5\n", Some(5)), "{kept:?}");
        let lines = std::fs::read_to_string(&bad).unwrap();
        let parsed: Vec<kitbag::Json> = lines.lines().map(|line| kitbag::Json::parse(line).unwrap()).collect();
        let numbers: Vec<_> = parsed.iter().map(|line| line.get("line").unwrap().as_u64().unwrap()).collect();
        assert_eq!(numbers, [2, 3]);
        assert_eq!(parsed[1].get("raw").unwrap().as_str().unwrap(), "{\"a\":\"x\"}");
        assert_eq!(parsed[1].get("error").unwrap().as_str().unwrap(), "string (\"x\") and number (1) cannot be added");
    }
    // Only what could not be read.
    let skipped = run(&["--on-error", "skip", ".a", &at(&dir, "b.jsonl")]);
    assert_eq!((skipped.out.as_str(), skipped.code), ("1\n", Some(2)), "{skipped:?}");
    assert_eq!(skipped.err, "kitbag: 1 record was left out\n");
    let quiet = run(&["--quiet", "--on-error", "skip", "-n", "[inputs.a]", &at(&dir, "b.jsonl")]);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str(), quiet.code), ("[1]\n", "", Some(2)));
    let in_turn = run(&["--on-error", "skip", ".a + 1, (input | empty)", &file]);
    assert_eq!((in_turn.out.as_str(), in_turn.code), ("2\n5\n", Some(5)), "{in_turn:?}");
}

#[test]
fn more_bad_records_than_are_allowed_end_the_run() {
    let good_and_bad = |count| "{\"a\":1}\nno\n{\"a\":\"x\"}\n".repeat(count);
    let dir = files(&[
        ("a.jsonl", &good_and_bad(3)),
        ("many.jsonl", &("1\n".repeat(990) + &good_and_bad(40))),
        ("unread.jsonl", "1\nx\n2\nx\nx\n3\n"),
    ]);
    let (few, many, bad) = (at(&dir, "a.jsonl"), at(&dir, "many.jsonl"), at(&dir, "bad.jsonl"));
    let quarantine = format!("quarantine={bad}");
    for threads in ["1", "8"] {
        for policy in ["skip", &quarantine] {
            let limited = |most: &str, more: &[&str]| {
                let options = ["--threads", threads, "--on-error", policy, "--max-errors", most];
                run(&[&options[..], more].concat())
            };
            // Outputs end before the record that is one too many.
            let first = limited("0", &[".a + 1", &few]);
            assert_eq!((first.out.as_str(), first.code), ("2\n", Some(2)), "{first:?}");
            let fine = limited("6", &[".a + 1", &few]);
            assert_eq!((fine.out.as_str(), fine.code), ("2\n2\n2\n", Some(5)), "{fine:?}");
            let failed = limited("4", &[".a + 1", &few]);
            let text = format!("{few}:8:1: 5 of 8 records were left out: more than 4\n");
            assert_eq!((failed.out.as_str(), failed.err, failed.code), ("2\n2\n2\n", text, Some(2)));
            // Far too many, but of too few to judge before the end.
            let failed = limited("50%", &["-o", &at(&dir, "out.jsonl"), ".a + 1", &few]);
            let text = "kitbag: 6 of 9 records were left out: more than 50%\n";
            assert_eq!((failed.err.as_str(), failed.code), (text, Some(2)));
            let failed = limited("0.5%", &["-o", &at(&dir, "out/part-*.gz"), "(objects | .a + 1), numbers", &many]);
            let text = format!("{many}:1001:1: 7 of 1001 records were left out: more than 0.5%\n");
            assert_eq!((failed.err, failed.code), (text, Some(2)));
            assert!(!dir.path().join("out").exists() && !dir.path().join("out.jsonl").exists());
        }
    }
    // What a program reads itself, and what could not be read beside it.
    let options = ["--on-error", "skip", "--max-errors"];
    let in_turn = |most: &str| run(&[&options[..], &[most, "if . == 0 then input else .a + 1 end", &few]].concat());
    let failed = in_turn("5");
    assert_eq!((failed.err.as_str(), failed.code), ("kitbag: 6 of 9 records were left out: more than 5\n", Some(2)));
    assert_eq!(in_turn("6").code, Some(5));
    let values = run_with(&[&options[..], &["1", "--values", ".a"]].concat(), b"1 2 3");
    assert_eq!((values.err.as_str(), values.code), ("kitbag: 2 of 2 records were left out: more than 1\n", Some(2)));
    let counted = run(&[&options[..], &["2", "input_line_number", &at(&dir, "unread.jsonl")]].concat());
    assert_eq!((counted.out.as_str(), counted.code), ("1\n3\n", Some(2)), "{counted:?}");
    assert!(counted.err.contains("unread.jsonl:5:1: 3 of 5 "), "{counted:?}");
    let slurped = run(&[&options[..], &["2", "-s", "length", &few]].concat());
    assert!(slurped.code == Some(2) && slurped.err.starts_with(&format!("{few}:8:1: 3 of 8 ")), "{slurped:?}");
}

#[test]
fn a_line_may_hold_several_values() {
    let dir = files(&[("a.jsonl", "1 {\"a\":2}{\"a\":3}\n\n[4]\"5\" 6\n"), ("b.jsonl", "7 8\n9 x\n10\n")]);
    let (good, bad) = (at(&dir, "a.jsonl"), at(&dir, "b.jsonl"));
    for (options, out) in [
        (&["."][..], "1\n{\"a\":2}\n{\"a\":3}\n[4]\n\"5\"\n6\n"),
        (&["-s", "length"], "6\n"),
        (&["-s", "map(numbers) | add"], "7\n"),
        (&["-n", "[inputs] | length"], "6\n"),
        (&["-n", "[inputs | input_line_number]"], "[1,1,1,3,3,3]\n"),
        (&["input_line_number"], "1\n1\n1\n3\n3\n3\n"),
        (&["-R", "length"], "16\n0\n8\n"),
        (&["--values", "numbers"], "1\n6\n"),
    ] {
        assert_eq!(print(&[options, &[&good]].concat(), ""), out, "{options:?}");
        if options[0] != "-n" && !options.contains(&"input_line_number") {
            let text = std::fs::read_to_string(&good).unwrap();
            assert_eq!(print(options, &text), out, "{options:?}");
        }
    }
    let failed = run(&["., 0", &bad]);
    assert_eq!((failed.out.as_str(), failed.code), ("7\n0\n8\n0\n", Some(2)));
    assert!(failed.err.starts_with(&format!("{bad}:2:3: expected a value")), "{failed:?}");
    let counted = run(&["-n", "inputs, input_line_number", &bad]);
    assert_eq!((counted.out.as_str(), counted.code), ("7\n8\n", Some(2)), "{counted:?}");
    assert!(counted.err.starts_with(&format!("{bad}:2:3: expected a value")), "{counted:?}");
    let kept = at(&dir, "kept.jsonl");
    for program in [".", "., (empty | input_line_number)"] {
        let skipped = run(&["--on-error", "skip", program, &bad]);
        assert_eq!((skipped.out.as_str(), skipped.code), ("7\n8\n10\n", Some(2)), "{program}: {skipped:?}");
    }
    assert_eq!(run(&["--on-error", &format!("quarantine={kept}"), ".", &bad]).out, "7\n8\n10\n");
    assert_eq!(print(&["-r", ".raw, .column, .byte", &kept], ""), "9 x\n3\n4\n");
    // Where it is wrong is told, and it looks like no document.
    for (line, column) in [("{\"a\":1} {\"b\":2},", 16), ("{\"a\":1},", 8), ("{\"a\":1}{\"b\":}", 13)] {
        for program in [".", "input_line_number"] {
            let wrong = run_with(&[program], line.as_bytes());
            let place = if program == "." { format!("<stdin>:1:{column}: ") } else { format!(":1:{column}: ") };
            assert!(wrong.err.contains(&place) && !wrong.err.contains("lines"), "{wrong:?}");
        }
    }
    let numbers = "1 ".repeat(200_000);
    let long = run_with(&["."], numbers.as_bytes());
    assert!(long.code == Some(2) && long.err.contains("expected one value in a line of more than 262144"), "{long:?}");
    assert_eq!(print(&["--values", "-s", "length"], &numbers), "200000\n");
    // Over several lines is another matter, which is told.
    let document = run_with(&["."], b"{\n\"a\": 1\n}\n");
    assert!(document.code == Some(2) && document.err.contains("--values"), "{document:?}");
    assert_eq!(print(&["--values", "."], "{\n\"a\": 1\n}\n"), "{\"a\":1}\n");
}

#[test]
fn a_limit_of_errors_needs_a_policy() {
    for wrong in [&["--max-errors", "3", "."][..], &["--on-error", "skip", "--max-errors", "x", "."]] {
        assert_eq!(run(wrong).code, Some(2), "{wrong:?}");
    }
    let options = ["--on-error", "skip", ".", "-"];
    let named = finish(kitbag().args(options).env("KITBAG_MAX_ERRORS", "0"), b"no\n");
    assert_eq!(
        (named.err.as_str(), named.code),
        ("<stdin>: byte 0: 1 of 1 records was left out: more than 0\n", Some(2))
    );
}

#[test]
fn debug_and_stderr_go_to_standard_error() {
    let ran = run_with(&["debug | stderr | .a"], b"{\"a\":1}\n");
    assert_eq!((ran.out.as_str(), ran.code), ("1\n", Some(0)));
    assert_eq!(ran.err, "[\"DEBUG:\",{\"a\":1}]\n{\"a\":1}");
}

#[test]
fn a_damaged_shard_is_told_with_its_place() {
    let dir = files(&[]);
    let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/data/web/part-000.jsonl.gz")).unwrap();
    let path = at(&dir, "cut.jsonl.gz");
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let failed = finish(kitbag().args([".status", &path]), b"");
    assert!(failed.code == Some(2) && failed.err.starts_with(&path), "{failed:?}");
    assert!(failed.out.lines().count() > 10);
}

#[test]
fn an_error_budget_of_the_environment_is_for_runs_that_leave_records_out() {
    let budget = |arguments: &[&str]| finish(kitbag().args(arguments).env("KITBAG_MAX_ERRORS", "1"), b"1\n{\n{\n{\n");
    assert_eq!(budget(&["-n", "1"]).code, Some(0));
    let ran = budget(&["--on-error", "skip", "."]);
    assert!(ran.code == Some(2) && ran.err.contains("more than 1"), "{ran:?}");
}

#[test]
fn what_was_quarantined_can_be_replayed() {
    use std::os::unix::fs::PermissionsExt as _;
    let good = |n: i64| format!("{{\"n\":{n}, \"t\":\"ä\\n\\u0007\"}}\n");
    let bad = |n: i64| format!("{{\"n\":\"{n}\", \"x\": 1.50,\"t\":\"\\\"\\u0000é\"}}\n");
    let text: String = (0..3000).map(|n| if n % 7 == 3 { bad(n) } else { good(n) }).collect();
    let dir = files(&[("in.jsonl", &text), ("q.jsonl", "old\n")]);
    let (input, out, kept) = (at(&dir, "in.jsonl"), at(&dir, "out.jsonl"), at(&dir, "q.jsonl"));
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o644)).unwrap();
    let policy = format!("quarantine={kept}");
    for threads in ["1", "8"] {
        let options = ["--quiet", "--overwrite", "--threads", threads, "--on-error", &policy, "-o", &out];
        assert_eq!(run(&[&options[..], &["select(.n + 1)", &input]].concat()).code, Some(5));
        assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
        // The very bytes of the records come back, in their order, and what was wrong with them can be mended.
        let expected: String = (0..3000).filter(|n| n % 7 == 3).map(bad).collect();
        assert!(print(&["-r", ".raw", &kept], "") == expected);
        let mended = print(&[".n |= tonumber | .n"], &print(&["-r", ".raw", &kept], ""));
        assert!(mended.lines().map(|n| n.parse::<i64>().unwrap()).eq((0..3000).filter(|n| n % 7 == 3)));
        let place = print(&["[.path, .line, .byte] | @json", "-r", &kept], "");
        let byte: usize = text.lines().take(3).map(|line| line.len() + 1).sum();
        assert_eq!(place.lines().next(), Some(format!("[\"{input}\",4,{byte}]").as_str()));
    }
    // A run that fails has written what it had left out by then.
    let failed = ["--on-error", &policy, "--max-errors", "99", ".n + 1", &input];
    assert_eq!(run(&failed).code, Some(2));
    assert_eq!(print(&["-r", ".raw", &kept], "").lines().count(), 100);
}

#[test]
fn what_is_written_beside_the_outputs_is_kept_apart() {
    let dir = files(&[("a.jsonl", "{\"id\":1}\n{]\n"), ("b.jsonl", "{\"id\":1}\n"), ("kept.jsonl", "precious\n")]);
    let [a, b, kept, new] = ["a.jsonl", "b.jsonl", "kept.jsonl", "new/part-*.jsonl"].map(|name| at(&dir, name));
    let (inside, link) = (at(&dir, "new/bad.jsonl"), at(&dir, "link.jsonl"));
    std::fs::hard_link(&a, &link).unwrap();
    let policy = |path: &str| format!("quarantine={path}");
    let bag = format!("r={b}");
    for (arguments, what) in [
        (vec!["--on-error", &policy(&a), ".id", &a], "is read"),
        (vec!["--on-error", &policy(&link), ".id", &a], "is read"),
        (vec!["--report", &a, ".id", &a], "is read"),
        (vec!["--on-error", &policy(&b), "-s", "--bag", &bag, "join_on($r; .id; .id)", &a], "is read"),
        (vec!["--on-error", &policy(&inside), "-o", &new, ".id", &a], "is the output's"),
        (vec!["--on-error", &policy(&kept), "--report", &kept, ".id", &a], "for the report"),
        // An output that is there is refused before the records of an earlier run are gone.
        (vec!["--on-error", &policy(&kept), "-o", &b, ".id", &a], "exists"),
    ] {
        let ran = run(&arguments);
        assert!(ran.code == Some(2) && ran.err.contains(what) && ran.out.is_empty(), "{arguments:?}: {ran:?}");
    }
    let text = |path: &str| std::fs::read_to_string(path).unwrap();
    assert_eq!([text(&a), text(&b), text(&kept)], ["{\"id\":1}\n{]\n", "{\"id\":1}\n", "precious\n"]);
}

#[test]
fn a_damaged_shard_gives_what_is_whole_and_says_what_is_lost() {
    let dir = files(&[]);
    let (gz, zst, bad) = (at(&dir, "a.gz"), at(&dir, "a.zst"), at(&dir, "bad.jsonl"));
    let pieces = ["{\"a\":1}\n{\"a\":2}\n{\"a\"", ":3}\n{\"a\":4}\n", "{\"a\":5}\n{\"a\":6}\n"];
    let gzip = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    for (path, mut parts) in
        [(&gz, pieces.map(gzip)), (&zst, pieces.map(|text| zstd::encode_all(text.as_bytes(), 3).unwrap()))]
    {
        let next = parts[0].len() + parts[1].len();
        // Its first block is of a type that there is none of.
        let block = if path == &gz { 10 } else { 6 };
        parts[1][block] |= 6;
        std::fs::write(path, parts.concat()).unwrap();
        let failed = run(&[".a", path]);
        assert_eq!((failed.code, failed.err.contains("left out")), (Some(2), false), "{failed:?}");
        let report = at(&dir, "report.json");
        let skipped = run(&["--on-error", "skip", "--report", &report, ".a", path]);
        assert_eq!((skipped.out.as_str(), skipped.code), ("1\n2\n5\n6\n", Some(2)), "{skipped:?}");
        let lost = skipped.err.strip_prefix("kitbag: 1 record was left out, with ").unwrap();
        let lost: usize = lost.strip_suffix(" bytes of damaged files\n").unwrap().parse().unwrap();
        assert!(lost > 8 && lost <= parts[1].len(), "{lost}");
        let report = kitbag::Json::parse(&std::fs::read_to_string(report).unwrap()).unwrap();
        for place in [report.get("lost_bytes"), report.get("made_from").unwrap().get("lost_bytes")] {
            assert_eq!(place.unwrap().as_u64(), Some(lost as u64));
        }
        let policy = format!("quarantine={bad}");
        let kept = run(&["--on-error", &policy, "--max-errors", "1", ".a", path]);
        assert_eq!((kept.out, kept.err, kept.code), (skipped.out, skipped.err, Some(2)));
        let lines = std::fs::read_to_string(&bad).unwrap();
        let line = kitbag::Json::parse(lines.strip_suffix('\n').unwrap()).unwrap();
        let (error, raw) = (line.get("error").unwrap(), line.get("raw").unwrap());
        let end = format!("; {lost} bytes of the file are left out, up to the next ");
        assert!(
            error.as_str().unwrap().contains(&end) && error.as_str().unwrap().ends_with(&format!(" {next}")),
            "{lines}"
        );
        assert_eq!(
            (line.get("path").unwrap().as_str().as_deref(), raw.as_str().as_deref()),
            (Some(&path[..]), Some("{\"a\""))
        );
        let (none, all) =
            (["--on-error", "skip", "--max-errors", "0", ".", path], ["--on-error", "skip", "-s", "length", path]);
        assert_eq!(run(&none).code, Some(2));
        assert_eq!(run(&all).out, "4\n");
    }
}
