//! [`JsonRef`]: a borrowed view of a JSON value, the same over both representations of a document. A view is three
//! words, is copied, allocates nothing, and is the only way by which the rest of the crate reads JSON.

use super::iter::{Elements, Entries};
use super::number::Number;
use super::outline::Outlined;
use super::owned::Json;
use super::packed::Packed;
use super::path::{Path, Step};
use super::text;
use super::words::{self, Document};
use std::borrow::Cow;
use std::fmt;

/// A borrowed JSON value: a record, or a value in one. It is to [`Json`] what `str` is to `String`.
///
/// Comparing, ordering and hashing go by value: `1`, `1.0` and `1e0` are equal, numbers of any size are compared
/// exactly, strings by their decoded text, objects as maps.
///
/// ```
/// use kitbag::Json;
///
/// let record = Json::parse(r#"{"user": {"id": 7, "tags": ["a", "b"]}, "score": 1.50}"#)?;
/// let view = record.view();
/// let user = view.get("user").ok_or("no user")?;
/// assert_eq!(user.get("id").and_then(|id| id.as_i64()), Some(7));
/// assert_eq!(user.get("tags").map(|tags| tags.len()), Some(2));
/// assert_eq!(view.get("score").map(|score| score.raw()), Some("1.50"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct JsonRef<'a> {
    pub(super) lane: Lane<'a>,
    pub(super) index: u32,
}

/// Where a document lies: in the parser's buffers while a line is read, or in a [`Json`].
#[derive(Clone, Copy)]
pub(super) enum Lane<'a> {
    Line(&'a Outlined<'a>),
    Packed(Packed<'a>),
}

/// The same question to either.
macro_rules! ask {
    ($value:expr, $document:ident => $question:expr) => {
        match $value.lane {
            Lane::Line($document) => $question,
            Lane::Packed($document) => $question,
        }
    };
}

impl<'a> JsonRef<'a> {
    /// The record of a document.
    pub(super) fn root(lane: Lane<'a>) -> JsonRef<'a> {
        JsonRef { lane, index: 0 }
    }

    pub(super) fn position(self) -> usize {
        self.index as usize
    }

    /// The value of a key, if this is an object that has it. Of duplicate keys the last one counts.
    #[inline]
    pub fn get(&self, key: &str) -> Option<JsonRef<'a>> {
        let found = ask!(self, document => document.find(self.position(), key));
        found.map(|index| self.sibling(index))
    }

    /// Another value of the same document.
    #[inline]
    pub(super) fn sibling(self, index: usize) -> JsonRef<'a> {
        // Documents have less than 2^32 nodes: MAX_TEXT sees to that.
        JsonRef { lane: self.lane, index: u32::try_from(index).unwrap_or(u32::MAX) }
    }

    /// The element with this index, counted from 0, if this is an array that has it.
    ///
    /// ```
    /// # use kitbag::Json;
    /// let list = Json::parse("[10, [20], 30]")?;
    /// assert_eq!(list.view().at(2).and_then(|x| x.as_i64()), Some(30));
    /// assert_eq!(list.view().at(3), None);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn at(&self, index: usize) -> Option<JsonRef<'a>> {
        self.elements().nth(index)
    }

    /// The value that a path leads to.
    ///
    /// ```
    /// # use kitbag::{Json, Path};
    /// let record = Json::parse(r#"{"posts": [{"id": 1}, {"id": 2}]}"#)?;
    /// let last: Path = ".posts[-1].id".parse()?;
    /// assert_eq!(record.view().pluck(&last).and_then(|id| id.as_u64()), Some(2));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn pluck(&self, path: &Path) -> Option<JsonRef<'a>> {
        path.steps().iter().try_fold(*self, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => match usize::try_from(*index) {
                Ok(index) => value.at(index),
                Err(_) => {
                    let back = usize::try_from(index.unsigned_abs()).ok()?;
                    value.at(value.elements().len().checked_sub(back)?)
                }
            },
        })
    }

    #[inline]
    pub(super) fn word_kind(&self) -> u32 {
        ask!(self, document => document.kind(self.position()))
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.word_kind() {
            words::TRUE => Some(true),
            words::FALSE => Some(false),
            _ => None,
        }
    }

    /// The number as an `i64`, if that is its exact value: `7`, `7.0` and `7e0` are, `7.5` and 2^63 are not.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_integer().and_then(|value| i64::try_from(value).ok())
    }

    /// The number as a `u64`, if that is its exact value.
    #[inline]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_integer().and_then(|value| u64::try_from(value).ok())
    }

    #[inline]
    fn as_integer(&self) -> Option<i128> {
        self.number()?.integer(|| self.raw_bytes())
    }

    /// The `f64` nearest to the number. `None` for numbers beyond its range, such as `1e999`.
    pub fn as_f64(&self) -> Option<f64> {
        self.number().map(Number::nearest).filter(|value| value.is_finite())
    }

    #[inline]
    pub(super) fn number(&self) -> Option<Number> {
        (self.word_kind() == words::NUMBER).then(|| Number::parse(self.raw_bytes()))
    }

    /// The decoded text, if this is a string. Borrowed while a line is being read; owned only for a string with escapes
    /// in a [`Json`].
    #[inline]
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        ask!(self, document => document.string(self.position()))
    }

    /// The content of a string that is written without escapes.
    #[inline]
    pub(super) fn plain(&self) -> Option<&'a [u8]> {
        ask!(self, document => document.plain(self.position()))
    }

    /// The number of elements of an array or of members of an object (duplicate keys counted as written), 0 for
    /// everything else.
    pub fn len(&self) -> usize {
        ask!(self, document => document.len(self.position()))
    }

    /// How many values this one takes, the values in it included.
    #[inline]
    pub(super) fn span(&self) -> usize {
        ask!(self, document => document.span(self.position()))
    }

    /// Whether [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of an array, in order. Empty for everything else.
    ///
    /// ```
    /// # use kitbag::Json;
    /// let list = Json::parse("[1, 2.5, 4]")?;
    /// assert_eq!(list.view().elements().filter_map(|x| x.as_f64()).sum::<f64>(), 7.5);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[inline]
    pub fn elements(&self) -> Elements<'a> {
        Elements::new(*self)
    }

    /// The members of an object as written: in order, duplicate keys included. Empty for everything else.
    ///
    /// ```
    /// # use kitbag::Json;
    /// let record = Json::parse(r#"{"b": 1, "a": 2}"#)?;
    /// let keys: Vec<_> = record.view().entries().map(|(key, _)| key.into_owned()).collect();
    /// assert_eq!(keys, ["b", "a"]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[inline]
    pub fn entries(&self) -> Entries<'a> {
        Entries::new(*self)
    }

    /// The value's text exactly as it stands in the input, without white space around it.
    pub fn raw(&self) -> &'a str {
        text::utf8(self.raw_bytes())
    }

    /// Like [`raw`](Self::raw), without the check that it is UTF-8.
    #[inline]
    pub(crate) fn raw_bytes(&self) -> &'a [u8] {
        ask!(self, document => if self.index == 0 { document.text() } else { document.raw(self.position()) })
    }

    /// A copy that owns its text and lives on.
    pub fn to_json(&self) -> Json {
        super::translate::to_json(*self)
    }

    /// The same as [`to_json`](Self::to_json), under the name that borrowed types have for it.
    pub fn to_owned(&self) -> Json {
        self.to_json()
    }

    /// Appends the value's text without the white space between its tokens.
    pub fn compact(&self, out: &mut Vec<u8>) {
        text::compact(self.raw_bytes(), out);
    }
}

/// The text of the value.
impl fmt::Display for JsonRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}

impl fmt::Debug for JsonRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}
