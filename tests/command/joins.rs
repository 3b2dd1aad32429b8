//! Joins with `--bag`: what is planned gives what the definitions give, here and in jq, whatever the threads and the memory.

use std::fmt::Write as _;
use std::process::Command;

use super::tool::{at, files, finish, jq, kitbag, print, run, run_with};

/// Put before a program, this asks for the array in a way that no plan has: it is collected.
const COLLECTED: &str = "(. as $whole | $whole) | ";

const LEFT: &str = r#"{"id":1,"n":"a"}
{"id":2.0,"n":"b"}
{"id":2,"n":"c","extra":[1.50]}
{"id":3,"n":"d"}
{"n":"e"}
{"id":{"a":1,"b":[2]},"n":"f"}
{"id":"1","n":"g"}
{"id":null,"n":"h"}
"#;

const RIGHT: &str = r#"{"u":2,"t":"x"}
{"u":1,"t":"y"}
{"u":2.0,"t":"z"}
{"t":"w"}
{"u":{"b":[2.0],"a":1},"t":"v"}
{"u":[1],"t":"q"}
"#;

/// Programs with `join` for the join's name.
const PROGRAMS: &[&str] = &[
    "join($right; .id; .u)",
    "join($right; .id; .u)[]",
    "join($right; .id; .u) | length",
    "join($right; .id, .n; .u, .t)",
    "join($right; .id | numbers; .u | numbers)",
    "join($right; empty; empty) | length",
    "join($right; .id | if . == null then nan else . end; .u | if . == null then nan else . end)",
    "map(select(.n != \"c\")) | join($right | map(select(.t != \"x\")); .id; .u)",
    "join([$right[] | .t, .u]; .id; .) | length",
    "join($right | unique_by(.u); .id; .u)",
    "join($right | sort_by(.t) | .[1:4]; .id; .u) | sort_by([.. | strings]) | .[:3]",
    "join($right | group_by(.u) | map({u: .[0].u, n: length}); .id; .u)",
    "join($right | join($right; .u; .u) | map(.[0]? // .); .id; .u)",
    "join($right; .id; .u) | map(tojson) | unique | length",
    "join($right; .id; .u) | group_by(.[0]? | objects | .n) | map([.[0], length])",
    "join($right; .id; .u) | map(.[0]? // .) | join($right; .id?; .u)",
    "join($right; .id; .u) | .[1:3]",
    "join($right; .id; .u) | .[-1], .[0]",
    "join($right; .id; .u) | first(.[])",
    "join($right; .id; .u) | {n: length, last: last}",
    "join($right; .id; .u) | reduce .[] as $pair (0; . + 1)",
    "join($right; .id; .u) | map(error(\"late\"))",
    "join($right; error(.n); .u) | first(.[])",
    "join($right; .id; error(.t)) | first(.[])",
    "join($right; error(.n); error(.t))",
    "join($right | map(error(.t)); .id; .u)",
    "def with(f): join($right; .id; f); with(.u) | length",
    "def right: $right | map(select(.u)); join(right; .id; .u)",
    "def key: .id; def join($t; f): join($t; f; .u); join($right; key)",
    "5 as $n | join($right; .id; .u) | length + $n",
    "$right as $other | join($other; .id; .u)",
    "length as $n | join($right; .id; .u) | map(select($n > 3)) | length",
    "length as $n | join($right; .id | numbers + $n - 8; .u | numbers) | length",
    "[{u: 1}] as $right | join($right; .id; .u)",
    "map(select(.n)) | map(.id | numbers) as $right | join($right; .id; .)",
    "join($right[:0]; .id; .u)",
    "map(select(false)) | join($right; .id; .u)",
    "join($right, []; .id; .u)",
    "[join($right; .id; .u)[] | length]",
    "{n: length, met: (join($right; .id; .u) | length), other: ($right | length)}",
    "join($right | map(.u = ($right | length)); .id; .u)",
    "join(.[:3]; .id; .id) | length",
    "join($given; .id; .u)",
    "join($number; .id; .u)",
    "join($object; .id; .u)",
    "join($right; .id; .u + $number)",
    "[.[] | .n, $right[0].t]",
    "def join($a; b; c): 7; join($right; .id; .u)",
];

const JOINS: [&str; 4] = ["join_on", "left_join_on", "semi_join_on", "anti_join_on"];

/// Options that give the program its variables.
const GIVEN: [&str; 9] = [
    "--argjson",
    "given",
    "[{\"u\":1},{\"u\":3}]",
    "--argjson",
    "number",
    "7",
    "--argjson",
    "object",
    "{\"a\":{\"u\":1}}",
];

fn programs() -> impl Iterator<Item = String> {
    let of = |join: &'static str| move |program: &&str| program.replace("join(", &format!("{join}("));
    JOINS.into_iter().flat_map(move |join| PROGRAMS.iter().map(of(join)))
}

/// The last part of what is said, which tells no places.
fn said(text: &str) -> &str {
    let text = text.trim_end();
    text.rsplit_once(": ").map_or(text, |(_, said)| said)
}

#[test]
fn planned_joins_give_what_the_definitions_give() {
    let dir = files(&[("left.jsonl", LEFT), ("right.jsonl", RIGHT)]);
    let (left, bag) = (at(&dir, "left.jsonl"), format!("right={}", at(&dir, "right.jsonl")));
    let mut wrong = String::new();
    for program in programs() {
        let run = |options: &[&str], program: &str| {
            finish(kitbag().args(["-s", "--bag", &bag, program, &left]).args(GIVEN).args(options), b"")
        };
        let whole = run(&[], &(COLLECTED.to_owned() + &program));
        for options in [&[][..], &["--threads", "8", "--memory", "16MiB"]] {
            let ran = run(options, &program);
            if (&ran.out, ran.code, said(&ran.err)) != (&whole.out, whole.code, said(&whole.err)) {
                let _ = writeln!(wrong, "{options:?} {program}\n  {ran:?}\n  {whole:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_definitions_give_the_same_in_jq() {
    let Some(jq) = jq() else { return };
    let dir = files(&[("left.jsonl", LEFT), ("right.jsonl", RIGHT)]);
    let (left, right) = (at(&dir, "left.jsonl"), at(&dir, "right.jsonl"));
    let extra = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/jq/extra.jq")).unwrap();
    let values = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).map(floats).collect()
    };
    for program in programs() {
        let bag = format!("right={right}");
        let ours = finish(kitbag().args(["-s", "--bag", &bag, &program, &left]).args(GIVEN), b"");
        let program = extra.clone() + &program;
        let theirs = finish(
            Command::new(&jq).args(["-sc", "--slurpfile", "right", &right]).args(GIVEN).args([&program, &left]),
            b"",
        );
        assert_eq!((values(&ours.out), ours.code), (values(&theirs.out), theirs.code), "{program}: {}", theirs.err);
    }
}

/// Numbers as floats: versions of jq print them otherwise.
fn floats(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => number.as_f64().into(),
        serde_json::Value::Array(list) => list.into_iter().map(floats).collect(),
        serde_json::Value::Object(map) => map.into_iter().map(|(key, value)| (key, floats(value))).collect(),
        other => other,
    }
}

#[test]
fn joins_are_planned() {
    let explained = |program: &str| print(&["-s", "--explain", "--bag", "right=data/orders", program], "");
    assert_eq!(
        explained("map(select(.ok)) | join_on($right | map(select(.id)); .a; .b) | map(.[1].n) | add"),
        "each: streams, keeps order: select(.ok)\n\
         join: pairs with $right, by .a here and .b there; keeps order\n    \
         there first: holds the elements; where they do not fit both sides are stored, spills\n    \
         there each: streams, keeps order: select(.id)\n\
         each: streams, keeps order: .[1].n\n\
         fold: streams, holds the answers\n    \
         $__agg0 = add(.) (grows where it adds texts, arrays or objects)\n    \
         then __agg($__agg0)\n"
    );
    for join in JOINS {
        for program in [
            "join($right; .id; .u) | length",
            "def with(f): join($right; .id; f); with(.u) | length",
            "def right: $right | map(select(.u)); join(right; .id; .u)",
        ] {
            let explained = explained(&program.replace("join(", &format!("{join}(")));
            assert!(explained.starts_with("join: ") && !explained.contains("held in memory"), "{join}: {explained}");
        }
    }
    // In two passes each of them joins.
    let twice = "(map(.n) | add) as $sum | join_on($right; .id; .u) | map(.[0].n / $sum)";
    let read_again = print(&["-s", "--explain", "--bag", "right=data/orders", twice, "data/orders"], "");
    assert!(read_again.starts_with("first pass") && !read_again.contains("held in memory"), "{read_again}");
    // What comes through a pipe is not.
    assert!(explained(twice).contains("$right is held in memory"), "{}", explained(twice));
    assert!(explained("$right | length").starts_with("bag: $right is held in memory as an array"));
    assert!(explained("join_on($right; .a; $right[0].b)").starts_with("bag: $right is held in memory as an array"));
}

/// Records of both sides: few of the keys have many partners, most have one or none.
fn sides(count: u64) -> (String, String) {
    let (mut left, mut right) = (String::new(), String::new());
    for n in 0..count {
        let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let pad = "-".repeat((mixed % 70) as usize);
        let key = if n % 50 == 0 { mixed % 5 } else { mixed % (count * 2) };
        let _ = writeln!(left, r#"{{"n":{n},"key":{key},"pad":"{pad}"}}"#);
        let key = if n % 300 == 0 { mixed % 5 } else { (mixed >> 7) % (count * 2) };
        let _ = writeln!(right, r#"{{"m":{n},"key":{key}.0,"pad":"{pad}{pad}"}}"#);
    }
    (left, right)
}

#[test]
fn joins_that_spill_give_what_those_give_that_do_not() {
    let (left, right) = sides(30_000);
    let dir = files(&[("left.jsonl", &left), ("right.jsonl", &right)]);
    let (left, bag) = (at(&dir, "left.jsonl"), format!("right={}", at(&dir, "right.jsonl")));
    for (join, rest) in [
        ("join_on", "map([.[0].n, .[1].m])"),
        ("left_join_on", "map({n: .[0].n, m: .[1].m}) | group_by(.n % 10) | map([length, (map(.m) | add)])"),
        ("semi_join_on", "map(.n)"),
        ("anti_join_on", ".[] | .n"),
    ] {
        let program = format!("{join}($right; .key; .key) | {rest}");
        let run = |options: &[&str], program: &str| {
            let ran = finish(kitbag().args(["-s", "--bag", &bag, program, &left]).args(options), b"");
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{options:?} {program}");
            ran.out
        };
        let whole = run(&[], &(COLLECTED.to_owned() + &program));
        assert!(whole.len() > 100, "{program}: {whole}");
        for (threads, memory) in [("1", "2MiB"), ("2", "4MiB"), ("8", "8MiB"), ("2", "1GiB")] {
            let report = at(&dir, "report.json");
            let ran = run(&["--threads", threads, "--memory", memory, "--report", &report], &program);
            assert!(ran == whole, "{program}, {threads} threads, {memory}");
            let spilled = print(&["--values", ".spilled_bytes > 0", &report], "");
            assert_eq!(spilled, format!("{}\n", memory != "1GiB"), "{program}, {threads} threads, {memory}");
        }
    }
}

#[test]
fn the_sample_joins_itself_as_in_jq() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/sample/orders");
    let orders = if std::path::Path::new(sample).is_dir() {
        sample
    } else {
        eprintln!("skipped: {sample} is absent; data/orders serves");
        "data/orders"
    };
    let Some(jq) = jq() else { return };
    let extra = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/jq/extra.jq")).unwrap();
    let orders = at_most(orders, 2000);
    let dir = files(&[("orders.jsonl", &orders)]);
    let path = at(&dir, "orders.jsonl");
    for program in [
        "join_on($right | map(select(.order_id)) | .[:300]; .customer.id?; .customer.id?) | map([.[0].order_id, .[1].order_id])",
        "left_join_on($right | unique_by(.currency); .currency; .currency) | map(.[1].order_id)",
        "semi_join_on($right[:50]; .status?; .status?) | map(.order_id)",
        "anti_join_on($right[:50]; .customer; .customer) | map(.order_id) | length",
    ] {
        let ours = print(&["-s", "--bag", &format!("right={path}"), program, &path], "");
        let program = extra.clone() + program;
        let theirs = finish(Command::new(&jq).args(["-sc", "--slurpfile", "right", &path, &program, &path]), b"");
        let value = |text: &str| floats(serde_json::from_str(text).unwrap());
        assert_eq!(theirs.code, Some(0), "{program}: {}", theirs.err);
        assert!(value(&ours) == value(&theirs.out), "{program}\n{ours}\n{}", theirs.out);
    }
}

/// The first records of some files.
fn at_most(files: &str, count: usize) -> String {
    let text = print(&[".", files], "");
    text.lines().take(count).fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn the_left_side_may_be_standard_input_and_the_other_one_packed_in_parts() {
    let dir = files(&[("left.jsonl", LEFT)]);
    for (name, text) in RIGHT.lines().enumerate() {
        print(&["-o", &at(&dir, &format!("part-{name}.jsonl.{}", ["gz", "zst"][name % 2])), "."], text);
    }
    let program = "join_on($right; .id; .u) | map([.[0].n, .[1].t] | join(\"\")) | join(\" \")";
    let expected = "\"ay bx bz cx cz ew fv hw\"\n";
    for bag in [at(&dir, "part-*"), dir.path().join("part-[0-9]*").to_str().unwrap().to_owned()] {
        assert_eq!(print(&["-s", "--bag", &format!("right={bag}"), program], LEFT), expected);
    }
    let parts: Vec<String> =
        (0..6).map(|n| format!("right={}", at(&dir, &format!("part-{n}.jsonl.{}", ["gz", "zst"][n % 2])))).collect();
    let each: Vec<&str> = parts.iter().flat_map(|part| ["--bag", part]).collect();
    assert_eq!(print(&[&["-s", program][..], &each].concat(), LEFT), expected);
}

#[test]
fn an_array_that_is_asked_for_is_held_and_read_once() {
    let dir = files(&[("left.jsonl", LEFT), ("right.jsonl", RIGHT)]);
    let (left, right) = (at(&dir, "left.jsonl"), at(&dir, "right.jsonl"));
    let bag = format!("right={right}");
    assert_eq!(print(&["-s", "--bag", &bag, "$right | length", &left], ""), "6\n");
    assert_eq!(print(&["--bag", &bag, "select(.n == \"a\") | $right | map(.t) | add", &left], ""), "\"xyzwvq\"\n");
    assert_eq!(print(&["-n", "--bag", &bag, "[inputs] | semi_join_on($right; .id; .u) | length", &left], ""), "6\n");
    assert_eq!(print(&["-n", "--bag", &bag, "$ARGS.named", &left], ""), "{}\n");
    // A module may ask for it.
    let dir = files(&[("m.jq", "def met: semi_join_on($right; .id; .u) | length;")]);
    let library = dir.path().to_str().unwrap();
    assert_eq!(print(&["-s", "--bag", &bag, "-L", library, "import \"m\" as m; m::met", &left], ""), "6\n");
    // A pipe can be read once: for both joins.
    let program = "join_on($r; .id; .u) | map(.[0]) | join_on($r; .id; .u) | length";
    let script =
        format!("cat '{right}' | '{}' -s --bag r=/dev/stdin '{program}' '{left}'", env!("CARGO_BIN_EXE_kitbag"));
    let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "12\n", "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let dir = files(&[("left.jsonl", LEFT), ("right.jsonl", RIGHT), ("bad.jsonl", "{\"u\":1}\n{\"u\":}\n")]);
    let (left, right, bad) = (at(&dir, "left.jsonl"), at(&dir, "right.jsonl"), at(&dir, "bad.jsonl"));
    let ran = |bag: &str, options: &[&str], program: &str| {
        let ran = finish(kitbag().args(["-s", "--bag", bag, program, &left]).args(options), b"");
        (ran.out, ran.err, ran.code)
    };
    let join = "join_on($right; .id; .u)";
    let (out, err, code) = ran(&format!("right={bad}"), &[], join);
    assert!(out.is_empty() && code == Some(2) && err.starts_with(&format!("{bad}:2:6: ")), "{err}");
    let (_, err, code) = ran(&format!("right={bad}"), &[], "$right | length");
    assert!(code == Some(2) && err.starts_with(&format!("{bad}:2:6: ")), "{err}");
    // The policy is for both sides.
    for program in ["join_on($right; .id; .u) | length", "length - 8 + ($right | length)"] {
        let report = at(&dir, "report.json");
        let (out, err, code) = ran(&format!("right={bad}"), &["--on-error", "skip", "--report", &report], program);
        assert_eq!(print(&["--values", ".left_out", &report], ""), "1\n", "{program}");
        assert_eq!(
            (out.as_str(), err.as_str(), code),
            ("1\n", "kitbag: 1 record was left out\n", Some(2)),
            "{program}"
        );
    }
    let (out, err, code) = ran(&format!("right={right}"), &[], "join_on($right; .id; .t / 2)");
    assert_eq!((out.as_str(), code), ("", Some(5)));
    assert_eq!(err, format!("{right}:1:1: string (\"x\") and number (2) cannot be divided\n"));
    let (_, err, code) = ran(&format!("right={right}"), &[], "join_on($right; .n / 2; .u)");
    assert_eq!((err, code), (format!("{left}:1:1: string (\"a\") and number (2) cannot be divided\n"), Some(5)));
    // Before anything is read, also where nothing asks for it.
    for (bag, options, said) in [
        ("right=none.jsonl", &[][..], "none.jsonl: expected a file: there is none\n"),
        ("right=none-*.gz", &[], "expected"),
        ("right", &[], "expected --bag NAME=FILE, found right"),
        ("=x", &[], "expected --bag NAME=FILE with a NAME of letters"),
        ("a-b=x", &[], "expected --bag NAME=FILE with a NAME of letters"),
        ("right=", &[], "expected --bag NAME=FILE with a NAME of letters"),
        ("right=-", &[], "standard input is for the records"),
        ("ENV=x", &[], "there is a $ENV already"),
        (&format!("right={right}"), &["--arg", "right", "x"], "--bag right: there is a $right already"),
    ] {
        let (out, err, code) = ran(bag, options, ".");
        assert!(out.is_empty() && code == Some(2) && err.contains(said), "{bag}: {err}");
    }
    // What nothing asks for is not read.
    assert_eq!(ran(&format!("right={bad}"), &[], "length"), ("8\n".into(), String::new(), Some(0)));
    assert_eq!(run_with(&["-s", "join_on($right; .id; .u)"], b"").code, Some(3));
    assert_eq!(run(&["-s", "--bag", &format!("right={bad}"), "join_on(", &left]).code, Some(3));
}

#[test]
fn a_held_array_is_within_the_budget() {
    let (left, right) = sides(30_000);
    let dir = files(&[("left.jsonl", &left), ("right.jsonl", &right)]);
    let (left, bag) = (at(&dir, "left.jsonl"), format!("right={}", at(&dir, "right.jsonl")));
    let ran = run(&["-s", "--memory", "2MiB", "--threads", "1", "--bag", &bag, "$right | length", &left]);
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(6)), "{}", ran.err);
    assert!(ran.err.contains("does not hold $right") && ran.err.contains("join_on($right; "), "{}", ran.err);
}
