//! `sum`, `mean`, `min`, `max` and `top_k`: the aggregates of these names over the records themselves.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agg::{self, Itself, Number};
use crate::bag::Bag;
use crate::error::Result;

impl<T: Number + Send + 'static> Bag<T> {
    /// The sum: of integers exact, in 128 bits; of floats exact and rounded once. 0 if there are no records. Streams.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::from_iter([1e16, 1.0, -1e16_f64]).sum()?, 1.0);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn sum(self) -> Result<T::Total> {
        self.fold_as("sum", agg::sum(Itself))
    }

    /// The mean, exact and rounded once; `None` if there are no records. Streams.
    pub fn mean(self) -> Result<Option<f64>> {
        self.fold_as("mean", agg::mean(Itself))
    }
}

impl<T: Ord + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Bag<T> {
    /// The smallest record, the first of equals; `None` if there are none. Streams. For floats see
    /// [`agg::Float`](crate::agg::Float).
    pub fn min(self) -> Result<Option<T>> {
        self.fold_as("min", agg::min_by(|item: &T| item.clone()))
    }

    /// The greatest record, the first of equals; `None` if there are none. Streams.
    pub fn max(self) -> Result<Option<T>> {
        self.fold_as("max", agg::max_by(|item: &T| item.clone()))
    }

    /// The `k` greatest records, in descending order, the first of equals first. Streams; holds `k` records a worker.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::from_iter([3, 9, 4, 9]).top_k(3)?, [9, 9, 4]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "topk")]
    pub fn top_k(self, k: usize) -> Result<Vec<T>> {
        self.fold_as("top_k", agg::top_k(k, |item: &T| item.clone()))
    }
}
