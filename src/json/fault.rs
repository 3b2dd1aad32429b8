//! What is wrong with a line: the kind, the column and what was expected there. A fault knows no file; the reader that
//! does makes it an [`Error`] with a place.

use crate::error::{Error, ErrorKind, Place};

/// The kind of a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The text is not JSON, or more than one value.
    Syntax,
    /// The line is not UTF-8.
    Utf8,
    /// The values are nested too deeply.
    Depth,
    /// The line is longer than any record may be.
    Size,
    /// The value is JSON, but not of the type asked for.
    Type,
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// The column of the offending byte, in bytes from 1; one past the line's length if it ends too early.
    pub(crate) column: usize,
    /// What was expected there, as a sentence that starts with a small letter.
    pub(crate) expected: String,
}

impl Fault {
    /// A fault at a byte offset, counted from 0.
    pub(super) fn new(kind: FaultKind, at: usize, expected: impl Into<String>) -> Fault {
        Fault { kind, column: at + 1, expected: expected.into() }
    }

    /// The same fault in a line that has `bytes` more bytes in front.
    pub(super) fn moved(mut self, bytes: usize) -> Fault {
        self.column += bytes;
        self
    }

    /// The kind of error that this fault becomes.
    pub(crate) fn error_kind(&self) -> ErrorKind {
        match self.kind {
            FaultKind::Syntax | FaultKind::Utf8 | FaultKind::Type => ErrorKind::Record,
            FaultKind::Depth | FaultKind::Size => ErrorKind::Limit,
        }
    }

    /// The error for text that came from memory and not from a shard.
    pub(super) fn in_text(self, text: &[u8]) -> Error {
        let before = &text[..text.len().min(self.column.saturating_sub(1))];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
        let column = (self.column - line_start) as u64;
        let place = Place { path: "<json>".into(), line: Some(line), column: Some(column), byte: None };
        let rest = &text[line_start..];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        Error::new(self.error_kind(), self.expected).at(place).with_excerpt(&rest[..end])
    }
}

/// Whether a line that was refused looks like the first line of a pretty-printed document, or of one array that holds
/// all records, so that the reader can say so instead of only naming the column.
pub(crate) fn looks_like_document_start(line: &[u8]) -> bool {
    let line = super::text::trim(line);
    match line {
        [b'[' | b'{'] => true,
        [b'[', ..] | [b'{', ..] => {
            // It stops in the middle: right after a comma, a colon or an opening bracket.
            matches!(line.last(), Some(b',' | b':' | b'[' | b'{'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_from_damaged_lines() {
        for start in ["{", "[", " [ ", "[{\"a\":1},", "{\"rows\": ["] {
            assert!(looks_like_document_start(start.as_bytes()), "{start}");
        }
        for other in ["", "{\"a\":1", "{\"a\" 1}", "]", "}", "\"a\","] {
            assert!(!looks_like_document_start(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn columns_count_from_the_start_of_their_line() {
        let fault = Fault::new(FaultKind::Syntax, 8, "expected a value");
        assert_eq!(fault.in_text(b"{\n \"a\": ,\n}").to_string(), "<json>:2:7: expected a value: ` \"a\": ,`");
    }
}
