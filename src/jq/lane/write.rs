//! Printing what nodes give without making it first: members of objects and elements of arrays go to the text one by one,
//! and values of the record as they stand there, where that is how jq prints them.

use super::super::text::{Style, quote};
use super::super::value::Val;
use super::eval::{Eval, Fault, Scope};
use super::item::{Item, distinct};
use super::node::{Key, Node};
use kitbag::{JsonKind, JsonRef};

/// Where outputs go: a line for each.
pub(super) struct Lines<'o> {
    pub(super) text: &'o mut Vec<u8>,
    /// Strings as they are, without quotation marks.
    pub(super) raw: bool,
    /// Whether the last output was true.
    pub(super) last: Option<bool>,
}

impl Lines<'_> {
    fn item(&mut self, item: &Item<'_>) {
        match item.text().filter(|_| self.raw) {
            Some(text) => self.text.extend_from_slice(text.as_bytes()),
            None => write(item, self.text),
        }
        self.text.push(b'\n');
        self.last = Some(item.is_true());
    }
}

impl<'r> Eval<'r> {
    /// Prints all outputs of a node.
    pub(super) fn print(
        &self,
        node: &'r Node,
        input: &Item<'r>,
        scope: Scope<'_, 'r>,
        lines: &mut Lines<'_>,
    ) -> Result<(), Fault> {
        match node {
            Node::Pipe(left, right) if left.is_single() => match self.one(left, input, scope)? {
                Some(item) => self.print(right, &item, scope, lines),
                None => Ok(()),
            },
            Node::Pipe(left, right) => {
                self.each(left, input, scope, &mut |item| self.print(right, &item, scope, lines))
            }
            Node::Comma(left, right) => {
                self.print(left, input, scope, lines)?;
                self.print(right, input, scope, lines)
            }
            Node::Object(..) | Node::Array(_) => {
                let before = lines.text.len();
                let written = self.write(node, input, scope, lines.text);
                if let Ok(true) = written {
                    lines.text.push(b'\n');
                    lines.last = Some(true);
                } else {
                    lines.text.truncate(before);
                }
                written.map(|_| ())
            }
            other => self.each(other, input, scope, &mut |item| {
                lines.item(&item);
                Ok(())
            }),
        }
    }

    /// Appends the output of an operand. False if it has none: then what was appended is to be taken back, and so after an
    /// error.
    fn write(&self, node: &'r Node, input: &Item<'r>, scope: Scope<'_, 'r>, text: &mut Vec<u8>) -> Result<bool, Fault> {
        match node {
            Node::Object(members, true) => {
                let mut before = b'{';
                for (key, value) in members {
                    text.push(before);
                    before = b',';
                    if let Key::Const(_, printed) = key {
                        text.extend_from_slice(printed);
                    }
                    text.push(b':');
                    if !self.write(value, input, scope, text)? {
                        return Ok(false);
                    }
                }
                if members.is_empty() {
                    text.push(b'{');
                }
                text.push(b'}');
                Ok(true)
            }
            Node::Array(inner) => {
                text.push(b'[');
                let start = text.len();
                if let Some(inner) = inner {
                    self.elements(inner, input, scope, text)?;
                }
                // Each element ends with a comma.
                text.truncate(text.len() - usize::from(text.len() > start));
                text.push(b']');
                Ok(true)
            }
            Node::Pipe(left, right) => match self.one(left, input, scope)? {
                Some(item) => self.write(right, &item, scope, text),
                None => Ok(false),
            },
            other => match self.one(other, input, scope)? {
                Some(item) => {
                    write(&item, text);
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }

    /// Appends the outputs of a source, a comma after each.
    fn elements(
        &self,
        node: &'r Node,
        input: &Item<'r>,
        scope: Scope<'_, 'r>,
        text: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        match node {
            Node::Comma(left, right) => {
                self.elements(left, input, scope, text)?;
                self.elements(right, input, scope, text)
            }
            Node::Pipe(left, right) => {
                self.each(left, input, scope, &mut |item| self.elements(right, &item, scope, text))
            }
            single if single.is_single() => {
                let before = text.len();
                match self.write(single, input, scope, text)? {
                    true => text.push(b','),
                    false => text.truncate(before),
                }
                Ok(())
            }
            source => self.each(source, input, scope, &mut |item| {
                write(&item, text);
                text.push(b',');
                Ok(())
            }),
        }
    }
}

/// Appends a value.
fn write(item: &Item<'_>, text: &mut Vec<u8>) {
    match item {
        Item::Json(json) => as_it_stands(json, WHOLE, text),
        Item::Ref(value) => value.write(&Style::default(), text),
        Item::Val(value) => value.write(&Style::default(), text),
    }
}

/// How deep in a value it is tried whether an array or object can be copied: each level reads it once more.
const WHOLE: usize = 3;

/// Appends a value of the record: numbers keep their text, and strings without escapes theirs.
fn as_it_stands(json: &JsonRef<'_>, whole: usize, text: &mut Vec<u8>) {
    let inner = whole.saturating_sub(1);
    match json.kind() {
        JsonKind::Array | JsonKind::Object if whole > 0 => match json.plain_text() {
            // Deletes are escaped by jq.
            Some(plain) if memchr::memchr(0x7f, plain.as_bytes()).is_none() => text.extend_from_slice(plain.as_bytes()),
            _ => each_as_it_stands(json, inner, text),
        },
        JsonKind::Null | JsonKind::Bool | JsonKind::Number => text.extend_from_slice(json.raw().as_bytes()),
        JsonKind::String => {
            let raw = json.raw().as_bytes();
            match memchr::memchr2(b'\\', 0x7f, raw) {
                None => text.extend_from_slice(raw),
                Some(_) => quote(&json.as_str().unwrap_or_default(), false, text),
            }
        }
        JsonKind::Array | JsonKind::Object => each_as_it_stands(json, inner, text),
    }
}

/// The same of an array or object, one value after the other.
fn each_as_it_stands(json: &JsonRef<'_>, whole: usize, text: &mut Vec<u8>) {
    match json.kind() {
        JsonKind::Array => {
            text.push(b'[');
            for (place, element) in json.elements().enumerate() {
                if place > 0 {
                    text.push(b',');
                }
                as_it_stands(&element, whole, text);
            }
            text.push(b']');
        }
        JsonKind::Object if distinct(json) => {
            text.push(b'{');
            for (place, (key, value)) in json.entries().enumerate() {
                if place > 0 {
                    text.push(b',');
                }
                quote(&key, false, text);
                text.push(b':');
                as_it_stands(&value, whole, text);
            }
            text.push(b'}');
        }
        _ => Val::from_json(json).write(&Style::default(), text),
    }
}
