//! Running nodes. An operand is asked for its one output or none; a source hands its outputs to a sink. Operands evaluate
//! in jq's order: the right one before the left one, members of objects from the first to the last, terms in strings
//! from the last to the first.

use super::super::fault::{Error, error, named};
use super::super::natives::no_string;
use super::super::piece::Setting;
use super::super::program::Halt;
use super::super::value::Val;
use super::item::Item;
use super::node::{Key, Node, Part, Section, Step};
use jaq_core::ops::Cmp;
use smol_str::SmolStr;

/// Why there are no further outputs.
pub(super) enum Fault {
    Error(Val),
    Halt(Box<Halt>),
    /// Nobody wants more.
    Stop,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Error(error.into_val())
    }
}

pub(super) type One<'r> = Result<Option<Item<'r>>, Fault>;
pub(super) type Sink<'s, 'r> = &'s mut dyn FnMut(Item<'r>) -> Result<(), Fault>;

/// The variables in scope, the innermost first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'e, 'r>(pub(super) Option<&'e Frame<'e, 'r>>);

pub(super) struct Frame<'e, 'r> {
    pub(super) value: Item<'r>,
    pub(super) up: Scope<'e, 'r>,
}

impl<'r> Scope<'_, 'r> {
    pub(super) const EMPTY: Scope<'static, 'static> = Scope(None);

    pub(super) fn get(&self, back: usize) -> Item<'r> {
        let mut frame = self.0;
        for _ in 0..back {
            frame = frame.and_then(|frame| frame.up.0);
        }
        frame.map_or(Item::NULL, |frame| frame.value.clone())
    }
}

/// What nodes run with.
pub(super) struct Eval<'r> {
    pub(super) setting: Setting<'r>,
}

impl<'r> Eval<'r> {
    /// The rest of a path.
    pub(super) fn steps(
        &self,
        here: &Item<'r>,
        steps: &'r [Step],
        scope: Scope<'_, 'r>,
        sink: Sink<'_, 'r>,
    ) -> Result<(), Fault> {
        let Some((step, rest)) = steps.split_first() else { return sink(here.clone()) };
        if !matches!(step.part, Part::Each) {
            return match self.step(here, step, scope) {
                Ok(next) => self.steps(&next, rest, scope, sink),
                Err(_) if step.optional => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        if step.optional && !matches!(here.kind(), "array" | "object") {
            return Ok(());
        }
        here.each(&mut |item| self.steps(&item, rest, scope, sink))
    }

    pub(super) fn step(&self, here: &Item<'r>, step: &'r Step, scope: Scope<'_, 'r>) -> Result<Item<'r>, Error> {
        let fixed = |node: &'r Node| match node {
            Node::Const(value) => Item::Ref(value),
            Node::Var(back) => scope.get(*back),
            _ => Item::NULL,
        };
        match &step.part {
            Part::Key(key) => here.get(key),
            Part::At(at) => here.index(&fixed(at).value()),
            Part::Slice(from, upto) => {
                let bounds = [from, upto].map(|bound| bound.as_ref().map(fixed));
                let [from, upto] = bounds.each_ref().map(|bound| bound.as_ref().map(Item::value));
                here.slice(from.as_deref()..upto.as_deref()).map(Item::Val)
            }
            // A source: the path's steps are walked by `steps`.
            Part::Each => Ok(Item::NULL),
        }
    }

    /// A member of an object. Whether its key is one shows when its value is there.
    pub(super) fn member(
        &self,
        (key, value): &'r (Key, Node),
        input: &Item<'r>,
        scope: Scope<'_, 'r>,
    ) -> Result<Option<(SmolStr, Val)>, Fault> {
        let key = match key {
            Key::Const(key, _) => Val::Str(key.clone()),
            Key::Term(term) => match self.one(term, input, scope)? {
                Some(key) => key.into_val(),
                None => return Ok(None),
            },
        };
        let Some(value) = self.one(value, input, scope)? else { return Ok(None) };
        match key {
            Val::Str(key) => Ok(Some((key, value.into_val()))),
            other => Err(error(format!("Cannot use {} as object key", named(&other))).into()),
        }
    }

    /// The text of a string with terms in it.
    pub(super) fn text(
        &self,
        sections: &'r [Section],
        input: &Item<'r>,
        scope: Scope<'_, 'r>,
    ) -> Result<Option<String>, Fault> {
        let mut items = Vec::with_capacity(sections.len());
        for section in sections.iter().rev() {
            if let Section::Term(term) = section {
                let Some(item) = self.one(term, input, scope)? else { return Ok(None) };
                items.push(item);
            }
        }
        let mut text = String::new();
        for section in sections {
            match section {
                Section::Text(literal) => text.push_str(literal),
                Section::Term(_) => {
                    if let Some(item) = items.pop() {
                        match item.text() {
                            Some(string) => text.push_str(&string),
                            None => text.push_str(&item.value().to_json()),
                        }
                    }
                }
            }
        }
        Ok(Some(text))
    }

    /// The input with what matches replaced.
    pub(super) fn replace(
        &self,
        pattern: &Val,
        flags: &Val,
        by: &'r Node,
        input: &Item<'r>,
        scope: Scope<'_, 'r>,
    ) -> Result<Val, Fault> {
        let Some(text) = input.text() else { return Err(no_string(&input.value()).into()) };
        let replaced = self.setting.regexes.replace(&text, pattern, flags, |captures, out| {
            let by = match by {
                Node::Const(by) => Some(Item::Ref(by)),
                by => self.one(by, &captures().into(), scope)?,
            };
            out.push_str(&by.as_ref().and_then(Item::text).unwrap_or_default());
            Ok::<(), Fault>(())
        });
        Ok(Val::from(replaced?))
    }

    pub(super) fn test(
        &self,
        pattern: &'r Node,
        flags: Option<&'r Node>,
        input: &Item<'r>,
        scope: Scope<'_, 'r>,
    ) -> One<'r> {
        let flags = match flags {
            Some(flags) => match self.one(flags, input, scope)? {
                Some(flags) => flags,
                None => return Ok(None),
            },
            None => Item::NULL,
        };
        let Some(pattern) = self.one(pattern, input, scope)? else { return Ok(None) };
        let Some(text) = input.text() else { return Err(no_string(&input.value()).into()) };
        let found = self.setting.regexes.test(&text, &pattern.value(), &flags.value())?;
        Ok(Some(found.into()))
    }
}

/// Compares; of what is borrowed from the record, strings are not copied.
pub(super) fn compare(left: &Item<'_>, op: Cmp, right: &Item<'_>) -> bool {
    if let (Some(left), Some(right)) = (left.text(), right.text()) {
        return op.run(&left, &right);
    }
    match op {
        Cmp::Eq | Cmp::Ne if left.kind() != right.kind() => matches!(op, Cmp::Ne),
        _ => op.run(&*left.value(), &*right.value()),
    }
}
