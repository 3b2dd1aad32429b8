//! Slices of arrays and strings: bounds may have fractions, be negative, or lie outside.

use super::fault::{Error, ValR, error};
use super::value::Val;
use std::ops::Range;

/// Where a slice of a sequence starts and ends: the start is rounded down, the end up, both clamped.
pub(super) fn bounds(range: &Range<Option<&Val>>, length: usize) -> Result<(usize, usize), Error> {
    let bound = |value: Option<&Val>, default: f64| match value {
        None | Some(Val::Null) => Ok(default),
        Some(value) => {
            let value = value.as_f64();
            value.ok_or_else(|| error("Start and end indices of an array slice must be numbers"))
        }
    };
    let whole = length as f64;
    let from_end = |bound: f64| if bound < 0.0 { bound + whole } else { bound }.clamp(0.0, whole);
    let start = from_end(bound(range.start, 0.0)?).floor();
    let end = from_end(bound(range.end, whole)?).ceil().max(start);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a length; NaN is 0")]
    Ok((start as usize, end as usize))
}

/// A slice of a string, in code points.
pub(super) fn of_text(text: &str, range: &Range<Option<&Val>>) -> ValR {
    let length = if text.is_ascii() { text.len() } else { text.chars().count() };
    let (from, to) = bounds(range, length)?;
    if length == text.len() {
        return Ok(Val::string(text.get(from..to).unwrap_or_default()));
    }
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]).skip(from);
    let first = starts.next().unwrap_or(text.len());
    let last = if to > from { starts.nth(to - from - 1).unwrap_or(text.len()) } else { first };
    Ok(Val::string(text.get(first..last).unwrap_or_default()))
}
