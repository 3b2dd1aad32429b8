//! Records by their lines, for a program that asks in which line of its file each stands.

use std::collections::VecDeque;
use std::sync::Arc;

use kitbag::{Bag, Config, Error, Input, Iter, MaxErrors, escape, values_in};

use crate::jq::Val;

use super::exit::Failure;

/// What a line holds: values, or what is wrong, and in which column.
type Line = VecDeque<Result<Val, (u64, String)>>;

fn read(line: &str) -> Line {
    let wrong = |error: kitbag::Error| {
        let column = error.place().and_then(|place| place.column).unwrap_or(1);
        Err((column, error.message().to_owned()))
    };
    if line.trim_ascii().is_empty() {
        return Line::new();
    }
    match values_in(line.as_bytes()) {
        Ok(found) => found.map(|range| Val::parse(&line.as_bytes()[range]).or_else(wrong)).collect(),
        Err(error) => [wrong(error)].into(),
    }
}

/// Lines, of which each is counted, also blank ones and those that are left out.
pub(super) struct Numbered {
    lines: Iter<(Arc<str>, Line)>,
    /// What the latest line still holds.
    line: Line,
    /// What cannot be read is left out, no more than so much.
    skip: Option<MaxErrors>,
    /// Records, read or left out.
    count: u64,
    file: Arc<str>,
    number: u64,
    left_out: u64,
}

impl Numbered {
    pub(super) fn new(input: Input, config: Config, skip: Option<MaxErrors>) -> Result<Numbered, Failure> {
        let lines = Bag::read_text(input).with(config).map(|line| read(&line)).with_paths();
        Ok(Numbered {
            lines: lines.iter()?,
            line: Line::new(),
            skip,
            count: 0,
            file: "".into(),
            number: 0,
            left_out: 0,
        })
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
        self.line.is_empty() && self.lines.size_hint().0 == 0
    }

    /// The next record, and its shard.
    pub(super) fn next(&mut self) -> Result<Option<(Arc<str>, Val)>, Failure> {
        loop {
            let next = self.line.pop_front();
            self.count += u64::from(next.is_some());
            match next {
                Some(Ok(value)) => return Ok(Some((self.file.clone(), value))),
                Some(Err((column, message))) => {
                    let place = format!("{}:{}:{column}", escape(self.file.as_bytes(), usize::MAX), self.number);
                    let Some(most) = self.skip else {
                        return Err(Failure::Input(format!("{place}: {message}")));
                    };
                    self.left_out += 1;
                    let over = |error: Error| Failure::Input(format!("{place}: {}", error.message()));
                    most.check_so_far(self.left_out, self.count).map_err(over)?;
                }
                None => {
                    let Some((path, line)) = self.lines.next().transpose()? else { return Ok(None) };
                    if path != self.file {
                        (self.file, self.number) = (path, 0);
                    }
                    (self.line, self.number) = (line, self.number + 1);
                }
            }
        }
    }
}
