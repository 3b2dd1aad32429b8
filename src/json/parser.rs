//! The parser: one line in, one view out, its buffers reused from line to line. A line is copied into a scratch and
//! parsed there by simd-json, which decodes in place and spoils what it fails on, so the line itself stays intact for
//! write-back and for messages. What simd-json refuses goes through the strict scanner, which either holds it (numbers
//! beyond 64 bits) or says what is wrong with it, and where.

use super::fault::{Fault, FaultKind};
use super::scan::Scanner;
use super::tape::TapeDoc;
use super::text;
use super::value::{JsonRef, Lane};
use super::words::{MAX_TEXT, Words};
use crate::error::Result;
use simd_json::{Buffers, INPUT_PADDING, Node, Tape};
use std::fmt;

/// The deepest nesting that any limit allows: what recursion over a document can take on a small stack.
pub(crate) const MAX_DEPTH: usize = 1024;

/// A line longer than this makes the parser drop its buffers before the next one.
const KEEP: usize = 1 << 20;

/// What a record may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Levels of arrays and objects; at most [`MAX_DEPTH`].
    pub(crate) depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 128 }
    }
}

/// A parser of JSON lines with buffers that are reused from line to line, so that reading a record allocates nothing.
///
/// ```
/// use kitbag::JsonParser;
///
/// let mut parser = JsonParser::default();
/// let mut sum = 0;
/// for line in [r#"{"user": {"id": 1}}"#, r#"{"user": {"id": 2}}"#] {
///     let record = parser.read(line.as_bytes())?;
///     sum += record.view().get("user").and_then(|user| user.get("id")?.as_u64()).unwrap_or(0);
/// }
/// assert_eq!(sum, 3);
/// # Ok::<(), kitbag::Error>(())
/// ```
pub struct JsonParser {
    scratch: Vec<u8>,
    buffers: Buffers,
    home: Home,
    scanner: Scanner,
    depth: usize,
    /// The longest line since the buffers were made.
    longest: usize,
}

/// Where a document's allocations stay between lines.
#[derive(Default)]
pub(super) struct Home {
    nodes: Vec<Node<'static>>,
    signposts: Vec<u32>,
}

impl JsonParser {
    pub(crate) fn new(limits: Limits) -> JsonParser {
        let depth = limits.depth.clamp(1, MAX_DEPTH);
        JsonParser {
            scratch: Vec::new(),
            buffers: Buffers::with_max_depth(0, depth),
            home: Home::default(),
            scanner: Scanner::default(),
            depth,
            longest: 0,
        }
    }

    /// Parses a line. The document borrows the parser and the line until it is dropped.
    ///
    /// # Errors
    ///
    /// If the line is not exactly one JSON value, with the column and what was expected, if it is nested deeper than
    /// 128 levels or longer than 256 MiB.
    pub fn read<'p>(&'p mut self, line: &'p [u8]) -> Result<JsonLine<'p>> {
        self.parse(line).map_err(|fault| fault.in_text(line))
    }

    /// Like [`read`](Self::read), with a verdict that a reader can give a place to.
    #[inline]
    pub(crate) fn parse<'p>(&'p mut self, line: &'p [u8]) -> Result<JsonLine<'p>, Fault> {
        let text = text::trim(line);
        let moved = |fault: Fault| fault.moved(offset(text, line));
        self.prepare(text).map_err(moved)?;
        self.document(text).map_err(moved)
    }

    /// Readies the buffers for a text.
    #[inline]
    pub(super) fn prepare(&mut self, text: &[u8]) -> Result<(), Fault> {
        if text.len() > MAX_TEXT {
            return Err(Fault::new(FaultKind::Size, MAX_TEXT, "expected a record of at most 256 MiB"));
        }
        if self.longest > KEEP && text.len() <= KEEP {
            self.shrink();
        }
        self.longest = self.longest.max(text.len());
        if self.scratch.len() < text.len() + INPUT_PADDING {
            self.scratch.resize(text.len() + INPUT_PADDING, b' ');
        }
        Ok(())
    }

    pub(super) fn document<'p>(&'p mut self, text: &'p [u8]) -> Result<JsonLine<'p>, Fault> {
        let JsonParser { scratch, buffers, home, scanner, depth, .. } = self;
        let mut tape: Tape<'p> = Tape(std::mem::take(&mut home.nodes));
        let base = scratch.as_ptr().addr();
        if fill_tape(scratch, text, buffers, &mut tape) {
            let document = TapeDoc::new(tape, text, base, std::mem::take(&mut home.signposts));
            return Ok(JsonLine { document: Document::Tape(document), home });
        }
        home.nodes = tape.reset().0;
        let document = Document::Words(Words(scanner.scan(text, *depth)?));
        Ok(JsonLine { document, home })
    }

    /// The bytes of memory that the buffers take, closely estimated where simd-json does not say.
    pub(crate) fn heap_size(&self) -> usize {
        let structurals = self.home.nodes.capacity() * 2 * size_of::<u32>();
        self.scratch.capacity()
            + self.home.nodes.capacity() * size_of::<Node<'_>>()
            + self.home.signposts.capacity() * size_of::<u32>()
            + self.scanner.heap_size()
            + structurals.max(self.longest / 2)
            + self.longest
    }

    /// Drops the buffers if the last text made them large.
    pub(super) fn settle(&mut self) {
        if self.longest > KEEP {
            self.shrink();
        }
    }

    /// Drops the buffers.
    pub(crate) fn shrink(&mut self) {
        *self = JsonParser::new(Limits { depth: self.depth });
    }
}

/// Copies `text` into the scratch and fills the tape from there. False if simd-json refuses the text: its verdicts have
/// no columns, so they are dropped.
#[inline]
fn fill_tape<'p>(scratch: &'p mut [u8], text: &[u8], buffers: &mut Buffers, tape: &mut Tape<'p>) -> bool {
    scratch[..text.len()].copy_from_slice(text);
    simd_json::fill_tape_padded(scratch, text.len(), buffers, tape).is_ok()
}

/// Where `text`, which is a part of `line`, starts in it.
pub(super) fn offset(text: &[u8], line: &[u8]) -> usize {
    text.as_ptr().addr().wrapping_sub(line.as_ptr().addr()).min(line.len())
}

impl Default for JsonParser {
    fn default() -> JsonParser {
        JsonParser::new(Limits::default())
    }
}

impl fmt::Debug for JsonParser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonParser").field("heap_size", &self.heap_size()).finish_non_exhaustive()
    }
}

/// A parsed line. It keeps the parser busy until it is dropped.
pub struct JsonLine<'p> {
    document: Document<'p>,
    home: &'p mut Home,
}

enum Document<'p> {
    Tape(TapeDoc<'p>),
    Words(Words<'p>),
}

impl JsonLine<'_> {
    /// The record on the line.
    #[inline]
    pub fn view(&self) -> JsonRef<'_> {
        JsonRef::root(match &self.document {
            Document::Tape(document) => Lane::Tape(document),
            Document::Words(words) => Lane::Words(*words),
        })
    }
}

impl Drop for JsonLine<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Document::Tape(document) = &mut self.document {
            let (tape, signposts) = document.take();
            *self.home = Home { nodes: tape.reset().0, signposts };
        }
    }
}

impl fmt::Debug for JsonLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.view().raw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_are_dropped() {
        let mut parser = JsonParser::default();
        let long = format!("[{}1]", "1,".repeat(KEEP));
        assert_eq!(parser.read(long.as_bytes()).unwrap().view().len(), KEEP + 1);
        // 24 bytes for each node of two bytes of text, and the rest.
        assert!(parser.heap_size() > 24 * KEEP);
        assert_eq!(parser.read(b"[1]").unwrap().view().len(), 1);
        assert!(parser.heap_size() < 10_000, "{}", parser.heap_size());
    }

    #[test]
    fn texts_of_a_long_array_take_linear_time() {
        // Quadratic, this would be ten to the eleventh steps.
        let numbers: Vec<String> = (0..500_000).map(|n| format!("{n}.0")).collect();
        let line = format!("[\"x\", [{}], [{}]]", numbers.join(", "), numbers.join(","));
        let mut parser = JsonParser::default();
        let record = parser.read(line.as_bytes()).unwrap();
        let list = record.view().at(1).unwrap();
        assert!(list.elements().zip(&numbers).all(|(element, text)| element.raw() == text));
        assert_eq!(list, record.view().at(2).unwrap());
        let owned = list.to_json();
        assert!(owned.elements().zip(&numbers).all(|(element, text)| element.raw() == text));
    }

    #[test]
    fn views_and_parsers_cross_threads() {
        fn crosses<T: Send + Sync>() {}
        crosses::<JsonRef<'_>>();
        crosses::<crate::json::Json>();
        crosses::<JsonLine<'_>>();
        crosses::<JsonParser>();
    }

    #[test]
    fn columns_count_the_space_in_front() {
        let mut parser = JsonParser::default();
        assert_eq!(parser.parse(b" \t {\"a\" 1} ").unwrap_err().column, 9);
        assert_eq!(parser.parse(b"   ").unwrap_err().column, 4);
        let error = parser.read(b"{\"a\":\x1b}").unwrap_err();
        assert_eq!(error.to_string(), "<json>:1:6: expected a value: `{\"a\":\\u{1b}}`");
    }
}
