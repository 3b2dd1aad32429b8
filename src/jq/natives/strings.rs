//! Functions of strings.

use super::values::elements;
use super::{Native, Val, ValR, general, plain, with_one, wrong};
use crate::jq::arithmetic;
use crate::jq::fault::about;

pub(super) fn natives() -> Vec<Native> {
    vec![
        plain!("ascii_downcase", |v| map(&v, "cannot be lowercased", |text| text.to_ascii_lowercase())),
        plain!("ascii_upcase", |v| map(&v, "cannot be uppercased", |text| text.to_ascii_uppercase())),
        plain!("trim", |v| trimmed(&v, str::trim)),
        plain!("ltrim", |v| trimmed(&v, str::trim_start)),
        plain!("rtrim", |v| trimmed(&v, str::trim_end)),
        plain!("explode", |v| match &v {
            Val::Str(text) => Ok(text.chars().map(|char| Val::Int(i64::from(u32::from(char)))).collect()),
            _ => Err(about(&v, "cannot be exploded")),
        }),
        plain!("implode", implode),
        with_one!("startswith", |v, start| match (&v, &start) {
            (Val::Str(text), Val::Str(start)) => Ok(Val::Bool(text.starts_with(start.as_str()))),
            _ => Err(wrong("startswith() requires string inputs")),
        }),
        with_one!("endswith", |v, end| match (&v, &end) {
            (Val::Str(text), Val::Str(end)) => Ok(Val::Bool(text.ends_with(end.as_str()))),
            _ => Err(wrong("endswith() requires string inputs")),
        }),
        with_one!("ltrimstr", |v, start| Ok(without(&v, &start, |text, part| text.strip_prefix(part)).unwrap_or(v))),
        with_one!("rtrimstr", |v, end| Ok(without(&v, &end, |text, part| text.strip_suffix(part)).unwrap_or(v))),
        with_one!("_split", |v, separator| match (&v, &separator) {
            (Val::Str(text), Val::Str(separator)) => Ok(arithmetic::split(text, separator)),
            _ => Err(wrong("split input and separator must be strings")),
        }),
    ]
}

fn map(value: &Val, what: &str, f: fn(&str) -> String) -> ValR {
    match value {
        Val::Str(text) => Ok(Val::from(f(text))),
        _ => Err(about(value, what)),
    }
}

fn trimmed(value: &Val, trim: fn(&str) -> &str) -> ValR {
    value.as_str().map(|text| Val::string(trim(text))).ok_or_else(|| wrong("trim input must be a string"))
}

/// Leaves alone what is no string.
fn without(value: &Val, part: &Val, strip: for<'t> fn(&'t str, &str) -> Option<&'t str>) -> Option<Val> {
    strip(value.as_str()?, part.as_str()?).map(Val::string)
}

fn implode(value: Val) -> ValR {
    let codes = elements(value, "cannot be imploded, must be an array of codepoints")?;
    let char = |code: &Val| match code {
        code if code.is_number() => {
            let char = code.as_i64().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
            Ok(char.unwrap_or(char::REPLACEMENT_CHARACTER))
        }
        _ => Err(wrong("Unicode codepoint must be numeric")),
    };
    codes.iter().map(char).collect::<Result<String, _>>().map(Val::from)
}
