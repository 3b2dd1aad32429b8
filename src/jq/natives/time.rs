//! The proleptic Gregorian calendar in UTC: seconds to dates and back (the algorithms of Howard Hinnant, "chrono-compatible
//! low-level date algorithms"), and dates as text by the formats of C.

use std::fmt::Write;

pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const MONTHS: [&str; 12] = [
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
            'n' => out.write_char('\n'),
            'p' => write!(out, "{half}"),
            'P' => write!(out, "{}", half.to_ascii_lowercase()),
            's' => write!(out, "{}", self.epoch()),
            'S' => write!(out, "{:02}", self.second),
            't' => out.write_char('\t'),
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
pub(super) fn compound(directive: char) -> Option<&'static str> {
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

#[cfg(test)]
mod tests {
    use super::super::reading::read;
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
