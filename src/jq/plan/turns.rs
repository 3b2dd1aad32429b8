//! What asks for an array's elements one after the other: `first(.[] | f)`, `limit(3; .[] | f)` and `any(f)` stop where
//! they have what they want, and `reduce .[] as $x (0; f)` has a state of its own. None of them needs the array.

use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Opt, Part};

use super::Kind;
use super::kinds::MOST;
use super::names::Names;
use super::terms::{Tree, integer, is_local, path_of, then};

/// What `add(f)` adds.
const ITEM: &str = "$__item";

/// An aggregate of what each element gives, and where its answer goes.
pub(super) struct Turn<'s> {
    pub(super) kind: Kind<'s>,
    /// What is asked of each element.
    pub(super) each: Tree<'s>,
    place: Place<'s>,
}

/// Where an aggregate's outputs go.
enum Place<'s> {
    /// Among the arguments of a call.
    Argument(&'s str, Vec<Tree<'s>>, usize),
    /// Through a filter.
    Before(Tree<'s>),
}

impl<'s> Turn<'s> {
    /// What becomes of the term when the aggregate gives these outputs.
    pub(super) fn with(self, outputs: Tree<'s>) -> Tree<'s> {
        match self.place {
            Place::Argument(name, mut arguments, at) => {
                arguments.insert(at, outputs);
                Term::Call(name, arguments)
            }
            Place::Before(filter) => then(&outputs, &filter),
        }
    }
}

impl<'s> Names<'s> {
    /// What asks for the elements one after the other.
    pub(super) fn turn(&self, term: &Tree<'s>) -> Option<Turn<'s>> {
        let calls = |name: &str, count| self.call(term, name, count);
        let turn = |kind, each, place| Some(Turn { kind, each, place });
        match term {
            Term::Call(name @ ("first" | "isempty"), arguments) if calls(name, 1) => {
                turn(Kind::First(1), self.stream(&arguments[0])?, Place::Argument(name, Vec::new(), 0))
            }
            Term::Call(name @ ("limit" | "nth"), arguments) if calls(name, 2) => {
                let count = u64::try_from(integer(&arguments[0])?).ok().filter(|count| *count < MOST)?;
                let count = count + u64::from(*name == "nth");
                let place = Place::Argument(name, vec![arguments[0].clone()], 1);
                turn(Kind::First(count), self.stream(&arguments[1])?, place)
            }
            // These do not stop: what every element gives has to be there, or cannot fail.
            Term::Call("last", arguments) if calls("last", 1) => {
                let end = Some(Term::Neg(Box::new(Term::Num("1"))));
                let parts = [Part::Range(end, None), Part::Range(None, None)].map(|part| (part, Opt::Essential));
                turn(Kind::Tail(1), self.stream(&arguments[0])?, Place::Before(path_of(&parts)))
            }
            Term::Call("any" | "all", arguments) if arguments.is_empty() => {
                turn(Kind::Slice(0, 1), self.decision(term)?, Place::Before(term.clone()))
            }
            Term::Call(name @ ("any" | "all"), _) => {
                turn(Kind::First(1), self.decision(term)?, Place::Argument(name, vec![Term::Id], 0))
            }
            Term::Call("add", arguments) if calls("add", 1) && !self.defines("input", 0) => {
                let sum = Term::BinOp(Box::default(), BinaryOp::Math(Math::Add), Box::new(Term::Var(ITEM)));
                let [start, update] = [Term::Call("null", Vec::new()), sum].map(Box::new);
                let kind = Kind::Reduce { pattern: Pattern::Var(ITEM), start, update };
                turn(kind, self.stream(&arguments[0])?, Place::Before(Term::Id))
            }
            Term::Fold("reduce", source, pattern, arguments) => {
                let [start, update] = &arguments[..] else { return None };
                // The step asks for its state as the next input.
                if !self.is_value(start) || self.defines("input", 0) || !is_local(update, &[]) {
                    return None;
                }
                let [start, update] = [start, update].map(|term| Box::new(term.clone()));
                turn(
                    Kind::Reduce { pattern: pattern.clone(), start, update },
                    self.stream(source)?,
                    Place::Before(Term::Id),
                )
            }
            _ => None,
        }
    }

    /// What each element gives to `any(f)` and `all(f)`, whose first output decides them: `f or empty`, `f and empty`.
    pub(super) fn decision(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        let Term::Call(name @ ("any" | "all"), arguments) = term else { return None };
        // It may be called in another form than the program has.
        if (0..=2).any(|count| self.defines(name, count)) || self.defines("empty", 0) {
            return None;
        }
        let (each, condition) = match &arguments[..] {
            [] => (Term::Id, Term::Id),
            [condition] => (Term::Id, condition.clone()),
            [source, condition] => (self.stream(source)?, condition.clone()),
            _ => return None,
        };
        let op = if *name == "any" { BinaryOp::Or } else { BinaryOp::And };
        let empty = Term::Call("empty", Vec::new());
        Some(then(&each, &Term::BinOp(Box::new(condition), op, Box::new(empty))))
    }

    /// Whether a term is one value that is only written down.
    fn is_value(&self, term: &Tree<'s>) -> bool {
        match term {
            Term::Arr(Some(inner)) => self.are_values(inner),
            Term::Obj(entries) => entries.iter().all(|(key, value)| {
                let named = matches!(key, Term::Str(..)) && self.is_literal(key);
                value.as_ref().map_or(matches!(key, Term::Var(_)), |value| named && self.is_value(value))
            }),
            term => self.is_literal(term),
        }
    }

    fn are_values(&self, term: &Tree<'s>) -> bool {
        match term {
            Term::BinOp(left, BinaryOp::Comma, right) => self.are_values(left) && self.are_values(right),
            term => self.is_value(term),
        }
    }
}
