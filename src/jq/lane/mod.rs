//! The native lane: programs compiled to nodes that run on the record where it was read. What is looked at is found in its
//! text, what is printed is copied from there, and only what is computed becomes a value. Functions of values are the
//! interpreter's own; a term that has no node is run by the interpreter on what comes to it. A program of which too
//! little has nodes has no lane.
//!
//! What must stay true: the lane gives the interpreter's outputs, in its order, and its errors.
//!
//! * [`node`]: what a program is compiled to, [`compile`], [`parts`] and [`functions`]: how, [`item`]: values on their way,
//!   [`eval`], [`one`] and [`each`]: running nodes, [`write`]: printing what they give.

mod compile;
mod each;
mod eval;
mod functions;
mod item;
mod node;
mod one;
mod parts;
#[cfg(test)]
mod tests;
mod write;

use super::outputs::Known;
use super::piece::Setting;
use super::plan::{defined, inline, walk};
use super::prelude;
use super::print::print_definitions;
use super::program::{Halt, Printed};
use super::value::Val;
use compile::Compiler;
use eval::{Eval, Fault, Scope};
use item::Item;
use jaq_core::load::lex::Lexer;
use jaq_core::load::parse::{Parser, Term};
use kitbag::JsonRef;
use node::Node;
use std::cell::Cell;
use std::ops::ControlFlow;
use write::Lines;

/// A program as nodes.
pub(super) struct Lane(Node);

impl Lane {
    /// Compiles a program whose notation has been edited. `None` if it has no lane.
    pub(super) fn compile(text: &str, globals: &[(String, Val)]) -> Option<Lane> {
        let tokens = Lexer::new(text).lex().ok()?;
        let tree = Parser::new(&tokens).parse(|parser| parser.term()).ok()?;
        let tree = inline(&tree, &prelude::some(&functions::INLINED));
        let (mut definitions, mut used, mut body) = (String::new(), Vec::new(), &tree);
        while let Term::Def(heads, rest) = body {
            definitions += &print_definitions(heads);
            for head in heads {
                walk(&head.body, &mut |term| {
                    if let Term::Var(name) = term {
                        used.push(*name);
                    }
                });
            }
            body = rest;
        }
        let (known, own) = (Known::of(&tree), defined(&tree));
        let compiler = Compiler { globals, definitions, used, known, own, interpreted: Cell::new(0) };
        compiler.program(body).map(Lane)
    }

    /// Hands all outputs for a record to `each`, which may stop it.
    pub(super) fn run(
        &self,
        record: JsonRef<'_>,
        setting: Setting<'_>,
        each: &mut dyn FnMut(Val) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        let ended = Eval { setting }.each(&self.0, &Item::Json(record), Scope::EMPTY, &mut |item| {
            if each(item.into_val()).is_break() { Err(Fault::Stop) } else { Ok(()) }
        });
        ended.or_else(halt)
    }

    /// Prints all outputs for a record, a compact line each, and says whether the last one is true.
    pub(super) fn print(&self, record: JsonRef<'_>, setting: Setting<'_>, raw: bool, text: &mut Vec<u8>) -> Printed {
        let mut lines = Lines { text, raw, last: None };
        let ended = Eval { setting }.print(&self.0, &Item::Json(record), Scope::EMPTY, &mut lines);
        (lines.last, ended.or_else(halt))
    }
}

fn halt(fault: Fault) -> Result<(), Halt> {
    match fault {
        Fault::Error(value) => Err(Halt::Error(value)),
        Fault::Halt(halt) => Err(*halt),
        Fault::Stop => Ok(()),
    }
}
