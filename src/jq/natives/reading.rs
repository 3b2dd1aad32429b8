//! Dates from text, by the formats of C.

use super::time::{DAYS, Date, MONTHS, compound};

/// Reads a date by the formats of `strptime` in the C locale. A time zone is read and not looked at, as in jq. `None`
/// where the text is not what the format says.
pub(super) fn read(text: &str, format: &str) -> Option<Date> {
    let mut reader = Reader { rest: text, date: Date::START, afternoon: None, yearday: None, epoch: None };
    reader.format(format)?;
    if !reader.rest.is_empty() {
        return None;
    }
    if let Some(epoch) = reader.epoch {
        return Some(Date::of_epoch(epoch));
    }
    let mut date = reader.date;
    if let Some(afternoon) = reader.afternoon {
        date.hour = date.hour % 12 + if afternoon { 12 } else { 0 };
    }
    if let Some(yearday) = reader.yearday {
        (date.month, date.day) = (0, yearday);
        date = Date::of_epoch(date.epoch());
    }
    Some(date)
}

struct Reader<'t> {
    rest: &'t str,
    date: Date,
    afternoon: Option<bool>,
    yearday: Option<i64>,
    epoch: Option<i64>,
}

impl Reader<'_> {
    fn format(&mut self, format: &str) -> Option<()> {
        let mut chars = format.chars();
        while let Some(char) = chars.next() {
            match char {
                '%' => {
                    let directive = chars.by_ref().find(|char| !matches!(char, 'E' | 'O'))?;
                    self.directive(directive)?;
                }
                blank if blank.is_whitespace() => self.rest = self.rest.trim_start(),
                other => self.rest = self.rest.strip_prefix(other)?,
            }
        }
        Some(())
    }

    fn directive(&mut self, directive: char) -> Option<()> {
        match directive {
            'a' | 'A' => drop(self.name(&DAYS)?),
            'b' | 'B' | 'h' => self.date.month = self.name(&MONTHS)?,
            'C' => self.date.year = self.number(2, 0..=99)? * 100 + self.date.year.rem_euclid(100),
            'd' | 'e' => self.date.day = self.number(2, 1..=31)?,
            'H' | 'k' => self.date.hour = self.number(2, 0..=23)?,
            'I' | 'l' => self.date.hour = self.number(2, 1..=12)?,
            'j' => self.yearday = Some(self.number(3, 1..=366)?),
            'm' => self.date.month = self.number(2, 1..=12)? - 1,
            'M' => self.date.minute = self.number(2, 0..=59)?,
            'p' | 'P' => self.afternoon = Some(self.name(&["AM", "PM"])? == 1),
            's' => self.epoch = Some(self.number(18, 0..=i64::MAX)?),
            'S' => self.date.second = self.number(2, 0..=60)?,
            'u' => drop(self.number(1, 1..=7)?),
            'w' => drop(self.number(1, 0..=6)?),
            'y' => {
                let year = self.number(2, 0..=99)?;
                self.date.year = if year < 69 { 2000 + year } else { 1900 + year };
            }
            'Y' => self.date.year = self.number(4, 0..=9999)?,
            'n' | 't' => self.rest = self.rest.trim_start(),
            'z' => self.zone()?,
            'Z' => self.rest = self.rest.trim_start_matches(|char: char| !char.is_whitespace()),
            '%' => self.rest = self.rest.strip_prefix('%')?,
            other => self.format(compound(other)?)?,
        }
        Some(())
    }

    fn number(&mut self, most: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.rest = self.rest.trim_start();
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        number.parse().ok().filter(|number| range.contains(number))
    }

    /// The place of the name that the text begins with, in full or by its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let starts = |name: &&str| self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let found = names.iter().enumerate().find_map(|(at, name)| {
            let short = name.get(..3).unwrap_or(name);
            [*name, short].iter().find(|name| starts(name)).map(|name| (at, name.len()))
        });
        let (at, length) = found?;
        self.rest = &self.rest[length..];
        i64::try_from(at).ok()
    }

    fn zone(&mut self) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(());
        }
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        self.number(2, 0..=23)?;
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        if self.rest.starts_with(|char: char| char.is_ascii_digit()) {
            self.number(2, 0..=59)?;
        }
        Some(())
    }
}
