//! Taking the aggregates out of what is made of a whole array: `{n: length, s: (map(.x) | add)}` becomes two aggregates
//! and `{n: $__agg0, s: $__agg1}`, which is run once, on their answers.
//!
//! What must stay true: the rest never looks at the array itself. Where a term does so in a way that is not recognised
//! here, the array is an aggregate too ([`Kind::Collect`]), which is right and holds it.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Part, Path};

use super::kinds::{MOST, place};
use super::names::Names;
use super::places::{slice, tail};
use super::terms::{Tree, is_local, own_path, path_of, pipe, stages, then, variables};
use super::{Agg, Kind, Row};

/// As many aggregates as one pass may have: the names of their answers.
pub(super) const ANSWERS: [&str; 24] = [
    "$__agg0", "$__agg1", "$__agg2", "$__agg3", "$__agg4", "$__agg5", "$__agg6", "$__agg7", "$__agg8", "$__agg9",
    "$__agg10", "$__agg11", "$__agg12", "$__agg13", "$__agg14", "$__agg15", "$__agg16", "$__agg17", "$__agg18",
    "$__agg19", "$__agg20", "$__agg21", "$__agg22", "$__agg23",
];

/// What stands for "the elements are made".
const MADE: &str = "$__agg";

/// The aggregates that were found.
pub(super) struct Extract<'s, 'n> {
    pub(super) names: &'n Names<'s>,
    pub(super) found: Vec<Agg<'s>>,
    /// Variables that have a value only once the aggregates have theirs.
    bound: Vec<&'s str>,
    /// An error's text is seen by the program: of two, it must be jq's.
    caught: bool,
}

impl<'s, 'n> Extract<'s, 'n> {
    pub(super) fn new(names: &'n Names<'s>) -> Extract<'s, 'n> {
        Extract { names, found: Vec::new(), bound: Vec::new(), caught: false }
    }

    /// What is left of `term`, whose input is the array of the outputs of `of` for each record; `None` if it cannot be
    /// run apart from the array.
    pub(super) fn rest(&mut self, term: &Tree<'s>, of: &Tree<'s>) -> Option<Tree<'s>> {
        let boxed = |term: Option<Tree<'s>>| term.map(Box::new);
        let mut parts = stages(term);
        if parts.len() > 1 {
            return self.piped(&parts, of);
        }
        let term = parts.pop()?;
        if let Some(stages) = self.names.taken_from(&term) {
            return self.piped(&stages, of);
        }
        if let Some(kind) = self.names.aggregate(&term) {
            return self.answer(kind, of);
        }
        if let Some(of) = self.elements(&term, of) {
            return self.answer(Kind::Collect, &of);
        }
        if let Some(turn) = self.names.turn(&term)
            && (turn.kind.stops() || !self.caught || matches!(of, Term::Id))
            && is_local(&turn.each, &self.bound)
            && turn.kind.terms().into_iter().all(|term| is_local(term, &self.bound))
        {
            let outputs = self.answer(turn.kind.clone(), &then(of, &turn.each))?;
            return Some(turn.with(outputs));
        }
        if let Some((from, upto)) = slice(&term)
            && upto <= MOST
        {
            return self.answer(Kind::Slice(from, upto), of);
        }
        if let Some(count) = tail(&term) {
            return Some(then(&self.answer(Kind::Tail(count), of)?, &term));
        }
        if let Some([(Part::Index(at), _), path @ ..]) = own_path(&term)
            && let Some(place) = place(at)
        {
            let path = path_of(path);
            if is_local(&path, &self.bound) {
                return self.answer(Kind::Nth(place, path), of);
            }
            return Some(then(&self.answer(Kind::Nth(place, Term::Id), of)?, &path));
        }
        Some(match &term {
            constant if self.names.is_constant(constant) => term,
            Term::Arr(Some(inner)) => Term::Arr(Some(boxed(self.rest(inner, of))?)),
            Term::Str(format, parts) => {
                let mut left = Vec::with_capacity(parts.len());
                for part in parts {
                    left.push(match part {
                        StrPart::Term(term) => StrPart::Term(self.rest(term, of)?),
                        part => part.clone(),
                    });
                }
                Term::Str(*format, left)
            }
            Term::Obj(entries) => {
                let mut left = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    left.push(match (key, value) {
                        // The shorthand `{a}` looks at the input, `{$a}` does not.
                        (Term::Var(_), None) => (key.clone(), None),
                        (_, None) => (key.clone(), Some(self.rest(&shorthand(key)?, of)?)),
                        (key, Some(value)) => (self.rest(key, of)?, Some(self.rest(value, of)?)),
                    });
                }
                Term::Obj(left)
            }
            Term::Neg(inner) => Term::Neg(boxed(self.rest(inner, of))?),
            Term::BinOp(left, BinaryOp::Pipe(Some(pattern)), right) => {
                let left = self.rest(left, of)?;
                let known = self.bound.len();
                variables(pattern, &mut self.bound);
                let right = self.rest(right, of);
                self.bound.truncate(known);
                Term::BinOp(Box::new(left), BinaryOp::Pipe(Some(pattern.clone())), boxed(right)?)
            }
            Term::BinOp(left, op, right) if computes(op) => {
                Term::BinOp(boxed(self.rest(left, of))?, op.clone(), boxed(self.rest(right, of))?)
            }
            Term::IfThenElse(branches, Some(other)) => {
                let mut left = Vec::with_capacity(branches.len());
                for (condition, then) in branches {
                    left.push((self.rest(condition, of)?, self.rest(then, of)?));
                }
                Term::IfThenElse(left, boxed(self.rest(other, of)))
            }
            // What is caught is not the array.
            Term::TryCatch(inner, catch) => {
                let before = self.caught;
                self.caught |= catch.is_some();
                let inner = self.rest(inner, of);
                self.caught = before;
                Term::TryCatch(boxed(inner)?, catch.clone())
            }
            Term::Call("error", arguments) if self.names.call(&term, "error", 1) => {
                Term::Call("error", vec![self.rest(&arguments[0], of)?])
            }
            other => {
                let all = self.answer(Kind::Collect, of)?;
                then(&all, other)
            }
        })
    }

    /// A pipe of more than one stage.
    fn piped(&mut self, parts: &[Tree<'s>], of: &Tree<'s>) -> Option<Tree<'s>> {
        let (first, rest) = parts.split_first()?;
        // `.[0] | .a` keeps less than all of the element.
        if let (Some(place @ [(Part::Index(_), _), ..]), Some([next, rest @ ..])) = (own_path(first), Some(rest))
            && let Some(path) = own_path(next)
        {
            let whole = path_of(&[place, path].concat());
            return self.rest(&pipe(&[&[whole], rest].concat()), of);
        }
        if self.names.call(first, "select", 1) {
            // It hands on the array as it is, or nothing.
            let Term::Call(name, arguments) = first else { return None };
            let condition = self.rest(&arguments[0], of)?;
            // What it hands on is not looked at: the rest has the answers.
            let rest = self.rest(&pipe(rest), of)?;
            return Some(then(&Term::Call(name, vec![condition]), &rest));
        }
        if let Some(of) = self.elements(first, of) {
            let rest = pipe(rest);
            if self.names.leads(&rest) {
                return self.rest(&rest, &of);
            }
            // All elements are made before the rest begins, whether it looks at them or not.
            let made = self.answer(Kind::Count, &of)?;
            let rest = self.rest(&rest, &of)?;
            return Some(Term::BinOp(Box::new(made), BinaryOp::Pipe(Some(Pattern::Var(MADE))), Box::new(rest)));
        }
        if let Some((from, upto)) = slice(first)
            && upto <= MOST
        {
            let answer = self.answer(Kind::Slice(from, upto), of)?;
            return Some(then(&answer, &pipe(rest)));
        }
        if let Some(count) = tail(first) {
            return Some(then(&self.answer(Kind::Tail(count), of)?, &pipe(parts)));
        }
        // As many groups as there are different keys.
        if let Term::Call("group_by", by) = first
            && self.names.call(first, "group_by", 1)
            && self.names.call(&rest[0], "length", 0)
            && let Some(all) = self.answer(Kind::Unique(by[0].clone()), of)
        {
            return Some(then(&all, &pipe(rest)));
        }
        if let Some(kind) = self.groups(first, &rest[0], of) {
            let answer = self.answer(kind, of)?;
            return Some(then(&answer, &pipe(&rest[1..])));
        }
        if let Some((kind, taken)) = self.names.best(parts) {
            let answer = self.answer(kind, of)?;
            return Some(then(&answer, &pipe(&parts[taken..])));
        }
        let first = self.rest(first, of)?;
        Some(then(&first, &pipe(rest)))
    }

    /// `group_by(f) | map(g)`, where nothing of a group needs all of it.
    fn groups(&self, group: &Tree<'s>, map: &Tree<'s>, of: &Tree<'s>) -> Option<Kind<'s>> {
        // Outputs of one record stand in one group only if there is one of them.
        if self.caught || !matches!(of, Term::Id) || !self.names.call(group, "group_by", 1) {
            return None;
        }
        let (Term::Call(_, arguments), Term::Call(_, made)) = (group, map) else { return None };
        let (by, make) = (arguments.first()?, made.first().filter(|_| self.names.call(map, "map", 1))?);
        if !is_local(make, &self.bound) {
            return None;
        }
        let mut inner = Extract::new(self.names);
        let rest = inner.rest(make, &Term::Id)?;
        let row = Box::new(Row { aggregates: inner.found, rest });
        (!row.aggregates.iter().any(Agg::is_whole)).then(|| Kind::Groups { by: by.clone(), row })
    }

    /// An array made of the array's elements one by one, each record by itself: `map(f)`.
    fn elements(&self, term: &Tree<'s>, of: &Tree<'s>) -> Option<Tree<'s>> {
        let each = self.names.each(term)?;
        if self.caught && !matches!(of, Term::Id) {
            // The errors of the one filter come before those of the other.
            return None;
        }
        is_local(&each, &self.bound).then(|| then(of, &each))
    }

    /// What stands for an aggregate's answer.
    fn answer(&mut self, kind: Kind<'s>, of: &Tree<'s>) -> Option<Tree<'s>> {
        let local = |term: &Tree<'s>| is_local(term, &self.bound);
        if !local(of) || !kind.terms().into_iter().all(local) {
            return None;
        }
        let agg = Agg { kind, of: of.clone() };
        let text = agg.to_string();
        let place = match self.found.iter().position(|known| known.to_string() == text) {
            Some(place) => place,
            None => {
                self.found.push(agg);
                self.found.len() - 1
            }
        };
        Some(Term::Call("__agg", vec![Term::Var(ANSWERS.get(place)?)]))
    }
}

/// `{a}` is `{a: .a}`.
fn shorthand<'s>(key: &Tree<'s>) -> Option<Tree<'s>> {
    let part = (Part::Index(key.clone()), jaq_core::path::Opt::Essential);
    matches!(key, Term::Str(..)).then(|| Term::Path(Box::new(Term::Id), Path(vec![part])))
}

/// Whether an operator only combines what its sides give.
fn computes(op: &BinaryOp<&str>) -> bool {
    matches!(op, BinaryOp::Comma | BinaryOp::Alt | BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_))
}
