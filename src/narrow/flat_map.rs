//! `flat_map` and `flatten`: a record becomes any number of them.

use crate::bag::{Bag, Emit};
use crate::batch::At;
use crate::engine::Flow;

impl<T: Send + 'static> Bag<T> {
    /// Applies `f` to each record and hands on everything that it returns, one by one. Streams: what `f` returns is not
    /// collected. Keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let words = Bag::from_iter(["to be", "or not"]).flat_map(str::split_whitespace);
    /// assert_eq!(words.collect()?, ["to", "be", "or", "not"]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn flat_map<I>(self, f: impl Fn(T) -> I + Send + Sync + 'static) -> Bag<I::Item>
    where
        I: IntoIterator<Item: Send + 'static>,
    {
        self.narrow("flat_map", move |at, item, down| all(at, f(item), down))
    }

    /// Hands on the elements of each record, one level deep. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::from_iter([vec![1, 2], vec![], vec![3]]).flatten().collect()?, [1, 2, 3]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "concat")]
    pub fn flatten(self) -> Bag<T::Item>
    where
        T: IntoIterator<Item: Send + 'static>,
    {
        self.narrow("flatten", move |at, item, down| all(at, item, down))
    }
}

fn all<U: Send>(at: At, items: impl IntoIterator<Item = U>, down: &mut Emit<'_, U>) -> Flow {
    for item in items {
        down.push(at, item)?;
    }
    Flow::Continue(())
}
