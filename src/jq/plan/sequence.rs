//! What can only be computed element after element, as `reduce` and `foreach` do, but asks for the array once and in order:
//! then it need not be held. `.[]` becomes `inputs`, and the interpreter reads the records one by one.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};

use super::super::print;
use super::names::Names;
use super::terms::{Tree, defined, integer, is_local, then};

/// The text of a program that does with `inputs` what this one does with the array's elements; `None` if it looks at
/// the array in any other way.
pub(super) fn sequence(program: &Tree<'_>) -> Option<String> {
    let names = Names { defined: defined(program) };
    let (mut definitions, mut body) = (String::new(), program);
    while let Term::Def(defs, rest) = body {
        if !defs.iter().all(|def| is_local(&def.body, &[])) {
            return None;
        }
        definitions += &print::print_definitions(defs);
        body = rest;
    }
    is_local(body, &[]).then(|| names.in_turn(body)).flatten().map(|body| definitions + &print::print(&body))
}

impl<'s> Names<'s> {
    fn in_turn(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        let boxed = |inner: &Tree<'s>| self.in_turn(inner).map(Box::new);
        if let Some(each) = self.stream(term) {
            return Some(then(&Term::Call("inputs", Vec::new()), &each));
        }
        Some(match term {
            Term::BinOp(left, op @ BinaryOp::Pipe(None), right) => Term::BinOp(boxed(left)?, op.clone(), right.clone()),
            // The start of the state is computed from the array; what follows has the state for its input.
            Term::Fold(name, source, pattern, arguments) if arguments.first().is_some_and(is_constant) => {
                Term::Fold(name, boxed(source)?, pattern.clone(), arguments.clone())
            }
            Term::Label(name, body) => Term::Label(name, boxed(body)?),
            Term::Arr(Some(inner)) => Term::Arr(Some(boxed(inner)?)),
            Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner)?, catch.clone()),
            Term::Call(name @ ("any" | "all"), arguments) if self.call(term, name, 2) => {
                Term::Call(name, vec![self.in_turn(&arguments[0])?, arguments[1].clone()])
            }
            Term::Call(name @ ("any" | "all"), arguments) if self.call(term, name, 1) => {
                Term::Call(name, vec![Term::Call("inputs", Vec::new()), arguments[0].clone()])
            }
            Term::Call(name @ ("any" | "all"), _) if self.call(term, name, 0) => {
                Term::Call(name, vec![Term::Call("inputs", Vec::new()), Term::Id])
            }
            Term::Call(name @ ("first" | "last" | "isempty"), arguments) if self.call(term, name, 1) => {
                Term::Call(name, vec![self.in_turn(&arguments[0])?])
            }
            Term::Call(name @ ("limit" | "nth" | "skip"), arguments)
                if self.call(term, name, 2) && integer(&arguments[0]).is_some() =>
            {
                Term::Call(name, vec![arguments[0].clone(), self.in_turn(&arguments[1])?])
            }
            _ => return None,
        })
    }
}

/// Whether a term is the same whatever its input is.
fn is_constant(term: &Tree<'_>) -> bool {
    match term {
        Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
        Term::Str(_, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
        Term::Arr(Some(inner)) | Term::Neg(inner) => is_constant(inner),
        Term::Obj(entries) => entries.iter().all(|(key, value)| {
            matches!(key, Term::Var(_) if value.is_none())
                || is_constant(key) && value.as_ref().is_some_and(is_constant)
        }),
        Term::BinOp(left, BinaryOp::Math(_) | BinaryOp::Comma, right) => is_constant(left) && is_constant(right),
        Term::Call("null" | "true" | "false" | "empty" | "infinite" | "nan", arguments) => arguments.is_empty(),
        _ => false,
    }
}
