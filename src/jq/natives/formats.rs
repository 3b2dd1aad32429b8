//! `@csv` and the other formats.

use super::{Native, Val, ValR, general, plain, wrong};
use crate::jq::fault::{Error, about};
use std::fmt::Write;

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
        plain!("@base64", |v| Ok(Val::from(BASE64.encode(text(&v).as_bytes())))),
        plain!("@base64d", |v| match BASE64.decode(&text(&v)) {
            Some(bytes) => Ok(Val::string(String::from_utf8_lossy(&bytes))),
            None if text(&v).trim_end_matches('=').len() % 4 == 1 => Err(about(&v, "trailing base64 byte found")),
            None => Err(about(&v, "is not valid base64 data")),
        }),
        plain!("@base32", |v| Ok(Val::from(BASE32.encode(text(&v).as_bytes())))),
        plain!("@base32d", |v| match BASE32.decode(&text(&v)) {
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

/// Text of digits that stand for `bits` bits each (RFC 4648): groups of bytes, of which the last is padded.
struct Base {
    alphabet: &'static [u8],
    bits: usize,
    /// Bytes of a group, as many as are a whole number of digits.
    group: usize,
}

const BASE64: Base =
    Base { alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", bits: 6, group: 3 };
const BASE32: Base = Base { alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", bits: 5, group: 5 };

impl Base {
    fn digits(&self) -> usize {
        self.group * 8 / self.bits
    }

    fn encode(&self, bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len().div_ceil(self.group) * self.digits());
        for chunk in bytes.chunks(self.group) {
            let number = chunk.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            let number = number << (8 * (self.group - chunk.len()));
            let used = (chunk.len() * 8).div_ceil(self.bits);
            for place in 0..self.digits() {
                let [low, ..] = (number >> (self.bits * (self.digits() - 1 - place))).to_le_bytes();
                let digit = usize::from(low) % self.alphabet.len();
                out.push(if place < used { char::from(self.alphabet[digit]) } else { '=' });
            }
        }
        out
    }

    /// Decodes with or without padding; `None` for what is no digit, and for a last digit that begins no byte.
    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        let digits = text.trim_end_matches('=').as_bytes();
        let mut out = Vec::with_capacity(digits.len() * self.bits / 8);
        for chunk in digits.chunks(self.digits()) {
            let mut number = 0_u64;
            for digit in chunk {
                let value = self.alphabet.iter().position(|known| known == digit)?;
                number = number << self.bits | u64::try_from(value).ok()?;
            }
            number <<= self.bits * (self.digits() - chunk.len());
            let (bytes, left) = (chunk.len() * self.bits / 8, chunk.len() * self.bits % 8);
            if left >= self.bits {
                return None;
            }
            out.extend(number.to_le_bytes()[..self.group].iter().rev().take(bytes));
        }
        Some(out)
    }
}
