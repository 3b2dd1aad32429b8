//! Looking at syntax trees: pipes taken apart, calls recognised, what a term may do besides computing.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

/// A program's syntax tree, which borrows its words from the text.
pub(crate) type Tree<'s> = Term<&'s str>;

/// What has an effect, or depends on more than its input: it cannot be run on each record by whoever is free.
const NOT_LOCAL: [&str; 8] =
    ["input", "inputs", "debug", "stderr", "halt", "halt_error", "input_filename", "input_line_number"];

/// The stages of a pipe, in order. `group_by(f)[0]` is `group_by(f) | .[0]`: what is in the brackets is evaluated on what
/// comes before the pipe, so it must not look at it.
pub(super) fn stages<'s>(term: &Tree<'s>) -> Vec<Tree<'s>> {
    let mut found = Vec::new();
    let mut rest = term.clone();
    loop {
        match rest {
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                found.extend(stages(&left));
                rest = *right;
            }
            Term::Path(head, Path(parts))
                if !matches!(*head, Term::Id) && parts.iter().all(|(part, _)| fixed(part)) =>
            {
                found.extend(stages(&head));
                rest = Term::Path(Box::new(Term::Id), Path(parts));
            }
            // So is `.[2:5][].a`.
            Term::Path(head, Path(parts))
                if parts.len() > 1
                    && matches!(parts[0].0, Part::Range(Some(_), _) | Part::Range(_, Some(_)))
                    && parts.iter().all(|(part, _)| fixed(part)) =>
            {
                let (slice, behind) = parts.split_at(1);
                found.push(Term::Path(head, Path(slice.to_vec())));
                rest = Term::Path(Box::default(), Path(behind.to_vec()));
            }
            other => {
                if !matches!(other, Term::Id) || found.is_empty() {
                    found.push(other);
                }
                return found;
            }
        }
    }
}

/// The pipe of these stages.
pub(super) fn pipe<'s>(stages: &[Tree<'s>]) -> Tree<'s> {
    let mut stages = stages.iter().rev().filter(|stage| !matches!(stage, Term::Id));
    let last = stages.next().cloned().unwrap_or(Term::Id);
    stages.fold(last, |rest, stage| Term::BinOp(Box::new(stage.clone()), BinaryOp::Pipe(None), Box::new(rest)))
}

/// `left | right`.
pub(super) fn then<'s>(left: &Tree<'s>, right: &Tree<'s>) -> Tree<'s> {
    pipe(&[left.clone(), right.clone()])
}

/// Whether a part of a path is the same whatever the path's input is: what is in brackets is evaluated on that input, not
/// on what the path has led to.
fn fixed(part: &Part<Tree<'_>>) -> bool {
    let plain = |term: &Tree<'_>| {
        matches!(term, Term::Num(_) | Term::Var(_))
            || integer(term).is_some()
            || matches!(term, Term::Str(None, parts) if parts.iter().all(|part| !matches!(part, StrPart::Term(_))))
    };
    match part {
        Part::Index(at) => plain(at),
        Part::Range(from, upto) => from.iter().chain(upto).all(plain),
    }
}

/// An integer literal, with its sign.
pub(crate) fn integer(term: &Tree<'_>) -> Option<i64> {
    match term {
        Term::Num(text) => text.parse().ok(),
        Term::Neg(inner) => match &**inner {
            Term::Num(text) => text.parse::<i64>().ok().map(|n| -n),
            _ => None,
        },
        _ => None,
    }
}

/// The parts of a path of the input itself, `.a[0]`, which can be taken apart.
pub(crate) fn own_path<'t, 's>(term: &'t Tree<'s>) -> Option<&'t [(Part<Tree<'s>>, Opt)]> {
    match term {
        Term::Path(head, Path(parts)) if matches!(**head, Term::Id) && parts.iter().all(|(part, _)| fixed(part)) => {
            Some(parts)
        }
        _ => None,
    }
}

/// A path of the input with these parts; none is the input.
pub(super) fn path_of<'s>(parts: &[(Part<Tree<'s>>, Opt)]) -> Tree<'s> {
    if parts.is_empty() { Term::Id } else { Term::Path(Box::new(Term::Id), Path(parts.to_vec())) }
}

/// Whether this is `.[]` or `.[]?`.
pub(super) fn is_each(part: &(Part<Tree<'_>>, Opt)) -> bool {
    matches!(part.0, Part::Range(None, None))
}

/// Calls `each` for a term and all terms in it, definitions included.
pub(crate) fn walk<'t, 's>(term: &'t Tree<'s>, each: &mut dyn FnMut(&'t Tree<'s>)) {
    each(term);
    let mut all = |terms: &mut dyn Iterator<Item = &'t Tree<'s>>| terms.for_each(|term| walk(term, each));
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => {}
        Term::Str(_, parts) => all(&mut parts.iter().filter_map(|part| match part {
            StrPart::Term(term) => Some(term),
            _ => None,
        })),
        Term::Arr(Some(inner)) | Term::Neg(inner) | Term::Label(_, inner) => walk(inner, each),
        Term::Obj(entries) => all(&mut entries.iter().flat_map(|(key, value)| std::iter::once(key).chain(value))),
        Term::BinOp(left, op, right) => {
            walk(left, each);
            if let BinaryOp::Pipe(Some(pattern)) = op {
                in_pattern(pattern, each);
            }
            walk(right, each);
        }
        Term::Fold(_, source, pattern, arguments) => {
            walk(source, each);
            in_pattern(pattern, each);
            arguments.iter().for_each(|term| walk(term, each));
        }
        Term::TryCatch(inner, catch) => {
            walk(inner, each);
            if let Some(catch) = catch {
                walk(catch, each);
            }
        }
        Term::IfThenElse(branches, other) => {
            branches.iter().for_each(|(condition, then)| {
                walk(condition, each);
                walk(then, each);
            });
            if let Some(other) = other {
                walk(other, each);
            }
        }
        Term::Def(defs, rest) => {
            defs.iter().for_each(|def| walk(&def.body, each));
            walk(rest, each);
        }
        Term::Call(_, arguments) => all(&mut arguments.iter()),
        Term::Path(head, Path(parts)) => {
            walk(head, each);
            for (part, _) in parts {
                match part {
                    Part::Index(at) => walk(at, each),
                    Part::Range(from, upto) => from.iter().chain(upto).for_each(|term| walk(term, each)),
                }
            }
        }
    }
}

fn in_pattern<'t, 's>(pattern: &'t Pattern<&'s str>, each: &mut dyn FnMut(&'t Tree<'s>)) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(parts) => parts.iter().for_each(|part| in_pattern(part, each)),
        Pattern::Obj(parts) => parts.iter().for_each(|(key, part)| {
            walk(key, each);
            in_pattern(part, each);
        }),
    }
}

/// The variables that a pattern binds.
pub(super) fn variables<'s>(pattern: &Pattern<&'s str>, found: &mut Vec<&'s str>) {
    match pattern {
        Pattern::Var(name) => found.push(name),
        Pattern::Arr(parts) => parts.iter().for_each(|part| variables(part, found)),
        Pattern::Obj(parts) => parts.iter().for_each(|(key, part)| {
            if let Term::Var(name) = key {
                found.push(name);
            }
            variables(part, found);
        }),
    }
}

/// How often a term binds a variable of this name, as the argument of a definition too.
pub(super) fn binders(term: &Tree<'_>, name: &str) -> usize {
    let mut count = 0;
    let mut bound = Vec::new();
    walk(term, &mut |term| match term {
        Term::BinOp(_, BinaryOp::Pipe(Some(pattern)), _) | Term::Fold(_, _, pattern, _) => {
            variables(pattern, &mut bound);
        }
        Term::Def(defs, _) => {
            count += defs.iter().flat_map(|def| &def.args).filter(|argument| **argument == name).count();
        }
        _ => {}
    });
    count + bound.iter().filter(|bound| **bound == name).count()
}

/// Whether a term can be run on each record by itself: it has no effects, and needs neither other records nor these
/// variables.
pub(super) fn is_local(term: &Tree<'_>, bound: &[&str]) -> bool {
    let mut local = true;
    walk(term, &mut |term| match term {
        Term::Call(name, _) => local &= !NOT_LOCAL.contains(name),
        Term::Var(name) => local &= !bound.contains(name),
        _ => {}
    });
    local && is_free(term)
}

/// Whether a term means the same by itself as where it stands: it names no module, no label around it, and not its place.
pub(crate) fn is_free(term: &Tree<'_>) -> bool {
    let (mut free, mut labels, mut breaks) = (true, Vec::new(), Vec::new());
    walk(term, &mut |term| match term {
        Term::Call(name, _) => free &= !name.contains("::"),
        Term::Var(name) => free &= *name != "$__loc__",
        Term::Label(name, _) => labels.push(*name),
        Term::Break(name) => breaks.push(*name),
        _ => {}
    });
    free && breaks.iter().all(|name| labels.contains(name))
}

/// The names that a program defines, with the number of their arguments.
pub(crate) fn defined<'s>(term: &Tree<'s>) -> Vec<(&'s str, usize)> {
    let mut found = Vec::new();
    let mut add = |defs: &[Def<&'s str, Tree<'s>>]| {
        for def in defs {
            found.push((def.name, def.args.len()));
            // A parameter is a function of no arguments.
            found.extend(def.args.iter().map(|name| (*name, 0)));
        }
    };
    walk(term, &mut |term| {
        if let Term::Def(defs, _) = term {
            add(defs);
        }
    });
    found
}

/// A text as it stands.
pub(super) fn text<'s>(text: &'s str) -> Tree<'s> {
    Term::Str(None, vec![StrPart::Str(text)])
}

/// `if condition then then else other end`.
pub(super) fn choice<'s>(condition: Tree<'s>, then: Tree<'s>, other: Tree<'s>) -> Tree<'s> {
    Term::IfThenElse(vec![(condition, then)], Some(Box::new(other)))
}
