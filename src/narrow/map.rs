//! `map` and `filter_map`: a record becomes another one, or none.

use crate::bag::Bag;
use crate::engine::Flow;

impl<T: Send + 'static> Bag<T> {
    /// Applies `f` to each record. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(0..3).map(|n| n * 10).collect()?, [0, 10, 20]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "starmap")]
    pub fn map<U: Send + 'static>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> Bag<U> {
        self.narrow("map", move |at, item, down| down.push(at, f(item)))
    }

    /// Applies `f` to each record and keeps what is `Some`. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let numbers = Bag::from_iter(["1", "x", "3"]).filter_map(|text| text.parse::<i32>().ok());
    /// assert_eq!(numbers.collect()?, [1, 3]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn filter_map<U: Send + 'static>(self, f: impl Fn(T) -> Option<U> + Send + Sync + 'static) -> Bag<U> {
        self.narrow("filter_map", move |at, item, down| match f(item) {
            Some(item) => down.push(at, item),
            None => Flow::Continue(()),
        })
    }
}
