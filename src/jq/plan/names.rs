//! What calls and paths mean: a name is jq's function unless the program defines it anew.

use jaq_core::load::parse::{BinaryOp, Term};

use super::terms::{Tree, is_each, own_path, path_of, pipe, stages};

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
            Term::Call(_, arguments) if self.call(term, "map_values", 1) => {
                Some(Term::Call("first", vec![arguments[0].clone()]))
            }
            Term::Arr(Some(inner)) => self.stream(inner),
            // `.[] |= f` keeps the first output.
            Term::BinOp(left, BinaryOp::Update, right) => matches!(own_path(left), Some([part]) if is_each(part))
                .then(|| Term::Call("first", vec![(**right).clone()])),
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

    /// Whether `term` calls jq's function of this name.
    pub(super) fn call(&self, term: &Tree<'s>, name: &str, count: usize) -> bool {
        matches!(term, Term::Call(called, arguments) if *called == name && arguments.len() == count)
            && !self.defined.iter().any(|(defined, arity)| *defined == name && *arity == count)
    }
}
