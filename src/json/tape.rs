//! A document as the tape of the SIMD parser beside the line that it came from. Nodes hold decoded values and no
//! positions; the text of a value is found on demand from its neighbours: the decoded content of a string starts in the
//! parser's scratch at the offset at which its text starts in the line, so a string node is a signpost, and from the
//! nearest one before a value the tokens are counted forward.
//!
//! Long stretches without strings get signposts of their own, every [`STRIDE`] nodes, made by one pass when the first
//! value in such a stretch is asked for. That keeps reading the text of all values of a document linear.

use super::text;
use simd_json::{Node, StaticNode, Tape};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many nodes are walked at most to find the text of one.
const STRIDE: usize = 32;

pub(super) struct TapeDoc<'p> {
    pub(super) tape: Tape<'p>,
    /// The line, without white space around it.
    pub(super) text: &'p [u8],
    /// The address of the scratch that the nodes' strings lie in: a copy of `text`, with escapes decoded in place.
    base: usize,
    /// Where the token before node `i * STRIDE` ends. Empty until it is needed.
    signposts: Mutex<Vec<u32>>,
}

impl<'p> TapeDoc<'p> {
    pub(super) fn new(tape: Tape<'p>, text: &'p [u8], base: usize, signposts: Vec<u32>) -> TapeDoc<'p> {
        TapeDoc { tape, text, base, signposts: Mutex::new(signposts) }
    }

    /// Gives the allocations back.
    pub(super) fn take(&mut self) -> (Tape<'p>, Vec<u32>) {
        let mut signposts = std::mem::take(self.signposts.get_mut().unwrap_or_else(PoisonError::into_inner));
        signposts.clear();
        (std::mem::replace(&mut self.tape, Tape(Vec::new())), signposts)
    }

    #[inline]
    pub(super) fn node(&self, index: usize) -> Node<'p> {
        self.tape.0.get(index).copied().unwrap_or(Node::Static(StaticNode::Null))
    }

    /// How many nodes the value at `index` takes.
    #[inline]
    pub(super) fn span(&self, index: usize) -> usize {
        span(&self.node(index))
    }

    /// The index of the value of a key in the object at `index`; of the last one, if there are several.
    #[inline]
    pub(super) fn find(&self, index: usize, key: &str) -> Option<usize> {
        let nodes = self.tape.0.as_slice();
        let Some(Node::Object { len, .. }) = nodes.get(index) else { return None };
        let (mut at, mut found) = (index + 1, None);
        for _ in 0..*len {
            let [name, value, ..] = nodes.get(at..)? else { return None };
            if let Node::String(name) = name
                && *name == key
            {
                found = Some(at + 1);
            }
            at += 1 + span(value);
        }
        found
    }

    /// Where the content of a string of this tape starts in the text.
    #[inline]
    pub(super) fn offset(&self, string: &str) -> usize {
        string.as_ptr().addr().wrapping_sub(self.base).min(self.text.len())
    }

    /// Where the value at `index` starts in the text.
    pub(super) fn start(&self, index: usize) -> usize {
        if let Node::String(string) = self.node(index) {
            return self.offset(string).saturating_sub(1);
        }
        let lowest = index.saturating_sub(STRIDE);
        let before = self.tape.0.get(lowest..index).unwrap_or_default();
        if let Some(nearest) = before.iter().rposition(|node| matches!(node, Node::String(_))) {
            return self.walk(Cursor::default(), lowest + nearest, index);
        }
        if lowest == 0 {
            return self.walk(Cursor::default(), 0, index);
        }
        let signpost = index / STRIDE;
        let at = self.signposts().get(signpost).map_or(0, |&at| at as usize);
        self.walk(Cursor::before(at), signpost * STRIDE, index)
    }

    /// Steps from the node `from`, which the cursor stands before, to the node `to`, and says where that one starts.
    fn walk(&self, mut cursor: Cursor, from: usize, to: usize) -> usize {
        (from..=to).fold(0, |_, index| cursor.step(self, &self.node(index)))
    }

    fn signposts(&self) -> MutexGuard<'_, Vec<u32>> {
        let mut signposts = self.signposts.lock().unwrap_or_else(PoisonError::into_inner);
        if signposts.is_empty() {
            let mut cursor = Cursor::default();
            for (index, node) in self.tape.0.iter().enumerate() {
                if index % STRIDE == 0 {
                    signposts.push(u32::try_from(cursor.settled(self.text)).unwrap_or(u32::MAX));
                }
                cursor.step(self, node);
            }
        }
        signposts
    }
}

#[inline]
pub(super) fn span(node: &Node<'_>) -> usize {
    match node {
        Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
        _ => 1,
    }
}

/// A place in the text that is moved along the nodes: behind the token of the node before.
#[derive(Clone, Copy, Default)]
pub(super) struct Cursor {
    at: usize,
    /// `at` is the start of a number whose end nobody has needed yet.
    in_number: bool,
}

impl Cursor {
    /// A cursor before the token at `at`.
    pub(super) fn before(at: usize) -> Cursor {
        Cursor { at, in_number: false }
    }

    /// Moves over `node` and says where its text starts.
    #[inline]
    pub(super) fn step(&mut self, doc: &TapeDoc<'_>, node: &Node<'_>) -> usize {
        if let Node::String(string) = node {
            let from = doc.offset(string);
            self.string(doc, from, string.len(), text::is_plain(doc.text, from, string.len()));
            return from.saturating_sub(1);
        }
        self.other(doc, node)
    }

    /// Moves over a string whose content starts at `from`.
    #[inline]
    pub(super) fn string(&mut self, doc: &TapeDoc<'_>, from: usize, len: usize, plain: bool) {
        self.in_number = false;
        self.at = if plain { from + len + 1 } else { text::string_end(doc.text, from) };
    }

    /// Moves over a node that is no string.
    #[inline]
    pub(super) fn other(&mut self, doc: &TapeDoc<'_>, node: &Node<'_>) -> usize {
        let start = text::token_start(doc.text, self.settled(doc.text));
        self.in_number = false;
        self.at = start;
        match node {
            Node::Static(StaticNode::Null | StaticNode::Bool(true)) => self.at += 4,
            Node::Static(StaticNode::Bool(false)) => self.at += 5,
            Node::Static(_) => self.in_number = true,
            _ => self.at += 1,
        }
        start
    }

    #[inline]
    fn settled(self, text: &[u8]) -> usize {
        if self.in_number { text::number_end(text, self.at) } else { self.at }
    }
}
