//! What calls and pipes are to the planner: keys to group and to sort by, and the aggregates `length`, `min_by(f)`,
//! `sort_by(f) | .[:3]`.

use jaq_core::load::parse::Term;
use jaq_core::path::{Opt, Part};

use super::Kind;
use super::names::Names;
use super::terms::{Tree, integer, own_path, path_of};

/// The largest number of records that are kept to pick from.
pub(super) const MOST: u64 = 10_000;

impl<'s> Names<'s> {
    /// The aggregate that a single stage is.
    pub(super) fn aggregate(&self, term: &Tree<'s>) -> Option<Kind<'s>> {
        let named = |name: &str, count: usize| self.call(term, name, count);
        let argument = |at: usize| match term {
            Term::Call(_, arguments) => arguments[at].clone(),
            _ => Term::Id,
        };
        Some(match term {
            Term::Call("length", _) if named("length", 0) => Kind::Count,
            Term::Call("add", _) if named("add", 0) => Kind::Add,
            Term::Call("min", _) if named("min", 0) => Kind::Min(Term::Id),
            Term::Call("max", _) if named("max", 0) => Kind::Max(Term::Id),
            Term::Call("min_by", _) if named("min_by", 1) => Kind::Min(argument(0)),
            Term::Call("max_by", _) if named("max_by", 1) => Kind::Max(argument(0)),
            Term::Call("first", _) if named("first", 0) => Kind::Nth(0, Term::Id),
            Term::Call("last", _) if named("last", 0) => Kind::Nth(-1, Term::Id),
            Term::Call("nth", _) if named("nth", 1) => Kind::Nth(place(&argument(0))?, Term::Id),
            Term::Call("unique", _) if named("unique", 0) => Kind::Unique(Term::Id),
            Term::Call("unique_by", _) if named("unique_by", 1) => Kind::Unique(argument(0)),
            Term::Call("_approx_distinct", _) if named("_approx_distinct", 0) => Kind::Approx,
            Term::Call("_sample", _) if named("_sample", 2) => {
                let count = integer(&argument(0)).and_then(|count| u64::try_from(count).ok());
                Kind::Sample(count.filter(|count| *count <= MOST)?, integer(&argument(1))?)
            }
            _ => return None,
        })
    }

    /// The aggregate that the first stages of a pipe are, and how many they are.
    pub(super) fn best(&self, parts: &[Tree<'s>]) -> Option<(Kind<'s>, usize)> {
        let Term::Call(name, arguments) = &parts[0] else { return None };
        let by = match *name {
            "sort" if self.call(&parts[0], "sort", 0) => Term::Id,
            "sort_by" if self.call(&parts[0], "sort_by", 1) => arguments[0].clone(),
            _ => return None,
        };
        let reversed = self.call(&parts[1], "reverse", 0);
        let taken = 1 + usize::from(reversed);
        let (count, last) = self.ends(parts.get(taken)?)?;
        // The slice or the place is left to the rest: of what was kept it takes the same. The first ones of what is
        // reversed are the last ones.
        (count <= MOST).then_some((Kind::Top { by, count, last: last != reversed, reversed }, taken))
    }

    /// The key of a grouping, and what is kept of each group where not the group itself.
    pub(super) fn grouping(&self, term: &Tree<'s>) -> Option<(Tree<'s>, Option<Tree<'s>>)> {
        let Term::Call(_, arguments) = term else { return None };
        let first = || path_of(&[(Part::Index(Term::Num("0")), Opt::Essential)]);
        if self.call(term, "group_by", 1) {
            Some((arguments[0].clone(), None))
        } else if self.call(term, "unique_by", 1) {
            Some((arguments[0].clone(), Some(first())))
        } else if self.call(term, "unique", 0) {
            Some((Term::Id, Some(first())))
        } else {
            None
        }
    }

    /// The key of a sorting.
    pub(super) fn sorting(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        match term {
            Term::Call(..) if self.call(term, "sort", 0) => Some(Term::Id),
            Term::Call(_, arguments) if self.call(term, "sort_by", 1) => Some(arguments[0].clone()),
            _ => None,
        }
    }

    /// How many elements of a sorted array are wanted, and whether from its end.
    fn ends(&self, term: &Tree<'s>) -> Option<(u64, bool)> {
        let from_end = |at: i64| if at < 0 { (at.unsigned_abs(), true) } else { (at.unsigned_abs() + 1, false) };
        match own_path(term) {
            Some([(Part::Index(at), _), ..]) => Some(from_end(integer(at)?)),
            Some([(Part::Range(from, Some(upto)), _), ..]) => {
                let from = from.as_ref().map_or(Some(0), integer)?;
                let upto = integer(upto)?;
                (from >= 0 && upto >= 0).then_some((upto.unsigned_abs(), false))
            }
            Some([(Part::Range(Some(from), None), _), ..]) => {
                let from = integer(from)?;
                (from < 0).then_some((from.unsigned_abs(), true))
            }
            _ if self.call(term, "first", 0) => Some((1, false)),
            _ if self.call(term, "last", 0) => Some((1, true)),
            _ => None,
        }
    }
}

/// A place that is near enough to one end.
pub(super) fn place(term: &Tree<'_>) -> Option<i64> {
    integer(term).filter(|place| place.unsigned_abs() <= MOST)
}
