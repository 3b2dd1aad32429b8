//! Tables of programs with their inputs and outputs: where jaq leaves jq (`rows.txt`) and the programs of the reference
//! page (`programs.txt`), checked by hand against jq 1.6, libjq 1.8 and gojq.

mod limits;
mod print;

use super::*;
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

/// A world with inputs; it keeps what a program says.
#[derive(Default)]
pub(super) struct World {
    pub(super) inputs: RefCell<std::vec::IntoIter<Val>>,
    pub(super) said: RefCell<Vec<String>>,
    pub(super) read: Cell<u64>,
}

impl Inputs for World {
    fn next(&self) -> Option<Result<Val, kitbag::Error>> {
        self.read.set(self.read.get() + 1);
        self.inputs.borrow_mut().next().map(Ok)
    }
    fn file_name(&self) -> Option<String> {
        (self.read.get() > 0).then(|| "in.jsonl".into())
    }
    fn line_number(&self) -> u64 {
        self.read.get()
    }
    fn now(&self) -> f64 {
        1e9
    }
    fn debug(&self, message: &Val) {
        self.said.borrow_mut().push(format!("debug {message}"));
    }
    fn stderr(&self, value: &Val) {
        self.said.borrow_mut().push(value.to_string());
    }
}

/// The outputs of a program, one a line; an error that was not caught after `!`.
pub(super) fn outputs(program: &Program, input: Val, world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    let end = program.run(input, world, &mut |value| {
        lines.push(value.to_string());
        ControlFlow::Continue(())
    });
    match end {
        Ok(()) => {}
        Err(Halt::Error(value)) => lines.push(format!("! {}", value.as_str().map_or(value.to_string(), String::from))),
        Err(Halt::Exit { code, message }) => lines.push(format!("exit {code} {message:?}")),
        Err(Halt::Input(error)) => lines.push(format!("input {error}")),
    }
    lines
}

pub(super) fn run(program: &str, input: &str) -> Vec<String> {
    let program = Program::compile(program, &[], &Libraries::default()).unwrap();
    outputs(&program, val(input), &World::default())
}

pub(super) fn val(text: &str) -> Val {
    Val::parse(text.as_bytes()).unwrap()
}

/// The entries of a table: a head line and the lines below it.
pub(super) fn entries(table: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    table.split("\n\n").filter_map(|entry| {
        let mut lines = entry.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        Some((lines.next()?, lines.collect()))
    })
}

#[test]
fn rows_of_the_reference_page() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (head, expected) in entries(include_str!("rows.txt")) {
        let (input, program) = head.split_once(" |").unwrap();
        let input = if input == "." { "null" } else { input };
        let found = run(program.trim_start(), input);
        count += 1;
        for (at, line) in
            expected.iter().enumerate().filter(|(at, line)| found.get(*at).is_none_or(|found| found != *line))
        {
            wrong.push(format!("{head}\n   output {at}: {:?}, expected {line}", found.get(at)));
        }
        if found.len() > expected.len() {
            wrong.push(format!("{head}\n   too many outputs: {:?}", &found[expected.len()..]));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 45);
}

#[test]
fn programs_of_the_reference_page() {
    let records: Vec<Val> = include_str!("data.jsonl").lines().map(val).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (head, expected) in entries(include_str!("programs.txt")) {
        let (mode, text) = head.split_once(' ').unwrap();
        let program = Program::compile(text, &[], &Libraries::default()).unwrap();
        let found = match mode {
            "-s" => outputs(&program, Val::array(records.clone()), &World::default()),
            "-n" => {
                let world = World { inputs: RefCell::new(records.clone().into_iter()), ..World::default() };
                outputs(&program, Val::null(), &world)
            }
            _ => records.iter().flat_map(|record| outputs(&program, record.clone(), &World::default())).collect(),
        };
        count += 1;
        if found != expected {
            wrong.push(format!("{head}\n   {found:?}\n   {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(count, 154);
}
