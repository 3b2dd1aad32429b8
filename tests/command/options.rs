//! What each option does.

use super::tool::{at, files, finish, kitbag, print, run, run_with};

#[test]
fn one_compact_value_a_line_for_every_record_in_the_order_of_the_input() {
    assert_eq!(print(&["."], "{\"b\": 1.50, \"a\":[ 1 ]}\n\n\"x\"\n"), "{\"b\":1.50,\"a\":[1]}\n\"x\"\n");
    assert_eq!(print(&[".[]"], "[1,2]\n[]\n[3]"), "1\n2\n3\n");
    assert_eq!(print(&["empty"], "1\n2\n"), "");
    assert_eq!(print(&["."], ""), "");
}

#[test]
fn short_options_combine_and_may_come_anywhere() {
    assert_eq!(print(&["-rc", ".a"], "{\"a\":\"x\"}\n"), "x\n");
    assert_eq!(print(&["-sc", "."], "1\n2\n"), "[1,2]\n");
    assert_eq!(print(&[".a", "-r"], "{\"a\":\"x\"}\n"), "x\n");
    let dir = files(&[("in.jsonl", "{\"a\":1}\n")]);
    assert_eq!(print(&[".a", &at(&dir, "in.jsonl"), "-c"], ""), "1\n");
    assert_eq!(print(&["-n", "--", "-1"], ""), "-1\n");
}

#[test]
fn programs_see_the_environment_only_if_asked_to() {
    let given = |options: &[&str]| finish(kitbag().env("OF_THE_TEST", "é").args(options), b"1\n2\n");
    for program in ["$ENV.OF_THE_TEST", "env.OF_THE_TEST"] {
        assert_eq!(given(&["--env", program]).out, "\"é\"\n\"é\"\n", "{program}");
        assert_eq!(given(&["--env", "-s", program]).out, "\"é\"\n", "{program}");
        let refused = given(&[program]);
        assert_eq!((refused.out.as_str(), refused.code), ("", Some(3)), "{program}");
        assert!(refused.err.ends_with("is not defined: --env was not given\n"), "{}", refused.err);
    }
    // A variable of that name comes first.
    assert_eq!(given(&["-n", "--env", "--arg", "ENV", "x", "$ENV, ($ARGS.named | length)"]).out, "\"x\"\n1\n");
    assert_eq!(given(&["-n", "--env", "$ENV == env, ($ARGS.named | length)"]).out, "true\n0\n");
}

#[test]
fn how_values_are_printed() {
    let value = "{\"b\":[1,\"é\"],\"a\":\"x\\ty\"}\n";
    assert_eq!(print(&["-S", "."], value), "{\"a\":\"x\\ty\",\"b\":[1,\"é\"]}\n");
    assert_eq!(print(&["-a", ".b"], value), "[1,\"\\u00e9\"]\n");
    assert_eq!(print(&["-r", ".a,.b"], value), "x\ty\n[1,\"é\"]\n");
    assert_eq!(print(&["-j", ".a,.b"], value), "x\ty[1,\"é\"]");
    assert_eq!(print(&["-ra", ".b[1]"], value), "\"\\u00e9\"\n");
    assert_eq!(print(&["--indent", "2", ".b"], value), "[\n  1,\n  \"é\"\n]\n");
    assert_eq!(print(&["--indent", "0", ".b"], value), "[1,\"é\"]\n");
    assert_eq!(print(&["--tab", ".b"], value), "[\n\t1,\n\t\"é\"\n]\n");
    assert_eq!(print(&["--tab", "-c", ".b"], value), "[1,\"é\"]\n");
    assert_eq!(print(&["--unbuffered", ".b"], value), "[1,\"é\"]\n");
    assert_eq!(run(&["--indent", "8", "."]).code, Some(2));
}

#[test]
fn colours_only_where_they_are_asked_for() {
    assert_eq!(print(&["."], "null\n"), "null\n");
    let coloured = print(&["-C", "."], "null\n");
    assert!(coloured.contains("\x1b[") && coloured.contains("null"), "{coloured:?}");
    assert_eq!(print(&["-C", "-M", "."], "null\n"), "null\n");
    assert_eq!(print(&["-M", "-C", "."], "null\n"), coloured);
    let own = finish(kitbag().args(["-C", "."]).env("JQ_COLORS", "4;31").env("NO_COLOR", "1"), b"null\n");
    assert_eq!(own.out, "\x1b[4;31mnull\x1b[0m\n");
}

#[test]
fn variables_from_the_command_line() {
    let dir = files(&[("some.json", "{\"a\": 1}\n[2,\n 3] 4"), ("text", "one\r\ntwo")]);
    let (program, text) = ("[$a, $b, $c, $d]", at(&dir, "text"));
    let some = at(&dir, "some.json");
    let arguments = ["-n", "--arg", "a", "-x", "--argjson", "b", "{\"k\":-1}", "--slurpfile", "c", &some];
    let all = [&arguments[..], &["--rawfile", "d", &text, program]].concat();
    assert_eq!(print(&all, ""), "[\"-x\",{\"k\":-1},[{\"a\":1},[2,3],4],\"one\\r\\ntwo\"]\n");
    assert_eq!(print(&["-n", "--arg", "a", "1", "--argjson", "a", "2", "$a"], ""), "\"1\"\n");
    assert_eq!(print(&["-n", "--argjson", "a", "2", "--arg", "a", "1", "$a"], ""), "2\n");
    assert_eq!(print(&["-n", "--arg", "a", "1", "$ARGS.named"], ""), "{\"a\":\"1\"}\n");
    assert_eq!(print(&["-n", "$ARGS"], ""), "{\"positional\":[],\"named\":{}}\n");
}

#[test]
fn positional_arguments() {
    let dir = files(&[("in.jsonl", "7\n")]);
    let file = at(&dir, "in.jsonl");
    let positional = "[., $ARGS.positional]";
    assert_eq!(print(&[positional, &file, "--args", "a", "b"], ""), "[7,[\"a\",\"b\"]]\n");
    assert_eq!(print(&[positional, &file, "--jsonargs", "1", "{\"a\":[]}"], ""), "[7,[1,{\"a\":[]}]]\n");
    assert_eq!(
        print(&[positional, &file, "--args", "1", "--jsonargs", "1", "--args", "2"], ""),
        "[7,[\"1\",1,\"2\"]]\n"
    );
    // The program is the first word, wherever it stands.
    assert_eq!(print(&["-n", "--args", positional, "a"], ""), "[null,[\"a\"]]\n");
    let wrong = run(&["-n", ".", "--jsonargs", "{"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("--jsonargs"), "{wrong:?}");
}

#[test]
fn a_program_from_a_file_leaves_all_words_to_the_files() {
    let dir = files(&[("p.jq", "# adds\n.a\n + 1\n"), ("in.jsonl", "{\"a\":1}\n")]);
    assert_eq!(print(&["-f", &at(&dir, "p.jq"), &at(&dir, "in.jsonl")], ""), "2\n");
    assert_eq!(print(&["-rf", &at(&dir, "p.jq")], "{\"a\":5}\n"), "6\n");
    assert_eq!(print(&[&at(&dir, "in.jsonl"), "-f", &at(&dir, "p.jq"), "--args", "x"], ""), "2\n");
}

#[test]
fn modules_from_a_directory() {
    let dir = files(&[("m.jq", "def twice: . * 2;"), ("n.jq", "def all: [., inputs];")]);
    std::fs::create_dir(dir.path().join("deep")).unwrap();
    std::fs::write(dir.path().join("deep/deep.jq"), "def ten: 10;").unwrap();
    let folder = dir.path().to_str().unwrap();
    assert_eq!(print(&["-L", folder, "import \"m\" as m; m::twice"], "4\n"), "8\n");
    assert_eq!(print(&["-s", "-L", folder, "import \"m\" as m; map(m::twice)"], "4\n5\n"), "[8,10]\n");
    assert_eq!(print(&["-L", "data", "-L", folder, "include \"deep\"; ten"], "4\n"), "10\n");
    assert_eq!(print(&["-L", folder, "include \"n\"; all"], "1\n2\n3\n"), "[1,2,3]\n");
    for wrong in ["import \"../m\" as m; .", "import \"none\" as m; ."] {
        assert_eq!(run(&["-L", &at(&dir, "deep"), wrong]).code, Some(3), "{wrong}");
    }
}

#[test]
fn slurping() {
    assert_eq!(print(&["-s", "."], "1\n2\n"), "[1,2]\n");
    assert_eq!(print(&["-s", "."], ""), "[]\n");
    assert_eq!(print(&["-ns", "., input"], "1\n2\n"), "null\n[1,2]\n");
    assert_eq!(print(&["-sR", "."], "a\r\n\nb"), "\"a\\r\\n\\nb\"\n");
    assert_eq!(print(&["-sR", "."], ""), "\"\"\n");
    let dir = files(&[("a", "1\n2\n"), ("b", "3")]);
    assert_eq!(print(&["-s", ".", &at(&dir, "a"), &at(&dir, "b")], ""), "[1,2,3]\n");
    assert_eq!(print(&["-sR", ".", &at(&dir, "a"), &at(&dir, "b")], ""), "\"1\\n2\\n3\"\n");
}

#[test]
fn programs_that_take_inputs_themselves() {
    assert_eq!(print(&["-n", "[inputs]"], "1\n2\n3\n"), "[1,2,3]\n");
    assert_eq!(print(&["-n", "reduce inputs as $x (0; . + $x)"], "1\n2\n3\n"), "6\n");
    assert_eq!(print(&["-n", "input, input"], "1\n2\n3\n"), "1\n2\n");
    assert_eq!(print(&["-n", "1"], "no json"), "1\n");
    assert_eq!(print(&["-c", "[., input]"], "1\n2\n3\n4\n"), "[1,2]\n[3,4]\n");
    assert_eq!(print(&["-c", "[., inputs]"], "1\n2\n3\n"), "[1,2,3]\n");
    let late = run_with(&["-n", "input, input"], b"1\n");
    assert_eq!((late.out.as_str(), late.code), ("1\n", Some(5)), "{late:?}");
    let dir = files(&[("a", "1\n2\n"), ("b", "3\n")]);
    assert_eq!(print(&["-n", "[inputs]", &at(&dir, "a"), &at(&dir, "b")], ""), "[1,2,3]\n");
    let names = print(&["-rn", "input_filename, (inputs | input_filename)", &at(&dir, "a"), &at(&dir, "b")], "");
    assert_eq!(names, format!("null\n{0}\n{0}\n{1}\n", at(&dir, "a"), at(&dir, "b")));
}

#[test]
fn lines_of_text() {
    assert_eq!(print(&["-R", "."], "a b\r\n\n{\"x\n"), "\"a b\"\n\"\"\n\"{\\\"x\"\n");
    assert_eq!(print(&["-Rr", "ascii_upcase"], "ab\ncd"), "AB\nCD\n");
    assert_eq!(print(&["-nR", "[inputs]"], "a\nb"), "[\"a\",\"b\"]\n");
}

#[test]
fn values_over_several_lines() {
    let text = "{\"a\":\n 1}\n[1,\n2] 3 \"x\"\n\n";
    assert_eq!(print(&["--values", "."], text), "{\"a\":1}\n[1,2]\n3\n\"x\"\n");
    assert_eq!(print(&["--values", "-s", "length"], text), "4\n");
    assert_eq!(print(&["--values", "-n", "[inputs | type]"], text), "[\"object\",\"array\",\"number\",\"string\"]\n");
    let wrong = run_with(&["--values", "."], b"{\"a\":1}\n{\"a\" 1}\n");
    assert_eq!((wrong.out.as_str(), wrong.code), ("{\"a\":1}\n", Some(2)), "{wrong:?}");
    assert!(wrong.err.starts_with("<stdin>:2:"), "{wrong:?}");
}

#[test]
fn the_file_of_a_record() {
    let dir = files(&[("a", "1\n"), ("b", "2\n")]);
    let (a, b) = (at(&dir, "a"), at(&dir, "b"));
    assert_eq!(print(&["-r", "\"\\(.) \\(input_filename)\"", &a, &b], ""), format!("1 {a}\n2 {b}\n"));
    assert_eq!(print(&["input_filename"], "1\n"), "null\n");
    // All of the input has been read then, up to the last file.
    assert_eq!(print(&["-rs", "length, input_filename", &a, &b], ""), format!("2\n{b}\n"));
    assert_eq!(print(&["-s", "input_filename"], "1\n"), "null\n");
}

#[test]
fn the_line_of_a_record() {
    let dir = files(&[("a", "1\n\n2\n3"), ("b", "4\n5\n")]);
    let (a, b) = (at(&dir, "a"), at(&dir, "b"));
    assert_eq!(print(&["[., input_line_number]", &a, &b], ""), "[1,1]\n[2,3]\n[3,4]\n[4,1]\n[5,2]\n");
    let program = "input_line_number, (inputs | select(. > 2) | input_line_number)";
    assert_eq!(print(&["-n", program, &a, &b], ""), "0\n4\n1\n2\n");
    let wrong = run_with(&["input_line_number"], b"1\n{\n");
    assert!(wrong.err.starts_with("<stdin>:2:2: ") && wrong.code == Some(2) && wrong.out == "1\n", "{wrong:?}");
    // What is left out has its line all the same.
    for program in [&["[., input_line_number]"][..], &["-n", "inputs | [., input_line_number]"]] {
        let skipped = run_with(&[&["--on-error", "skip"], program].concat(), b"1\n{\n\n4\n");
        assert_eq!((skipped.out.as_str(), skipped.code), ("[1,1]\n[4,4]\n", Some(2)), "{skipped:?}");
        let over = run_with(&[&["--on-error", "skip", "--max-errors", "1"], program].concat(), b"{\n{\n3\n");
        assert!(over.code == Some(2) && over.err.starts_with("<stdin>:2:2: 2 of 2 "), "{over:?}");
    }
}

#[test]
fn how_far_the_run_is() {
    // It runs until its standard input ends, and says so once a second.
    let mut child = kitbag()
        .args(["--progress", "json", "-n", "reduce inputs as $x (0; . + 1)"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"1\n2\n3\n").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    let first = kitbag::Json::parse(said.lines().next().expect("something was said")).unwrap();
    assert_eq!(["records", "read_bytes"].map(|key| first.get(key).unwrap().as_u64()), [Some(3), Some(6)], "{said}");
    // Nothing where standard error is no terminal.
    assert_eq!(print(&["-n", "inputs"], "1\n"), "1\n");
}

#[test]
fn files_patterns_directories_and_standard_input() {
    let dir = files(&[("p-2.jsonl", "2\n"), ("p-10.jsonl", "10\n"), ("x.jsonl", "5\n")]);
    let folder = dir.path().to_str().unwrap();
    assert_eq!(print(&[".", &at(&dir, "p-*.jsonl")], ""), "2\n10\n");
    assert_eq!(print(&[".", folder], ""), "2\n10\n5\n");
    assert_eq!(print(&[".", &at(&dir, "x.jsonl"), "-"], "0\n"), "5\n0\n");
}

#[test]
fn the_order_is_that_of_the_input_for_any_number_of_threads() {
    let program = ["-c", "select(.status >= 400) | {path, status}, .latency_ms"];
    let expected = print(&[&program[..], &["--threads", "1", "data/web"]].concat(), "");
    assert!(expected.lines().count() > 100);
    for more in [vec!["--threads", "2"], vec!["--threads", "8"], vec!["--threads", "8", "--memory", "8MiB"]] {
        assert_eq!(print(&[&program[..], &more[..], &["data/web"]].concat(), ""), expected, "{more:?}");
    }
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let unordered = print(&[&program[..], &["--unordered", "data/web"]].concat(), "");
    assert_eq!(sorted(&unordered), sorted(&expected));
}

#[test]
fn variables_of_the_environment_are_options() {
    let dir = files(&[("in.jsonl", "{\"a\":1}\nx\n")]);
    let file = at(&dir, "in.jsonl");
    let skipped = finish(kitbag().args([".", &file]).env("KITBAG_ON_ERROR", "skip").env("KITBAG_QUIET", "true"), b"");
    assert_eq!((skipped.out.as_str(), skipped.err.as_str(), skipped.code), ("{\"a\":1}\n", "", Some(2)));
    let wrong = finish(kitbag().args([".", &file]).env("KITBAG_THREADS", "many"), b"");
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let out = at(&dir, "out.jsonl");
    let written = finish(kitbag().args([".a", &file]).env("KITBAG_OUTPUT", &out).env("KITBAG_ON_ERROR", "skip"), b"");
    assert_eq!(std::fs::read_to_string(out).unwrap(), "1\n", "{written:?}");
    // What is said of targets there is for the runs that have one.
    for (name, value) in [
        ("KITBAG_OVERWRITE", "1"),
        ("KITBAG_OVERWRITE", "0"),
        ("KITBAG_SHARD_SIZE", "1MiB"),
        ("KITBAG_PARTITION_BY", ".a"),
        ("KITBAG_QUIET", "yes"),
        ("KITBAG_UNORDERED", "1"),
    ] {
        let ran = finish(kitbag().args(["-n", "1"]).env(name, value), b"");
        assert_eq!((ran.out.as_str(), ran.code), ("1\n", Some(0)), "{name}={value}: {}", ran.err);
    }
    for (name, value, begins) in
        [("KITBAG_EXPLAIN", "text", "once: "), ("KITBAG_MAN", "1", ".ie"), ("KITBAG_COMPLETIONS", "bash", "_kitbag")]
    {
        let ran = finish(kitbag().args(["-n", "1"]).env(name, value), b"");
        let text = ran.out.trim_start();
        assert!(text.starts_with(begins) && ran.code == Some(0), "{name}: {}{}", &text[..20.min(text.len())], ran.err);
    }
}

const NESTED: &str = "{\"a\":[1,{\"b\":2}],\"c\":{}}\n[]\n3\n";

#[test]
fn events_of_records_are_inputs() {
    let events = "[[\"a\",0],1]\n[[\"a\",1,\"b\"],2]\n[[\"a\",1,\"b\"]]\n[[\"a\",1]]\n[[\"c\"],{}]\n[[\"c\"]]\n[[],[]]\n[[],3]\n";
    assert_eq!(print(&["--stream", "."], NESTED), events);
    assert_eq!(print(&["--stream", "-n", "inputs"], NESTED), events);
    assert_eq!(print(&["--stream", "--threads", "8", "--values", "."], NESTED), events);
    assert_eq!(print(&["--stream", "-s", "length, .[4]"], NESTED), "8\n[[\"c\"],{}]\n");
    assert_eq!(print(&["--stream", "-ns", "[inputs | length]"], NESTED), "[8]\n");
    assert_eq!(print(&["--stream", "-n", "fromstream(inputs)"], NESTED), NESTED);
    assert_eq!(
        print(&["--stream", "-n", "[limit(2; inputs)], input"], NESTED),
        "[[[\"a\",0],1],[[\"a\",1,\"b\"],2]]\n[[\"a\",1,\"b\"]]\n"
    );
    let inner = print(&["--stream", "-n", "fromstream(1 | truncate_stream(inputs))"], "{\"a\":[1],\"b\":{\"c\":2}}\n");
    assert_eq!(inner, "[1]\n{\"c\":2}\n");
    assert_eq!(print(&["--stream", "input_line_number"], "[1]\n2\n"), "1\n1\n2\n");
    // Each event is an input of its own, for a policy too.
    let ran = run_with(&["--stream", "--on-error", "skip", ".[1] / 1"], b"[1,\"x\",3]\n");
    assert_eq!((ran.out.as_str(), ran.code), ("1\n3\n", Some(5)), "{}", ran.err);
    assert!(run(&["--stream", "-s", "--explain", "."]).out.starts_with("collected"));
}

#[test]
fn a_separator_before_each_value() {
    assert_eq!(print(&["--seq", "."], "1\n\"x\"\n"), "\u{1e}1\n\u{1e}\"x\"\n");
    assert_eq!(print(&["--seq", "-r", "."], "\"x\"\n"), "x\n");
    assert_eq!(print(&["--seq", "-j", "."], "1\n2\n"), "\u{1e}1\u{1e}2");
    for program in [".", "map(.)", "[.[] | .]", "sort"] {
        assert_eq!(print(&["--seq", "-s", program], "1\n2\n"), "\u{1e}[1,2]\n", "{program}");
    }
    assert_eq!(print(&["--seq", "-s", ".[]"], "1\n2\n"), "\u{1e}1\n\u{1e}2\n");
    assert_eq!(print(&["--seq", "-n", "input"], "1\n2\n"), "\u{1e}1\n");
}

#[test]
fn plans_are_told_as_text_json_and_dot() {
    let program = "group_by(.k) | map({k: .[0].k, n: length})";
    let told = |format: &str| print(&["-s", format, program], "");
    assert_eq!(told("--explain"), told("--explain=text"));
    let stages: serde_json::Value = serde_json::from_str(&told("--explain=json")).unwrap();
    assert_eq!((stages[0]["stage"].as_str(), stages[0]["spills"].as_bool()), (Some("groups"), Some(true)));
    assert_eq!(stages[1]["stage"], "array");
    assert!(told("--explain=dot").contains("input -> stage0 -> stage1 -> output;"));
    // What follows is the program, not the format.
    assert_eq!(print(&["--explain", "."], ""), print(&["--explain=text", "."], ""));
    assert_eq!(run(&["--explain=xml", "."]).code, Some(2));
}
