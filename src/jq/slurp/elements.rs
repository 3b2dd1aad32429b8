//! What a stage reads, and the verbs on it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use kitbag::{Bag, Error, Json, Scan};

use super::super::Val;
use super::aggregates::{Aggregates, Limited, Outputs};
use super::filter::{Filter, Record, walk};
use super::join::Met;
use super::{TooMuch, stop};

/// What a stage reads.
pub(super) enum Elements {
    Scan(Scan),
    Bag(Bag<Val>),
    /// What a join gives.
    Met(Bag<Met>),
}

impl Elements {
    /// What `of` makes of each record, or the error by which that ends the run.
    pub(super) fn try_map<U: Send + 'static>(
        self,
        of: impl Fn(&Record<'_>) -> Result<U, Error> + Send + Sync + 'static,
    ) -> Bag<U> {
        match self {
            Elements::Scan(scan) => scan.map(move |record| of(&Record::borrowed(record))).try_map(|outcome| outcome),
            Elements::Bag(bag) => bag.try_map(move |value| of(&Record::of(value))),
            Elements::Met(bag) => bag.try_map(move |met| met.with(&of)),
        }
    }

    pub(super) fn bag(self) -> Bag<Val> {
        match self {
            Elements::Scan(scan) => scan.map(|record| Val::from_json(&record)),
            Elements::Bag(bag) => bag,
            Elements::Met(bag) => bag.map(Met::value),
        }
    }

    pub(super) fn each(self, filter: Arc<Filter>) -> Bag<Val> {
        let outputs = match self {
            Elements::Scan(scan) => scan.map(move |record| all(&filter, &Record::borrowed(record))),
            Elements::Bag(bag) => bag.map(move |value| all(&filter, &Record::of(value))),
            Elements::Met(bag) => bag.map(move |met| met.with(|record| all(&filter, record))),
        };
        outputs.flatten().try_map(|output| output)
    }

    pub(super) fn distinct(self, key: Arc<Filter>) -> Bag<Val> {
        let keyed = self.try_map(move |record| Ok((key.key(record).map_err(stop)?, record.value().clone())));
        keyed.distinct_by(|(key, _): &(Val, Val)| key.clone()).map(|(_, value)| value)
    }

    pub(super) fn sort(self, key: Arc<Filter>) -> Bag<Val> {
        let keyed = self.try_map(move |record| Ok((key.key(record).map_err(stop)?, record.value().clone())));
        keyed.sort_by_key(|(key, _): &(Val, Val)| key.clone()).map(|(_, value)| value)
    }

    /// The same, once all of them are there.
    pub(super) fn whole(self) -> Bag<Val> {
        self.bag().sort_by_key(|_: &Val| ())
    }

    /// Each with its place before it.
    pub(super) fn enumerate(self) -> Bag<Val> {
        self.bag()
            .enumerate()
            .map(|(place, value)| Val::array(vec![Val::count(usize::try_from(place).unwrap_or(usize::MAX)), value]))
    }

    pub(super) fn slice(self, from: u64, upto: u64) -> Bag<Val> {
        // Of none the first is asked for as well: what comes before a slice has to happen, and nothing would be read.
        let (from, upto) = if upto <= from { (1, 1) } else { (from, upto) };
        let bag = self.bag();
        let bag = if upto < u64::MAX { bag.take(upto) } else { bag };
        if from > 0 { bag.skip(from) } else { bag }
    }

    pub(super) fn groups(
        self,
        key: Arc<Filter>,
        aggregates: Aggregates,
        rest: Arc<Filter>,
        limited: &dyn Fn(Arc<Aggregates>) -> Limited,
    ) -> Bag<Val> {
        let rows = match self {
            Elements::Scan(scan) if !aggregates.in_order() && key.keys().is_some() => {
                // The key is found in the record; nothing is allocated for a record whose key is known.
                let rows: Bag<(Json, _)> = scan.try_fold_by(
                    move |record| match walk(key.keys().unwrap_or_default(), record) {
                        Some(value) => Ok(value),
                        None => key.check(&Record::borrowed(record)).map(|()| None).map_err(stop),
                    },
                    aggregates,
                );
                rows.map(|(key, answers)| (Val::array(vec![Val::from_json(&key.view())]), answers))
            }
            elements if aggregates.in_order() => {
                let aggregates = Arc::new(aggregates);
                let of = Arc::clone(&aggregates);
                let keyed = elements.try_map(move |record| Ok((key.key(record).map_err(stop)?, of.outputs(record))));
                let limited = limited(aggregates);
                let (over, most) = (Arc::clone(&limited.over), limited.most);
                let rows = keyed.fold_by_in_order(|(key, _): &(Val, Outputs)| key.clone(), limited);
                rows.try_map(move |row| match over.load(Ordering::Relaxed) {
                    true => Err(Error::stop(TooMuch(most))),
                    false => Ok(row),
                })
            }
            elements => {
                let keyed =
                    elements.try_map(move |record| Ok((key.key(record).map_err(stop)?, record.value().clone())));
                keyed.fold_by(|(key, _): &(Val, Val)| key.clone(), aggregates)
            }
        };
        let sorted = rows.sort_by_key(|(key, _): &(Val, Val)| key.clone());
        Elements::Bag(sorted.map(|(_, answers)| answers)).each(rest)
    }

    pub(super) fn fold(
        self,
        aggregates: Aggregates,
        limited: &dyn Fn(Arc<Aggregates>) -> Limited,
    ) -> kitbag::Result<Val> {
        if aggregates.in_order() {
            let aggregates = Arc::new(aggregates);
            let of = Arc::clone(&aggregates);
            let outputs = self.try_map(move |record| Ok((Val::null(), of.outputs(record))));
            return outputs.fold(limited(aggregates));
        }
        match self {
            Elements::Scan(scan) => {
                let nothing = aggregates.of_nothing();
                let mut rows = scan.fold_by(|_| None, aggregates).collect()?;
                Ok(rows.pop().map_or(nothing, |(_, answers)| answers))
            }
            elements => elements.bag().map(|value| (Val::null(), value)).fold(limited(Arc::new(aggregates))),
        }
    }
}

/// All outputs of a filter, and its error behind them.
fn all(filter: &Filter, record: &Record<'_>) -> Vec<Result<Val, Error>> {
    let mut outputs = Vec::with_capacity(1);
    if let Err(error) = filter.run(record, &mut |output| outputs.push(Ok(output))) {
        outputs.push(Err(stop(error)));
    }
    outputs
}
