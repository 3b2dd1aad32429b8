//! Joins as the library's: keys are made where records are read, and are stored as keys alone.

use std::sync::Arc;

use jaq_core::load::parse::Term;
use kitbag::{Bag, Error, Json, Scan};
use serde::de::DeserializeOwned;
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

/// An element on its way to its partners, with its key. What is stored of it has no key: the store has.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Keyed<V> {
    #[serde(skip)]
    key: Val,
    element: V,
}

/// What an element is until it has met its partners: of a record nothing is made before.
trait Element: Serialize + DeserializeOwned + Send + 'static {
    fn of(record: &Record<'_>) -> Self;
    fn value(self) -> Val;
}

impl Element for Val {
    fn of(record: &Record<'_>) -> Val {
        record.value().clone()
    }

    fn value(self) -> Val {
        self
    }
}

impl Element for Json {
    fn of(record: &Record<'_>) -> Json {
        record.json()
    }

    fn value(self) -> Val {
        Val::from_json(&self.view())
    }
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
        let right = through(self.right.stages, table, limited)?;
        let right = keyed(right, self.right_key, Val::Bool(true));
        let (key, none) = (self.left_key, Val::Bool(false));
        Ok(match left {
            Elements::Scan(_) => joined(keyed::<Json>(left, key, none), right, self.how),
            Elements::Bag(_) => joined(keyed::<Val>(left, key, none), right, self.how),
        })
    }
}

fn joined<V: Element>(left: Bag<Keyed<V>>, right: Bag<Keyed<Val>>, how: How) -> Bag<Val> {
    fn key<V>(one: &Keyed<V>) -> Val {
        one.key.clone()
    }
    let pair = |left: Keyed<V>, right| Val::array(vec![left.element.value(), right]);
    match how {
        How::Inner => left.join(right, key, key).map(move |(left, right)| pair(left, right.element)),
        How::Left => left
            .left_join(right, key, key)
            .map(move |(left, right)| pair(left, right.map_or(Val::Null, |right| right.element))),
        How::Semi => left.semi_join(right, key, key).map(|left| left.element.value()),
        How::Anti => left.anti_join(right, key, key).map(|left| left.element.value()),
    }
}

/// The elements with their keys. NaN equals nothing, so a key with it becomes `none`, which no key of the other side is.
fn keyed<V: Element>(elements: Elements, key: Arc<Filter>, none: Val) -> Bag<Keyed<V>> {
    elements.try_map(move |record| {
        let found = key.key(record).map_err(stop)?;
        let key = if found.has_nan() { none.clone() } else { found };
        Ok(Keyed { key, element: V::of(record) })
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
