//! Groups within a group, `group_by(f) | map(g)` of what was grouped already: a row of aggregates for each key, and what is
//! made of each row in the end, in order of the keys.

use std::collections::BTreeMap;

use kitbag::agg::Fold as _;

use super::super::plan::{Row, Tree};
use super::super::{CompileError, Val};
use super::aggregates::{Aggregates, States};
use super::filter::{Filter, Record, World};
use super::one::signed;
use super::state::Place;

/// What the groups have seen, by key: the array of all outputs of `f`.
pub(super) type Groups = BTreeMap<Val, States>;

pub(super) struct Nested {
    by: Filter,
    row: Aggregates,
    rest: Filter,
}

impl Nested {
    pub(super) fn new(by: &Tree<'_>, row: &Row<'_>, world: &World<'_>) -> Result<Nested, CompileError> {
        let (by, rest) = (Filter::new(by, world)?, Filter::rest(row, world)?);
        Ok(Nested { by, row: Aggregates::new(row, world)?, rest })
    }

    /// Whether the records must be seen in order.
    pub(super) fn in_order(&self) -> bool {
        self.row.in_order()
    }

    /// Adds a record; gives what the groups have grown by, about.
    ///
    /// # Errors
    ///
    /// That of the key. Those of the aggregates come with the answers, as the groups do.
    pub(super) fn step(&self, groups: &mut Groups, place: Place, record: &Record<'_>) -> Result<isize, Val> {
        let key = self.by.key(record)?;
        let mut grown = 0;
        let states = groups.entry(key).or_insert_with_key(|key| {
            grown = signed(weight_of(key));
            self.row.init()
        });
        let before = signed(states.weight());
        self.row.add(states, place, record);
        Ok(grown + signed(states.weight()) - before)
    }

    pub(super) fn merge(&self, into: &mut Groups, from: Groups) {
        for (key, states) in from {
            match into.get_mut(&key) {
                Some(known) => self.row.merge(known, states),
                None => _ = into.insert(key, states),
            }
        }
    }

    /// The array of what is made of the groups.
    ///
    /// # Errors
    ///
    /// The first error of the first group that has one.
    pub(super) fn answer(&self, groups: Groups) -> Result<Val, Val> {
        let mut rows = Vec::with_capacity(groups.len());
        for states in groups.into_values() {
            self.rest.run(&Record::of(self.row.finish(states)), &mut |output| rows.push(output))?;
        }
        Ok(Val::array(rows))
    }
}

pub(super) fn weight(groups: &Groups) -> usize {
    groups.iter().map(|(key, states)| weight_of(key) + states.weight()).sum()
}

fn weight_of(key: &Val) -> usize {
    key.weight() + size_of::<(Val, States)>() + 128
}
