//! Programs that need the input twice: in `(map(.n) | add) as $sum | map(.n / $sum)` the one pass gives `$sum`, and the
//! other is planned as a program of its own, in which `$sum` has its value.
//!
//! What must stay true: the input is the same in both passes, and nothing is seen of the second one before the first
//! has come to its end.

use jaq_core::load::parse::{BinaryOp, Term};

use super::names::Names;
use super::terms::{Tree, defined, is_local, pipe, stages, variables, walk};
use crate::jq::print::{print, print_definitions};

/// A program in two parts.
#[derive(Clone, Debug)]
pub(crate) struct Passes {
    /// A program of the whole input; each of its outputs is an array of the variables' values.
    pub(crate) first: String,
    /// Its variables, without the `$`.
    pub(crate) names: Vec<String>,
    /// What is run for each output of the first one, where the variables have their values.
    pub(crate) body: String,
}

/// The two parts of `f | A as $x | B`, of which `f` is made of each element.
pub(super) fn passes(program: &Tree<'_>) -> Option<Passes> {
    let names = Names { defined: defined(program) };
    let (mut definitions, mut body) = (String::new(), program);
    let mut named = Vec::new();
    while let Term::Def(defs, rest) = body {
        if !defs.iter().all(|def| is_local(&def.body, &[])) {
            return None;
        }
        for def in defs {
            walk(&def.body, &mut |term| {
                if let Term::Var(name) = term {
                    named.push(*name);
                }
            });
        }
        definitions += &print_definitions(defs);
        body = rest;
    }
    let parts = stages(body);
    let (last, before) = parts.split_last()?;
    let Term::BinOp(value, BinaryOp::Pipe(Some(pattern)), rest) = last else { return None };
    // It is run once more where the variables have their values, and means others of these names.
    for part in before {
        walk(part, &mut |term| {
            if let Term::Var(name) = term {
                named.push(*name);
            }
        });
    }
    // All of it held is no less held in two passes; and so ends a first pass.
    if matches!(**value, Term::Id) {
        return None;
    }
    let mut bound = Vec::new();
    variables(pattern, &mut bound);
    // A definition from before has another variable of that name.
    if bound.is_empty() || bound.iter().any(|name| named.contains(name)) {
        return None;
    }
    let once = |term: &Tree<'_>| is_local(term, &[]) && !calls(term, "now");
    if !before.iter().all(|part| names.each(part).is_some() && once(part)) || !once(value) {
        return None;
    }
    let mut moved = false;
    // It says where it stands, and it would not stand there any more.
    walk(body, &mut |term| moved |= matches!(term, Term::Var("$__loc__")));
    if moved {
        return None;
    }
    let combined = |left, op, right| Term::BinOp(Box::new(left), op, Box::new(right));
    let values = bound.iter().map(|name| Term::Var(*name));
    let values = values.reduce(|all, one| combined(all, BinaryOp::Comma, one))?;
    let bind = combined(Term::Id, BinaryOp::Pipe(Some(pattern.clone())), Term::Arr(Some(Box::new(values))));
    let first = pipe(&[before, &[(**value).clone(), bind]].concat());
    let body = pipe(&[before, &[(**rest).clone()]].concat());
    Some(Passes {
        first: format!("{definitions}{}", print(&first)),
        names: bound.iter().map(|name| name.trim_start_matches('$').to_owned()).collect(),
        body: format!("{definitions}{}", print(&body)),
    })
}

fn calls(term: &Tree<'_>, name: &str) -> bool {
    let mut found = false;
    walk(term, &mut |term| found |= matches!(term, Term::Call(called, _) if *called == name));
    found
}
