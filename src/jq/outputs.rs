//! What can be told of a term by its look: how many outputs it has, whether it can be evaluated at any time, whether jaq
//! updates at it as jq does.

use super::tree::each_definition;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Opt, Part};
use std::collections::HashSet;

/// How many outputs a term has if it does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outputs {
    One,
    /// One or more.
    Some,
    Any,
}

/// Functions with exactly one output, whatever their arguments are, if those have one: by name and number of arguments.
const SINGLE: [(&str, usize); 83] = [
    ("true", 0),
    ("false", 0),
    ("null", 0),
    ("not", 0),
    ("length", 0),
    ("utf8bytelength", 0),
    ("type", 0),
    ("keys", 0),
    ("keys_unsorted", 0),
    ("to_entries", 0),
    ("from_entries", 0),
    ("add", 0),
    ("min", 0),
    ("max", 0),
    ("sort", 0),
    ("unique", 0),
    ("reverse", 0),
    ("flatten", 0),
    ("flatten", 1),
    ("transpose", 0),
    ("tojson", 0),
    ("fromjson", 0),
    ("tostring", 0),
    ("tonumber", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("explode", 0),
    ("implode", 0),
    ("floor", 0),
    ("ceil", 0),
    ("round", 0),
    ("sqrt", 0),
    ("fabs", 0),
    ("abs", 0),
    ("trunc", 0),
    ("log", 0),
    ("log2", 0),
    ("log10", 0),
    ("exp", 0),
    ("exp2", 0),
    ("exp10", 0),
    ("pow", 2),
    ("has", 1),
    ("contains", 1),
    ("inside", 1),
    ("startswith", 1),
    ("endswith", 1),
    ("ltrimstr", 1),
    ("rtrimstr", 1),
    ("trim", 0),
    ("ltrim", 0),
    ("rtrim", 0),
    ("split", 1),
    ("join", 1),
    ("test", 1),
    ("test", 2),
    ("indices", 1),
    ("index", 1),
    ("rindex", 1),
    ("setpath", 2),
    ("delpaths", 1),
    ("fromdate", 0),
    ("todate", 0),
    ("gmtime", 0),
    ("mktime", 0),
    ("strftime", 1),
    ("strptime", 1),
    ("now", 0),
    ("nan", 0),
    ("infinite", 0),
    ("isnan", 0),
    ("isinfinite", 0),
    ("first", 0),
    ("last", 0),
    ("nth", 1),
    ("any", 0),
    ("all", 0),
    ("@json", 0),
    ("@text", 0),
    ("@csv", 0),
    ("@tsv", 0),
    ("@base64", 0),
    ("@uri", 0),
];

const CONSTANT: [(&str, usize); 5] = [("true", 0), ("false", 0), ("null", 0), ("nan", 0), ("infinite", 0)];

/// Functions with one output whose arguments are functions: those may have any number.
const GATHERING: [(&str, usize); 14] = [
    ("map", 1),
    ("sort_by", 1),
    ("group_by", 1),
    ("unique_by", 1),
    ("min_by", 1),
    ("max_by", 1),
    ("add", 1),
    ("del", 1),
    ("any", 1),
    ("all", 1),
    ("any", 2),
    ("all", 2),
    ("isempty", 1),
    ("_last", 1),
];

/// What the names of a program stand for.
pub(super) struct Known<'s> {
    /// What the program defines itself, anywhere: no assumption holds for that.
    own: HashSet<(&'s str, usize)>,
}

impl<'s> Known<'s> {
    /// For a program.
    pub(super) fn of(term: &Term<&'s str>) -> Known<'s> {
        let mut own = HashSet::new();
        each_definition(term, &mut |one| define(one, &mut own));
        Known { own }
    }

    /// For a list of definitions.
    pub(super) fn of_definitions(definitions: &[Def<&'s str>]) -> Known<'s> {
        let mut own = HashSet::new();
        for one in definitions {
            define(one, &mut own);
            each_definition(&one.body, &mut |one| define(one, &mut own));
        }
        Known { own }
    }

    /// For terms in which these names do not mean jq's functions.
    pub(super) fn but_for(names: &[(&'s str, usize)]) -> Known<'s> {
        Known { own: names.iter().copied().collect() }
    }

    fn is(&self, table: &[(&str, usize)], name: &str, arguments: usize) -> bool {
        table.contains(&(name, arguments)) && !self.own.contains(&(name, arguments))
    }

    /// Whether a term has one output and cannot fail, so that nobody sees when it is evaluated.
    pub(super) fn is_simple(&self, term: &Term<&str>) -> bool {
        match term {
            Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
            Term::Str(None, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
            Term::Obj(members) => members.is_empty(),
            Term::Neg(inner) => matches!(**inner, Term::Num(_)),
            Term::Call(name, arguments) => arguments.is_empty() && self.is(&CONSTANT, name, 0),
            _ => false,
        }
    }

    /// Whether jaq, which updates from the leaves on, comes to the same as jq, which goes path by path.
    pub(super) fn is_direct(&self, term: &Term<&str>) -> bool {
        match term {
            Term::Id => true,
            Term::Path(head, _) => self.is_direct(head),
            Term::BinOp(left, BinaryOp::Pipe(None), right) => self.is_direct(left) && self.is_direct(right),
            Term::Call(name, arguments) => self.is(&[("select", 1)], name, arguments.len()),
            _ => false,
        }
    }

    /// A function of its own, never inlined: of a call of `outputs` in itself, followed by `max` with a constant, optimised
    /// rustc 1.95 makes a loop, and takes it from there that no term has one output.
    #[inline(never)]
    fn at_least_some(&self, term: &Term<&str>) -> Outputs {
        self.outputs(term).max(Outputs::Some)
    }

    pub(super) fn outputs(&self, term: &Term<&str>) -> Outputs {
        let most = |terms: &[&Term<&str>]| terms.iter().map(|one| self.outputs(one)).max().unwrap_or(Outputs::One);
        match term {
            Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(_) => Outputs::One,
            Term::Recurse => Outputs::Some,
            Term::Str(_, parts) => {
                let open = parts.iter().filter_map(|part| match part {
                    StrPart::Term(term) => Some(self.outputs(term)),
                    _ => None,
                });
                open.max().unwrap_or(Outputs::One)
            }
            Term::Obj(members) => {
                let parts = members.iter().flat_map(|(key, value)| std::iter::once(key).chain(value));
                parts.map(|part| self.outputs(part)).max().unwrap_or(Outputs::One)
            }
            Term::Neg(inner) => self.outputs(inner),
            Term::BinOp(left, BinaryOp::Comma, right) => match (self.outputs(left), self.outputs(right)) {
                (Outputs::Any, Outputs::Any) => Outputs::Any,
                _ => Outputs::Some,
            },
            // All true outputs of the left, or else those of the right.
            Term::BinOp(left, BinaryOp::Alt, right) => match self.outputs(left) {
                Outputs::One => self.outputs(right),
                _ => self.at_least_some(right),
            },
            Term::BinOp(_, BinaryOp::Update, _) => Outputs::One,
            Term::BinOp(_, BinaryOp::Assign | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt, right) => {
                self.outputs(right)
            }
            Term::BinOp(left, BinaryOp::Pipe(bound), right) if bound.as_ref().is_none_or(is_plain) => {
                most(&[left, right])
            }
            Term::BinOp(_, BinaryOp::Pipe(_), _) => Outputs::Any,
            Term::BinOp(left, _, right) => most(&[left, right]),
            Term::Fold("reduce", _, bound, arguments) if is_plain(bound) => {
                arguments.first().map_or(Outputs::Any, |start| self.outputs(start))
            }
            Term::IfThenElse(branches, otherwise) => {
                let parts = branches.iter().flat_map(|(condition, then)| [condition, then]);
                let parts = parts.chain(otherwise.as_deref());
                parts.map(|part| self.outputs(part)).max().unwrap_or(Outputs::One)
            }
            Term::Def(_, body) => self.outputs(body),
            Term::Call(name, arguments) if self.is(&SINGLE, name, arguments.len()) => {
                arguments.iter().map(|argument| self.outputs(argument)).max().unwrap_or(Outputs::One)
            }
            Term::Call(name, arguments) if self.is(&GATHERING, name, arguments.len()) => Outputs::One,
            Term::Path(head, path) => {
                let part = |(part, opt): &(Part<Term<&str>>, Opt)| match (part, opt) {
                    (_, Opt::Optional) | (Part::Range(None, None), _) => Outputs::Any,
                    (Part::Index(index), _) => self.outputs(index),
                    (Part::Range(from, to), _) => {
                        from.iter().chain(to).map(|bound| self.outputs(bound)).max().unwrap_or(Outputs::One)
                    }
                };
                path.0.iter().map(part).chain([self.outputs(head)]).max().unwrap_or(Outputs::One)
            }
            _ => Outputs::Any,
        }
    }
}

fn is_plain(bound: &Pattern<&str>) -> bool {
    matches!(bound, Pattern::Var(_))
}

fn define<'s>(one: &Def<&'s str>, own: &mut HashSet<(&'s str, usize)>) {
    own.insert((one.name, one.args.len()));
    // Arguments are functions too.
    own.extend(one.args.iter().map(|argument| (*argument, 0)));
}
