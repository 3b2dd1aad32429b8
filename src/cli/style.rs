//! How values are printed.

use std::io::IsTerminal as _;

use crate::jq::{Colours, Indent, Style, Val};

use super::args::Args;

/// Prints values as the options ask for.
#[derive(Debug)]
pub(super) struct Printer {
    style: Style,
    raw: bool,
    join: bool,
    seq: bool,
}

impl Printer {
    pub(super) fn new(args: &Args) -> Printer {
        let indent = match (args.tab, args.indent) {
            (true, _) => Indent::Tab,
            (false, Some(spaces @ 1..)) => Indent::Spaces(spaces.into()),
            _ => Indent::Compact,
        };
        let style = Style { indent, sort_keys: args.sort_keys, ascii: args.ascii_output, colours: colours(args) };
        // Where all is to be ASCII, jq quotes strings again.
        let raw = (args.raw_output || args.join_output) && !args.ascii_output;
        Printer { style, raw, join: args.join_output, seq: args.seq }
    }

    /// The style, if a value's text does not depend on what it stands in.
    pub(super) fn compact(&self) -> Option<&Style> {
        (self.style.indent == Indent::Compact && self.style.colours.is_none() && !self.join).then_some(&self.style)
    }

    /// Whether strings are printed as they are, if everything else is printed as briefly as can be.
    pub(super) fn plain(&self) -> Option<bool> {
        let Style { indent: Indent::Compact, sort_keys: false, ascii: false, colours: None } = self.style else {
            return None;
        };
        (!self.join && !self.seq).then_some(self.raw)
    }

    /// What is printed before each value, but for strings that are printed as they are.
    pub(super) fn before(&self) -> &'static [u8] {
        if self.seq { b"\x1e" } else { b"" }
    }

    /// Appends a value, with its newline.
    pub(super) fn print(&self, value: &Val, text: &mut Vec<u8>) {
        match value.as_str().filter(|_| self.raw) {
            // Nothing before it, as in jq: it is no JSON.
            Some(string) => text.extend_from_slice(string.as_bytes()),
            None => {
                text.extend_from_slice(self.before());
                value.write(&self.style, text);
            }
        }
        if !self.join {
            text.push(b'\n');
        }
    }
}

/// Colours on a terminal and where they are asked for; JQ_COLORS changes them, NO_COLOR takes them from the terminal.
fn colours(args: &Args) -> Option<Colours> {
    let terminal = || args.output.is_none() && std::io::stdout().is_terminal();
    let wanted = args.color_output || !args.monochrome_output && variable("NO_COLOR").is_none() && terminal();
    wanted.then(|| variable("JQ_COLORS").and_then(|text| Colours::parse(&text)).unwrap_or_default())
}

/// A variable that is set to something.
#[expect(clippy::disallowed_methods, reason = "the command, unlike the library, may read its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
