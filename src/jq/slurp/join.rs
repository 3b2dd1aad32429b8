//! Joins as the library's: keys are made where records are read, and are stored as keys alone.

use std::sync::Arc;

use jaq_core::load::parse::Term;
use kitbag::{Bag, Error, Scan};
use serde::{Deserialize, Serialize};

use super::super::plan::{How, Join};
use super::super::{CompileError, Val};
use super::aggregates::{Aggregates, Limited};
use super::elements::Elements;
use super::filter::{Filter, Record, World};
use super::{Compiled, stop, through};

/// A join, compiled.
pub(super) struct Joining {
    how: How,
    table: Table,
    right: Compiled,
    left_key: Arc<Filter>,
    right_key: Arc<Filter>,
}

/// Where the other array is.
enum Table {
    /// In files.
    Scan(Scan),
    /// It is a value: what this gives.
    Value(Filter),
}

/// An element on its way to its partners. What is stored of it has no key: the store has.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Keyed {
    #[serde(skip)]
    key: Val,
    value: Val,
}

impl Joining {
    pub(super) fn new(join: &Join<'_>, world: &World<'_>) -> Result<Joining, CompileError> {
        let table = match (world.bags)(join.table.trim_start_matches('$')) {
            Some(scan) => Table::Scan(scan),
            None => Table::Value(Filter::new(&Term::Var(join.table), world)?),
        };
        let key = |key| Filter::new(key, world).map(Arc::new);
        let (left_key, right_key) = (key(&join.left_key)?, key(&join.right_key)?);
        Ok(Joining { how: join.how, table, right: Compiled::new(&join.right, world)?, left_key, right_key })
    }

    /// The elements that come out, in the order of the left ones, then of the right ones.
    pub(super) fn of(self, left: Elements, limited: &dyn Fn(Arc<Aggregates>) -> Limited) -> Result<Bag<Val>, Error> {
        let table = match self.table {
            Table::Scan(scan) => Elements::Scan(scan),
            Table::Value(value) => Elements::Bag(Bag::from_iter(array(&value).map_err(stop)?)),
        };
        let left = keyed(left, self.left_key, Val::Bool(false));
        let right = keyed(through(self.right.stages, table, limited)?, self.right_key, Val::Bool(true));
        let key = |one: &Keyed| one.key.clone();
        Ok(match self.how {
            How::Inner => left.join(right, key, key).map(|(left, right)| Val::array(vec![left.value, right.value])),
            How::Left => left.left_join(right, key, key).map(|(left, right)| {
                let right = right.map_or(Val::Null, |right| right.value);
                Val::array(vec![left.value, right])
            }),
            How::Semi => left.semi_join(right, key, key).map(|left| left.value),
            How::Anti => left.anti_join(right, key, key).map(|left| left.value),
        })
    }
}

/// The elements with their keys. NaN equals nothing, so a key with it becomes `none`, which no key of the other side is.
fn keyed(elements: Elements, key: Arc<Filter>, none: Val) -> Bag<Keyed> {
    elements.try_map(move |record| {
        let found = key.key(record).map_err(stop)?;
        let key = if found.has_nan() { none.clone() } else { found };
        Ok(Keyed { key, value: record.value().clone() })
    })
}

/// The elements of a value that the program has.
fn array(value: &Filter) -> Result<Vec<Val>, Val> {
    let mut found = Vec::new();
    let mut error = None;
    value.run(&Record::of(Val::Null), &mut |table| {
        for element in jaq_core::ValT::values(table) {
            match element {
                Ok(element) => found.push(element),
                Err(wrong) => error = Some(wrong.into_val()),
            }
        }
    })?;
    error.map_or(Ok(found), Err)
}
