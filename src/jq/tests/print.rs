//! Programs of all constructs, printed and parsed again.

use super::super::print::print;
use jaq_core::load::parse;
use proptest::prelude::*;

fn same_tree(program: &str) -> Result<(), String> {
    let Some(tree) = parse(program, |parser| parser.term()) else { return Err(format!("no program: {program}")) };
    let printed = print(&tree);
    let again = parse(&printed, |parser| parser.term()).ok_or_else(|| format!("{program} became {printed}"))?;
    // Trees have no equality, but their text does.
    let same = format!("{tree:?}") == format!("{again:?}");
    if same { Ok(()) } else { Err(format!("{program} became {printed}")) }
}

/// Programs of all constructs.
fn program() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "\\.|\\.\\.|1|1\\.5e-3|\\$x|\\[\\]|\\{\\}|map|m::f|@csv|\\.a|\\.a\\?|\\.\"b c\"|\"\"|\"a\\\\nb\\\\u00e9\\\\\\\\\"|null|break \\$l",
    ];
    leaf.prop_recursive(5, 48, 4, |inner| {
        let op = "\\||,|//|or|and|\\+|-|\\*|/|%|==|!=|<|<=|>|>=|=|\\|=|\\+=|-=|\\*=|/=|%=|//=";
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            (three.clone(), op, op).prop_map(|((a, b, c), op, other)| format!("({a}) {op} ({b}) {other} ({c})")),
            three.clone().prop_map(|(a, b, c)| format!("if {a} then {b} else {c} end")),
            three.clone().prop_map(|(a, b, c)| format!("if {a} then {b} elif {c} then . end")),
            three.clone().prop_map(|(a, b, c)| format!("reduce ({a}) as [$x, {{a: $y, $z, ({b}): $w}}] ({b}; {c})")),
            three.clone().prop_map(|(a, b, c)| format!("foreach ({a}) as $x ({b}; {c}; [{a}])")),
            three.clone().prop_map(|(a, b, c)| format!("(def f(g; $x): {a}; def h: {b}; {c})")),
            three.clone().prop_map(|(a, b, c)| format!("({a})[{b}:{c}]?.x[({a})][:{b}][{c}:][]")),
            three.prop_map(|(a, b, c)| format!("{{a, $x, \"k\": ({a}), ({b}): ({c}), \"\\({a})\", @json \"x\": 1}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(({a}) as {{a: [$x]}} | {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("try ({a}) catch ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("f({a}; {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("@base64 \"x\\({a}) y\\({b})\"")),
            inner.clone().prop_map(|a| format!("(label $l | {a})")),
            inner.clone().prop_map(|a| format!("[{a}]")),
            inner.clone().prop_map(|a| format!("({a})?")),
            inner.clone().prop_map(|a| format!("try ({a})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_the_same_tree(program in program()) {
        // Not everything that is generated is a program: `break` does not stand everywhere.
        prop_assume!(parse(&program, |parser| parser.term()).is_some());
        prop_assert_eq!(same_tree(&program), Ok(()));
    }
}

#[test]
fn programs_of_any_shape() {
    for program in [
        ".a.b[0]?",
        ".[1:]",
        "-1",
        "..[0]?",
        "try error catch .",
        "def f: def g: 3; g; f",
        ".a as [$x] | $x",
        "1, (2, 3), 4",
        "1 - (2 - 3) - 4",
        "(1 | 2) | 3 | 4",
        "(1 // 2) // 3 // (4 // 5)",
        "1 as $x | 2 as $y | 3, 4",
    ] {
        assert_eq!(same_tree(program), Ok(()));
    }
    // More than the brackets that a program may have in one another.
    for op in [",", "+", "|", "//", " and "] {
        let program = vec!["."; 2000].join(op);
        let printed = print(&parse(&program, |parser| parser.term()).unwrap());
        assert!(!printed.contains('('), "{op}");
    }
}
