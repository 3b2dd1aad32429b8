//! [`JsonKind`]: what a value is.

use super::value::JsonRef;
use super::words;

/// The kind of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JsonKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number of any size and precision.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl JsonRef<'_> {
    /// The kind of value.
    #[inline]
    pub fn kind(&self) -> JsonKind {
        match self.word_kind() {
            words::NULL => JsonKind::Null,
            words::FALSE | words::TRUE => JsonKind::Bool,
            words::NUMBER => JsonKind::Number,
            words::ARRAY => JsonKind::Array,
            words::OBJECT => JsonKind::Object,
            _ => JsonKind::String,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        self.kind() == JsonKind::Null
    }
}
