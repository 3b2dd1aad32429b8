//! Dates, in UTC: a program does not see the time zone of the machine.

use super::reading::read;
use super::time::Date;
use super::{Native, Val, ValR, general, plain, with_one, wrong};
use crate::jq::fault::{Error, about};

/// Seconds beyond this are no date: the year has six digits.
const LATEST: f64 = 31_556_889_864_403.0;

pub(super) fn natives() -> Vec<Native> {
    vec![
        plain!("gmtime", gmtime),
        plain!("mktime", |v| Ok(Val::Int(broken_down(&v, "mktime requires parsed datetime inputs")?.epoch()))),
        with_one!("strftime", strftime),
        with_one!("strptime", |v, format| match (&v, &format) {
            (Val::Str(text), Val::Str(format)) => match read(text, format) {
                Some(date) => Ok(parts(&date, 0.0)),
                None => Err(wrong(format!("date \"{text}\" does not match format \"{format}\""))),
            },
            (Val::Str(_), _) => Err(wrong("strptime/1 requires a string format")),
            _ => Err(about(&v, "cannot be parsed as a date: strptime/1 requires string inputs")),
        }),
        plain!("fromdateiso8601", from_iso),
    ]
}

fn gmtime(value: Val) -> ValR {
    let seconds = value.as_f64().ok_or_else(|| wrong("gmtime() requires a number"))?;
    let date = of_seconds(seconds)?;
    Ok(parts(&date, seconds - seconds.floor()))
}

fn of_seconds(seconds: f64) -> Result<Date, Error> {
    if seconds.abs() > LATEST || seconds.is_nan() {
        return Err(wrong("error converting number of seconds since epoch to datetime"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range")]
    Ok(Date::of_epoch(seconds.floor() as i64))
}

fn parts(date: &Date, fraction: f64) -> Val {
    let second = if fraction == 0.0 { Val::Int(date.second) } else { Val::Float(date.second as f64 + fraction) };
    let [year, month, day, hour, minute] = [date.year, date.month, date.day, date.hour, date.minute].map(Val::Int);
    let (weekday, yearday) = (Val::Int(date.weekday()), Val::Int(date.yearday()));
    Val::array(vec![year, month, day, hour, minute, second, weekday, yearday])
}

/// The date of an array of year, month from 0, day, hour, minute and second, which may run over; those that are not there
/// are 0.
fn broken_down(value: &Val, what: &str) -> Result<Date, Error> {
    let parts = value.as_array().ok_or_else(|| wrong(what))?;
    let mut numbers = [0; 6];
    for (number, part) in numbers.iter_mut().zip(parts.iter()) {
        let part = part.as_f64().ok_or_else(|| wrong(what))?;
        if part.abs() >= 1e9 || part.is_nan() {
            return Err(wrong("invalid gmtime representation"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "in range")]
        (*number = part.floor() as i64);
    }
    let [year, month, day, hour, minute, second] = numbers;
    Ok(Date { year, month, day, hour, minute, second })
}

fn strftime(value: Val, format: Val) -> ValR {
    let Val::Str(format) = &format else { return Err(wrong("strftime/1 requires a string format")) };
    let date = match value.as_f64() {
        Some(seconds) => of_seconds(seconds)?,
        None => Date::of_epoch(broken_down(&value, "strftime/1 requires parsed datetime inputs")?.epoch()),
    };
    Ok(Val::from(date.format(format)))
}

/// `2024-11-21T16:25:49`, a fraction or none, `Z` or an offset.
fn from_iso(value: Val) -> ValR {
    let Val::Str(text) = &value else {
        return Err(about(&value, "cannot be parsed as a date: strptime/1 requires string inputs"));
    };
    let format = "%Y-%m-%dT%H:%M:%S";
    let no_date = || wrong(format!("date \"{text}\" does not match format \"{format}Z\""));
    let (clock, rest) = text.split_at_checked(19).ok_or_else(no_date)?;
    let date = read(clock, format).ok_or_else(no_date)?;
    let (digits, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", rest),
    };
    if rest.starts_with('.') && digits.is_empty() {
        return Err(no_date());
    }
    let seconds = date.epoch() - offset(zone).ok_or_else(no_date)?;
    if digits.trim_end_matches('0').is_empty() {
        return Ok(Val::Int(seconds));
    }
    let exact = if seconds >= 0 { format!("{seconds}.{digits}").parse().ok() } else { None };
    let fraction = || format!("0.{digits}").parse().unwrap_or(0.0);
    Ok(Val::Float(exact.unwrap_or_else(|| seconds as f64 + fraction())))
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let (sign, clock) = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':').or_else(|| clock.split_at_checked(2))?;
    let part = |text: &str, most: i64| {
        let number = text.parse::<i64>().ok().filter(|_| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()));
        number.filter(|number| *number <= most)
    };
    Some(sign * (part(hours, 23)? * 3600 + part(minutes, 59)? * 60))
}
