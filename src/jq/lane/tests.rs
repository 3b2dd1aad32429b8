//! The lane against the interpreter: the programs of the tables, and programs and records that proptest makes.

use super::super::tests::{World, entries};
use super::super::{Halt, Libraries, Program, Val};
use kitbag::Json;
use proptest::prelude::*;
use std::ops::ControlFlow;

/// Nobody waits for more outputs than this.
const MOST: usize = 300;

fn compiled(program: &str) -> Program {
    let globals = [(String::from("g"), Val::string("a"))];
    Program::compile(program, &globals, &Libraries::default()).unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn end(ended: Result<(), Halt>) -> Option<String> {
    match ended {
        Ok(()) => None,
        Err(Halt::Error(value)) => Some(format!("! {value}")),
        Err(other) => Some(format!("{other:?}")),
    }
}

/// What a program does to a record: outputs, then its error.
fn seen(run: impl FnOnce(&mut dyn FnMut(Val) -> ControlFlow<()>) -> Result<(), Halt>) -> Vec<String> {
    let mut lines = Vec::new();
    let ended = run(&mut |value| {
        lines.push(value.to_json());
        if lines.len() < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    lines.extend(end(ended));
    lines
}

/// What differs between the lane and the interpreter, if there is a lane and anything differs.
fn difference(program: &Program, record: &str) -> Option<String> {
    let json = Json::parse(record).unwrap_or_else(|error| panic!("{record}: {error}"));
    let world = World::default();
    let expected = seen(|each| program.run(Val::from_json(&json.view()), &world, each));
    if !program.has_lane() {
        return None;
    }
    let found = seen(|each| program.run_on(json.view(), &world, each));
    if found != expected {
        return Some(format!("{found:?} instead of {expected:?}"));
    }
    if found.len() >= MOST {
        return None;
    }
    let mut text = b"before\n".to_vec();
    let (last, ended) = program.print_on(json.view(), &world, false, &mut text)?;
    let mut lines: Vec<String> = String::from_utf8_lossy(&text).lines().map(String::from).collect();
    let lines = lines.split_off(1);
    let error = end(ended);
    let is_true = lines.last().map(|line| line != "null" && line != "false");
    let printed: Vec<String> = lines.into_iter().chain(error).collect();
    (printed != expected || last != is_true).then(|| format!("printed {printed:?} instead of {expected:?}, {last:?}"))
}

#[test]
fn programs_of_the_tables() {
    let records: Vec<&str> = include_str!("../tests/data.jsonl").lines().collect();
    let (mut wrong, mut lanes) = (Vec::new(), 0);
    let programs = entries(include_str!("../tests/programs.txt")).filter_map(|(head, _)| head.split_once(' '));
    for (mode, text) in programs.filter(|(mode, _)| *mode != "-n") {
        let program = compiled(text);
        lanes += usize::from(program.has_lane());
        let all = format!("[{}]", records.join(","));
        let inputs = if mode == "-s" { vec![&*all] } else { records.clone() };
        let differ = inputs.iter().filter_map(|record| difference(&program, record));
        wrong.extend(differ.take(1).map(|what| format!("{text}: {what}")));
    }
    for (head, _) in entries(include_str!("../tests/rows.txt")) {
        let Some((input, text)) = head.split_once(" |") else { continue };
        let program = compiled(text);
        lanes += usize::from(program.has_lane());
        let what = difference(&program, if input == "." { "null" } else { input });
        wrong.extend(what.map(|what| format!("{text}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lanes >= 100, "{lanes} programs have a lane");
}

#[test]
fn what_log_programs_do_has_a_lane() {
    for program in [
        "select(.kind == \"commit\") | {did, op: .commit.operation, t: (.time_us / 1000000 | todate)}",
        ".status as $s | select($s >= 500 and (.path | test(\"^/api\"; \"i\"))) | \"\\($s) \\(.path)\"",
        "{user: .user.name, tags: [.tags[]? | ascii_downcase], n: (.items | length)}",
        "if .level == \"error\" then .message // \"none\" else empty end",
        "select(any(.tags[]; . == $g)) | .id",
        "try (.time[:19] + \"Z\" | fromdate | time_bucket(3600)) catch null",
        ".a | with_entries(.value |= tostring)",
        "with_entries(select(.value != null))",
        ".did | sub(\"^did:plc:\"; \"\") | gsub(\"(?<d>[0-9])\"; \"<\\(.d)>\")",
        "[limit(2; .tags[]?)]",
        "[.[] | strings | split(\",\") | first] | unique | join(\"-\")",
        "def ok: .status < 400; select(ok | not) | .id",
    ] {
        assert!(compiled(program).has_lane(), "{program}");
    }
    for program in [".a |= 1", "reduce .[] as $x (0; . + $x)", "def f: if . > 9 then . else . + 1 | f end; f"] {
        assert!(!compiled(program).has_lane(), "{program}");
    }
}

#[test]
fn what_is_around_a_call_is_not_taken_for_what_a_definition_means() {
    for (text, expected) in [
        ("def f: $g; 2 as $g | f", "\"a\""),
        ("1 as $x | def f: $x; 2 as $x | f", "1"),
        ("def f: {$g}; [(1, 2) as $g | f] | unique", "[{\"g\":\"a\"}]"),
        ("def f: $g; def h($g): f; h(3)", "\"a\""),
        ("def f: $g; reduce 1 as $g (0; f)", "\"a\""),
        ("def f($x): $x; 2 as $x | f(1)", "1"),
        ("def f: . as $y | $y; 2 as $x | f", "{}"),
        ("try {(1): error(\"x\")} catch .", "\"x\""),
        ("[{(1): empty}]", "[]"),
    ] {
        let program = compiled(text);
        assert_eq!(difference(&program, "{}"), None, "{text}");
        let json = Json::parse("{}").unwrap();
        let found = seen(|each| program.run_on(json.view(), &World::default(), each));
        assert_eq!(found, [expected], "{text}");
    }
}

#[test]
fn definitions_that_call_others_twice_do_not_grow_without_bound() {
    let mut text = String::from("def f0: .i; ");
    for at in 1..40 {
        text += &format!("def f{at}: if .i < {at} then f{} else f{} end; ", at - 1, at - 1);
    }
    let program =
        compiled(&(text + "select(f39 == 1) | def g(h): h, h; [g(g(g(g(g(g(g(g(g(g(g(g(.i))))))))))))] | length"));
    assert_eq!(difference(&program, "{\"i\":1}"), None);
}

fn record() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "null|true|false|0|-1|1|1\\.0|1e0|-0|2\\.50|1234567890123456789012|1e999|1732208749\\.5",
        "\"(a|b|x,y|A-B|\\\\n|\\\\u00e9|\\\\\"|\\\\/|\u{7f}|é|12|2024-11-21T17:05:49Z){0,3}\"",
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let member = ("a|b|c|\\\\u0061|d e", inner.clone(), " ?");
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(" ,"))),
            proptest::collection::vec(member, 0..5).prop_map(|all| {
                let all: Vec<String> =
                    all.iter().map(|(key, value, blank)| format!("\"{key}\":{blank}{value}")).collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    })
}

fn program() -> impl Strategy<Value = String> {
    let paths = "\\.|\\.\\.|\\.a|\\.b|\\.a\\.b|\\.c\\?|\\.a\\?\\.b|\\.\\[0\\]|\\.\\[-1\\]\\?|\\.\\[\\]|\\.a\\[\\]|\\.b\\[\\]\\?|\\.\\[1:\\]|\\.a\\[:2\\]\\?|\\.\\[\\$g\\]|\\.\\[\\$x\\]\\?|\\.\"d e\"";
    let values =
        "1|-2|1\\.0|0\\.5|null|true|false|\"\"|\"a\"|\"x,y\"|\\[\\]|\\{\\}|\\$x|\\$g|empty|error|input_filename";
    let calls = "length|type|not|keys|keys_unsorted|tostring|tonumber|tojson|fromjson|add|values|strings|numbers|scalars|iterables|first|last|any|all|min|max|sort|unique|reverse|flatten|to_entries|ascii_downcase|ascii_upcase|trim|floor|sqrt|todate|fromdate|gmtime|isnan|utf8bytelength|explode|recurse|startswith\\(\"a\"\\)|endswith\\(\"b\"\\)|ltrimstr\\(\"a\"\\)|split\\(\",\"\\)|join\\(\"-\"\\)|test\\(\"a\"\\)|test\\(\"A\";\"i\"\\)|has\\(\"a\"\\)|has\\(0\\)|contains\\(\"a\"\\)|inside\\(\"ab\"\\)|index\\(\"a\"\\)|time_bucket\\(60\\)|@csv|@text|@json|@base64|from_entries|limit\\(1;\\.\\[\\]\\?\\)|getpath\\(\\[\"a\"\\]\\)|del\\(\\.a\\)\\?";
    let replaced = proptest::sample::select(vec![
        "sub(\"a\"; \"-\")",
        "sub(\"A|,\"; \"<>\"; \"i\")",
        "gsub(\"\"; \"-\")",
        "gsub(\"(?<x>[a-b])|,\"; \"<\\(.x)é>\")",
        "gsub(\"a\"; \"\"; \"n\")",
        "gsub(\"b\"; \"\\($g)\")",
        "sub(\"(\"; \"\")",
        "sub(\"a\"; \"b\"; \"?\")",
        "sub(\"(?<x>a)\"; .x + $g)",
    ]);
    let replaced = replaced.prop_map(String::from);
    let leaf = prop_oneof![3 => paths, 2 => values, 2 => calls, 1 => replaced];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let op = "\\||\\||\\||,|//|or|and|\\+|-|\\*|/|%|==|!=|<|<=|>|>=";
        let of_one = "select|map|first|any|all|error|startswith|contains|has|test|isempty|map_values|sort_by|group_by|min_by|with_entries|split|join|strftime|in|ltrimstr";
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            4 => (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            1 => three.clone().prop_map(|(a, b, c)| format!("if {a} then {b} else {c} end")),
            1 => three.clone().prop_map(|(a, b, c)| format!("if {a} then {b} elif {c} then . end")),
            1 => three.clone().prop_map(|(a, b, c)| format!("{{a: ({a}), \"b\": ({b}), (({c}) | tostring): 1}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{({a}): ({b})}}")),
            1 => three.clone().prop_map(|(a, b, c)| format!("{{a, $x, c: ({a}), $g, d: ({b}), \"d e\": ({c})}}")),
            1 => three.clone().prop_map(|(a, b, c)| format!("\"-\\({a}) \\({b})é\\n\\({c})\"")),
            1 => three.prop_map(|(a, b, c)| format!("any(({a}) | .[]?; {b}), all({b}; {c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(({a}) as $x | {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("try ({a}) catch ({b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("reduce ({a}) as $y (0; {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("label $l | ({a}) | if {b} then break $l else . end")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(def f(g): {a} | g; f({b}))")),
            3 => (of_one, inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            1 => ("[0-3]", inner.clone()).prop_map(|(n, a)| format!("limit({n}; {a})")),
            1 => inner.clone().prop_map(|a| format!("[{a}]")),
            1 => inner.clone().prop_map(|a| format!("({a})?")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
            1 => inner.prop_map(|a| format!("(.a |= ({a}))?")),
        ]
    })
}

proptest! {
    #[test]
    fn the_lane_does_what_the_interpreter_does(text in program(), records in proptest::collection::vec(record(), 1..4)) {
        // More than so many sources in each other give more outputs than anybody waits for.
        prop_assume!(text.matches("..").count() + text.matches("recurse").count() < 3);
        let program = compiled(&format!(". as $x | {text}"));
        for record in &records {
            if let Some(what) = difference(&program, record) {
                return Err(TestCaseError::fail(format!("{text} on {record}: {what}")));
            }
        }
    }
}
