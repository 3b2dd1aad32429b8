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
    fn alone(self) -> Met;
}

impl Element for Val {
    fn of(record: &Record<'_>) -> Val {
        record.value().clone()
    }

    fn alone(self) -> Met {
        Met::Value(self)
    }
}

impl Element for Json {
    fn of(record: &Record<'_>) -> Json {
        record.json()
    }

    fn alone(self) -> Met {
        Met::Record(self)
    }
}

/// What comes out. Nothing is made of records that are handed on.
pub(super) enum Met {
    Record(Json),
    Pair(Json, Json),
    Value(Val),
}

impl Met {
    pub(super) fn value(self) -> Val {
        let of = |record: Json| Val::from_json(&record.view());
        match self {
            Met::Record(record) => of(record),
            Met::Pair(left, right) => Val::array(vec![of(left), of(right)]),
            Met::Value(value) => value,
        }
    }

    pub(super) fn with<U>(self, of: impl FnOnce(&Record<'_>) -> U) -> U {
        let found = match &self {
            Met::Record(record) => return of(&Record::borrowed(record.view())),
            Met::Pair(left, right) => Json::array([left.view(), right.view()]).ok(),
            Met::Value(_) => None,
        };
        match found {
            Some(pair) => of(&Record::borrowed(pair.view())),
            // As a value it may be nested deeper than a record.
            None => of(&Record::of(self.value())),
        }
    }

    fn pair(left: Met, right: Met) -> Met {
        match (left, right) {
            (Met::Record(left), Met::Record(right)) => Met::Pair(left, right),
            (left, right) => Met::Value(Val::array(vec![left.value(), right.value()])),
        }
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
    pub(super) fn of(self, left: Elements, limited: &dyn Fn(Arc<Aggregates>) -> Limited) -> Result<Bag<Met>, Error> {
        let table = match self.table {
            Table::Scan(scan) => Elements::Scan(scan),
            Table::Value(value) => Elements::Bag(Bag::from_iter(array(&value).map_err(stop)?)),
        };
        let right = through(self.right.stages, table, limited)?;
        let (left_none, right_none) = (Val::Bool(false), Val::Bool(true));
        let left = (left, self.left_key, left_none);
        let right = (right, self.right_key, right_none);
        Ok(match (&left.0, &right.0) {
            (Elements::Scan(_), Elements::Scan(_)) => joined::<Json, Json>(left, right, self.how),
            (Elements::Scan(_), _) => joined::<Json, Val>(left, right, self.how),
            (_, Elements::Scan(_)) => joined::<Val, Json>(left, right, self.how),
            _ => joined::<Val, Val>(left, right, self.how),
        })
    }
}

/// A side: its elements, what makes their keys, and what is the key of those that meet none.
type Side = (Elements, Arc<Filter>, Val);

fn joined<L: Element, R: Element>(left: Side, right: Side, how: How) -> Bag<Met> {
    fn key<V>(one: &Keyed<V>) -> Val {
        one.key.clone()
    }
    let (left, right) = (keyed::<L>(left), keyed::<R>(right));
    match how {
        How::Inner => {
            left.join(right, key, key).map(|(left, right)| Met::pair(left.element.alone(), right.element.alone()))
        }
        How::Left => left.left_join(right, key, key).map(|(left, right)| {
            let right = right.map_or_else(|| Met::Record(Json::null()), |right| right.element.alone());
            Met::pair(left.element.alone(), right)
        }),
        How::Semi => left.semi_join(right, key, key).map(|left| left.element.alone()),
        How::Anti => left.anti_join(right, key, key).map(|left| left.element.alone()),
    }
}

/// The elements with their keys. NaN equals nothing: a key with it meets none.
fn keyed<V: Element>((elements, key, none): Side) -> Bag<Keyed<V>> {
    elements.try_map(move |record| {
        let found = key.key(record).map_err(stop)?;
        let key = if has_nan(&found) { none.clone() } else { found };
        Ok(Keyed { key, element: V::of(record) })
    })
}

/// Whether a value is not equal to itself.
fn has_nan(value: &Val) -> bool {
    match value {
        Val::Arr(array) => array.iter().any(has_nan),
        Val::Obj(object) => object.iter().any(|(_, value)| has_nan(value)),
        value => value.is_nan(),
    }
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
