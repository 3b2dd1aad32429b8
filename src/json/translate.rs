//! From a view to a document of its own: one allocation of the exact size, and copies of the words, parts and text that
//! the value has.

use super::owned::Json;
use super::packed;
use super::value::{JsonRef, Lane};
use super::words::{self, Document, Part};

/// A document that holds only `value`.
pub(super) fn to_json(value: JsonRef<'_>) -> Json {
    Json::from_document(match value.lane {
        Lane::Line(line) if value.index == 0 => {
            packed::assemble(line.words.iter().copied(), line.parts.iter().copied(), line.text)
        }
        Lane::Line(line) => subtree(line, value.position()),
        Lane::Packed(words) if value.index == 0 => words.0.into(),
        Lane::Packed(words) => subtree(words, value.position()),
    })
}

fn subtree<'a>(source: impl Document<'a>, index: usize) -> Box<[u8]> {
    let start = words::short(source.start(index));
    let range = index..index + source.span(index);
    let is_container = |at: &usize| source.kind(*at) >= words::ARRAY;
    let payload = |at| words::short(source.payload(at));
    let count = range.clone().filter(is_container).count();
    let first = range.clone().find(is_container).map_or(0, |at| source.payload(at));
    let words = range.map(|at| {
        let less = if is_container(&at) { words::short(first) } else { start };
        words::word(source.kind(at), payload(at).saturating_sub(less))
    });
    let parts = (first..first + count).map(|at| {
        let part = source.part(at);
        Part { start: part.start.saturating_sub(start), end: part.end.saturating_sub(start), ..part }
    });
    packed::assemble(words, parts, source.raw(index))
}
