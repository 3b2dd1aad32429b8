//! Sources: all outputs of a node, one after the other.

use super::super::program::Halt;
use super::eval::{Eval, Fault, Frame, Scope, Sink, compare};
use super::item::Item;
use super::node::Node;
use std::ops::ControlFlow;

impl<'r> Eval<'r> {
    /// Hands all outputs of a source to `sink`.
    pub(super) fn each(
        &self,
        node: &'r Node,
        input: &Item<'r>,
        scope: Scope<'_, 'r>,
        sink: Sink<'_, 'r>,
    ) -> Result<(), Fault> {
        let source = |node: &'r Node, sink: Sink<'_, 'r>| self.each(node, input, scope, sink);
        match node {
            Node::Path(head, steps) => source(head, &mut |item| self.steps(&item, steps, scope, sink)),
            Node::Recurse => recurse(input, sink),
            Node::Pipe(left, right) => source(left, &mut |item| self.each(right, &item, scope, sink)),
            Node::Bind(value, body) => {
                source(value, &mut |value| self.each(body, input, Scope(Some(&Frame { value, up: scope })), sink))
            }
            Node::Comma(left, right) => {
                source(left, sink)?;
                source(right, sink)
            }
            Node::Logic(left, decisive, right) => source(left, &mut |left| {
                if left.is_true() == *decisive {
                    return sink((*decisive).into());
                }
                source(right, &mut |right| sink(right.is_true().into()))
            }),
            Node::Alt(left, right) => match self.one(left, input, scope)? {
                Some(value) if value.is_true() => sink(value),
                _ => source(right, sink),
            },
            Node::Math(left, op, right) => source(right, &mut |right| {
                let right = right.into_val();
                source(left, &mut |left| sink(op.run(left.into_val(), right.clone())?.into()))
            }),
            Node::Cmp(left, op, right) => {
                source(right, &mut |right| source(left, &mut |left| sink(compare(&left, *op, &right).into())))
            }
            Node::If(branches, other) => {
                for (condition, then) in branches {
                    match self.one(condition, input, scope)? {
                        None => return Ok(()),
                        Some(value) if value.is_true() => return source(then, sink),
                        Some(_) => {}
                    }
                }
                source(other, sink)
            }
            Node::Select(condition) => source(condition, &mut |value| match value.is_true() {
                true => sink(input.clone()),
                false => Ok(()),
            }),
            Node::Try(body, catch) => {
                // What fails behind this term is not for it to catch.
                let mut behind = None;
                let ended = source(body, &mut |item| {
                    sink(item).map_err(|fault| {
                        behind = Some(fault);
                        Fault::Stop
                    })
                });
                match (behind, ended, catch) {
                    (Some(fault), ..) => Err(fault),
                    (None, Err(Fault::Error(_)), None) => Ok(()),
                    (None, Err(Fault::Error(error)), Some(catch)) => self.each(catch, &error.into(), scope, sink),
                    (None, ended, _) => ended,
                }
            }
            Node::First(inner) => {
                let mut first = None;
                let ended = source(inner, &mut |item| {
                    first = Some(item);
                    Err(Fault::Stop)
                });
                match (ended, first) {
                    (Err(Fault::Stop), Some(item)) => sink(item),
                    (ended, _) => ended,
                }
            }
            Node::Limit(most, inner) => {
                let (mut count, mut behind) = (0, None);
                let ended = source(inner, &mut |item| {
                    count += 1;
                    match sink(item) {
                        Ok(()) if count < *most => Ok(()),
                        ended => {
                            behind = Some(ended);
                            Err(Fault::Stop)
                        }
                    }
                });
                behind.unwrap_or(ended)
            }
            Node::Interpreted { piece, variables, .. } => {
                let mut behind = Ok(());
                let values = variables.iter().map(|back| scope.get(*back).into_val());
                let ended = piece.run(values, input.clone().into_val(), self.setting, &mut |value| {
                    behind = sink(value.into());
                    if behind.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                behind?;
                ended.map_err(|halt| match halt {
                    Halt::Error(error) => Fault::Error(error),
                    halt => Fault::Halt(Box::new(halt)),
                })
            }
            operand => match self.one(operand, input, scope)? {
                Some(item) => sink(item),
                None => Ok(()),
            },
        }
    }
}

fn recurse<'r>(item: &Item<'r>, sink: Sink<'_, 'r>) -> Result<(), Fault> {
    sink(item.clone())?;
    match item.kind() {
        "array" | "object" => item.each(&mut |inner| recurse(&inner, sink)),
        _ => Ok(()),
    }
}
