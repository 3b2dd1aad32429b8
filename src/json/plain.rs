//! Whether a value's text is its plain form, in which it can be copied as it stands.

use super::text;
use super::value::{JsonRef, Lane};
use super::words::{Document, OBJECT};

/// Members of an object that are compared with each other; of more the keys are sorted.
const FEW: usize = 16;

impl<'a> JsonRef<'a> {
    /// The value's text, if that is its plain form: no white space between tokens, no escapes in strings, and no key
    /// twice in an object. Reads its keys, but no other values.
    ///
    /// ```
    /// # use kitbag::Json;
    /// let plain = |text: &str| Ok::<_, kitbag::Error>(Json::parse(text)?.view().plain_text().is_some());
    /// assert!(plain(r#"{"a":[1,"b c"],"d":{"a":1.50}}"#)?);
    /// assert!(!plain(r#"{"a": 1}"#)? && !plain(r#"{"a":"\\n"}"#)? && !plain(r#"[{"a":1,"a":2}]"#)?);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn plain_text(&self) -> Option<&'a str> {
        let raw = self.raw_bytes();
        let dense = match self.lane {
            Lane::Line(document) => document.dense || is_dense(raw),
            Lane::Packed(_) => is_dense(raw),
        };
        if !dense || memchr::memchr(b'\\', raw).is_some() {
            return None;
        }
        let (from, span) = (self.position(), self.span());
        let distinct = match self.lane {
            Lane::Line(document) => distinct(document, from, span),
            Lane::Packed(document) => distinct(document, from, span),
        };
        distinct.then(|| text::utf8(raw))
    }
}

/// Whether a text without escapes has no white space between its tokens.
fn is_dense(text: &[u8]) -> bool {
    // Between quotes every second part is a string.
    let mut in_string = true;
    text.split(|byte| *byte == b'"').all(|part| {
        in_string = !in_string;
        in_string || !part.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
    })
}

/// Whether no object among these values has a key twice. No key has escapes.
fn distinct<'a>(document: impl Document<'a>, from: usize, span: usize) -> bool {
    let mut objects = (from..from + span).filter(|at| document.kind(*at) == OBJECT);
    objects.all(|object| {
        let members = document.len(object);
        let mut at = object + 1;
        let keys = (0..members).map(|_| {
            let key = document.plain(at).unwrap_or_default();
            at += 1 + document.span(at + 1);
            key
        });
        if members <= FEW {
            let mut seen = [&b""[..]; FEW];
            return keys.enumerate().all(|(count, key)| {
                seen[count] = key;
                !seen[..count].contains(&key)
            });
        }
        let mut seen: Vec<&[u8]> = keys.collect();
        seen.sort_unstable();
        seen.windows(2).all(|pair| pair[0] != pair[1])
    })
}
