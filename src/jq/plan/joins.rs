//! Joins: a stage `join_on($right; f; g)` pairs the elements with those of another array by a key. Where that array is a
//! variable, or is made of one by stages that can be planned, it is a bag of its own. What must stay true: the definitions in
//! `extra.jq` say what comes out, and a join gives that, in that order.

use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};
use jaq_core::load::parse::Term;

use super::super::notation;
use super::names::Names;
use super::terms::{Tree, is_local, stages, walk};
use super::{End, Plan, Row, Stage};

/// Which elements come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// `[left, right]` for all that meet.
    Inner,
    /// The same, and `[left, null]` for a left one that meets none.
    Left,
    /// Left ones that meet one, or many.
    Semi,
    /// Left ones that meet none.
    Anti,
}

/// The functions that are joins.
const JOINS: [(&str, How); 4] =
    [("join_on", How::Inner), ("left_join_on", How::Left), ("semi_join_on", How::Semi), ("anti_join_on", How::Anti)];

/// Whether a function of `extra.jq` is a verb of its own, whatever its definition says.
pub(super) fn is_verb(name: &str) -> bool {
    name == "distinct_by" || JOINS.iter().any(|(join, _)| *join == name)
}

/// A join with another array. Keys are the arrays of all outputs.
#[derive(Clone, Debug)]
pub(crate) struct Join<'s> {
    pub(crate) how: How,
    /// The variable that holds the other array, with its `$`.
    pub(crate) table: &'s str,
    /// What is made of the other array first; it ends as an array.
    pub(crate) right: Plan<'s>,
    pub(crate) left_key: Tree<'s>,
    pub(crate) right_key: Tree<'s>,
}

/// The join that a stage is. `plan` says what is made of the other array by some stages.
pub(super) fn join<'s>(
    names: &Names<'s>,
    term: &Tree<'s>,
    plan: impl FnOnce(&[Tree<'s>]) -> Option<Plan<'s>>,
) -> Option<Join<'s>> {
    let (_, how) = JOINS.into_iter().find(|(name, _)| names.call(term, name, 3))?;
    let Term::Call(_, arguments) = term else { return None };
    let [right, left_key, right_key] = &arguments[..] else { return None };
    if !arguments.iter().all(|argument| is_local(argument, &[])) {
        return None;
    }
    let parts = stages(right);
    let (first, rest) = parts.split_first()?;
    let Term::Var(table) = first else { return None };
    Some(Join { how, table, right: plan(rest)?, left_key: left_key.clone(), right_key: right_key.clone() })
}

/// Whether a program's text names a variable (without its `$`), or may use what does: modules.
pub(crate) fn asks_for(text: &str, name: &str) -> bool {
    let Ok(text) = notation::edit(text) else { return false };
    names(&Lexer::new(&text.text).lex().unwrap_or_default(), name)
}

fn names(tokens: &[Token<&str>], name: &str) -> bool {
    tokens.iter().any(|Token(word, token)| match token {
        Tok::Var => word.strip_prefix('$') == Some(name),
        Tok::Word => matches!(*word, "import" | "include"),
        Tok::Block(inner) => names(inner, name),
        Tok::Str(parts) => {
            parts.iter().any(|part| matches!(part, StrPart::Term(inner) if names(std::slice::from_ref(inner), name)))
        }
        _ => false,
    })
}

impl Plan<'_> {
    /// Whether anything but joins asks for a variable.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        let of = |term: &Tree<'_>| {
            let mut asks = false;
            walk(term, &mut |term| asks |= matches!(term, Term::Var(word) if word.strip_prefix('$') == Some(name)));
            asks
        };
        let row = |row: &Row<'_>| row.any(&of);
        let stage = |stage: &Stage<'_>| match stage {
            Stage::Each(term) | Stage::Distinct(term) | Stage::Sort(term) => of(term),
            Stage::Groups { key, row: of_each } => of(key) || row(of_each),
            Stage::Join(join) => of(&join.left_key) || of(&join.right_key) || join.right.asks_for(name),
            Stage::Slice(..) | Stage::Whole | Stage::SkipLast(_) | Stage::Enumerate => false,
        };
        let end = matches!(&self.end, End::Fold(of_all) if row(of_all));
        end || asks_for(&self.definitions, name) || self.stages.iter().any(stage)
    }

    /// How many joins read a variable.
    pub(crate) fn joins(&self, name: &str) -> usize {
        let one = |stage: &Stage<'_>| match stage {
            Stage::Join(join) => usize::from(join.table.strip_prefix('$') == Some(name)) + join.right.joins(name),
            _ => 0,
        };
        self.stages.iter().map(one).sum()
    }
}
