//! Values as text, by jq's rules: numbers that nobody computed with as they were written, everything else encoded anew.

use super::number::write_f64;
use super::value::Val;
use std::fmt;
use std::io::Write;

/// What is nested deeper than this is not printed, as in jq.
const DEEPEST: usize = 10_000;

/// How values are printed. The default is compact, in the order of the members, as UTF-8.
#[derive(Clone, Debug, Default)]
pub(crate) struct Style {
    pub(crate) indent: Indent,
    /// Members in the order of their keys.
    pub(crate) sort_keys: bool,
    /// Escapes instead of everything beyond ASCII.
    pub(crate) ascii: bool,
    pub(crate) colours: Option<Colours>,
}

/// The layout of arrays and objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Indent {
    /// Everything on one line, without blanks.
    #[default]
    Compact,
    Spaces(usize),
    Tab,
}

/// The colours of `null`, `false`, `true`, numbers, strings, arrays, objects and keys, as the parameters of an escape
/// sequence (`0;32`).
#[derive(Clone, Debug)]
pub(crate) struct Colours([String; 8]);

impl Default for Colours {
    fn default() -> Colours {
        Colours(["0;90", "0;39", "0;39", "0;39", "0;32", "1;39", "1;39", "34;1"].map(String::from))
    }
}

impl Colours {
    /// The colours that a value of `JQ_COLORS` asks for: up to eight, separated by colons. `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Colours> {
        let mut colours = Colours::default();
        let fits = |colour: &str| colour.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
        for (place, colour) in text.split(':').enumerate() {
            *colours.0.get_mut(place)? = Some(colour).filter(|colour| fits(colour))?.to_owned();
        }
        Some(colours)
    }
}

impl Val {
    /// Appends the value's text.
    pub(crate) fn write(&self, style: &Style, out: &mut Vec<u8>) {
        Writer { style, out }.value(self, 0);
    }

    /// The value's text in the default style.
    pub(crate) fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write(&Style::default(), &mut out);
        // The writer writes UTF-8 only.
        String::from_utf8(out).unwrap_or_default()
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

struct Writer<'w> {
    style: &'w Style,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Val, depth: usize) {
        let colour = usize::from(value.rank());
        self.start(colour);
        if depth > DEEPEST {
            self.out.extend_from_slice(b"<skipped: too deep>");
        } else {
            match value {
                Val::Null => self.out.extend_from_slice(b"null"),
                Val::Bool(value) => self.out.extend_from_slice(if *value { b"true" } else { b"false" }),
                // Writing to a vector does not fail.
                Val::Int(value) => drop(write!(self.out, "{value}")),
                Val::Big(value) => drop(write!(self.out, "{value}")),
                Val::Float(value) => write_f64(*value, self.out),
                Val::Lit(text) => self.out.extend_from_slice(text.as_bytes()),
                Val::Str(text) => quote(text, self.style.ascii, self.out),
                Val::Arr(array) => self.list(b"[]", colour, depth, array.iter(), Writer::value),
                Val::Obj(object) if self.style.sort_keys => {
                    self.list(b"{}", colour, depth, object.sorted().into_iter(), Writer::member);
                }
                Val::Obj(object) => self.list(b"{}", colour, depth, object.iter(), Writer::member),
            }
        }
        self.end();
    }

    fn member(&mut self, (key, value): (&smol_str::SmolStr, &Val), depth: usize) {
        self.start(7);
        quote(key, self.style.ascii, self.out);
        self.end();
        self.start(6);
        self.out.extend_from_slice(if self.style.indent == Indent::Compact { b":" } else { b": " });
        self.end();
        self.value(value, depth);
    }

    fn list<T>(
        &mut self,
        brackets: &[u8; 2],
        colour: usize,
        depth: usize,
        items: impl ExactSizeIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T, usize),
    ) {
        self.out.push(brackets[0]);
        let empty = items.len() == 0;
        for (place, one) in items.enumerate() {
            if place > 0 {
                self.start(colour);
                self.out.push(b',');
            }
            self.line(depth + 1);
            self.end();
            item(self, one, depth + 1);
        }
        if !empty {
            self.start(colour);
            self.line(depth);
        }
        self.out.push(brackets[1]);
    }

    fn line(&mut self, depth: usize) {
        let (blank, count) = match self.style.indent {
            Indent::Compact => return,
            Indent::Spaces(count) => (b' ', count),
            Indent::Tab => (b'\t', 1),
        };
        self.out.push(b'\n');
        self.out.resize(self.out.len() + depth * count, blank);
    }

    #[inline]
    fn start(&mut self, colour: usize) {
        if let Some(colours) = &self.style.colours {
            let _ = write!(self.out, "\x1b[{}m", colours.0[colour]);
        }
    }

    #[inline]
    fn end(&mut self) {
        if self.style.colours.is_some() {
            self.out.extend_from_slice(b"\x1b[0m");
        }
    }
}

/// Appends a string in quotation marks.
pub(super) fn quote(text: &str, ascii: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = first_special(rest.as_bytes(), ascii) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut chars = tail.chars();
        if let Some(char) = chars.next() {
            escape(char, out);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// Where the first byte is that cannot stand as it is. Most strings have none, which whole chunks tell without branches.
fn first_special(bytes: &[u8], ascii: bool) -> Option<usize> {
    let wrong = |byte: &u8| special(*byte) | (ascii & (*byte >= 0x80));
    let clean = bytes.chunks(16).take_while(|chunk| !chunk.iter().fold(false, |found, byte| found | wrong(byte)));
    let from = (clean.count() * 16).min(bytes.len());
    bytes[from..].iter().position(wrong).map(|at| from + at)
}

#[inline]
fn special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0x7f)
}

fn escape(char: char, out: &mut Vec<u8>) {
    let short = match char {
        '"' => b'"',
        '\\' => b'\\',
        '\x08' => b'b',
        '\x0c' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, style: &Style) -> String {
        let mut out = Vec::new();
        Val::parse(text.as_bytes()).unwrap().write(style, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_encoded_as_jq_does() {
        for (text, expected) in [
            (r#"{"a": "\u00e9\/", "b":[ ], "a": {}}"#, r#"{"a":{},"b":[]}"#),
            (
                r#"["\u00e9\/<\u2028\u0000\u001F\u007f\b\f\n\r\t\"\\", 1.50, 1e2, -0, 0.10]"#,
                "[\"é/<\u{2028}\\u0000\\u001f\\u007f\\b\\f\\n\\r\\t\\\"\\\\\",1.50,1e2,-0,0.10]",
            ),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(written(text, &Style::default()), expected);
        }
    }

    #[test]
    fn styles() {
        let text = r#"{"b":[1,{"é😀":null}],"a":{},"c":[]}"#;
        let spaces = Style { indent: Indent::Spaces(2), sort_keys: true, ascii: true, colours: None };
        let expected = "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"\\u00e9\\ud83d\\ude00\": null\n    }\n  ],\n  \"c\": []\n}";
        assert_eq!(written(text, &spaces), expected);
        assert_eq!(written("[1]", &Style { indent: Indent::Tab, ..Style::default() }), "[\n\t1\n]");
        let colours = Style { colours: Colours::parse("1;31"), ..Style::default() };
        assert_eq!(written("[null]", &colours), "\x1b[1;39m[\x1b[0m\x1b[1;31mnull\x1b[0m\x1b[1;39m]\x1b[0m");
        assert!(Colours::parse("red").is_none() && Colours::parse("1:2:3:4:5:6:7:8:9").is_none());
    }
}
