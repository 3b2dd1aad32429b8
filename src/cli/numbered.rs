//! Records by their lines, for a program that asks in which line of its file each stands.

use std::sync::Arc;

use kitbag::{Bag, Config, Input, Iter, escape};

use crate::jq::Val;

use super::exit::Failure;

/// What a line is.
enum Line {
    Blank,
    Value(Val),
    /// What is wrong with it, and in which column.
    Wrong(u64, String),
}

impl Line {
    fn of(line: &str) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Blank;
        }
        Val::parse(line.as_bytes()).map_or_else(
            |error| {
                let column = error.place().and_then(|place| place.column).unwrap_or(1);
                Line::Wrong(column, error.message().to_owned())
            },
            Line::Value,
        )
    }
}

/// Lines, of which each is counted, also blank ones and those that are left out.
pub(super) struct Numbered {
    lines: Iter<(Arc<str>, Line)>,
    /// What cannot be read is left out.
    skip: bool,
    file: Arc<str>,
    number: u64,
    left_out: u64,
}

impl Numbered {
    pub(super) fn new(input: Input, config: Config, skip: bool) -> Result<Numbered, Failure> {
        let lines = Bag::read_text(input).with(config).map(|line| Line::of(&line)).with_paths();
        Ok(Numbered { lines: lines.iter()?, skip, file: "".into(), number: 0, left_out: 0 })
    }

    /// The number of the latest line in its shard.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many were left out.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether the next one may have to be waited for.
    pub(super) fn may_wait(&self) -> bool {
        self.lines.size_hint().0 == 0
    }

    /// The next record, and its shard.
    pub(super) fn next(&mut self) -> Result<Option<(Arc<str>, Val)>, Failure> {
        for next in &mut self.lines {
            let (path, line) = next?;
            if path != self.file {
                (self.file, self.number) = (path, 0);
            }
            self.number += 1;
            match line {
                Line::Blank => {}
                Line::Value(value) => return Ok(Some((self.file.clone(), value))),
                Line::Wrong(..) if self.skip => self.left_out += 1,
                Line::Wrong(column, message) => {
                    let place = format!("{}:{}:{column}", escape(self.file.as_bytes(), usize::MAX), self.number);
                    return Err(Failure::Input(format!("{place}: {message}")));
                }
            }
        }
        Ok(None)
    }
}
