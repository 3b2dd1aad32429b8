//! Errors of programs, in the words of jq 1.8.

use super::value::Val;

pub(super) type Error = jaq_core::Error<Val>;
pub(super) type ValR = Result<Val, Error>;
pub(super) type ValX<'a> = jaq_core::ValX<'a, Val>;
pub(super) type ValXs<'a> = jaq_core::ValXs<'a, Val>;

/// How much of a value a message shows.
const SHOWN: usize = 29;

/// The value as messages name it: its type and the start of its text.
pub(super) fn named(value: &Val) -> String {
    let mut text = value.to_json();
    if text.len() > SHOWN {
        let close = match value {
            Val::Str(_) => "\"",
            Val::Arr(_) => "]",
            Val::Obj(_) => "}",
            _ => "",
        };
        let most = SHOWN - 3 - close.len();
        text.truncate((0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0));
        text = text + "..." + close;
    }
    format!("{} ({text})", value.kind())
}

pub(super) fn error(message: impl Into<String>) -> Error {
    Error::new(Val::from(message.into()))
}

/// `VALUE WHAT`: "number (1) has no keys".
pub(super) fn about(value: &Val, what: &str) -> Error {
    error(format!("{} {what}", named(value)))
}

pub(super) fn both(left: &Val, right: &Val, what: &str) -> Error {
    error(format!("{} and {} {what}", named(left), named(right)))
}

pub(super) fn no_index(value: &Val, key: &Val) -> Error {
    match key {
        Val::Obj(_) => error(format!("Cannot index {} with object", value.kind())),
        Val::Str(_) | Val::Int(_) | Val::Big(_) | Val::Float(_) | Val::Lit(_) => {
            error(format!("Cannot index {} with {}", value.kind(), named(key)))
        }
        _ => error(format!("Cannot index {} with {}", value.kind(), key.kind())),
    }
}

pub(super) fn no_values(value: &Val) -> Error {
    error(format!("Cannot iterate over {}", named(value)))
}
