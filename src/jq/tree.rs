//! Syntax trees: making them and walking over them.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

/// A syntax tree of a text.
pub(super) type Tree<'s> = Term<&'s str>;

pub(super) fn binary<'s>(left: Tree<'s>, op: BinaryOp<&'s str>, right: Tree<'s>) -> Tree<'s> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

pub(super) fn pipe<'s>(left: Tree<'s>, bound: Option<Pattern<&'s str>>, right: Tree<'s>) -> Tree<'s> {
    binary(left, BinaryOp::Pipe(bound), right)
}

pub(super) fn call<'s>(name: &'s str, arguments: Vec<Tree<'s>>) -> Tree<'s> {
    Term::Call(name, arguments)
}

pub(super) fn text(content: &str) -> Tree<'_> {
    Term::Str(None, vec![StrPart::Str(content)])
}

pub(super) fn path<'s>(part: Part<Tree<'s>>) -> Tree<'s> {
    Term::Path(Box::new(Term::Id), Path(vec![(part, Opt::Essential)]))
}

/// What a string says that has no terms in it.
pub(super) fn literal(parts: &[StrPart<&str, Tree<'_>>]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(part) => text.push_str(part),
            StrPart::Char(char) => text.push(*char),
            StrPart::Term(_) => return None,
        }
    }
    Some(text)
}

/// Visits the definitions within a term.
pub(super) fn each_definition<'t, 's>(term: &'t Term<&'s str>, visit: &mut dyn FnMut(&'t Def<&'s str>)) {
    walk(term, &mut |term| {
        if let Term::Def(definitions, _) = term {
            definitions.iter().for_each(&mut *visit);
        }
    });
}

/// Whether a function is called somewhere in a term.
pub(super) fn calls(term: &Term<&str>, name: &str, arguments: usize) -> bool {
    let mut found = false;
    walk(term, &mut |term| {
        found |= matches!(term, Term::Call(called, with) if *called == name && with.len() == arguments);
    });
    found
}

/// Visits a term and all terms in it.
fn walk<'t, 's>(term: &'t Term<&'s str>, visit: &mut dyn FnMut(&'t Term<&'s str>)) {
    visit(term);
    let mut go = |term: &'t Term<&'s str>| walk(term, visit);
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => {}
        Term::Str(_, parts) => parts.iter().for_each(|part| {
            if let StrPart::Term(term) = part {
                go(term);
            }
        }),
        Term::Arr(Some(inner)) | Term::Neg(inner) | Term::Label(_, inner) => go(inner),
        Term::Obj(members) => members.iter().flat_map(|(key, value)| std::iter::once(key).chain(value)).for_each(go),
        Term::BinOp(left, op, right) => {
            go(left);
            go(right);
            if let BinaryOp::Pipe(Some(bound)) = op {
                walk_pattern(bound, visit);
            }
        }
        Term::Fold(_, source, bound, arguments) => {
            go(source);
            arguments.iter().for_each(go);
            walk_pattern(bound, visit);
        }
        Term::TryCatch(body, catch) => {
            go(body);
            catch.iter().for_each(|catch| go(catch));
        }
        Term::IfThenElse(branches, otherwise) => {
            branches.iter().flat_map(|(condition, then)| [condition, then]).for_each(&mut go);
            otherwise.iter().for_each(|otherwise| go(otherwise));
        }
        Term::Def(definitions, body) => {
            definitions.iter().for_each(|one| go(&one.body));
            go(body);
        }
        Term::Call(_, arguments) => arguments.iter().for_each(go),
        Term::Path(head, path) => {
            go(head);
            path.0.iter().for_each(|(part, _)| match part {
                Part::Index(index) => go(index),
                Part::Range(from, to) => from.iter().chain(to).for_each(&mut go),
            });
        }
    }
}

fn walk_pattern<'t, 's>(bound: &'t Pattern<&'s str>, visit: &mut dyn FnMut(&'t Term<&'s str>)) {
    match bound {
        Pattern::Var(_) => {}
        Pattern::Arr(inner) => inner.iter().for_each(|one| walk_pattern(one, visit)),
        Pattern::Obj(members) => members.iter().for_each(|(key, one)| {
            walk(key, visit);
            walk_pattern(one, visit);
        }),
    }
}
