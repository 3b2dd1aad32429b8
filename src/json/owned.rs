//! [`Json`]: a JSON document that owns its text, in one allocation. No document is nested deeper than [`MAX_DEPTH`] or
//! longer than 256 MiB, whichever way it was made; whatever walks documents recursively leans on that.

use super::fault::Fault;
use super::iter::{Elements, Entries};
use super::kind::JsonKind;
use super::packed::{self, Packed};
use super::parser::{JsonParser, Limits, MAX_DEPTH};
use super::path::Path;
use super::text;
use super::value::{JsonRef, Lane};
use super::words;
use crate::error::{Error, ErrorKind, Result};
use serde::Serialize;
use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// An owned JSON document: compact, `Send + Sync + 'static`, with its text exactly as it was read.
///
/// ```
/// use kitbag::Json;
///
/// let record = Json::parse(r#"{"id": 12345678901234567890123, "price": 1.50}"#)?;
/// assert_eq!(record.to_string(), r#"{"id": 12345678901234567890123, "price": 1.50}"#);
/// assert_eq!(record.get("price"), Some(Json::from(1.5).view()));
/// assert_eq!(Json::from("text"), "text");
/// # Ok::<(), kitbag::Error>(())
/// ```
#[derive(Clone)]
pub struct Json {
    document: Box<[u8]>,
}

impl Json {
    pub(super) fn from_document(document: Box<[u8]>) -> Json {
        Json { document }
    }

    /// Reads one JSON value from text, which may span lines.
    ///
    /// # Errors
    ///
    /// If the text is not exactly one JSON value, with line, column and what was expected, or if it is nested deeper
    /// than 1024 levels or longer than 256 MiB.
    pub fn parse(text: &str) -> Result<Json> {
        Json::parse_bytes(text.as_bytes()).map_err(|fault| fault.in_text(text.as_bytes()))
    }

    /// Like [`parse`](Self::parse), from bytes that may turn out not to be UTF-8.
    pub(crate) fn parse_bytes(text: &[u8]) -> Result<Json, Fault> {
        thread_local! {
            static PARSER: RefCell<JsonParser> = RefCell::new(JsonParser::new(Limits { depth: MAX_DEPTH, ..Limits::default() }));
        }
        // The parser calls no code of others, so it is never borrowed twice.
        PARSER.with_borrow_mut(|parser| {
            let json = parser.parse(text).map(|line| line.view().to_json());
            parser.settle();
            json
        })
    }

    /// The value `null`.
    pub fn null() -> Json {
        Json::from_document(packed::scalar(words::NULL, b"null"))
    }

    /// An array of values.
    ///
    /// ```
    /// # use kitbag::Json;
    /// assert_eq!(Json::array(["a", "b"])?, Json::parse(r#"["a", "b"]"#)?);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the array would be nested deeper than 1024 levels or be longer than 256 MiB.
    pub fn array<V: Into<Json>>(values: impl IntoIterator<Item = V>) -> Result<Json> {
        let mut out = vec![b'['];
        for value in values {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(value.into().raw().as_bytes());
        }
        out.push(b']');
        Json::built(&out)
    }

    /// An object of keys and values. Of duplicate keys the last one counts.
    ///
    /// ```
    /// # use kitbag::Json;
    /// let point = Json::object([("x", 1), ("y", 2)])?;
    /// assert_eq!(point.to_string(), r#"{"x":1,"y":2}"#);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the object would be nested deeper than 1024 levels or be longer than 256 MiB.
    pub fn object<K: AsRef<str>, V: Into<Json>>(members: impl IntoIterator<Item = (K, V)>) -> Result<Json> {
        let mut out = vec![b'{'];
        for (key, value) in members {
            if out.len() > 1 {
                out.push(b',');
            }
            text::quote(key.as_ref(), &mut out);
            out.push(b':');
            out.extend_from_slice(value.into().raw().as_bytes());
        }
        out.push(b'}');
        Json::built(&out)
    }

    /// The document that a value of any serializable type is as JSON.
    ///
    /// # Errors
    ///
    /// If the value cannot be written as JSON (a map whose keys are no strings, for one), or the document would be
    /// nested deeper than 1024 levels or be longer than 256 MiB.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Json> {
        let text = serde_json::to_vec(value)
            .map_err(|error| Error::new(ErrorKind::Record, format!("cannot be written as JSON: {error}")))?;
        Json::built(&text)
    }

    fn built(text: &[u8]) -> Result<Json> {
        Json::parse_bytes(text).map_err(|fault| fault.in_text(text))
    }

    /// The document as a borrowed view.
    #[inline]
    pub fn view(&self) -> JsonRef<'_> {
        JsonRef::root(Lane::Packed(Packed(&self.document)))
    }

    /// The bytes of memory that the document takes, beyond those of `Json` itself. Exact.
    pub fn heap_size(&self) -> usize {
        self.document.len()
    }

    /// See [`JsonRef::get`].
    pub fn get(&self, key: &str) -> Option<JsonRef<'_>> {
        self.view().get(key)
    }

    /// See [`JsonRef::at`].
    pub fn at(&self, index: usize) -> Option<JsonRef<'_>> {
        self.view().at(index)
    }

    /// See [`JsonRef::pluck`].
    pub fn pluck(&self, path: &Path) -> Option<JsonRef<'_>> {
        self.view().pluck(path)
    }

    /// See [`JsonRef::kind`].
    pub fn kind(&self) -> JsonKind {
        self.view().kind()
    }

    /// See [`JsonRef::is_null`].
    pub fn is_null(&self) -> bool {
        self.view().is_null()
    }

    /// See [`JsonRef::as_bool`].
    pub fn as_bool(&self) -> Option<bool> {
        self.view().as_bool()
    }

    /// See [`JsonRef::as_i64`].
    pub fn as_i64(&self) -> Option<i64> {
        self.view().as_i64()
    }

    /// See [`JsonRef::as_u64`].
    pub fn as_u64(&self) -> Option<u64> {
        self.view().as_u64()
    }

    /// See [`JsonRef::as_f64`].
    pub fn as_f64(&self) -> Option<f64> {
        self.view().as_f64()
    }

    /// See [`JsonRef::as_str`].
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        self.view().as_str()
    }

    /// See [`JsonRef::len`].
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// See [`JsonRef::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.view().is_empty()
    }

    /// See [`JsonRef::elements`].
    pub fn elements(&self) -> Elements<'_> {
        self.view().elements()
    }

    /// See [`JsonRef::entries`].
    pub fn entries(&self) -> Entries<'_> {
        self.view().entries()
    }

    /// The text exactly as it was read, without white space around it.
    pub fn raw(&self) -> &str {
        self.view().raw()
    }
}

/// The text of the document.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.view() == other.view()
    }
}

impl Eq for Json {}

impl Ord for Json {
    fn cmp(&self, other: &Json) -> Ordering {
        self.view().cmp(&other.view())
    }
}

impl PartialOrd for Json {
    fn partial_cmp(&self, other: &Json) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.view().hash(state);
    }
}
