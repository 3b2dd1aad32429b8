//! The strict scanner: says of any text whether it is JSON, and if not, where it is not and what was expected there. It
//! has the last word on lines that have no outline, for its faults have columns.
//!
//! Strict means RFC 8259: one value, no control characters in strings, no lone surrogates, no leading zeros. No
//! recursion: open containers are on a stack of their own.

use super::fault::{Fault, FaultKind};
use super::text::hex4;

/// Says why a text is not JSON, or nested deeper than `depth`.
pub(super) fn check(text: &[u8], depth: usize) -> Result<(), Fault> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err(Fault::new(FaultKind::Utf8, error.valid_up_to(), "expected UTF-8"));
    }
    Pass::new(text, depth).document()
}

pub(super) struct Pass<'t> {
    text: &'t [u8],
    pub(super) at: usize,
    depth: usize,
    /// For each container that has not ended yet whether it is an object.
    open: Vec<bool>,
}

impl<'t> Pass<'t> {
    pub(super) fn new(text: &'t [u8], depth: usize) -> Pass<'t> {
        Pass { text, at: 0, depth, open: Vec::new() }
    }

    fn document(&mut self) -> Result<(), Fault> {
        self.space();
        self.whole_value()?;
        self.space();
        if self.peek().is_some() { Err(self.behind()) } else { Ok(()) }
    }

    /// There is something behind a value that has ended here.
    pub(super) fn behind(&self) -> Fault {
        self.fault("expected the end of the line after the value")
    }

    pub(super) fn whole_value(&mut self) -> Result<(), Fault> {
        loop {
            if self.value()? {
                continue;
            }
            // A value has ended; so may the containers around it.
            loop {
                let Some(&object) = self.open.last() else { return Ok(()) };
                self.space();
                match (self.text.get(self.at), object) {
                    (Some(b','), _) => {
                        self.at += 1;
                        self.space();
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    (Some(b']'), false) | (Some(b'}'), true) => self.close(),
                    (_, true) => return Err(self.fault("expected `,` or `}`")),
                    (_, false) => return Err(self.fault("expected `,` or `]`")),
                }
            }
        }
    }

    /// Scans one value, or the start of a container with elements: then true, and its first value is next.
    fn value(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.atom(b"true")?,
            Some(b'f') => self.atom(b"false")?,
            Some(b'n') => self.atom(b"null")?,
            Some(byte @ (b'{' | b'[')) => return self.open(byte == b'{'),
            Some(0xEF) if self.at == 0 && self.text.starts_with(b"\xEF\xBB\xBF") => {
                return Err(self.fault("expected a value, found a byte order mark"));
            }
            _ => return Err(self.fault("expected a value")),
        }
        Ok(false)
    }

    fn open(&mut self, object: bool) -> Result<bool, Fault> {
        if self.open.len() >= self.depth {
            let expected = format!("expected at most {} levels of arrays and objects", self.depth);
            return Err(Fault::new(FaultKind::Depth, self.at, expected));
        }
        self.open.push(object);
        self.at += 1;
        self.space();
        if self.peek() == Some(if object { b'}' } else { b']' }) {
            self.close();
            return Ok(false);
        }
        if object {
            self.key()?;
        }
        Ok(true)
    }

    fn close(&mut self) {
        self.at += 1;
        self.open.pop();
    }

    fn key(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a key in quotes"));
        }
        self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.fault("expected `:` after the key"));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => return Err(self.fault("expected control characters in strings to be escaped")),
                Some(_) => self.at += 1,
                None => return Err(self.fault("expected `\"` to end the string")),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let code = hex4(self.text, self.at + 2);
                match code {
                    0xD800..0xDC00 => {
                        let low = match self.text.get(self.at + 6..self.at + 8) {
                            Some(b"\\u") => hex4(self.text, self.at + 8),
                            _ => 0,
                        };
                        if !(0xDC00..0xE000).contains(&low) {
                            return Err(self.fault("expected both halves of a surrogate pair"));
                        }
                        self.at += 12;
                    }
                    0xDC00..0xE000 => return Err(self.fault("expected both halves of a surrogate pair")),
                    0..0x10000 => self.at += 6,
                    _ => return Err(self.fault("expected four hexadecimal digits after `\\u`")),
                }
            }
            None => {
                self.at += 1;
                return Err(self.fault("expected an escape"));
            }
            Some(_) => return Err(self.fault("expected one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.fault("expected a number without leading zeros"));
            }
        } else {
            self.digits("expected a digit")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("expected a digit after the decimal point")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("expected a digit in the exponent")?;
        }
        Ok(())
    }

    fn digits(&mut self, expected: &str) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault(expected)) } else { Ok(()) }
    }

    fn atom(&mut self, atom: &[u8]) -> Result<(), Fault> {
        let same = self.text[self.at..].iter().zip(atom).take_while(|(a, b)| a == b).count();
        if same < atom.len() {
            let expected = format!("expected `{}`", super::text::utf8(atom));
            self.at += same;
            return Err(self.fault(&expected));
        }
        self.at += atom.len();
        Ok(())
    }

    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn fault(&self, expected: &str) -> Fault {
        let end = if self.at >= self.text.len() { ", found the end of the line" } else { "" };
        Fault::new(FaultKind::Syntax, self.at, format!("{expected}{end}"))
    }
}
