//! What no program may do: overflow the stack, see what it was not given, end the process; and how it is told what is
//! wrong with it.

use super::*;

fn compile_error(program: &str) -> String {
    Program::compile(program, &[], &Libraries::default()).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn errors_say_where() {
    for (program, message) in [
        ("1 +", "1:4: expected a term, found the end"),
        (".a\n| foo(1)", "2:3: foo/1 is not defined"),
        ("[.5, $x]", "1:6: $x is not defined"),
        ("[1", "1:3: expected closing bracket, found the end"),
        (".a = 1 // 2 | )", "1:15: expected token, found `)`"),
        ("break $x", "1:7: *label-x is not defined"),
        ("if 1 then 2", "1:12: expected `else` or `end`, found the end"),
        ("\"\\q\"", "1:3: expected string escape sequence, found `q`"),
        ("reduce . as [$a] ?// $a (0; $a)", "1:13: alternatives (`?//`) are supported before a `|` only"),
        (". as [$a] ?// $a | $a + $b", "1:25: $b is not defined"),
        ("import \"a\" as a; 1", "1:9: modules are not available: no directory was given with -L"),
        ("import \"a\" as $a; $a", "1:9: importing data is not supported"),
        ("$ENV", "1:1: $ENV is not defined: --env was not given"),
        ("env", "1:1: env/0 is not defined: --env was not given"),
        ("localtime", "1:1: localtime/0 is not defined: times are in UTC, by `gmtime` and `strftime`"),
    ] {
        assert_eq!(compile_error(program), message, "{program}");
    }
}

#[test]
fn modules_come_from_whoever_gives_them() {
    let modules = |path: &str| match path {
        "m" => Ok(String::from("def f: .a = 1 // 2; def g: (1,2)+(10,20);")),
        _ => Err(format!("no module {path}")),
    };
    let libraries = Libraries { modules: Some(Box::new(modules)) };
    let program = Program::compile("import \"m\" as m; include \"m\"; [m::g], f", &[], &libraries).unwrap();
    assert_eq!(outputs(&program, Val::null(), &World::default()), ["[11,12,21,22]", "{\"a\":1}"]);
    let error = Program::compile("include \"x\"; 1", &[], &libraries).err().unwrap();
    assert_eq!(error.to_string(), "1:10: no module x");
}

#[test]
fn programs_see_what_they_are_given() {
    let globals = [("ENV".into(), val(r#"{"PAGER":"less"}"#)), ("x".into(), val("[1]")), ("y".into(), val("2"))];
    let program = Program::compile(
        "env.PAGER, $ENV.PAGER, $x, [$y, now, input_line_number], {$x, $__loc__}",
        &globals,
        &Libraries::default(),
    )
    .unwrap();
    let found = outputs(&program, Val::null(), &World::default());
    let last = r#"{"x":[1],"__loc__":{"file":"<top-level>","line":1}}"#;
    assert_eq!(found, ["\"less\"", "\"less\"", "[1]", "[2,1000000000,0]", last]);
}

#[test]
fn inputs_and_messages() {
    let text = "input_filename, input, input_filename, (1|debug), (2|debug(\"m\", .)), (\"e\"|stderr), [inputs], try input catch .";
    let program = Program::compile(text, &[], &Libraries::default()).unwrap();
    let world = World { inputs: RefCell::new(vec![val("7"), val("8"), val("9")].into_iter()), ..World::default() };
    let found = outputs(&program, Val::null(), &world);
    assert_eq!(found, ["null", "7", "\"in.jsonl\"", "1", "2", "\"e\"", "[8,9]", "\"break\""]);
    assert_eq!(*world.said.borrow(), ["debug 1", "debug \"m\"", "debug 2", "\"e\""]);
}

#[test]
fn halting_is_told_to_the_caller() {
    assert_eq!(run("1, halt, 2", "null"), ["1", "exit 0 None"]);
    assert_eq!(run("try ({a:1}|halt_error) catch 3", "null"), ["exit 5 Some(Obj(Object(Few([(\"a\", Int(1))]))))"]);
    assert_eq!(run("\"bye\"|halt_error(258)", "null"), ["exit 2 Some(Str(\"bye\"))"]);
}

#[test]
fn outputs_can_be_stopped() {
    let program = Program::compile("range(1e12)", &[], &Libraries::default()).unwrap();
    let mut count = 0;
    let end = program.run(Val::null(), &World::default(), &mut |_| {
        count += 1;
        if count == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(end.is_ok() && count == 3);
}

/// On a thread with a stack as large as the command's.
fn on_a_large_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    #[allow(clippy::disallowed_methods, reason = "a test may start a thread")]
    std::thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap().join().unwrap()
}

#[test]
fn functions_that_call_themselves_without_end_are_an_error() {
    let full = "! functions call themselves too deeply: the stack is full";
    for program in [
        "def f: 1+f; f",
        "def f: [f]; f",
        "def f: def g: 1+f; g; f",
        "def f(x): 1 + f(x+1); f(1)",
        "def f: {a:f}; f",
        "def f: .a |= f; f",
        "reduce range(100000) as $i (0; [.]) | walk(.)",
    ] {
        assert_eq!(run(program, "null"), [full], "{program}");
    }
    // What returns before is none, and neither is a tail call.
    assert_eq!(run("def f: if . > 200 then . else 1 + (.+1|f) end; 0|f", "null"), ["402"]);
    assert_eq!(run("def f: if . > 200000 then . else .+1|f end; 0|f", "null"), ["200001"]);
    let deep = on_a_large_stack(|| {
        let program =
            Program::compile("def f: if . > 9000 then . else 1 + (.+1|f) end; 0|f", &[], &Libraries::default());
        outputs(&program.unwrap().stack(56 << 20), Val::null(), &World::default())
    });
    assert_eq!(deep, ["18002"]);
}

#[test]
fn what_takes_functions_may_be_nested_until_the_stack_is_full() {
    let nested = |times: usize| {
        let mut program = String::from("def f0(x): 1 + x; ");
        for at in 1..=times {
            program += &format!("def f{at}(x): f{0}(f{0}(f{0}(f{0}(x)))); ", at - 1);
        }
        run(&format!("{program}f{times}(0)"), "null")
    };
    assert_eq!(nested(3), ["64"]);
    assert_eq!(nested(12), ["! functions call themselves too deeply: the stack is full"]);
}

#[test]
fn a_program_that_the_stack_would_not_hold_is_refused() {
    let refused = on_a_large_stack(|| {
        let message =
            "expected at most 12,500 operators in a program and its modules (a step of a path is a quarter of one)";
        let long = |start: &str, part: &str, end: &str| {
            let program = |times: usize| format!("{start}{}{end}", part.repeat(times));
            let refused = |times: usize| {
                let error = Program::compile(&program(times), &[], &Libraries::default()).err();
                error.is_some_and(|error| error.message == message)
            };
            !refused(3_000) && refused(1_000_000)
        };
        let parts = [
            ("", "1+", "1"),
            ("", ".,", "."),
            ("", ".|", "."),
            ("", "null // ", "1"),
            ("", "-", "1"),
            ("", "1 as $x | ", "$x"),
            ("", "label $x | ", "1"),
            ("", "try error catch ", "1"),
            ("if . then 1 ", "elif . then 1 ", "else 2 end"),
            ("", "1 | def f: 1; ", "f"),
            ("\"", "\\(1)", "\""),
            ("[1", ",1", "]"),
            ("{a:1", ",a:1", "}"),
            ("", ".a", ""),
            (".", "[0]", ""),
            (".a", "?", ""),
            ("def f(a", ";a", "): 1; 1"),
            (". as [$a", ",$a", "] | 1"),
        ];
        parts
            .into_iter()
            .filter(|(start, part, end)| !long(start, part, end))
            .map(|(_, part, _)| part)
            .collect::<Vec<_>>()
    });
    assert_eq!(refused, [""; 0]);
    let module = |path: &str| Ok(format!("def {path}: {}1;", "1+".repeat(8000)));
    let one = move |program: &str| {
        let libraries = Libraries { modules: Some(Box::new(module)) };
        Program::compile(program, &[], &libraries).err().map(|error| error.message)
    };
    let both = on_a_large_stack(move || [one("include \"a\"; a"), one("include \"a\"; include \"b\"; a + b")]);
    assert!(both[0].is_none() && both[1].as_ref().is_some_and(|text| text.contains("at most 12,500")), "{both:?}");
}

#[test]
fn deep_values_are_read_printed_compared_and_dropped() {
    on_a_large_stack(|| {
        let text = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(run(".", &text), std::slice::from_ref(&text));
        assert_eq!(
            run("[., .] | .[0] == .[1], (tojson|fromjson) == ., ([..]|length), (flatten|length)", &text),
            ["true", "true", "2003", "2"]
        );
        let program = "reduce range(100000) as $i (0; [.]) | (tojson|length > 20000), . == ., ([., .]|unique|length)";
        assert_eq!(run(program, "null"), ["true", "true", "1"]);
    });
}

#[test]
fn numbers_do_not_grow_without_bound() {
    assert_eq!(run("reduce range(60) as $i (3; . * .) | ., isinfinite", "null"), ["1.7976931348623157e+308", "true"]);
    assert_eq!(run("try (\"abc\" * 1e12) catch .", "null"), ["\"Repeat string result too long\""]);
    assert_eq!(run("try (.[1e12] = 1) catch .", "null"), ["\"Array index too large\""]);
}
