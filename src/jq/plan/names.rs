//! What calls and paths mean: a name is jq's function unless the program defines it anew.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};

use super::terms::{Tree, integer, is_each, own_path, path_of, pipe, stages, walk};

/// Functions that do not look at their input.
const CONSTANTS: [&str; 7] = ["true", "false", "null", "empty", "nan", "infinite", "now"];

/// The functions that a program defines: these names do not mean jq's.
#[derive(Debug)]
pub(super) struct Names<'s> {
    pub(super) defined: Vec<(&'s str, usize)>,
}

impl<'s> Names<'s> {
    /// What `map(f)`, `[.[] | f]` and their like do to each element.
    pub(super) fn each(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        match term {
            Term::Call(_, arguments) if self.call(term, "map", 1) => Some(arguments[0].clone()),
            Term::Call(_, arguments) if self.call(term, "map_values", 1) => self.first_of(&arguments[0]),
            Term::Arr(Some(inner)) => self.stream(inner),
            // `.[] |= f` keeps the first output.
            Term::BinOp(left, BinaryOp::Update, right) => match own_path(left)? {
                [part] if is_each(part) => self.first_of(right),
                _ => None,
            },
            Term::Call(_, arguments) if self.call(term, "del", 1) => match own_path(&arguments[0])? {
                [part, rest @ ..] if is_each(part) && !rest.is_empty() => Some(Term::Call("del", vec![path_of(rest)])),
                _ => None,
            },
            _ => None,
        }
    }

    /// What `.[]`, `.[].a` and `.[] | f` give for each element.
    pub(super) fn stream(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        let parts = stages(term);
        let (first, rest) = parts.split_first()?;
        match own_path(first)? {
            [part, path @ ..] if is_each(part) => {
                let mut all = vec![path_of(path)];
                all.extend_from_slice(rest);
                Some(pipe(&all))
            }
            _ => None,
        }
    }

    /// What gives the first output of a term only.
    fn first_of(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        (!self.defines("first", 1)).then(|| Term::Call("first", vec![term.clone()]))
    }

    /// Whether the program defines this name anew.
    pub(super) fn defines(&self, name: &str, count: usize) -> bool {
        self.defined.iter().any(|(defined, arity)| *defined == name && *arity == count)
    }

    /// Whether a term is the same whatever its input is.
    pub(super) fn is_constant(&self, term: &Tree<'s>) -> bool {
        let constant = |term: &Tree<'s>| self.is_constant(term);
        match term {
            Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
            Term::Str(_, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
            Term::Arr(Some(inner)) | Term::Neg(inner) => constant(inner),
            Term::Obj(entries) => entries.iter().all(|(key, value)| {
                matches!(key, Term::Var(_) if value.is_none()) || constant(key) && value.as_ref().is_some_and(constant)
            }),
            Term::BinOp(left, BinaryOp::Math(_) | BinaryOp::Comma, right) => constant(left) && constant(right),
            Term::Call(name, arguments) => arguments.is_empty() && CONSTANTS.contains(name) && !self.defines(name, 0),
            _ => false,
        }
    }

    /// `limit(n; .[] | f)` and `first(.[] | f)`: what one element gives, which is never more, and how many there are.
    pub(super) fn limit(&self, term: &Tree<'s>) -> Option<(Tree<'s>, u64)> {
        match term {
            Term::Call(_, arguments) if self.call(term, "limit", 2) => {
                let count = integer(&arguments[0])?;
                let each = Term::Call("limit", vec![arguments[0].clone(), self.stream(&arguments[1])?]);
                Some((each, u64::try_from(count).unwrap_or(0)))
            }
            Term::Call(_, arguments) if self.call(term, "first", 1) => {
                Some((Term::Call("first", vec![self.stream(&arguments[0])?]), 1))
            }
            _ => None,
        }
    }

    /// Whether a program has the names that stand for aggregates' answers.
    pub(super) fn are_ours(&self, program: &Tree<'_>) -> bool {
        let mut taken = self.defined.iter().any(|(name, _)| *name == "__agg");
        walk(program, &mut |term| taken |= matches!(term, Term::Var(name) if name.starts_with("$__agg")));
        taken
    }

    /// Whether `term` calls jq's function of this name.
    pub(super) fn call(&self, term: &Tree<'s>, name: &str, count: usize) -> bool {
        matches!(term, Term::Call(called, arguments) if *called == name && arguments.len() == count)
            && !self.defines(name, count)
    }
}
