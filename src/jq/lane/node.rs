//! [`Node`]: a compiled term.

use super::super::natives::Direct;
use super::super::piece::Piece;
use super::super::value::Val;
use super::item::Item;
use jaq_core::ops::{Cmp, Math};
use smol_str::SmolStr;

/// A compiled term. An operand has one output or none: what may have more is a source, and stands only where sources may.
pub(super) enum Node {
    Id,
    Const(Val),
    /// A variable: how many others were bound after it.
    Var(usize),
    Path(Box<Node>, Vec<Step>),
    Recurse,
    Pipe(Box<Node>, Box<Node>),
    /// `term as $x | body`
    Bind(Box<Node>, Box<Node>),
    Comma(Box<Node>, Box<Node>),
    /// `and` (false) and `or` (true): the value of the left side that decides.
    Logic(Box<Node>, bool, Box<Node>),
    Alt(Box<Node>, Box<Node>),
    Neg(Box<Node>),
    Math(Box<Node>, Math, Box<Node>),
    Cmp(Box<Node>, Cmp, Box<Node>),
    /// Conditions with what follows them, and what follows if none holds.
    If(Vec<(Node, Node)>, Box<Node>),
    Select(Box<Node>),
    Try(Box<Node>, Option<Box<Node>>),
    Array(Option<Box<Node>>),
    /// The members, and whether their keys are known to be different.
    Object(Vec<(Key, Node)>, bool),
    /// A string with terms in it.
    Text(Vec<Section>),
    /// The first output.
    First(Box<Node>),
    /// The first outputs, so many.
    Limit(usize, Box<Node>),
    /// Whether a source has an output that is true (`any`), or none that is not (`all`, with `false`).
    Any(Box<Node>, bool),
    Empty,
    Error(Box<Node>),
    /// A function of the interpreter, with what answers for it where nothing has to be copied.
    Call {
        quick: Option<Quick>,
        direct: Direct,
        argument: Option<Box<Node>>,
    },
    /// Whether a text matches: pattern and flags.
    Test(Box<Node>, Option<Box<Node>>),
    /// A text with what matches a pattern replaced; the text for it may name captures.
    Replace {
        pattern: Val,
        flags: Val,
        by: Box<Node>,
    },
    FileName,
    Now,
    /// What only the interpreter can do, with the variables that it sees.
    Interpreted {
        piece: Box<Piece>,
        variables: Vec<usize>,
        single: bool,
    },
}

/// A step of a path.
pub(super) struct Step {
    pub(super) part: Part,
    /// Followed by `?`.
    pub(super) optional: bool,
}

/// What a step does. The terms are constants and variables: they neither fail nor look at their input.
pub(super) enum Part {
    Key(SmolStr),
    At(Node),
    Slice(Option<Node>, Option<Node>),
    Each,
}

/// The key of a member.
pub(super) enum Key {
    /// The key, and its text as it is printed.
    Const(SmolStr, Box<[u8]>),
    Term(Node),
}

/// A part of a string.
pub(super) enum Section {
    Text(SmolStr),
    Term(Node),
}

/// Answers for a function of the input and an argument, if it can.
pub(super) type Quick = fn(&Item<'_>, Option<&Item<'_>>) -> Option<Val>;

impl Node {
    pub(super) fn boxed(self) -> Box<Node> {
        Box::new(self)
    }

    /// Whether there is one output at most.
    pub(super) fn is_single(&self) -> bool {
        let all = |nodes: &[&Node]| nodes.iter().all(|node| node.is_single());
        match self {
            Node::Recurse | Node::Comma(..) | Node::Limit(..) => false,
            Node::Path(head, steps) => head.is_single() && !steps.iter().any(|step| matches!(step.part, Part::Each)),
            Node::Pipe(left, right) | Node::Bind(left, right) => all(&[left, right]),
            Node::Logic(left, _, right) | Node::Math(left, _, right) | Node::Cmp(left, _, right) => all(&[left, right]),
            // The left side is an operand.
            Node::Alt(_, right) => right.is_single(),
            Node::If(branches, other) => branches.iter().all(|(_, then)| then.is_single()) && other.is_single(),
            Node::Select(condition) => condition.is_single(),
            Node::Try(body, catch) => body.is_single() && catch.as_ref().is_none_or(|catch| catch.is_single()),
            Node::Interpreted { single, .. } => *single,
            _ => true,
        }
    }

    /// Whether this is the interpreter's as a whole.
    pub(super) fn is_interpreted(&self) -> bool {
        matches!(self, Node::Interpreted { .. })
    }
}
