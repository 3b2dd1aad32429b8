//! From a view to a document of its own: one allocation of the exact size, one pass over the nodes, no branch that
//! depends on text except around values that are no strings, whose start is found from the token before.

use super::owned::Json;
use super::tape::{Cursor, TapeDoc};
use super::value::{JsonRef, Lane};
use super::words::{self, HEADER, PART, Words};
use memchr::memchr;
use simd_json::{Node, StaticNode};

/// A document that holds only `value`.
pub(super) fn to_json(value: JsonRef<'_>) -> Json {
    let text = value.raw_bytes();
    match value.lane {
        Lane::Tape(doc) => from_tape(doc, value.position(), text),
        Lane::Words(words) => from_words(words, value.position(), text),
    }
}

fn from_tape(doc: &TapeDoc<'_>, index: usize, text: &[u8]) -> Json {
    let nodes = doc.tape.0.get(index..index + doc.span(index)).unwrap_or_default();
    let parts = nodes.iter().filter(|node| matches!(node, Node::Array { .. } | Node::Object { .. })).count();
    let (words_end, parts_end) = (HEADER + nodes.len() * 4, HEADER + nodes.len() * 4 + parts * PART);
    let mut bytes = Vec::with_capacity(parts_end + text.len());
    bytes.resize(parts_end, 0);
    bytes[..4].copy_from_slice(&words::plain(nodes.len()));
    bytes[4..HEADER].copy_from_slice(&words::plain(parts));
    bytes.extend_from_slice(text);
    let (head, tail) = bytes[..parts_end].split_at_mut(words_end);
    let mut tail = tail.chunks_exact_mut(PART).enumerate();

    let start = if index == 0 { 0 } else { doc.start(index) };
    // The part of the line that is copied; positions are those of the line.
    let upto = doc.text.get(..start + text.len()).unwrap_or_default();
    let mut escape = next_escape(upto, start);
    let mut cursor = Cursor::before(start);
    for (slot, node) in head[HEADER..].chunks_exact_mut(4).zip(nodes) {
        let word = match node {
            Node::String(string) => {
                let from = doc.offset(string);
                if escape < from {
                    escape = next_escape(upto, from);
                }
                // The first escape of a string stands where its decoded text has the escaped character.
                let plain = escape >= from + string.len();
                cursor.string(doc, from, string.len(), plain);
                words::word(if plain { words::STRING } else { words::ESCAPED }, from - start)
            }
            Node::Array { len, count } | Node::Object { len, count } => {
                let begin = cursor.other(doc, node) - start;
                let kind = if matches!(node, Node::Array { .. }) { words::ARRAY } else { words::OBJECT };
                let number = tail.next().map_or(0, |(number, slot)| {
                    slot.copy_from_slice(&words::part(count + 1, begin, *len));
                    number
                });
                words::word(kind, number)
            }
            Node::Static(value) => {
                let begin = cursor.other(doc, node) - start;
                let kind = match value {
                    StaticNode::Null => words::NULL,
                    StaticNode::Bool(false) => words::FALSE,
                    StaticNode::Bool(true) => words::TRUE,
                    _ => words::NUMBER,
                };
                words::word(kind, begin)
            }
        };
        slot.copy_from_slice(&word);
    }
    Json::from_document(bytes.into_boxed_slice())
}

/// Where the next backslash is.
fn next_escape(text: &[u8], from: usize) -> usize {
    text.get(from..).and_then(|rest| memchr(b'\\', rest)).map_or(usize::MAX, |at| from + at)
}

fn from_words(source: Words<'_>, index: usize, text: &[u8]) -> Json {
    if index == 0 {
        return Json::from_document(source.0.into());
    }
    let start = source.start(index);
    let range = index..index + source.span(index);
    let is_container = |at: &usize| source.kind(*at) >= words::ARRAY;
    let parts = range.clone().filter(is_container).count();
    let first_part = range.clone().find(is_container).map_or(0, |at| source.payload(at));
    let mut bytes = Vec::with_capacity(HEADER + range.len() * 4 + parts * PART + text.len());
    bytes.extend_from_slice(&words::plain(range.len()));
    bytes.extend_from_slice(&words::plain(parts));
    for at in range.clone() {
        let less = if is_container(&at) { first_part } else { start };
        bytes.extend_from_slice(&words::word(source.kind(at), source.payload(at).saturating_sub(less)));
    }
    for at in range.filter(is_container) {
        bytes.extend_from_slice(&words::part(source.span(at), source.start(at).saturating_sub(start), source.len(at)));
    }
    bytes.extend_from_slice(text);
    Json::from_document(bytes.into_boxed_slice())
}
