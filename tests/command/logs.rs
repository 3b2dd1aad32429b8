//! Programs over logs (`programs.txt`): what a plan, and the lane of records, give is what the interpreter gives. And of all
//! programs that are compared so, that they are many, no two the same but for names and literals, and mostly planned.

use std::collections::BTreeMap;
use std::path::Path;

use super::planned::{self, COLLECTED, compare};
use super::tool::{at, files, run};

/// The programs that run with `-s`, or those that run on each record.
fn programs(slurped: bool) -> Vec<String> {
    let prefix = if slurped { "-s " } else { "- " };
    include_str!("programs.txt").lines().filter_map(|line| line.strip_prefix(prefix)).map(str::to_owned).collect()
}

const SETTINGS: [&[&str]; 3] =
    [&["--threads", "1"], &["--threads", "2", "--memory", "4MiB"], &["--threads", "8", "--memory", "16MiB"]];

#[test]
fn plans_over_logs_give_what_the_interpreter_gives() {
    compare(&programs(true), &["-s"], COLLECTED, "data/web", &SETTINGS);
}

#[test]
fn programs_on_records_give_what_the_interpreter_gives() {
    // `--values` knows no records where they were read.
    compare(&programs(false), &["--values"], "", "data/web", &SETTINGS);
}

#[test]
fn plans_over_logs_that_spill_give_the_same() {
    let text = run(&[".", "data/web"]).out.repeat(12);
    let dir = files(&[("web.jsonl", &text), ("report.json", "")]);
    let (input, report) = (at(&dir, "web.jsonl"), at(&dir, "report.json"));
    // What is collected, or grows, is not for so little memory.
    let planned = |program: &String| {
        !run(&["-s", "--explain", program]).out.starts_with("collected") && !program.contains("map(keys)")
    };
    let some: Vec<String> = programs(true).into_iter().step_by(4).filter(planned).collect();
    compare(&some, &["-s"], COLLECTED, &input, &[&["--threads", "2", "--memory", "2MiB"]]);
    let ran =
        run(&["-s", "--memory", "2MiB", "--threads", "2", "--report", &report, "sort_by(.time) | map(.path)", &input]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(run(&["[.stages[].spilled_bytes] | add > 1000000", "--values", &report]).out, "true\n");
}

#[test]
fn over_real_logs() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/sample");
    let dir = std::env::var_os("KITBAG_SAMPLE").map_or(beside, Into::into);
    // The first has the names that the programs ask for; in the second they are absent, or of other types.
    for (shard, settings) in [("access/apache.jsonl", &SETTINGS[..]), ("weblogs/part-000.jsonl.gz", &SETTINGS[1..2])] {
        let shard = dir.join(shard);
        match shard.to_str().filter(|_| shard.exists()) {
            Some(input) => over(input, settings),
            None => eprintln!("skipped: {} is not there (KITBAG_SAMPLE names the folder of samples)", shard.display()),
        }
    }
}

fn over(input: &str, settings: &[&[&str]]) {
    // What is collected, and what is said to grow, must fit: there may be but one group.
    let held = |program: &String| {
        let explained = run(&["-s", "--explain", program]).out;
        explained.contains("collected: ") || explained.contains("(grows with its input)")
    };
    let (collected, planned): (Vec<_>, Vec<_>) = programs(true).into_iter().partition(held);
    compare(&planned, &["-s"], COLLECTED, input, settings);
    compare(&collected, &["-s"], COLLECTED, input, &[&["--threads", "2", "--memory", "64MiB"]]);
    compare(&programs(false), &["--values"], "", input, settings);
}

/// All programs that are compared, with the option that they run with.
fn all() -> Vec<(&'static str, String)> {
    let slurped = planned::programs().into_iter().chain(programs(true));
    let slurped: Vec<_> = slurped.map(|program| ("-s", program)).collect();
    slurped.into_iter().chain(programs(false).into_iter().map(|program| ("", program))).collect()
}

#[test]
fn nine_in_ten_programs_of_the_page_and_over_logs_need_no_array() {
    let programs = [planned::reference(), programs(true)].concat();
    let collected: Vec<_> =
        programs.iter().filter(|program| run(&["-s", "--explain", program]).out.starts_with("collected")).collect();
    assert!(collected.len() * 10 <= programs.len(), "{} of {}: {collected:#?}", collected.len(), programs.len());
}

#[test]
fn no_two_programs_are_the_same_but_for_names_and_literals() {
    let mut shapes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (option, program) in all() {
        shapes.entry(format!("{option} {}", shape(&program))).or_default().push(program);
    }
    assert!(shapes.len() >= 300, "{}", shapes.len());
    let mine = programs(true).into_iter().chain(programs(false));
    for program in mine {
        let same: Vec<_> = shapes.values().filter(|same| same.contains(&program) && same.len() > 1).collect();
        assert!(same.is_empty(), "{same:#?}");
    }
}

/// A program with one name for all fields, keys and variables, and one literal for all numbers and strings.
fn shape(program: &str) -> String {
    let mut rest = program.chars().peekable();
    // Of brackets that are open: whether what follows the closing one is a string.
    let (mut shape, mut open, mut in_string) = (String::new(), Vec::new(), false);
    while let Some(char) = rest.next() {
        match char {
            '\\' if in_string && rest.next() == Some('(') => {
                shape.push('(');
                open.push(true);
                in_string = false;
            }
            '"' => {
                shape.push('"');
                in_string = !in_string;
            }
            _ if in_string => {}
            '(' => {
                shape.push('(');
                open.push(false);
            }
            ')' => {
                shape.push(')');
                in_string = open.pop().unwrap_or(false);
            }
            char if char.is_alphanumeric() || char == '_' => {
                let mut word = String::from(char);
                while let Some(next) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.push(next);
                }
                let key = rest.clone().find(|c| !c.is_whitespace()) == Some(':');
                let named = key || shape.ends_with(['.', '$']) && !shape.ends_with("..");
                shape += if named { "name" } else { &word };
                if char.is_ascii_digit() && !named {
                    shape.truncate(shape.len() - word.len());
                    shape.push('0');
                }
                shape.push(' ');
            }
            char if char.is_whitespace() => {}
            char => shape.push(char),
        }
    }
    shape
}
