//! `try_map` and `try_filter`: a closure may refuse a record, and the error carries the record's place.

use std::error::Error as StdError;

use crate::bag::{Bag, Emit};
use crate::batch::At;
use crate::engine::Flow;

impl<T: Send + 'static> Bag<T> {
    /// Applies `f`; an error makes the record a bad one: by policy it ends the run with the record's place in front of
    /// the error's text, or is skipped or quarantined and counted. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::{Bag, ErrorKind};
    /// let numbers = Bag::from_iter(["1", "2", "three"]).try_map(|text| text.parse::<i32>());
    /// let error = numbers.collect().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Closure);
    /// assert_eq!(error.to_string(), "<from_iter>:3:1: invalid digit found in string (stage 1:try_map)");
    /// ```
    pub fn try_map<U, E>(self, f: impl Fn(T) -> Result<U, E> + Send + Sync + 'static) -> Bag<U>
    where
        U: Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.narrow("try_map", move |at, item, down| match f(item) {
            Ok(item) => down.push(at, item),
            Err(error) => refuse(at, error, down),
        })
    }

    /// Keeps the records for which `keep` is `Ok(true)`; an error makes the record a bad one, as in
    /// [`try_map`](Bag::try_map). Streams, keeps order.
    pub fn try_filter<E>(self, keep: impl Fn(&T) -> Result<bool, E> + Send + Sync + 'static) -> Bag<T>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.narrow("try_filter", move |at, item, down| match keep(&item) {
            Ok(true) => down.push(at, item),
            Ok(false) => Flow::Continue(()),
            Err(error) => refuse(at, error, down),
        })
    }
}

fn refuse<U>(at: At, error: impl Into<Box<dyn StdError + Send + Sync>>, down: &Emit<'_, U>) -> Flow {
    down.cx.refuse_for(at, error.into(), down.stage_name())
}
