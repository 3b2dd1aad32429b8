//! What `--explain` says of a plan.

use std::fmt;

use jaq_core::load::parse::Term;

use super::super::print::print;
use super::told::{Told, text};
use super::{Agg, End, How, Join, Kind, Plan, Row, Stage};

impl Plan<'_> {
    /// Its stages, and its end.
    pub(crate) fn tell(&self) -> Vec<Told> {
        let mut told: Vec<Told> = self.stages.iter().map(Stage::tell).collect();
        told.push(match &self.end {
            End::Array => Told::new("array", "hpo", "held back until the last record, on disk if need be"),
            End::Stream { held: false } => Told::new("stream", "so", "each element is an output"),
            End::Stream { held: true } => {
                let does = "each element is an output, held back until the last record, on disk if need be";
                Told::new("stream", "hpo", does)
            }
            End::Fold(row) => {
                let what = if row.holds() { "holds what is said to grow" } else { "holds the answers" };
                Told::new("fold", "sh", format!("streams, {what}")).steps(row.tell())
            }
        });
        told
    }
}

impl Stage<'_> {
    fn tell(&self) -> Told {
        match self {
            Stage::Each(filter) => Told::new("each", "so", "streams, keeps order").with(": ", print(filter)),
            Stage::Groups { key, row } => {
                let what = if row.holds() { "holds what is said to grow" } else { "holds a state for each key" };
                let told = Told::new("groups", "hp", format!("{what}, spills"));
                told.with("; in order of the key ", print(key)).steps(row.tell())
            }
            Stage::Distinct(key) => Told::new("distinct", "hpo", "holds a record for each key, spills, keeps order")
                .with("; by ", print(key)),
            Stage::Sort(key) => Told::new("sort", "hp", "holds the records, spills").with("; by ", print(key)),
            Stage::Whole => Told::new("whole", "hpo", "holds the elements until the last one is there, spills"),
            Stage::Join(join) => join.tell(),
            Stage::SkipLast(count) => {
                Told::new("slice", "so", "streams, keeps order").with(": ", format!("all but the last {count}"))
            }
            Stage::Enumerate => Told::new("enumerate", "so", "streams, keeps order").with(": ", "[place, element]"),
            Stage::Slice(from, u64::MAX) => {
                Told::new("slice", "so", "streams, keeps order").with(": ", format!("from {from}"))
            }
            Stage::Slice(from, upto) => {
                Told::new("slice", "so", "streams, ends the reading").with(": ", format!("{from} to {upto}"))
            }
        }
    }
}

impl Join<'_> {
    fn tell(&self) -> Told {
        let Join { how, table, right, left_key, right_key } = self;
        let (what, held) = match how {
            How::Inner => ("pairs with", "elements"),
            How::Left => ("pairs with, or with null,", "elements"),
            How::Semi => ("those that are in", "keys"),
            How::Anti => ("those that are not in", "keys"),
        };
        let (left_key, right_key) = (print(left_key), print(right_key));
        let mut steps =
            vec![format!("there first: holds the {held}; where they do not fit both sides are stored, spills")];
        // It is not made as an array.
        let mut there = right.tell();
        there.pop();
        steps.extend(there.iter().map(|told| format!("there {}", told.to_string().trim_end())));
        let told = Told::new("join", "shpo", format!("{what} {table}, by {left_key} here and {right_key} there"));
        told.with("; ", "keeps order").steps(steps)
    }
}

impl Row<'_> {
    fn tell(&self) -> Vec<String> {
        let aggregates = self.aggregates.iter().enumerate().map(|(number, aggregate)| {
            let grows = match &aggregate.kind {
                Kind::Add => " (grows where it adds texts, arrays or objects)",
                Kind::Reduce { .. } => " (grows where its state does)",
                kind if kind.is_bounded() => "",
                Kind::Unique(_) | Kind::Groups { .. } => " (grows with its keys)",
                _ => " (grows with its input)",
            };
            format!("$__agg{number} = {aggregate}{grows}")
        });
        aggregates.chain([format!("then {}", print(&self.rest))]).collect()
    }
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(&self.tell()))
    }
}

impl fmt::Display for Agg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = print(&self.of);
        match &self.kind {
            Kind::Count => write!(f, "count({of})"),
            Kind::Add => write!(f, "add({of})"),
            Kind::Min(by) => write!(f, "min({of}; {})", print(by)),
            Kind::Max(by) => write!(f, "max({of}; {})", print(by)),
            Kind::Nth(place, path) => write!(f, "nth({of}; {place}; {})", print(path)),
            Kind::Tail(count) => write!(f, "slice({of}; -{count})"),
            Kind::Slice(from, upto) => write!(f, "slice({of}; {from}; {upto})"),
            Kind::Unique(by) => write!(f, "unique({of}; {})", print(by)),
            Kind::Top { by, count, last, reversed } => {
                let end = if *last { "last" } else { "first" };
                let order = if *reversed { "descending" } else { "ascending" };
                write!(f, "top({of}; {}; {end} {count}, {order})", print(by))
            }
            Kind::Approx => write!(f, "approx_distinct({of})"),
            Kind::Sample(count, seed) => write!(f, "sample({of}; {count}; {seed})"),
            Kind::Groups { by, row } => write!(f, "groups({of}; {}; {})", print(by), row.tell().join("; ")),
            Kind::First(count) => write!(f, "first({of}; {count})"),
            Kind::Reduce { pattern, start, update } => {
                let step =
                    Term::Fold("reduce", Box::new(Term::Id), pattern.clone(), vec![*start.clone(), *update.clone()]);
                write!(f, "reduce({of}; {})", print(&step))
            }
            Kind::Collect => write!(f, "collect({of})"),
        }
    }
}
