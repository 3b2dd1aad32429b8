//! Iterators over the elements of arrays and the members of objects. They step from value to value by their spans, so
//! passing over a subtree costs one addition.

use super::kind::JsonKind;
use super::value::JsonRef;
use std::borrow::Cow;
use std::iter::FusedIterator;

/// The elements of an array; see [`JsonRef::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    next: JsonRef<'a>,
    left: usize,
}

impl<'a> Elements<'a> {
    #[inline]
    pub(super) fn new(of: JsonRef<'a>) -> Elements<'a> {
        let left = if of.kind() == JsonKind::Array { of.len() } else { 0 };
        Elements { next: of.sibling(of.position() + 1), left }
    }
}

#[inline]
fn after(value: JsonRef<'_>) -> JsonRef<'_> {
    value.sibling(value.position() + value.span())
}

impl<'a> Iterator for Elements<'a> {
    type Item = JsonRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<JsonRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        let value = self.next;
        self.next = after(value);
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Elements<'_> {}
impl FusedIterator for Elements<'_> {}

/// The members of an object; see [`JsonRef::entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    next: JsonRef<'a>,
    left: usize,
}

impl<'a> Entries<'a> {
    #[inline]
    pub(super) fn new(of: JsonRef<'a>) -> Entries<'a> {
        let left = if of.kind() == JsonKind::Object { of.len() } else { 0 };
        Entries { next: of.sibling(of.position() + 1), left }
    }

    /// The next member, with its key as the string value that it is.
    #[inline]
    pub(super) fn next_pair(&mut self) -> Option<(JsonRef<'a>, JsonRef<'a>)> {
        self.left = self.left.checked_sub(1)?;
        let key = self.next;
        let value = after(key);
        self.next = after(value);
        Some((key, value))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Cow<'a, str>, JsonRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.next_pair()?;
        Some((key.as_str().unwrap_or_default(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Entries<'_> {}
impl FusedIterator for Entries<'_> {}
