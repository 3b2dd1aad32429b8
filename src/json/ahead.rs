//! Many lines looked at together: the tokens of all lines in a window of text are found in one pass, newlines among them,
//! so that a short line costs no pass of its own and nobody looks for newlines twice. A window in which
//! the structure refuses anything is given up; its lines are then read one by one, which finds out which of them is to blame.

use super::structure::{Part, Structure};
use memchr::{memchr, memrchr};
use std::ops::Range;

/// How much text is looked at together. The tokens of a window should fit the processor's first cache beside it.
const WINDOW: usize = 16 << 10;

/// The window and the line in it that is next.
#[derive(Default)]
pub(super) struct Ahead {
    /// Where the window is in the text.
    window: Range<usize>,
    /// The structure has the tokens of the window.
    known: bool,
    /// The next line of the window, its first token and escape, and the first blocks in or behind it that are not ASCII
    /// and that have white space.
    line: usize,
    token: usize,
    escape: usize,
    wide: usize,
    spaced: usize,
    /// Where that line starts in the text.
    next: usize,
    /// What is known of the line that was cut last.
    current: Option<Part>,
}

impl Ahead {
    /// Where the line that starts at `from` ends: its newline, or the end of the text. Lines have to be asked for in
    /// order, from the start of each text.
    pub(super) fn line_end(&mut self, structure: &mut Structure, text: &[u8], from: usize) -> usize {
        self.current = None;
        debug_assert!(from == 0 || !self.known || from >= self.window.end || from == self.next, "lines come in order");
        if from == 0 || from >= self.window.end {
            self.look(structure, text, from);
        }
        let newline = || text.get(from..).and_then(|rest| memchr(b'\n', rest)).map_or(text.len(), |at| from + at);
        if !self.known {
            return newline();
        }
        let Some((last, end)) = structure.line(self.line) else { return newline() };
        let start = from - self.window.start;
        let escape = self.escape;
        self.escape += structure.escapes_before(escape, end);
        let [wide, spaced] = structure.before(self.wide, self.spaced, start);
        (self.wide, self.spaced) = (self.wide + wide, self.spaced + spaced);
        let (tokens, escapes) = (self.token..last + 1, escape..self.escape);
        self.current = Some(Part { start, tokens, escapes, wide: self.wide, spaced: self.spaced });
        self.line += 1;
        self.token = last + 1;
        self.next = self.window.start + end + 1;
        self.window.start + end
    }

    /// What is known of the line that was cut last, without the white space of this length before it. Told once.
    #[inline]
    pub(super) fn take(&mut self, space: usize) -> Option<Part> {
        let part = self.current.take()?;
        Some(Part { start: part.start + space, ..part })
    }

    /// To be called when the structure is used for other text: what it knew of the window is gone.
    #[inline]
    pub(super) fn forget(&mut self) {
        if self.known {
            *self = Ahead::default();
        }
    }

    /// Finds the tokens of a window that starts at `from` and ends with a line.
    fn look(&mut self, structure: &mut Structure, text: &[u8], from: usize) {
        let rest = text.get(from..).unwrap_or_default();
        let length = match rest.get(..WINDOW) {
            Some(window) => memrchr(b'\n', window).map(|newline| newline + 1),
            None => Some(rest.len()),
        };
        // A line that is longer than a window is read by itself.
        let window = length.and_then(|length| rest.get(..length)).unwrap_or_default();
        let known = !window.is_empty() && structure.find_lines(window).is_some();
        *self = Ahead { window: from..from + window.len(), known, next: from, ..Ahead::default() };
    }
}
