//! What can only be computed element after element, as `reduce` and `foreach` do, but asks for the array once and in order:
//! then it need not be held. `.[]` becomes `inputs`, and the interpreter reads the records one by one.

use jaq_core::load::parse;
use jaq_core::load::parse::{BinaryOp, Def, Term};

use super::super::print;
use super::names::Names;
use super::terms::{Tree, defined, integer, is_local, then};

/// Functions of an array that can be computed element after element.
const STEPS: &str = "
def INDEX(stream; key): reduce stream as $row ({}; .[$row | key | tostring] = $row);
def INDEX(key): reduce .[] as $row ({}; .[$row | key | tostring] = $row);
def from_entries: reduce .[] as $entry ({}; ([$entry] | _from_entries | to_entries[]) as $one | .[$one.key] = $one.value);
";

/// Their definitions.
pub(super) fn steps() -> Vec<Def<&'static str>> {
    parse(STEPS, |parser| parser.defs()).unwrap_or_default()
}

/// The text of a program that does with `inputs` what this one does with the array's elements; `None` if it looks at
/// the array in any other way.
pub(super) fn sequence(program: &Tree<'_>) -> Option<String> {
    let names = Names { defined: defined(program) };
    if names.defines("inputs", 0) {
        return None;
    }
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
            Term::Fold(name, source, pattern, arguments)
                if arguments.first().is_some_and(|start| self.is_constant(start)) =>
            {
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
