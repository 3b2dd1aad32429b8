//! The fuzz target of programs (`fuzz/`): any text is planned, explained and compiled without a panic, and a program
//! made of known pieces gives planned what it gives collected. Compiled for fuzzing and for tests only.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a fuzz target panics, and makes its own file")]

use std::ops::ControlFlow;
use std::sync::Arc;

use kitbag::{Bag, Config, Error, Scan};

use super::plan::{self, Way};
use super::slurp::{Compiled, Raised, Sink, World};
use super::{Halt, Inputs, Libraries, Program, Val};

/// What programs are made of; `@` is a place for another piece. None of them goes on for ever.
const PIECES: [&str; 64] = [
    ".",
    ".a",
    ".b",
    ".a.c",
    ".[0]",
    ".[]?",
    "1",
    "\"x\"",
    "null",
    "true",
    "[@]",
    "{a: @}",
    "@ + @",
    "@ - @",
    "@ * 2",
    "@ == @",
    "@ < @",
    "@ and @",
    "(@) | (@)",
    "(@), (@)",
    "map(@)",
    "select(@)",
    "map(select(@))",
    "group_by(@)",
    "sort_by(@)",
    "unique_by(@)",
    "min_by(@)",
    "max_by(@)",
    "length",
    "add",
    "map(@) | add",
    "any",
    "all",
    "first",
    "last",
    ".[:2]",
    ".[1:]",
    "to_entries",
    "from_entries",
    "keys",
    "if @ then @ else @ end",
    "try (@) catch .",
    "(@)?",
    "@ // @",
    "error",
    "not",
    "type",
    "tostring",
    "reduce .[] as $x (0; . + 1)",
    "(@) as $v | [$v, .]",
    "[.[] | @]",
    "[.[] | select(@) | @]",
    "group_by(@) | map(@)",
    "map({k: @, v: @})",
    "unique",
    "sort",
    "flatten",
    "min",
    "max",
    "limit(2; .[])",
    "first(.[])",
    "[.[]] | @",
    ".[] | @",
    "empty",
];

const RECORDS: [&str; 6] = [
    r#"{"a":1,"b":"x"}"#,
    r#"{"a":2,"b":null,"c":[1,{"a":3}]}"#,
    r#"{"a":1,"b":"y"}"#,
    r#"{"a":{"c":2.50},"b":"x"}"#,
    r#"{"b":false}"#,
    r#"{"a":1,"b":"x"}"#,
];

/// Plans and runs what the bytes say.
pub(crate) fn program(data: &[u8]) {
    let Some((&mode, rest)) = data.split_first() else { return };
    let made = mode >= 64;
    let text = if made { assembled(rest) } else { String::from_utf8_lossy(rest).into_owned() };
    plan::with(&text, |way| {
        let shown = plan::text(&way.tell());
        assert!(shown.ends_with('\n') && !shown.contains('\u{1b}'), "{shown:?}");
    });
    let Ok(whole) = Program::compile(&text, &[], &Libraries::default()) else { return };
    if made {
        let records = RECORDS.iter().take(usize::from(mode % 7));
        let records: Vec<Val> = records.map(|text| Val::parse(text.as_bytes()).unwrap()).collect();
        let mut collected = Printed::default();
        collected.run(&whole, Val::array(records.clone()), &Outside);
        plan::with(&text, |way| {
            if let Some(planned) = planned(way, &text, &records) {
                assert_eq!(planned.said, collected.said, "{text}\n{}", plan::text(&way.tell()));
            }
        });
    }
}

/// A program of pieces, no deeper than there are bytes.
fn assembled(bytes: &[u8]) -> String {
    fn piece(bytes: &mut std::slice::Iter<'_, u8>, depth: usize) -> String {
        let Some(&byte) = bytes.next().filter(|_| depth < 7) else { return ".".into() };
        let mut text = String::new();
        for (number, part) in PIECES[usize::from(byte) % PIECES.len()].split('@').enumerate() {
            if number > 0 {
                text += &format!("({})", piece(bytes, depth + 1));
            }
            text += part;
        }
        text
    }
    piece(&mut bytes.iter(), 0)
}

struct Outside;

impl Inputs for Outside {
    fn now(&self) -> f64 {
        1e9
    }

    fn debug(&self, _: &Val) {}

    fn stderr(&self, _: &Val) {}
}

/// Outputs and the error at their end, as text.
#[derive(Debug, Default)]
struct Printed {
    said: Vec<String>,
    failed: bool,
}

/// More outputs than these are not looked at.
const MOST: usize = 500;

impl Printed {
    fn run(&mut self, program: &Program, input: Val, inputs: &dyn Inputs) {
        let end = program.run(input, inputs, &mut |value| {
            self.said.push(value.to_json());
            if self.said.len() < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        self.end(end);
    }

    fn end(&mut self, end: Result<(), Halt>) {
        match end {
            Ok(()) => return,
            Err(Halt::Error(value)) => self.said.push(format!("error: {}", value.to_json())),
            Err(halt) => self.said.push(format!("{halt:?}")),
        }
        self.failed = true;
    }
}

/// The error of a run of the library, as the program's own if it is that.
fn raised(error: &Error) -> String {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Raised>());
    cause.map_or_else(|| format!("other: {error}"), |Raised(value)| format!("error: {}", value.to_json()))
}

impl Sink for Printed {
    type Error = Error;

    fn elements(&mut self, bag: Bag<Val>, _: bool) -> Result<(), Error> {
        for value in bag.iter()? {
            self.said.push(value?.to_json());
            if self.said.len() >= MOST {
                break;
            }
        }
        Ok(())
    }

    fn array(&mut self, bag: Bag<Val>) -> Result<(), Error> {
        let values = bag.collect()?;
        self.said.push(Val::array(values).to_json());
        Ok(())
    }

    fn rest(&mut self, program: &Program, answers: Val) -> Result<(), Error> {
        self.run(program, answers, &Outside);
        Ok(())
    }
}

/// What the plan gives; `None` where there is none of verbs.
fn planned(way: &Way<'_>, text: &str, records: &[Val]) -> Option<Printed> {
    let Way::Verbs(plan) = way else { return None };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let lines: String = records.iter().map(|record| record.to_json() + "\n").collect();
    std::fs::write(&path, lines).unwrap();
    let compile = |text: &str| Program::compile(text, &[], &Libraries::default());
    let world = World { definitions: &plan.definitions, compile: &compile, inputs: Arc::new(Outside), bags: &|_| None };
    let compiled =
        Compiled::new(plan, &world).unwrap_or_else(|error| panic!("{text}: a piece does not compile: {error}"));
    let scan = Scan::new(&path).with(Config::new().threads(1).memory(64 << 20));
    let mut printed = Printed::default();
    if let Err(error) = compiled.run(scan, 64 << 20, &mut printed) {
        printed.said.push(raised(&error));
    }
    Some(printed)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_found_worth_keeping_still_holds() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/program");
        let Ok(inputs) = std::fs::read_dir(&corpus) else {
            eprintln!("skipped: {} is not there", corpus.display());
            return;
        };
        let inputs: Vec<Vec<u8>> = inputs.map(|input| std::fs::read(input.unwrap().path()).unwrap()).collect();
        assert!(!inputs.is_empty());
        inputs.iter().for_each(|input| super::program(input));
    }
}
