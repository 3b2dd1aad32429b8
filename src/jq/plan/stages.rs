//! The walk along the top-level pipe.

use jaq_core::{load::parse::Term, path::Part};

use super::extract::Extract;
use super::inline::called;
use super::joins;
use super::kinds::MOST;
use super::names::Names;
use super::places::slice;
use super::terms::{Tree, defined, integer, is_local, own_path, path_of, pipe, stages, then, walk};
use super::{Agg, End, Kind, Plan, Row, Stage};
use crate::jq::print::print_definitions;

/// What the bag's elements are.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// The elements of the one array that the program has now.
    Array,
    /// The program's outputs.
    Outputs,
}

pub(super) fn plan<'s>(program: &Tree<'s>) -> Option<Plan<'s>> {
    let names = Names { defined: defined(program) };
    if names.are_ours(program) {
        return None;
    }
    let (definitions, body) = called(program);
    // A definition is called wherever its caller runs.
    if !definitions.iter().all(|def| is_local(&def.body, &[])) {
        return None;
    }
    let mut walk = Walk::new(&names);
    let end = walk.along(&stages(body))?;
    Some(Plan { definitions: print_definitions(&definitions), stages: walk.stages, end })
}

struct Walk<'s, 'n> {
    names: &'n Names<'s>,
    stages: Vec<Stage<'s>>,
    shape: Shape,
    /// The elements were made as one array, which is there only when all of them are.
    whole: bool,
    /// What the walk is in becomes an array: its outputs are seen together or not at all.
    brackets: bool,
}

impl<'s, 'n> Walk<'s, 'n> {
    fn new(names: &'n Names<'s>) -> Walk<'s, 'n> {
        Walk { names, stages: Vec::new(), shape: Shape::Array, whole: false, brackets: false }
    }

    /// What is made of another array, to be an array too.
    fn aside(&self, parts: &[Tree<'s>]) -> Option<Plan<'s>> {
        let mut walk = Walk::new(self.names);
        let end = walk.along(parts)?;
        let plan = Plan { definitions: String::new(), stages: walk.stages, end };
        matches!(plan.end, End::Array).then_some(plan)
    }

    fn along(&mut self, parts: &[Tree<'s>]) -> Option<End<'s>> {
        let Some((first, rest)) = parts.split_first() else {
            return Some(if self.shape == Shape::Array { End::Array } else { self.stream() });
        };
        if self.shape == Shape::Outputs {
            self.each(pipe(parts))?;
            return Some(self.stream());
        }
        if matches!(first, Term::Id) {
            return self.along(rest);
        }
        if let Some(each) = self.names.each(first) {
            // A part that cannot be run on each record may still be understood as part of the whole.
            if is_local(&each, &[]) {
                self.each(each)?;
                self.whole = true;
                return self.along(rest);
            }
        }
        if let Some(stages) = self.names.taken_from(first) {
            return self.along(&[&stages[..], rest].concat());
        }
        if let Term::Arr(Some(inner)) = first {
            // What gives the elements one by one gives an array of them in brackets.
            let before = (self.stages.clone(), self.whole);
            let outside = std::mem::replace(&mut self.brackets, true);
            let end = self.along(&stages(inner));
            self.brackets = outside;
            if let Some(End::Stream { .. }) = end {
                (self.shape, self.whole) = (Shape::Array, true);
                return self.along(rest);
            }
            ((self.stages, self.whole), self.shape) = (before, Shape::Array);
        }
        if let Some(each) = self.names.stream(first) {
            if !self.brackets && !matches!(then(&each, &pipe(rest)), Term::Id) {
                self.barrier();
            }
            self.each(each)?;
            self.shape = Shape::Outputs;
            return self.along(rest);
        }
        if let Some((key, keep)) = self.names.grouping(first) {
            return self.groups(key, keep, rest);
        }
        if let Term::Call(_, arguments) = first
            && self.names.call(first, "distinct_by", 1)
            && is_local(&arguments[0], &[])
        {
            self.stages.push(Stage::Distinct(arguments[0].clone()));
            self.whole = true;
            return self.along(rest);
        }
        if let Some(join) = joins::join(self.names, first, |parts| self.aside(parts)) {
            self.stages.push(Stage::Join(join));
            self.whole = true;
            return self.along(rest);
        }
        if let Some(key) = self.names.sorting(first)
            && !self.is_top(parts)
            && is_local(&key, &[])
        {
            self.stages.push(Stage::Sort(key));
            // All elements are there before the first one is.
            self.whole = false;
            return self.along(rest);
        }
        if let Some(stages) = self.names.by_place(first) {
            // Sorted, all are there before the first one is.
            self.whole &= !stages.iter().any(|stage| matches!(stage, Stage::Sort(_)));
            self.stages.extend(stages);
            return self.along(rest);
        }
        if self.stages.is_empty()
            && let Some(text) = self.names.joined(first)
        {
            // Of each element only its text is held.
            self.each(text)?;
            self.whole = true;
        }
        // What was made of every element must have been made, also of those behind the slice.
        if let Some((from, upto)) = slice(first)
            && (!self.whole || upto == u64::MAX)
        {
            self.stages.push(Stage::Slice(from, upto));
            return self.along(rest);
        }
        // Far from the start nothing is kept of what is before.
        if let Some([(Part::Index(at), opt), path @ ..]) = own_path(first)
            && let Some(place) = integer(at).and_then(|place| u64::try_from(place).ok())
            && place > MOST
        {
            self.stages.push(Stage::Slice(place, u64::MAX));
            let first = [&[(Part::Index(Term::Num("0")), *opt)], path].concat();
            return self.along(&[&[path_of(&first)], rest].concat());
        }
        // Unless all of them have to be made, no more are read than it takes to know.
        if !self.whole
            && let Some(each) = self.names.decision(first)
            && is_local(&each, &[])
        {
            let Term::Call(name, _) = *first else { return None };
            self.each(each)?;
            self.stages.push(Stage::Slice(0, 1));
            self.whole = true;
            return self.along(&[&[Term::Call(name, Vec::new())], rest].concat());
        }
        if let Some((each, count)) = self.names.limit(first) {
            self.barrier();
            self.each(each)?;
            self.stages.push(Stage::Slice(0, count));
            self.shape = Shape::Outputs;
            return self.along(rest);
        }
        let row = self.row(&pipe(parts))?;
        // An array that is asked for as it is would be held either way.
        if self.stages.is_empty() && row.aggregates.iter().any(Agg::is_whole) {
            return None;
        }
        Some(End::Fold(row))
    }

    /// What is made of every element must have been made before the next stage gives an output, or stops early.
    fn barrier(&mut self) {
        if std::mem::take(&mut self.whole) {
            self.stages.push(Stage::Whole);
        }
    }

    fn stream(&self) -> End<'s> {
        End::Stream { held: self.whole }
    }

    /// Appends a filter of each element; neighbours become one.
    fn each(&mut self, filter: Tree<'s>) -> Option<()> {
        if !is_local(&filter, &[]) {
            return None;
        }
        match self.stages.last_mut() {
            _ if matches!(filter, Term::Id) => {}
            Some(Stage::Each(before)) => *before = then(before, &filter),
            _ => self.stages.push(Stage::Each(filter)),
        }
        Some(())
    }

    fn row(&self, term: &Tree<'s>) -> Option<Row<'s>> {
        let mut extract = Extract::new(self.names);
        let rest = extract.rest(term, &Term::Id)?;
        let mut moved = false;
        // It says where it stands, and it would not stand there any more.
        walk(&rest, &mut |term| moved |= matches!(term, Term::Var("$__loc__")));
        (!moved).then_some(Row { aggregates: extract.found, rest })
    }

    /// Groups, with what the next stages make of each of them.
    fn groups(&mut self, key: Tree<'s>, keep: Option<Tree<'s>>, rest: &[Tree<'s>]) -> Option<End<'s>> {
        let is_reduced = keep.is_some();
        let (mut of_each, mut taken) = (keep.unwrap_or(Term::Id), 0);
        // All keys are known before there is a group; what is made of groups may fail behind the first of them.
        self.whole = false;
        while let Some(each) = rest.get(taken).and_then(|next| self.names.each(next)) {
            of_each = then(&of_each, &each);
            taken += 1;
            self.whole = true;
        }
        let outputs = |each| then(&each, &rest.get(taken + 1..).map_or(Term::Id, pipe));
        if let Some(outputs) = rest.get(taken).and_then(|next| self.names.stream(next)).map(outputs)
            && (!self.whole || self.brackets || matches!(outputs, Term::Id))
        {
            of_each = then(&of_each, &outputs);
            taken = rest.len();
            self.shape = Shape::Outputs;
        }
        if !is_local(&key, &[]) {
            return None;
        }
        let row = self.row(&of_each).filter(|row| is_local(&row.rest, &[]));
        if row.as_ref().is_none_or(|row| row.aggregates.iter().any(Agg::is_whole))
            && !is_reduced
            && let Some(lifted) = self.names.lifted(rest)
        {
            (self.whole, self.shape) = (false, Shape::Array);
            let row = Row { aggregates: lifted.found, rest: Term::Id };
            self.stages.push(Stage::Groups { key, row });
            return self.along(&lifted.stages);
        }
        self.stages.push(Stage::Groups { key, row: row? });
        self.along(&rest[taken..])
    }

    /// Whether only some of the first or last elements of a sorted array are wanted.
    fn is_top(&self, parts: &[Tree<'s>]) -> bool {
        let mut extract = Extract::new(self.names);
        parts.len() > 1
            && extract.rest(&pipe(parts), &Term::Id).is_some()
            && matches!(&extract.found[..], [agg] if matches!(agg.kind, Kind::Top { .. }))
    }
}
