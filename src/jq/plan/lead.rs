//! Whether what is made of an array begins by asking for an aggregate of it: then what fails while the elements are made
//! fails there, before anything else happens, and needs no other guard.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};

use super::names::Names;
use super::terms::{Tree, stages};

impl<'s> Names<'s> {
    /// Whether `term`, of an array of which aggregates are taken, asks for one of them before it gives an output, raises an
    /// error or catches one. `false` is always right, and costs one more aggregate.
    pub(super) fn leads(&self, term: &Tree<'s>) -> bool {
        let parts = stages(term);
        let Some(first) = parts.first() else { return false };
        if self.each(first).is_some() {
            return true;
        }
        match first {
            Term::Call(_, arguments) if self.call(first, "error", 1) => self.leads(&arguments[0]),
            Term::Call(_, arguments) if self.call(first, "select", 1) && parts.len() > 1 => self.leads(&arguments[0]),
            constant if self.is_constant(constant) => false,
            Term::Arr(Some(inner)) | Term::Neg(inner) => self.leads(inner),
            Term::Str(_, parts) => self.all_lead(parts.iter().filter_map(|part| match part {
                StrPart::Term(term) => Some(term),
                _ => None,
            })),
            Term::Obj(entries) => {
                self.all_lead(entries.iter().flat_map(|(key, value)| std::iter::once(key).chain(value)))
            }
            Term::BinOp(left, op, right) => match op {
                BinaryOp::Math(_) | BinaryOp::Cmp(_) => self.all_lead([&**left, &**right].into_iter()),
                BinaryOp::Alt => false,
                BinaryOp::Comma | BinaryOp::Or | BinaryOp::And | BinaryOp::Pipe(_) => self.leads(left),
                // An assignment has the array itself.
                _ => true,
            },
            Term::IfThenElse(branches, Some(_)) => branches.first().is_some_and(|(condition, _)| self.leads(condition)),
            Term::TryCatch(..) => false,
            // It stops before all elements are made.
            first if self.turn(first).is_some_and(|turn| turn.kind.stops()) => false,
            // An aggregate, or the array.
            _ => true,
        }
    }

    /// Whether one of these comes first, in whatever order they are asked for.
    fn all_lead<'t>(&self, mut terms: impl Iterator<Item = &'t Tree<'s>>) -> bool
    where
        's: 't,
    {
        let (mut any, mut all) = (false, true);
        for term in &mut terms {
            match term {
                Term::Num(_) | Term::Var(_) | Term::Arr(None) => {}
                Term::Str(_, parts) if !parts.iter().any(|part| matches!(part, StrPart::Term(_))) => {}
                term if self.leads(term) => any = true,
                _ => all = false,
            }
        }
        any && all
    }
}
