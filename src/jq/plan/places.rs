//! Stages that look at the places of elements: slices, `keys`, `to_entries`, `reverse`.

use jaq_core::load::parse::Term;
use jaq_core::path::{Opt, Part};

use super::Stage;
use super::kinds::MOST;
use super::names::Names;
use super::terms::{Tree, integer, own_path, path_of, text};

impl<'s> Names<'s> {
    /// The verbs that a stage is which numbers the elements, or leaves some out at the end.
    pub(super) fn by_place(&self, term: &Tree<'s>) -> Option<Vec<Stage<'s>>> {
        if let Some((from, but)) = but_last(term) {
            let start = (from > 0).then_some(Stage::Slice(from, u64::MAX));
            return Some(start.into_iter().chain([Stage::SkipLast(but)]).collect());
        }
        let part = |place| path_of(&[(Part::Index(Term::Num(place)), Opt::Essential)]);
        let (place, element) = (part("0"), part("1"));
        if self.call(term, "keys", 0) || self.call(term, "keys_unsorted", 0) {
            Some(vec![Stage::Enumerate, Stage::Each(place)])
        } else if self.call(term, "to_entries", 0) {
            let entry = Term::Obj(vec![(text("key"), Some(place)), (text("value"), Some(element))]);
            Some(vec![Stage::Enumerate, Stage::Each(entry)])
        } else if self.call(term, "reverse", 0) {
            let down = Term::Neg(Box::new(place));
            Some(vec![Stage::Enumerate, Stage::Sort(down), Stage::Each(element)])
        } else {
            None
        }
    }
}

/// The bounds of a slice between places that are counted from the start; without an end it is the largest number.
pub(super) fn slice(term: &Tree<'_>) -> Option<(u64, u64)> {
    let [(Part::Range(from, upto), _)] = own_path(term)? else { return None };
    let place = |term: &Option<Tree<'_>>, default| match term {
        Some(at) => u64::try_from(integer(at)?).ok(),
        None => Some(default),
    };
    (from.is_some() || upto.is_some()).then_some((place(from, 0)?, place(upto, u64::MAX)?))
}

/// From which place, and how many at the end are left out: `.[a:-b]`.
pub(super) fn but_last(term: &Tree<'_>) -> Option<(u64, u64)> {
    let [(Part::Range(from, Some(upto)), _)] = own_path(term)? else { return None };
    let from = from.as_ref().map_or(Some(0), integer).and_then(|from| u64::try_from(from).ok())?;
    let but = integer(upto).filter(|upto| *upto < 0)?.unsigned_abs();
    (but <= MOST).then_some((from, but))
}

/// How many of the last ones a slice looks at: `.[-a:]`, `.[-a:-b]`.
pub(super) fn tail(term: &Tree<'_>) -> Option<u64> {
    let [(Part::Range(Some(from), upto), _)] = own_path(term)? else { return None };
    let near = |at: &Tree<'_>| integer(at).filter(|at| *at < 0).map(i64::unsigned_abs);
    (upto.as_ref().is_none_or(|upto| near(upto).is_some())).then(|| near(from)).flatten().filter(|count| *count <= MOST)
}
