//! Planning: a program over the whole input as one array becomes the verbs of a bag. The syntax tree's top-level pipe is
//! walked from its start; what is made of each element runs on each record, groups and whole arrays become aggregates
//! with a rest that runs once on their answers, and only what is not understood needs the array itself.
//!
//! * [`inline`]: definitions put where they are called, [`terms`] and [`names`]: looking at trees, [`kinds`]: the
//!   aggregates, [`turns`]: those that ask for one element after the other, [`extract`]: taking them out of what is made
//!   of an array, [`lead`]: what comes first there, [`lifted`]: choosing among groups, [`stages`]: the walk, [`joins`]: stages with another array, [`places`]: stages
//!   that number the elements, [`passes`]: what needs the input twice, [`sequence`]: what is run in
//!   turn instead, [`way`]: which of these, [`explain`]: what is said of it, [`told`]: in
//!   which form.

mod explain;
mod extract;
mod inline;
mod joins;
mod kinds;
mod lead;
mod lifted;
mod names;
mod passes;
mod places;
mod sequence;
mod stages;
mod terms;
mod told;
mod turns;
mod way;

use jaq_core::load::lex::Lexer;
use jaq_core::load::parse::{Parser, Pattern, Term};
use jaq_core::path::Part;

use super::notation;
use super::tree::literal;
pub(crate) use inline::inline;
pub(crate) use joins::{How, Join, asks_for};
pub(crate) use passes::Passes;
pub(crate) use terms::{Tree, defined, integer, is_free, own_path, walk};
pub(crate) use told::{Told, text};
pub(crate) use way::{Way, with, with_first};

/// An aggregate over the outputs of a filter for each record.
#[derive(Clone, Debug)]
pub(crate) struct Agg<'s> {
    pub(crate) kind: Kind<'s>,
    pub(crate) of: Tree<'s>,
}

impl Agg<'_> {
    /// Whether it is all of what there is.
    fn is_whole(&self) -> bool {
        matches!((&self.kind, &self.of), (Kind::Collect, Term::Id))
    }
}

/// What is made of the outputs, in record order. Terms are what elements are compared by.
#[derive(Clone, Debug)]
pub(crate) enum Kind<'s> {
    Count,
    /// `null + a + b …`, from the left.
    Add,
    /// The first of the smallest; `null` if there is none.
    Min(Tree<'s>),
    /// The last of the greatest; `null` if there is none.
    Max(Tree<'s>),
    /// The output at a place, from the end if it is negative, and what a path leads to in it; `null` if there is none.
    Nth(i64, Tree<'s>),
    /// The array of those from one place to before another.
    Slice(u64, u64),
    /// The array of the last ones, no more than so many.
    Tail(u64),
    /// Those that are different, in order; of equal ones the first.
    Unique(Tree<'s>),
    /// The `count` first or last ones when sorted, in ascending order or, reversed, in descending order.
    Top {
        by: Tree<'s>,
        count: u64,
        last: bool,
        reversed: bool,
    },
    /// About how many different ones there are.
    Approx,
    /// So many of them, drawn by a seed.
    Sample(u64, i64),
    /// The array of what is made of each group of them, in order of the keys.
    Groups {
        by: Tree<'s>,
        row: Box<Row<'s>>,
    },
    /// The first ones, no more than so many, up to the first error: nothing behind them is asked for.
    First(u64),
    /// What a state becomes by the outputs, one after the other.
    Reduce {
        pattern: Pattern<&'s str>,
        start: Box<Tree<'s>>,
        update: Box<Tree<'s>>,
    },
    /// All outputs: it grows with them.
    Collect,
}

impl<'s> Kind<'s> {
    /// What is run on elements.
    pub(crate) fn terms(&self) -> Vec<&Tree<'s>> {
        match self {
            Kind::Min(by) | Kind::Max(by) | Kind::Unique(by) | Kind::Top { by, .. } | Kind::Groups { by, .. } => {
                vec![by]
            }
            Kind::Nth(_, path) => vec![path],
            Kind::Reduce { start, update, .. } => vec![start, update],
            _ => Vec::new(),
        }
    }

    /// Whether outputs behind one that fails or decides are never asked for.
    fn stops(&self) -> bool {
        matches!(self, Kind::First(_) | Kind::Reduce { .. })
    }

    /// Whether what it holds does not grow with the number of outputs.
    pub(crate) fn is_bounded(&self) -> bool {
        !matches!(self, Kind::Unique(_) | Kind::Groups { .. } | Kind::Reduce { .. } | Kind::Collect)
    }
}

/// Aggregates, and what is made of their answers: a filter whose input is the array of them.
#[derive(Clone, Debug)]
pub(crate) struct Row<'s> {
    pub(crate) aggregates: Vec<Agg<'s>>,
    pub(crate) rest: Tree<'s>,
}

impl Row<'_> {
    /// Whether one of its terms is so.
    pub(crate) fn any(&self, is: &dyn Fn(&Tree<'_>) -> bool) -> bool {
        let aggregate = |one: &Agg<'_>| {
            let inner = matches!(&one.kind, Kind::Groups { row, .. } if row.any(is));
            inner || is(&one.of) || one.kind.terms().into_iter().any(is)
        };
        is(&self.rest) || self.aggregates.iter().any(aggregate)
    }

    /// Whether one of the aggregates holds whole records or grows with them.
    pub(crate) fn holds(&self) -> bool {
        !self.aggregates.iter().all(|aggregate| aggregate.kind.is_bounded())
    }
}

/// A verb of the bag.
#[derive(Clone, Debug)]
pub(crate) enum Stage<'s> {
    /// The outputs of a filter for each element.
    Each(Tree<'s>),
    /// A row for each key, in order of the keys. The key is the array of all outputs.
    Groups { key: Tree<'s>, row: Row<'s> },
    /// The first element of each key. The key is the array of all outputs.
    Distinct(Tree<'s>),
    /// Sorted, stable. The key is the array of all outputs.
    Sort(Tree<'s>),
    /// From one place to before another.
    Slice(u64, u64),
    /// All elements are there before the next stage has the first one.
    Whole,
    /// Joined with another array.
    Join(Join<'s>),
    /// All but so many at the end.
    SkipLast(u64),
    /// `[0, element]`, `[1, element]`, …
    Enumerate,
}

/// What becomes of the bag at its end.
#[derive(Clone, Debug)]
pub(crate) enum End<'s> {
    /// All elements are one output: an array.
    Array,
    /// Each element is an output; held back until the last one is there, if the program asks for all of them first.
    Stream { held: bool },
    /// One row for all.
    Fold(Row<'s>),
}

/// A program as verbs.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'s> {
    /// The program's own definitions, to be put before every piece of it.
    pub(crate) definitions: String,
    pub(crate) stages: Vec<Stage<'s>>,
    pub(crate) end: End<'s>,
}

impl Plan<'_> {
    /// Whether it holds what it makes of all records at once.
    fn holds_all(&self) -> bool {
        let groups = self.stages.iter().any(|stage| matches!(stage, Stage::Groups { .. } | Stage::Distinct(_)));
        let collects = |row: &Row<'_>| row.aggregates.iter().any(|aggregate| matches!(aggregate.kind, Kind::Collect));
        !groups && matches!(&self.end, End::Fold(row) if collects(row))
    }

    /// Whether it only asks for the elements one after the other, as the interpreter does.
    fn is_in_turn(&self) -> bool {
        let stop = |aggregate: &Agg<'_>| aggregate.kind.stops();
        self.stages.is_empty() && matches!(&self.end, End::Fold(row) if row.aggregates.iter().all(stop))
    }

    /// Whether it needs no input at all.
    pub(crate) fn is_constant(&self) -> bool {
        self.stages.is_empty() && matches!(&self.end, End::Fold(row) if row.aggregates.is_empty())
    }
}

/// The last key of a program that is a path to it, such as `.a.b`.
pub(crate) fn last_key(program: &str) -> Option<String> {
    let text = notation::edit(program).ok()?.text;
    let tokens = Lexer::new(&text).lex().ok()?;
    let tree = Parser::new(&tokens).parse(|parser| parser.term()).ok()?;
    match own_path(&tree)?.last()? {
        (Part::Index(Term::Str(None, parts)), _) => literal(parts),
        _ => None,
    }
}
