//! Texts joined in record order. What must stay true: the order comes from the positions alone.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Aggregate, Fold, Project};
use crate::batch::Seq;

/// The texts that a closure gets out of the records, in record order, with `separator` between each two; empty for no
/// records. The state holds all the text once, and 24 bytes for each piece of it.
///
/// ```
/// use kitbag::agg::{self, join_strings};
/// let names = join_strings(", ", |name: &&str| name.to_string());
/// assert_eq!(agg::apply(&names, ["ann", "bob", "eve"]), "ann, bob, eve");
/// ```
#[doc(alias("join", "string_agg", "group_concat"))]
pub fn join_strings<T, V, F>(separator: impl Into<String>, text: F) -> JoinStrings<F, V>
where
    T: ?Sized,
    V: AsRef<str>,
    F: Project<T, V>,
{
    JoinStrings { separator: separator.into(), text, _text: PhantomData }
}

/// See [`join_strings`].
#[derive(Clone, Debug)]
pub struct JoinStrings<F, V> {
    separator: String,
    text: F,
    _text: PhantomData<fn() -> V>,
}

/// The texts so far, one behind the other in any order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Texts {
    text: String,
    /// The position of each piece, and where it ends in the text.
    pieces: Vec<(Seq, usize)>,
}

impl<F: Send + Sync, V> Fold for JoinStrings<F, V> {
    type State = Texts;
    type Out = String;

    fn init(&self) -> Texts {
        Texts::default()
    }

    fn merge(&self, into: &mut Texts, mut from: Texts) {
        if into.text.len() < from.text.len() {
            std::mem::swap(into, &mut from);
        }
        let before = into.text.len();
        into.text.push_str(&from.text);
        into.pieces.extend(from.pieces.into_iter().map(|(at, end)| (at, before + end)));
    }

    fn finish(&self, state: Texts) -> String {
        let mut start = 0;
        let mut pieces: Vec<(Seq, &str)> = Vec::with_capacity(state.pieces.len());
        for (at, end) in state.pieces {
            pieces.push((at, state.text.get(start..end).unwrap_or_default()));
            start = end;
        }
        // The stable sort finds and merges the runs that were stepped in order.
        pieces.sort_by_key(|(at, _)| *at);
        let mut joined = String::with_capacity(state.text.len() + self.separator.len() * pieces.len());
        for (index, (_, piece)) in pieces.into_iter().enumerate() {
            joined.push_str(if index == 0 { "" } else { &self.separator });
            joined.push_str(piece);
        }
        joined
    }

    fn heap_size(&self, state: &Texts) -> usize {
        state.text.capacity() + state.pieces.capacity() * size_of::<(Seq, usize)>()
    }
}

impl<T: ?Sized, V: AsRef<str>, F: Project<T, V>> Aggregate<T> for JoinStrings<F, V> {
    #[inline]
    fn step(&self, state: &mut Texts, at: Seq, item: &T) {
        state.text.push_str(self.text.get(item).as_ref());
        state.pieces.push((at, state.text.len()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<String>(), 0..40), separator: String, cut in any::<Cut>()) {
            let joined = join_strings(separator.clone(), String::clone);
            holds(&joined, &items, cut)?;
            prop_assert_eq!(apply(&joined, items.clone()), items.join(&separator));
        }
    }

    #[test]
    fn empty_texts_have_separators_too() {
        assert_eq!(apply(&join_strings("-", |text: &&'static str| *text), ["", "a", ""]), "-a-");
        assert_eq!(apply(&join_strings("-", |text: &&'static str| *text), []), "");
    }
}
