//! From the parts of trees that are no terms to those of nodes: variables, strings, members, steps of paths.

use super::super::plan::Tree;
use super::super::text::quote;
use super::super::tree::literal;
use super::super::value::Val;
use super::compile::{Compiler, Scope};
use super::node::{Key, Node, Part, Section, Step};
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use jaq_core::path::{self, Opt};

impl<'s> Compiler<'_, 's> {
    pub(super) fn variable(&self, name: &str, scope: &Scope<'s>) -> Option<Node> {
        if let Some(back) = scope.iter().rev().position(|bound| *bound == name) {
            return Some(Node::Var(back));
        }
        let global = self.globals.iter().rev().find(|(global, _)| name.strip_prefix('$') == Some(global));
        global.map(|(_, value)| Node::Const(value.clone()))
    }

    pub(super) fn string(&self, parts: &[StrPart<&'s str, Tree<'s>>], scope: &mut Scope<'s>) -> Option<Node> {
        if let Some(text) = literal(parts) {
            return Some(Node::Const(Val::string(text)));
        }
        let sections = parts.iter().map(|part| {
            Some(match part {
                StrPart::Term(term) => Section::Term(self.operand(term, scope)?),
                part => Section::Text(literal(std::slice::from_ref(part))?.into()),
            })
        });
        Some(Node::Text(sections.collect::<Option<_>>()?))
    }

    pub(super) fn member(
        &self,
        key: &Tree<'s>,
        value: Option<&Tree<'s>>,
        scope: &mut Scope<'s>,
    ) -> Option<(Key, Node)> {
        let name = match key {
            Term::Str(None, parts) => literal(parts),
            _ => None,
        };
        Some(match (name, key, value) {
            (Some(name), _, Some(value)) => (constant(&name), self.operand(value, scope)?),
            (Some(name), _, None) => {
                let step = Step { part: Part::Key(name.as_str().into()), optional: false };
                (constant(&name), Node::Path(Node::Id.boxed(), vec![step]))
            }
            (None, Term::Var(name), None) => (constant(name.strip_prefix('$')?), self.variable(name, scope)?),
            (None, key, Some(value)) => (Key::Term(self.operand(key, scope)?), self.operand(value, scope)?),
            _ => return None,
        })
    }

    pub(super) fn step(&self, part: &path::Part<Tree<'s>>, opt: Opt, scope: &mut Scope<'s>) -> Option<Step> {
        let mut fixed =
            |term: &Tree<'s>| self.term(term, scope).filter(|node| matches!(node, Node::Const(_) | Node::Var(_)));
        let part = match part {
            path::Part::Index(at) => match fixed(at)? {
                Node::Const(Val::Str(key)) => Part::Key(key),
                at => Part::At(at),
            },
            path::Part::Range(None, None) => Part::Each,
            path::Part::Range(from, upto) => {
                let mut bound = |term: &Option<Tree<'s>>| match term {
                    Some(term) => fixed(term).map(Some),
                    None => Some(None),
                };
                Part::Slice(bound(from)?, bound(upto)?)
            }
        };
        Some(Step { part, optional: matches!(opt, Opt::Optional) })
    }
}

fn constant(key: &str) -> Key {
    let mut printed = Vec::new();
    quote(key, false, &mut printed);
    Key::Const(key.into(), printed.into())
}
