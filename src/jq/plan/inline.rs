//! Calls of definitions replaced by their bodies, so that what they say can be planned. What must stay true: every name in
//! a body and in an argument means after it what it meant before; a call of which that is not certain stays a call. What
//! the tree grows by is bounded: definitions that call others twice would double it with each.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Term};
use jaq_core::path::{Part, Path};
use std::cell::Cell;

use super::terms::{Tree, binders, defined, integer, walk};

/// How often bodies may stand in bodies.
const DEEPEST: usize = 16;

/// Terms that may be put in the places of calls, in all, and of one definition.
const MOST: usize = 20_000;
const LONGEST: usize = 500;

/// What calls may be replaced by, and how many terms more may be put in their places.
struct Known<'s> {
    definitions: Vec<Def<&'s str>>,
    left: Cell<usize>,
}

/// A program's tree with its calls of the program's own definitions, and of these, replaced where that is certain.
pub(crate) fn inline<'s>(program: &Tree<'s>, extra: &[Def<&'s str>]) -> Tree<'s> {
    let own = defined(program);
    let mut known = Known { definitions: Vec::new(), left: Cell::new(MOST) };
    for def in extra {
        // A name that the program defines anew is the program's, and so would be one in the body.
        let free = calls(&def.body).iter().chain([&(def.name, def.args.len())]).all(|call| !own.contains(call));
        if free && !is_captured(def, program) {
            known.definitions.push(def.clone());
        }
    }
    let (mut heads, mut body) = (Vec::new(), program);
    while let Term::Def(defs, rest) = body {
        for def in defs {
            let name = (def.name, def.args.len());
            let mut def = def.clone();
            def.body = within(&def.body, &known, 0);
            // Its own arguments are no definitions of the program; what is called otherwise may be another one here.
            let clear = calls(&def.body).iter().all(|call| !own.contains(call) || def.args.contains(&call.0));
            let one = own.iter().filter(|other| **other == name).count() == 1;
            if clear && one && size(&def.body) <= LONGEST && !is_captured(&def, program) {
                known.definitions.push(def.clone());
            }
        }
        heads.push(defs.clone());
        body = rest;
    }
    let body = within(body, &known, 0);
    heads.into_iter().rev().fold(body, |body, defs| Term::Def(defs, Box::new(body)))
}

/// A program's own definitions that are still called, by it or by each other, and what is behind all of them.
pub(super) fn called<'t, 's>(program: &'t Tree<'s>) -> (Vec<Def<&'s str>>, &'t Tree<'s>) {
    let (mut all, mut body) = (Vec::new(), program);
    while let Term::Def(defs, rest) = body {
        all.extend(defs);
        body = rest;
    }
    let mut names = calls(body);
    // What a definition calls is defined before it, or is itself.
    let mut kept: Vec<Def<&'s str>> = Vec::new();
    for def in all.into_iter().rev() {
        if names.contains(&(def.name, def.args.len())) {
            names.extend(calls(&def.body));
            kept.push(def.clone());
        }
    }
    kept.reverse();
    (kept, body)
}

/// Whether a variable that the body takes from around the definition could be another one where it is called: whether the
/// program binds one of that name outside of the body.
fn is_captured(def: &Def<&str>, program: &Tree<'_>) -> bool {
    let mut captured = false;
    walk(&def.body, &mut |term| {
        if let Term::Var(name) = term {
            captured |= !def.args.contains(name) && binders(program, name) > binders(&def.body, name);
        }
    });
    captured
}

/// The number of terms in a term.
fn size(term: &Tree<'_>) -> usize {
    let mut count = 0;
    walk(term, &mut |_| count += 1);
    count
}

/// What a term calls.
fn calls<'s>(term: &Tree<'s>) -> Vec<(&'s str, usize)> {
    let mut found = Vec::new();
    walk(term, &mut |term| {
        if let Term::Call(name, arguments) = term {
            found.push((*name, arguments.len()));
        }
    });
    found
}

fn within<'s>(term: &Tree<'s>, known: &Known<'s>, depth: usize) -> Tree<'s> {
    let term = rebuild(term, &mut |inner| within(inner, known, depth));
    if let Term::Call(name, arguments) = &term
        && depth < DEEPEST
        && let Some(def) =
            known.definitions.iter().rev().find(|def| def.name == *name && def.args.len() == arguments.len())
        && let Some(body) = replaced(def, arguments)
        && let Some(left) = known.left.get().checked_sub(size(&body))
    {
        known.left.set(left);
        return within(&body, known, depth + 1);
    }
    term
}

/// The body with arguments in the places of parameters.
fn replaced<'s>(def: &Def<&'s str>, arguments: &[Tree<'s>]) -> Option<Tree<'s>> {
    let (mut binds, mut defines, mut uses) = (false, false, false);
    walk(&def.body, &mut |term| {
        binds |= matches!(term, Term::BinOp(_, BinaryOp::Pipe(Some(_)), _) | Term::Fold(..) | Term::Label(..));
        defines |= matches!(term, Term::Def(..));
    });
    for (name, argument) in def.args.iter().zip(arguments) {
        // A value is computed once, before the body: only a literal is the same wherever it stands.
        if name.starts_with('$') && integer(argument).is_none() && !matches!(argument, Term::Num(_)) {
            return None;
        }
        walk(argument, &mut |term| uses |= matches!(term, Term::Var(_) | Term::Break(_)));
    }
    // What the body binds could be taken for what an argument names.
    if defines || binds && uses {
        return None;
    }
    Some(substitute(&def.body, &def.args, arguments))
}

fn substitute<'s>(term: &Tree<'s>, names: &[&'s str], arguments: &[Tree<'s>]) -> Tree<'s> {
    let place = |name: &str| names.iter().position(|known| known.trim_start_matches('$') == name);
    match term {
        Term::Call(name, none) if none.is_empty() && place(name).is_some() => {
            place(name).map_or(Term::Id, |place| arguments[place].clone())
        }
        Term::Var(name) => match names.iter().position(|known| known == name) {
            Some(place) => arguments[place].clone(),
            None => term.clone(),
        },
        _ => rebuild(term, &mut |inner| substitute(inner, names, arguments)),
    }
}

/// The term with each term in it changed. Patterns stay as they are: what they compute is seldom anything else than a key.
fn rebuild<'s>(term: &Tree<'s>, change: &mut dyn FnMut(&Tree<'s>) -> Tree<'s>) -> Tree<'s> {
    let mut boxed = |inner: &Tree<'s>| Box::new(change(inner));
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => term.clone(),
        Term::Str(format, parts) => {
            let part = |part: &StrPart<&'s str, Tree<'s>>| match part {
                StrPart::Term(inner) => StrPart::Term(change(inner)),
                other => other.clone(),
            };
            Term::Str(*format, parts.iter().map(part).collect())
        }
        Term::Arr(Some(inner)) => Term::Arr(Some(boxed(inner))),
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Obj(entries) => {
            Term::Obj(entries.iter().map(|(key, value)| (change(key), value.as_ref().map(&mut *change))).collect())
        }
        Term::BinOp(left, op, right) => Term::BinOp(boxed(left), op.clone(), boxed(right)),
        Term::Fold(name, source, pattern, arguments) => {
            let source = boxed(source);
            Term::Fold(name, source, pattern.clone(), arguments.iter().map(change).collect())
        }
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner), catch.as_deref().map(boxed)),
        Term::IfThenElse(branches, other) => {
            let branches = branches.iter().map(|(condition, then)| (change(condition), change(then))).collect();
            Term::IfThenElse(branches, other.as_deref().map(|other| Box::new(change(other))))
        }
        Term::Def(defs, rest) => Term::Def(defs.clone(), boxed(rest)),
        Term::Call(name, arguments) => Term::Call(name, arguments.iter().map(change).collect()),
        Term::Path(head, Path(parts)) => {
            let head = boxed(head);
            let mut part = |part: &Part<Tree<'s>>| match part {
                Part::Index(at) => Part::Index(change(at)),
                Part::Range(from, upto) => {
                    Part::Range(from.as_ref().map(&mut *change), upto.as_ref().map(&mut *change))
                }
            };
            let parts = parts.iter().map(|(of, opt)| (part(of), *opt)).collect();
            Term::Path(head, Path(parts))
        }
    }
}
