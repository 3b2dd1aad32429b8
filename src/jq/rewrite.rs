//! Syntax trees rewritten to what means to jaq what they mean to jq: the order in which operands and parts of strings
//! evaluate, folds with several outputs or none, updates that have to go path by path, `$__loc__`, and a look at the
//! stack in every function that calls itself.

use super::outputs::{Known, Outputs};
use super::tree::{Tree, binary, call, calls, path, pipe, text};
use jaq_core::load::Arena;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Part, Path};
use std::cell::Cell;

/// Rewrites the trees of a text.
pub(super) struct Rewriter<'s> {
    arena: &'s Arena,
    known: Known<'s>,
    /// The line of a word of the text, from 1.
    line: &'s dyn Fn(&str) -> usize,
    fresh: Cell<usize>,
}

impl<'s> Rewriter<'s> {
    pub(super) fn new(arena: &'s Arena, known: Known<'s>, line: &'s dyn Fn(&str) -> usize) -> Rewriter<'s> {
        Rewriter { arena, known, line, fresh: Cell::new(0) }
    }

    pub(super) fn definitions(&self, definitions: Vec<Def<&'s str>>) -> Vec<Def<&'s str>> {
        definitions.into_iter().map(|one| self.definition(one)).collect()
    }

    /// Only guards definitions that call themselves.
    pub(super) fn guarded(&self, definitions: Vec<Def<&'s str>>) -> Vec<Def<&'s str>> {
        let guard = |mut one: Def<&'s str>| {
            let mut body = one.body;
            if let Term::Def(inner, rest) = body {
                body = Term::Def(self.guarded(inner), rest);
            }
            one.body = if calls(&body, one.name, one.args.len()) { guarded(body) } else { body };
            one
        };
        definitions.into_iter().map(guard).collect()
    }

    fn definition(&self, one: Def<&'s str>) -> Def<&'s str> {
        let mut body = self.term(one.body);
        // What takes functions can be given itself, applied to itself, and so on.
        if one.args.iter().any(|argument| !argument.starts_with('$')) || calls(&body, one.name, one.args.len()) {
            body = guarded(body);
        }
        Def { name: one.name, args: one.args, body }
    }

    pub(super) fn term(&self, term: Tree<'s>) -> Tree<'s> {
        let boxed = |inner: Box<Tree<'s>>| Box::new(self.term(*inner));
        let all = |inner: Vec<Tree<'s>>| inner.into_iter().map(|one| self.term(one)).collect();
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Arr(None) => term,
            Term::Var(name @ "$__loc__") => self.location(name),
            Term::Var(_) => term,
            Term::Str(format, parts) => self.string(format, parts),
            Term::Arr(Some(inner)) => Term::Arr(Some(boxed(inner))),
            Term::Obj(members) => self.object(members.into_iter().map(|member| self.member(member)).collect()),
            Term::Neg(inner) => Term::Neg(boxed(inner)),
            Term::BinOp(left, op, right) => self.operation(self.term(*left), op, self.term(*right)),
            Term::Label(name, body) => Term::Label(name, boxed(body)),
            Term::Fold(name, source, bound, arguments) => {
                self.fold(name, boxed(source), self.pattern(bound), all(arguments))
            }
            Term::TryCatch(body, catch) => Term::TryCatch(boxed(body), catch.map(boxed)),
            Term::IfThenElse(branches, otherwise) => {
                let branches = branches.into_iter().map(|(condition, then)| (self.term(condition), self.term(then)));
                Term::IfThenElse(branches.collect(), otherwise.map(boxed))
            }
            Term::Def(definitions, body) => Term::Def(self.definitions(definitions), boxed(body)),
            Term::Call(name, arguments) => Term::Call(name, all(arguments)),
            Term::Path(head, path) => {
                let step = |(part, opt)| match part {
                    Part::Index(index) => (Part::Index(self.term(index)), opt),
                    Part::Range(from, to) => (Part::Range(from.map(|t| self.term(t)), to.map(|t| self.term(t))), opt),
                };
                Term::Path(boxed(head), Path(path.0.into_iter().map(step).collect()))
            }
        }
    }

    fn variable(&self) -> &'s str {
        let number = self.fresh.get();
        self.fresh.set(number + 1);
        self.arena.alloc(format!("$__{number}"))
    }

    fn location(&self, word: &'s str) -> Tree<'s> {
        let line: &'s str = self.arena.alloc((self.line)(word).to_string());
        Term::Obj(vec![(text("file"), Some(text("<top-level>"))), (text("line"), Some(Term::Num(line)))])
    }

    fn member(&self, (key, value): (Tree<'s>, Option<Tree<'s>>)) -> (Tree<'s>, Option<Tree<'s>>) {
        match (key, value) {
            (Term::Var(name @ "$__loc__"), None) => (text("__loc__"), Some(self.location(name))),
            // The name of a variable stands for itself.
            (key @ Term::Var(_), None) => (key, None),
            (key, value) => (self.term(key), value.map(|value| self.term(value))),
        }
    }

    /// Members evaluate in their order. To jaq they are operands of `+`, whose right one may have no outputs and hide that
    /// the left one failed: what stands before such a member is bound first.
    fn object(&self, members: Vec<(Tree<'s>, Option<Tree<'s>>)>) -> Tree<'s> {
        let is_any = |term: &Tree<'s>| self.known.outputs(term) == Outputs::Any;
        let last = members.iter().rposition(|(key, value)| is_any(key) || value.as_ref().is_some_and(is_any));
        let mut bound = Vec::new();
        let mut bind = |term: Tree<'s>| {
            if self.known.is_simple(&term) {
                return term;
            }
            let name = self.variable();
            bound.push((name, term));
            Term::Var(name)
        };
        let early = |(place, (key, value)): (usize, (Tree<'s>, Option<Tree<'s>>))| match value {
            Some(value) if Some(place) < last => (bind(key), Some(bind(value))),
            // Of a member without a value nothing else would show that its key failed.
            Some(value) if Some(place) == last && is_any(&value) => (bind(key), Some(value)),
            None if Some(place) < last && matches!(key, Term::Str(..)) => {
                let key = bind(key);
                let value = bind(path(Part::Index(key.clone())));
                (key, Some(value))
            }
            value => (key, value),
        };
        let members = Term::Obj(members.into_iter().enumerate().map(early).collect());
        let bound = bound.into_iter().rev();
        bound.fold(members, |inner, (name, term)| pipe(term, Some(Pattern::Var(name)), inner))
    }

    fn pattern(&self, bound: Pattern<&'s str>) -> Pattern<&'s str> {
        match bound {
            Pattern::Var(_) => bound,
            Pattern::Arr(inner) => Pattern::Arr(inner.into_iter().map(|one| self.pattern(one)).collect()),
            Pattern::Obj(members) => {
                Pattern::Obj(members.into_iter().map(|(key, one)| (self.term(key), self.pattern(one))).collect())
            }
        }
    }

    /// Both operands have been rewritten. The right one evaluates first, in the outer loop.
    fn operation(&self, left: Tree<'s>, op: BinaryOp<&'s str>, right: Tree<'s>) -> Tree<'s> {
        let order_shows =
            |left: &Tree<'s>, right: &Tree<'s>| !self.known.is_simple(left) && !self.known.is_simple(right);
        match op {
            BinaryOp::Math(_) if order_shows(&left, &right) => self.bound(right, |right| binary(left, op, right)),
            // Cheaper than a variable; but a left one without outputs would hide that the right one failed.
            BinaryOp::Cmp(op) if order_shows(&left, &right) && self.known.outputs(&left) == Outputs::One => {
                binary(right, BinaryOp::Cmp(turned(op)), left)
            }
            BinaryOp::Cmp(_) if order_shows(&left, &right) => self.bound(right, |right| binary(left, op, right)),
            BinaryOp::Update if !self.known.is_direct(&left) || self.known.outputs(&right) == Outputs::Any => {
                call("_modify", vec![left, right])
            }
            BinaryOp::Assign if !self.known.is_direct(&left) => {
                self.bound(right, |right| call("_modify", vec![left, right]))
            }
            BinaryOp::UpdateMath(op) if !self.known.is_direct(&left) => {
                self.bound(right, |right| call("_modify", vec![left, binary(Term::Id, BinaryOp::Math(op), right)]))
            }
            BinaryOp::UpdateAlt if !self.known.is_direct(&left) => {
                self.bound(right, |right| call("_modify", vec![left, binary(Term::Id, BinaryOp::Alt, right)]))
            }
            BinaryOp::Pipe(Some(bound)) => pipe(left, Some(self.pattern(bound)), right),
            op => binary(left, op, right),
        }
    }

    /// `term as $fresh | then($fresh)`
    fn bound(&self, term: Tree<'s>, then: impl FnOnce(Tree<'s>) -> Tree<'s>) -> Tree<'s> {
        let name = self.variable();
        pipe(term, Some(Pattern::Var(name)), then(Term::Var(name)))
    }

    /// The last part of a string evaluates first, in the outer loop.
    fn string(&self, format: Option<&'s str>, parts: Vec<StrPart<&'s str, Tree<'s>>>) -> Tree<'s> {
        let parts = parts.into_iter().map(|part| match part {
            StrPart::Term(term) => StrPart::Term(self.term(term)),
            StrPart::Str(text) => StrPart::Str(text),
            StrPart::Char(char) => StrPart::Char(char),
        });
        let parts: Vec<_> = parts.collect();
        let is_open = |part: &StrPart<_, Tree<'s>>| matches!(part, StrPart::Term(term) if !self.known.is_simple(term));
        let first = parts.iter().position(is_open);
        let mut bound = Vec::new();
        let bind = |(place, part)| match part {
            StrPart::Term(term) if Some(place) != first && !self.known.is_simple(&term) => {
                let name = self.variable();
                bound.push((name, term));
                StrPart::Term(Term::Var(name))
            }
            part => part,
        };
        let parts = parts.into_iter().enumerate().map(bind).collect();
        let string = Term::Str(format, parts);
        bound.into_iter().fold(string, |inner, (name, term)| pipe(term, Some(Pattern::Var(name)), inner))
    }

    /// The state after a step is the last output of the update, or null; `foreach` shows every output.
    fn fold(
        &self,
        name: &'s str,
        source: Box<Tree<'s>>,
        bound: Pattern<&'s str>,
        mut arguments: Vec<Tree<'s>>,
    ) -> Tree<'s> {
        let plain = arguments.get(1).is_none_or(|update| self.known.outputs(update) == Outputs::One);
        match (name, arguments.len()) {
            _ if plain => {}
            ("reduce", 2) => {
                let update = arguments.pop().unwrap_or_default();
                arguments.push(call("_last", vec![update]));
            }
            ("foreach", 2 | 3) => {
                let show = arguments.get(2).cloned().unwrap_or_default();
                let mut rest = arguments.into_iter();
                let (start, update) = (rest.next().unwrap_or_default(), rest.next().unwrap_or_default());
                let last = path(Part::Index(Term::Neg(Box::new(Term::Num("1")))));
                arguments = vec![
                    pipe(start, None, Term::Arr(Some(Box::new(Term::Id)))),
                    Term::Arr(Some(Box::new(pipe(last, None, update)))),
                    pipe(path(Part::Range(None, None)), None, show),
                ];
            }
            _ => {}
        }
        Term::Fold(name, source, bound, arguments)
    }
}

/// Looks at the stack first.
fn guarded(body: Tree<'_>) -> Tree<'_> {
    pipe(call("_deeper", Vec::new()), None, body)
}

/// `a OP b` is `b turned(OP) a`.
fn turned(op: Cmp) -> Cmp {
    match op {
        Cmp::Lt => Cmp::Gt,
        Cmp::Le => Cmp::Ge,
        Cmp::Gt => Cmp::Lt,
        Cmp::Ge => Cmp::Le,
        Cmp::Eq | Cmp::Ne => op,
    }
}
