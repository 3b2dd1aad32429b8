//! `filter` and `remove`: records are kept or left out.

use crate::bag::Bag;
use crate::engine::Flow;

impl<T: Send + 'static> Bag<T> {
    /// Keeps the records for which `keep` is true. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(0..6).filter(|n| n % 3 == 0).collect()?, [0, 3]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn filter(self, keep: impl Fn(&T) -> bool + Send + Sync + 'static) -> Bag<T> {
        self.narrow("filter", move |at, item, down| match keep(&item) {
            true => down.push(at, item),
            false => Flow::Continue(()),
        })
    }

    /// Leaves out the records for which `unwanted` is true. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(0..4).remove(|n| n % 2 == 0).collect()?, [1, 3]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn remove(self, unwanted: impl Fn(&T) -> bool + Send + Sync + 'static) -> Bag<T> {
        self.narrow("remove", move |at, item, down| match unwanted(&item) {
            true => Flow::Continue(()),
            false => down.push(at, item),
        })
    }
}
