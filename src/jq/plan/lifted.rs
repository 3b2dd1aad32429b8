//! Stages behind `group_by(f)` that choose among groups before anything is made of them, `sort_by(-length) | .[:10] |
//! map({k: .[0].k, n: length})`: what they ask of a group are aggregates of it, and the answers of those go on in its place.

use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Opt, Part};

use super::Agg;
use super::extract::{ANSWERS, Extract};
use super::names::Names;
use super::places::slice;
use super::terms::{Tree, choice, integer, is_local, own_path, path_of, pipe};

/// What is asked of groups, and the stages on arrays of the answers.
pub(super) struct Lifted<'s> {
    pub(super) found: Vec<Agg<'s>>,
    pub(super) stages: Vec<Tree<'s>>,
}

impl<'s> Names<'s> {
    /// `None` if a stage looks at a group in any other way, or gives one.
    pub(super) fn lifted(&self, parts: &[Tree<'s>]) -> Option<Lifted<'s>> {
        let mut extract = Extract::new(self);
        let (mut stages, mut rest) = (Vec::with_capacity(parts.len()), parts);
        let ends = loop {
            let (first, behind) = rest.split_first()?;
            if let Some(each) = self.stream(&pipe(rest)) {
                let all = path_of(&[(Part::Range(None, None), Opt::Essential)]);
                break vec![all, answered(&mut extract, &each)?];
            }
            if let Some((chosen, more)) = self.one(first) {
                let of = pipe(&[&[more], behind].concat());
                let nothing = Term::BinOp(Box::default(), BinaryOp::Cmp(Cmp::Eq), Box::new(Term::Call("null", vec![])));
                let made = answered(&mut extract, &of)?;
                let chosen = match chosen {
                    Term::Call(name, by) if !by.is_empty() => Term::Call(name, vec![answered(&mut extract, &by[0])?]),
                    place => place,
                };
                // There may be no group.
                break vec![chosen, choice(nothing, of, made)];
            }
            match first {
                Term::Call("length", _) if self.call(first, "length", 0) => break rest.to_vec(),
                Term::Call("reverse", _) if self.call(first, "reverse", 0) => stages.push(first.clone()),
                Term::Call(name, arguments)
                    if matches!(*name, "map" | "sort_by" | "any" | "all") && self.call(first, name, 1) =>
                {
                    let kept = self.selected(&arguments[0]).filter(|_| *name == "map");
                    let asked = answered(&mut extract, kept.unwrap_or(&arguments[0]))?;
                    let asked = if kept.is_some() { Term::Call("select", vec![asked]) } else { asked };
                    stages.push(Term::Call(name, vec![asked]));
                    if kept.is_none() && *name != "sort_by" {
                        break behind.to_vec();
                    }
                }
                first if slice(first).is_some() => stages.push(first.clone()),
                _ => return None,
            }
            rest = behind;
        };
        stages.extend(ends);
        Some(Lifted { found: extract.found, stages })
    }

    /// A stage that chooses one of the elements, or null where there is none, and what it makes of it.
    fn one(&self, term: &Tree<'s>) -> Option<(Tree<'s>, Tree<'s>)> {
        let calls = |name: &str, count| self.call(term, name, count);
        match term {
            Term::Call("min_by" | "max_by", _) if calls("min_by", 1) || calls("max_by", 1) => {
                Some((term.clone(), Term::Id))
            }
            Term::Call("first" | "last", _) if calls("first", 0) || calls("last", 0) => Some((term.clone(), Term::Id)),
            _ => match own_path(term)? {
                [place @ (Part::Index(at), _), path @ ..] if integer(at).is_some() => {
                    Some((path_of(std::slice::from_ref(place)), path_of(path)))
                }
                _ => None,
            },
        }
    }

    /// The condition of `select`.
    fn selected<'t>(&self, term: &'t Tree<'s>) -> Option<&'t Tree<'s>> {
        match term {
            Term::Call("select", arguments) if self.call(term, "select", 1) => arguments.first(),
            _ => None,
        }
    }
}

/// What a term asks of a group, asked of the array of the aggregates' answers.
fn answered<'s>(extract: &mut Extract<'s, '_>, term: &Tree<'s>) -> Option<Tree<'s>> {
    let rest = extract.rest(term, &Term::Id)?;
    if !is_local(&rest, &[]) || extract.found.iter().any(Agg::is_whole) {
        return None;
    }
    let names = ANSWERS[..extract.found.len()].iter().map(|name| Pattern::Var(*name)).collect();
    match extract.found.len() {
        0 => Some(rest),
        _ => Some(Term::BinOp(Box::default(), BinaryOp::Pipe(Some(Pattern::Arr(names))), Box::new(rest))),
    }
}
