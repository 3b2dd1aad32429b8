//! The proleptic Gregorian calendar in UTC: seconds to dates and back (the algorithms of Howard Hinnant, "chrono-compatible
//! low-level date algorithms"), and dates as text by the formats of C.

use std::fmt::Write;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment, broken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 0.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Date {
    pub(super) const START: Date = Date { year: 1900, month: 0, day: 1, hour: 0, minute: 0, second: 0 };

    /// The date so many seconds after the start of 1970.
    pub(super) fn of_epoch(seconds: i64) -> Date {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Eras of 400 years that begin in March of a year divisible by 400.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = (from_march + 2) % 12;
        let year = year_of_era + era * 400 + i64::from(month < 2);
        Date { year, month, day, hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60 }
    }

    /// Seconds since the start of 1970. Months beyond a year's, days beyond a month's and so on run over.
    pub(super) fn epoch(&self) -> i64 {
        let year = self.year + self.month.div_euclid(12);
        self.days_at(year, self.month.rem_euclid(12)) * 86_400 + self.hour * 3600 + self.minute * 60 + self.second
    }

    fn days_at(&self, year: i64, month: i64) -> i64 {
        let year = year - i64::from(month < 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * ((month + 10) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The day of the week, Sunday being 0.
    pub(super) fn weekday(&self) -> i64 {
        (self.epoch().div_euclid(86_400) + 4).rem_euclid(7)
    }

    /// The day of the year, from 0.
    pub(super) fn yearday(&self) -> i64 {
        let first = Date { month: 0, day: 1, ..*self };
        (self.epoch() - first.epoch()).div_euclid(86_400)
    }

    /// Year and week of ISO 8601.
    fn iso_week(&self) -> (i64, i64) {
        // The week belongs to the year of its Thursday.
        let to_thursday = 3 - (self.weekday() + 6) % 7;
        let thursday = Date::of_epoch(self.epoch() + to_thursday * 86_400);
        (thursday.year, thursday.yearday() / 7 + 1)
    }

    /// The date as text, by the formats of `strftime` in the C locale. What is no format stays as it is.
    pub(super) fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(char) = chars.next() {
            if char != '%' {
                out.push(char);
                continue;
            }
            // Flags and modifiers of C that change nothing in this locale.
            let directive = chars.by_ref().find(|char| !matches!(char, 'E' | 'O'));
            match directive {
                Some(directive) => self.directive(directive, &mut out),
                None => out.push('%'),
            }
        }
        out
    }

    fn directive(&self, directive: char, out: &mut String) {
        let hour = match self.hour % 12 {
            0 => 12,
            hour => hour,
        };
        let name = |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied());
        let (day, month) = (name(&DAYS, self.weekday()), name(&MONTHS, self.month));
        let short = |name: Option<&'static str>| name.and_then(|name| name.get(..3)).unwrap_or("?");
        let half = if self.hour < 12 { "AM" } else { "PM" };
        // Writing to a string does not fail.
        let _ = match directive {
            'a' => write!(out, "{}", short(day)),
            'A' => write!(out, "{}", day.unwrap_or("?")),
            'b' | 'h' => write!(out, "{}", short(month)),
            'B' => write!(out, "{}", month.unwrap_or("?")),
            'C' => write!(out, "{:02}", self.year.div_euclid(100)),
            'd' => write!(out, "{:02}", self.day),
            'e' => write!(out, "{:2}", self.day),
            'g' => write!(out, "{:02}", self.iso_week().0.rem_euclid(100)),
            'G' => write!(out, "{}", self.iso_week().0),
            'H' => write!(out, "{:02}", self.hour),
            'I' => write!(out, "{hour:02}"),
            'j' => write!(out, "{:03}", self.yearday() + 1),
            'k' => write!(out, "{:2}", self.hour),
            'l' => write!(out, "{hour:2}"),
            'm' => write!(out, "{:02}", self.month + 1),
            'M' => write!(out, "{:02}", self.minute),
            'n' => write!(out, "\n"),
            'p' => write!(out, "{half}"),
            'P' => write!(out, "{}", half.to_ascii_lowercase()),
            's' => write!(out, "{}", self.epoch()),
            'S' => write!(out, "{:02}", self.second),
            't' => write!(out, "\t"),
            'u' => write!(out, "{}", (self.weekday() + 6) % 7 + 1),
            'U' => write!(out, "{:02}", (self.yearday() + 7 - self.weekday()) / 7),
            'V' => write!(out, "{:02}", self.iso_week().1),
            'w' => write!(out, "{}", self.weekday()),
            'W' => write!(out, "{:02}", (self.yearday() + 7 - (self.weekday() + 6) % 7) / 7),
            'y' => write!(out, "{:02}", self.year.rem_euclid(100)),
            'Y' => write!(out, "{}", self.year),
            'z' => write!(out, "+0000"),
            'Z' => write!(out, "UTC"),
            '%' => write!(out, "%"),
            other => match compound(other) {
                Some(format) => write!(out, "{}", self.format(format)),
                None => write!(out, "%{other}"),
            },
        };
    }
}

/// Directives that stand for several.
fn compound(directive: char) -> Option<&'static str> {
    Some(match directive {
        'c' => "%a %b %e %H:%M:%S %Y",
        'D' | 'x' => "%m/%d/%y",
        'F' => "%Y-%m-%d",
        'r' => "%I:%M:%S %p",
        'R' => "%H:%M",
        'T' | 'X' => "%H:%M:%S",
        _ => return None,
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn dates_and_seconds_agree(seconds in -100_000_000_000_i64..400_000_000_000) {
            let date = Date::of_epoch(seconds);
            prop_assert_eq!(date.epoch(), seconds);
            let text = date.format("%j %a");
            prop_assert!(date.day >= 1 && date.day <= 31 && text.len() == 7);
            if (0..=9999).contains(&date.year) {
                let format = "%Y-%m-%dT%H:%M:%SZ";
                prop_assert_eq!(read(&format!("{:04}{}", date.year, &date.format(format)[date.year.to_string().len()..]), format), Some(date));
            }
        }
    }
}
