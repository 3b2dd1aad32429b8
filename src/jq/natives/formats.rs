//! `@csv` and the other formats.

use super::{Native, Val, ValR, general, plain, wrong};
use crate::jq::fault::{Error, about};
use std::fmt::Write;

/// Of base 32, by RFC 4648.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn natives() -> Vec<Native> {
    vec![
        plain!("@text", |v| Ok(Val::from(text(&v)))),
        plain!("tostring", |v| Ok(jaq_core::ValT::into_string(v))),
        plain!("@json", |v| Ok(Val::from(v.to_json()))),
        plain!("@csv", |v| row(&v, "csv", ",", |text| format!("\"{}\"", text.replace('"', "\"\"")))),
        plain!("@tsv", |v| row(&v, "tsv", "\t", |text| {
            text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
        })),
        plain!("@html", |v| Ok(Val::from(html(&text(&v))))),
        plain!("@uri", |v| Ok(Val::from(uri(&text(&v))))),
        plain!("@urid", |v| from_uri(&text(&v)).map(Val::from)),
        plain!("@sh", shell),
        plain!("@base64", |v| Ok(Val::from(base64(text(&v).as_bytes())))),
        plain!("@base64d", |v| match from_base64(&text(&v)) {
            Some(bytes) => Ok(Val::string(String::from_utf8_lossy(&bytes))),
            None if text(&v).trim_end_matches('=').len() % 4 == 1 => Err(about(&v, "trailing base64 byte found")),
            None => Err(about(&v, "is not valid base64 data")),
        }),
        plain!("@base32", |v| Ok(Val::from(base32(text(&v).as_bytes())))),
        plain!("@base32d", |v| match from_base32(&text(&v)) {
            Some(bytes) => Ok(Val::string(String::from_utf8_lossy(&bytes))),
            None => Err(about(&v, "is not valid base32 data")),
        }),
    ]
}

fn text(value: &Val) -> String {
    value.as_str().map_or_else(|| value.to_json(), String::from)
}

fn row(value: &Val, format: &str, separator: &str, quote: fn(&str) -> String) -> ValR {
    let cells =
        value.as_array().ok_or_else(|| about(value, &format!("cannot be {format}-formatted, only an array can be")))?;
    let cell = |cell: &Val| match cell {
        Val::Null => Ok(String::new()),
        Val::Str(text) => Ok(quote(text)),
        Val::Arr(_) | Val::Obj(_) => Err(about(cell, &format!("is not valid in a {format} row"))),
        other => Ok(other.to_json()),
    };
    let cells: Vec<String> = cells.iter().map(cell).collect::<Result<_, Error>>()?;
    Ok(Val::from(cells.join(separator)))
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

fn uri(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            // Writing to a string does not fail.
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    out
}

fn from_uri(text: &str) -> Result<String, Error> {
    let invalid = || wrong(format!("{} is not a valid uri encoding", crate::jq::fault::named(&Val::string(text))));
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let value = digit().and_then(|high| Some(high * 16 + digit()?));
            out.push(value.and_then(|value| u8::try_from(value).ok()).ok_or_else(invalid)?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).map_err(|_| invalid())
}

fn shell(value: Val) -> ValR {
    let word = |value: &Val| match value {
        Val::Str(text) => Ok(format!("'{}'", text.replace('\'', "'\\''"))),
        Val::Arr(_) | Val::Obj(_) => Err(about(value, "can not be escaped for shell")),
        other => Ok(other.to_json()),
    };
    let words = value.as_array().unwrap_or(std::slice::from_ref(&value));
    let words: Vec<String> = words.iter().map(word).collect::<Result<_, Error>>()?;
    Ok(Val::from(words.join(" ")))
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().enumerate().fold(0_usize, |bits, (at, byte)| bits | usize::from(*byte) << (16 - 8 * at));
        for place in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * place) & 63];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// Decodes with or without padding.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut bits = 0_u32;
        for (place, byte) in chunk.iter().enumerate() {
            let digit = DIGITS.iter().position(|digit| digit == byte)?;
            bits |= u32::try_from(digit).ok()? << (18 - 6 * place);
        }
        let [low, middle, high, _] = bits.to_le_bytes();
        // A lone digit at the end holds no byte.
        out.extend_from_slice([high, middle, low].get(..(chunk.len() * 6) / 8)?);
    }
    (digits.len() % 4 != 1).then_some(out)
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().enumerate().fold(0, |bits, (at, byte)| bits | u64::from(*byte) << (32 - 8 * at));
        let used = (chunk.len() * 8).div_ceil(5);
        for place in 0..8 {
            let [digit, ..] = (bits >> (35 - 5 * place) & 31).to_le_bytes();
            out.push(if place < used { char::from(LETTERS[usize::from(digit)]) } else { '=' });
        }
    }
    out
}

/// Decodes with or without padding.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(digits.len() / 8 * 5 + 4);
    for chunk in digits.chunks(8) {
        let mut bits = 0_u64;
        for (place, byte) in chunk.iter().enumerate() {
            let digit = LETTERS.iter().position(|digit| digit == byte)?;
            bits |= u64::try_from(digit).ok()? << (59 - 5 * place);
        }
        // One, three or six digits at the end are no whole bytes.
        if !matches!(chunk.len(), 2 | 4 | 5 | 7 | 8) {
            return None;
        }
        let mut bytes = bits.to_le_bytes();
        bytes.reverse();
        out.extend_from_slice(bytes.get(..chunk.len() * 5 / 8)?);
    }
    Some(out)
}
