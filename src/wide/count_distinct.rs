//! `count_distinct` and `approx_count_distinct`: how many different records there are.

use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agg;
use crate::bag::Bag;
use crate::error::Result;

impl<T: Hash + Eq + Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// The number of different records, exactly. Holds them, for each worker, within the memory budget, and spills
    /// beyond it; of a part of the records, `map` to it first.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::from_iter("banana".chars()).count_distinct()?, 3);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As those of [`distinct`](Bag::distinct).
    #[doc(alias = "nunique")]
    pub fn count_distinct(self) -> Result<u64> {
        self.distinct_named("count_distinct").count()
    }
}

impl<T: Hash + Send + 'static> Bag<T> {
    /// About the number of different records, with a standard error of 0.81 %; the same for any setting. Streams; holds
    /// at most 16 KiB a worker. What else it promises is said at
    /// [`agg::approx_count_distinct`](fn@crate::agg::approx_count_distinct).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let about = Bag::range(0..100_000).map(|n| n % 20_000).approx_count_distinct()?;
    /// assert!(about.abs_diff(20_000) < 600, "{about}");
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias("nunique_approx", "hyperloglog"))]
    pub fn approx_count_distinct(self) -> Result<u64> {
        self.fold_as("approx_count_distinct", agg::of_hashes(|item: &T| agg::hash_of(item)))
    }
}
