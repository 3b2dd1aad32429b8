//! The parser: one line in, one view out, its buffers reused from line to line. The line itself stays intact, for
//! write-back and for messages. What gets no outline goes through the strict scanner, which says what is wrong with it,
//! and where.

use super::ahead::Ahead;
use super::fault::{Fault, FaultKind};
use super::outline::{Outline, Outlined};
use super::scan;
use super::structure::Structure;
use super::text;
use super::value::{JsonRef, Lane};
use super::weight;
use super::words::MAX_TEXT;
use crate::error::Result;
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
    /// Bytes that reading it may take beside its text: half of a run's budget.
    pub(crate) most: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 128, most: usize::MAX }
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
    structure: Structure,
    ahead: Ahead,
    outline: Outline,
    limits: Limits,
    /// Longer texts are weighed before they are read.
    light: usize,
    /// The longest line since the buffers were made.
    longest: usize,
}

impl JsonParser {
    pub(crate) fn new(limits: Limits) -> JsonParser {
        let limits = Limits { depth: limits.depth.clamp(1, MAX_DEPTH), ..limits };
        JsonParser {
            structure: Structure::new(),
            ahead: Ahead::default(),
            outline: Outline::default(),
            limits,
            light: MAX_TEXT.min(limits.most / weight::MOST),
            longest: 0,
        }
    }

    /// A parser for each set of instructions that this processor has.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn at_all_levels() -> Vec<JsonParser> {
        let levels = crate::json::bits::levels().into_iter();
        levels.map(|level| JsonParser { structure: Structure::at(level), ..JsonParser::default() }).collect()
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
        self.document(line, text).map_err(moved)
    }

    /// Where the line that starts at `from` in a block of lines ends: its newline, or the end of the text. Lines have to
    /// be asked for in order, from the start of each block, and the next line that is parsed has to be that one:
    /// this looks at many lines at once.
    #[inline]
    pub(crate) fn line_end(&mut self, block: &[u8], from: usize) -> usize {
        self.ahead.line_end(&mut self.structure, block, from)
    }

    /// Readies the buffers for a text.
    #[inline]
    pub(super) fn prepare(&mut self, text: &[u8]) -> Result<(), Fault> {
        if text.len() > self.light {
            weight::check(text, self.limits.most)?;
        }
        if self.longest > KEEP && text.len() <= KEEP {
            self.shrink();
        }
        self.longest = self.longest.max(text.len());
        Ok(())
    }

    /// The document of a line, of which `text` is what is between the white space around it.
    #[inline]
    pub(super) fn document<'p>(&'p mut self, line: &[u8], text: &'p [u8]) -> Result<JsonLine<'p>, Fault> {
        let JsonParser { structure, ahead, outline, limits, .. } = self;
        let found = match ahead.take(offset(text, line)) {
            Some(part) => structure.part(part),
            None => {
                ahead.forget();
                structure.find(text)
            }
        };
        let found = found.filter(|found| found.ascii || simdutf8::basic::from_utf8(text).is_ok());
        match found.and_then(|found| outline.fill(text, found, limits.depth)) {
            Some(document) => Ok(JsonLine { document }),
            None => Err(refused(text, limits.depth)),
        }
    }

    /// The bytes of memory that the buffers take.
    pub(crate) fn heap_size(&self) -> usize {
        self.structure.heap_size() + self.outline.heap_size()
    }

    /// Drops the buffers if the last text made them large.
    pub(super) fn settle(&mut self) {
        if self.longest > KEEP {
            self.shrink();
        }
    }

    /// Drops the buffers.
    pub(crate) fn shrink(&mut self) {
        *self = JsonParser::new(self.limits);
    }
}

/// What is wrong with a text that has no outline.
#[cold]
fn refused(text: &[u8], depth: usize) -> Fault {
    let unknown =
        || Fault::new(FaultKind::Syntax, 0, "expected JSON (two parsers disagree, which is a defect of kitbag)");
    scan::check(text, depth).err().unwrap_or_else(unknown)
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
    document: Outlined<'p>,
}

impl JsonLine<'_> {
    /// The record on the line.
    #[inline]
    pub fn view(&self) -> JsonRef<'_> {
        JsonRef::root(Lane::Line(&self.document))
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
        // A token for each byte of text, and a word for every other.
        assert!(parser.heap_size() > 12 * KEEP);
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
