//! `inspect`: look at records as they pass.

use crate::bag::Bag;

impl<T: Send + 'static> Bag<T> {
    /// Calls `f` with each record and hands the record on. It is called by all workers at once, so not in record order;
    /// for a look at the records in order use [`for_each`](Bag::for_each). Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// # use std::sync::atomic::{AtomicU64, Ordering};
    /// static SEEN: AtomicU64 = AtomicU64::new(0);
    /// let bag = Bag::range(0..3).inspect(|_| _ = SEEN.fetch_add(1, Ordering::Relaxed));
    /// assert_eq!((bag.count()?, SEEN.load(Ordering::Relaxed)), (3, 3));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn inspect(self, f: impl Fn(&T) + Send + Sync + 'static) -> Bag<T> {
        self.narrow("inspect", move |at, item, down| {
            f(&item);
            down.push(at, item)
        })
    }
}
