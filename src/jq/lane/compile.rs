//! From a program's tree to nodes. A term that has no node of its own becomes one for the interpreter, with what it needs.

use super::super::piece::Piece;
use super::super::plan::{Tree, is_free};
use super::super::print::print;
use super::super::program::Libraries;
use super::super::value::Val;
use super::super::{number, outputs};
use super::functions::function;
use super::node::{Key, Node};
use jaq_core::load::parse::{BinaryOp, Pattern, Term};

/// Of terms for the interpreter no program has more than this many: each of them makes a value of its input.
const MOST: usize = 2;

/// What terms are compiled with.
pub(super) struct Compiler<'c, 's> {
    pub(super) globals: &'c [(String, Val)],
    /// The program's own definitions as text, and the variables that they name.
    pub(super) definitions: String,
    pub(super) used: Vec<&'s str>,
    pub(super) known: outputs::Known<'s>,
    /// What the program defines itself: by name and number of arguments.
    pub(super) own: Vec<(&'s str, usize)>,
    pub(super) interpreted: std::cell::Cell<usize>,
}

/// The variables in scope, the innermost last.
pub(super) type Scope<'s> = Vec<&'s str>;

impl<'s> Compiler<'_, 's> {
    /// The program as a node; `None` if the interpreter does all of it, or too much of it.
    pub(super) fn program(&self, term: &Tree<'s>) -> Option<Node> {
        let node = self.term(term, &mut Vec::new())?;
        (!node.is_interpreted() && self.interpreted.get() <= MOST).then_some(node)
    }

    /// A term as a node. `None` if even the interpreter cannot run it by itself.
    pub(super) fn term(&self, term: &Tree<'s>, scope: &mut Scope<'s>) -> Option<Node> {
        let before = self.interpreted.get();
        let node = self.own_node(term, scope);
        node.or_else(|| {
            self.interpreted.set(before);
            self.interpreted(term, scope)
        })
    }

    /// A term with one output or none.
    pub(super) fn operand(&self, term: &Tree<'s>, scope: &mut Scope<'s>) -> Option<Node> {
        self.term(term, scope).filter(Node::is_single)
    }

    fn own_node(&self, term: &Tree<'s>, scope: &mut Scope<'s>) -> Option<Node> {
        Some(match term {
            Term::Id => Node::Id,
            Term::Recurse => Node::Recurse,
            Term::Num(text) => Node::Const(number::parse(text)),
            Term::Var(name) => self.variable(name, scope)?,
            Term::Str(None, parts) => self.string(parts, scope)?,
            Term::Arr(None) => Node::Const(Val::array(Vec::new())),
            Term::Arr(Some(inner)) => Node::Array(Some(self.term(inner, scope)?.boxed())),
            Term::Obj(members) => {
                let members = members.iter().map(|(key, value)| self.member(key, value.as_ref(), scope));
                let members: Vec<(Key, Node)> = members.collect::<Option<_>>()?;
                let keys = members.iter().map(|(key, _)| match key {
                    Key::Const(key, _) => Some(key),
                    Key::Term(_) => None,
                });
                let keys: Option<std::collections::HashSet<_>> = keys.collect();
                let distinct = keys.is_some_and(|keys| keys.len() == members.len());
                Node::Object(members, distinct)
            }
            Term::Neg(inner) => match &**inner {
                Term::Num(text) => Node::Const((-number::parse(text)).ok()?),
                inner => Node::Neg(self.operand(inner, scope)?.boxed()),
            },
            Term::BinOp(_, BinaryOp::Pipe(None), _) => self.pipe(term, scope)?,
            Term::BinOp(left, op, right) => self.operation(left, op, right, scope)?,
            Term::TryCatch(body, catch) => {
                let catch = match catch {
                    Some(catch) => Some(self.term(catch, scope)?.boxed()),
                    None => None,
                };
                Node::Try(self.term(body, scope)?.boxed(), catch)
            }
            Term::IfThenElse(branches, other) => {
                let other = match other {
                    Some(other) => self.term(other, scope)?,
                    None => Node::Id,
                };
                let branches = branches
                    .iter()
                    .map(|(condition, then)| Some((self.operand(condition, scope)?, self.term(then, scope)?)));
                Node::If(branches.collect::<Option<_>>()?, other.boxed())
            }
            Term::Call(name, arguments) => {
                if self.own.contains(&(*name, arguments.len())) {
                    return None;
                }
                function(self, name, arguments, scope)?
            }
            Term::Path(head, parts) => {
                let head = self.term(head, scope)?;
                let steps = parts.0.iter().map(|(part, opt)| self.step(part, *opt, scope));
                Node::Path(head.boxed(), steps.collect::<Option<_>>()?)
            }
            Term::Str(Some(_), _) | Term::Label(..) | Term::Break(_) | Term::Fold(..) | Term::Def(..) => return None,
        })
    }

    /// The stages of a pipe. From the first one on that only the interpreter can run, it runs all of them.
    fn pipe(&self, term: &Tree<'s>, scope: &mut Scope<'s>) -> Option<Node> {
        let mut parts = flat(term);
        let mut nodes = Vec::new();
        for at in 0..parts.len() {
            let before = self.interpreted.get();
            let node = self.term(parts[at], scope)?;
            if node.is_interpreted() && at + 1 < parts.len() {
                self.interpreted.set(before);
                let rest = parts.split_off(at).into_iter().rev().cloned();
                let rest =
                    rest.reduce(|rest, part| Term::BinOp(Box::new(part), BinaryOp::Pipe(None), Box::new(rest)))?;
                nodes.push(self.interpreted(&rest, scope)?);
                break;
            }
            nodes.push(node);
        }
        nodes.into_iter().rev().reduce(|rest, node| Node::Pipe(node.boxed(), rest.boxed()))
    }

    fn operation(
        &self,
        left: &Tree<'s>,
        op: &BinaryOp<&'s str>,
        right: &Tree<'s>,
        scope: &mut Scope<'s>,
    ) -> Option<Node> {
        if let BinaryOp::Pipe(bound) = op {
            let Some(Pattern::Var(name)) = bound else { return None };
            let value = self.term(left, scope)?;
            scope.push(name);
            let body = self.term(right, scope);
            scope.pop();
            return Some(Node::Bind(value.boxed(), body?.boxed()));
        }
        if matches!(op, BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt) {
            return None;
        }
        let left = self.term(left, scope)?;
        if matches!(op, BinaryOp::Alt) && !left.is_single() {
            return None;
        }
        let (left, right) = (left.boxed(), self.term(right, scope)?.boxed());
        Some(match op {
            BinaryOp::Comma => Node::Comma(left, right),
            BinaryOp::Alt => Node::Alt(left, right),
            BinaryOp::Or => Node::Logic(left, true, right),
            BinaryOp::And => Node::Logic(left, false, right),
            BinaryOp::Math(op) => Node::Math(left, *op, right),
            BinaryOp::Cmp(op) => Node::Cmp(left, *op, right),
            _ => return None,
        })
    }

    /// A term that the interpreter runs.
    fn interpreted(&self, term: &Tree<'s>, scope: &Scope<'s>) -> Option<Node> {
        // The variables in scope are globals to it: the program's definitions must not take them for theirs.
        if !is_free(term) || scope.iter().any(|name| self.used.contains(name)) {
            return None;
        }
        self.interpreted.set(self.interpreted.get() + 1);
        let mut names: Vec<String> = Vec::new();
        let mut variables = Vec::new();
        for (back, name) in scope.iter().rev().enumerate() {
            if !names.iter().any(|known| known == name) {
                names.push((*name).to_owned());
                variables.push(back);
            }
        }
        let globals: Vec<_> =
            self.globals.iter().filter(|(name, _)| !names.contains(&format!("${name}"))).cloned().collect();
        let text = self.definitions.clone() + &print(term);
        let single = self.known.outputs(term) == outputs::Outputs::One;
        let (piece, _) = Piece::compile(&text, names, globals, &Libraries::default()).ok()?;
        Some(Node::Interpreted { piece: Box::new(piece), variables, single })
    }
}

/// The stages of a pipe.
fn flat<'t, 's>(term: &'t Tree<'s>) -> Vec<&'t Tree<'s>> {
    let mut found = Vec::new();
    let mut rest = term;
    while let Term::BinOp(left, BinaryOp::Pipe(None), right) = rest {
        found.extend(flat(left));
        rest = right;
    }
    found.push(rest);
    found
}
