//! Operands: the output of a node that has one or none.

use super::super::natives::Direct;
use super::super::object::Object;
use super::super::value::Val;
use super::eval::{Eval, Fault, Frame, One, Scope, compare};
use super::item::Item;
use super::node::Node;
use std::sync::Arc;

impl<'r> Eval<'r> {
    /// The output of an operand.
    pub(super) fn one(&self, node: &'r Node, input: &Item<'r>, scope: Scope<'_, 'r>) -> One<'r> {
        let one = |node: &'r Node| self.one(node, input, scope);
        Ok(Some(match node {
            Node::Id => input.clone(),
            Node::Const(value) => Item::Ref(value),
            Node::Var(back) => scope.get(*back),
            Node::Path(head, steps) => {
                let Some(mut here) = one(head)? else { return Ok(None) };
                for step in steps {
                    match self.step(&here, step, scope) {
                        Ok(next) => here = next,
                        Err(_) if step.optional => return Ok(None),
                        Err(error) => return Err(error.into()),
                    }
                }
                here
            }
            Node::Pipe(left, right) => {
                let Some(value) = one(left)? else { return Ok(None) };
                return self.one(right, &value, scope);
            }
            Node::Bind(value, body) => {
                let Some(value) = one(value)? else { return Ok(None) };
                return self.one(body, input, Scope(Some(&Frame { value, up: scope })));
            }
            Node::Logic(left, decisive, right) => {
                let Some(left) = one(left)? else { return Ok(None) };
                if left.is_true() == *decisive {
                    return Ok(Some((*decisive).into()));
                }
                let Some(right) = one(right)? else { return Ok(None) };
                right.is_true().into()
            }
            Node::Alt(left, right) => match one(left)? {
                Some(value) if value.is_true() => value,
                _ => return one(right),
            },
            Node::Neg(inner) => {
                let Some(value) = one(inner)? else { return Ok(None) };
                (-value.into_val())?.into()
            }
            Node::Math(left, op, right) => {
                let Some(right) = one(right)? else { return Ok(None) };
                let Some(left) = one(left)? else { return Ok(None) };
                op.run(left.into_val(), right.into_val())?.into()
            }
            Node::Cmp(left, op, right) => {
                let Some(right) = one(right)? else { return Ok(None) };
                let Some(left) = one(left)? else { return Ok(None) };
                compare(&left, *op, &right).into()
            }
            Node::If(branches, other) => {
                for (condition, then) in branches {
                    match one(condition)? {
                        None => return Ok(None),
                        Some(value) if value.is_true() => return one(then),
                        Some(_) => {}
                    }
                }
                return one(other);
            }
            Node::Select(condition) => match one(condition)? {
                Some(value) if value.is_true() => input.clone(),
                _ => return Ok(None),
            },
            Node::Try(body, catch) => match (one(body), catch) {
                (Err(Fault::Error(_)), None) => return Ok(None),
                (Err(Fault::Error(error)), Some(catch)) => return self.one(catch, &error.into(), scope),
                (other, _) => return other,
            },
            Node::Array(inner) => {
                let mut values = Vec::new();
                if let Some(inner) = inner {
                    self.each(inner, input, scope, &mut |item| {
                        values.push(item.into_val());
                        Ok(())
                    })?;
                }
                Val::array(values).into()
            }
            Node::Object(members, _) => {
                let mut object = Object::with_capacity(members.len());
                for member in members {
                    let Some((key, value)) = self.member(member, input, scope)? else { return Ok(None) };
                    object.insert(key, value);
                }
                Item::Val(Val::Obj(Arc::new(object)))
            }
            Node::Text(sections) => match self.text(sections, input, scope)? {
                Some(text) => Val::from(text).into(),
                None => return Ok(None),
            },
            Node::Any(source, wanted) => {
                let mut found = false;
                let ended = self.each(source, input, scope, &mut |item| {
                    found = item.is_true() == *wanted;
                    if found { Err(Fault::Stop) } else { Ok(()) }
                });
                match ended {
                    Err(Fault::Stop) if found => {}
                    ended => ended?,
                }
                (found == *wanted).into()
            }
            Node::Error(message) => {
                let Some(message) = one(message)? else { return Ok(None) };
                return Err(Fault::Error(message.into_val()));
            }
            Node::Call { quick, direct, argument } => {
                let argument = match argument {
                    Some(argument) => match one(argument)? {
                        Some(value) => Some(value),
                        None => return Ok(None),
                    },
                    None => None,
                };
                if let Some(answer) = quick.and_then(|quick| quick(input, argument.as_ref())) {
                    return Ok(Some(answer.into()));
                }
                let input = input.clone().into_val();
                match direct {
                    Direct::Plain(function) => function(input)?.into(),
                    Direct::WithOne(function) => function(input, argument.unwrap_or(Item::NULL).into_val())?.into(),
                }
            }
            Node::Test(pattern, flags) => return self.test(pattern, flags.as_deref(), input, scope),
            Node::Replace { pattern, flags, by } => self.replace(pattern, flags, by, input, scope)?.into(),
            Node::FileName => self.setting.inputs.file_name().map_or(Val::Null, Val::from).into(),
            Node::Now => Val::Float(self.setting.inputs.now()).into(),
            Node::Empty => return Ok(None),
            Node::First(_) | Node::Limit(..) | Node::Interpreted { .. } | Node::Recurse | Node::Comma(..) => {
                let mut first = None;
                let ended = self.each(node, input, scope, &mut |item| {
                    first = Some(item);
                    Err(Fault::Stop)
                });
                return match (ended, first) {
                    (Err(Fault::Stop), Some(item)) => Ok(Some(item)),
                    (ended, _) => ended.map(|()| None),
                };
            }
        }))
    }
}
