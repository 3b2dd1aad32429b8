//! `sum`, `mean`, `quantile`, `min`, `max`, `top_k` and their like: the aggregates of these names over the records
//! themselves.

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

    /// About the `p`-quantile, within 0.4 % of the true one; `None` if there are no records. Streams; what it holds and
    /// what else it promises is said at [`agg::quantile`](fn@crate::agg::quantile).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let median = Bag::range(0..10_001).quantile(0.5)?;
    /// assert!(median.is_some_and(|median| (median - 5000.0).abs() < 20.0));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails at once if `p` does not lie from 0 to 1.
    #[doc(alias("median", "percentile"))]
    pub fn quantile(self, p: f64) -> Result<Option<f64>> {
        self.fold_as("quantile", agg::quantile(p, Itself)?)
    }

    /// Several quantiles from one pass; see [`quantile`](Bag::quantile).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let [least, most] = Bag::from_iter([3, 9, 4]).quantiles([0.0, 1.0])?.unwrap_or_default();
    /// assert_eq!((least, most), (3.0, 9.0));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails at once if one of them does not lie from 0 to 1.
    pub fn quantiles<const N: usize>(self, ps: [f64; N]) -> Result<Option<[f64; N]>> {
        self.fold_as("quantiles", agg::quantiles(ps, Itself)?)
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

    /// The `k` greatest records, in descending order, the first of equals first. Streams; holds up to 2`k` records a
    /// worker.
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

    /// The `k` smallest records, in ascending order, the first of equals first. Streams; holds up to 2`k` records a
    /// worker.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::from_iter([3, 9, 4, 3]).bottom_k(3)?, [3, 3, 4]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "nsmallest")]
    pub fn bottom_k(self, k: usize) -> Result<Vec<T>> {
        self.fold_as("bottom_k", agg::bottom_k(k, |item: &T| item.clone()))
    }
}

impl<T: Clone + Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// The record with the smallest key, the first of equals; `None` if there are none. Streams; holds one record and
    /// its key a worker.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let words = Bag::from_iter(["ccc", "bb", "aa"]).map(String::from);
    /// assert_eq!(words.min_by(|word| word.len())?.as_deref(), Some("bb"));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn min_by<K>(self, key: impl Fn(&T) -> K + Send + Sync) -> Result<Option<T>>
    where
        K: Ord + Serialize + DeserializeOwned + Send,
    {
        self.fold_as("min_by", agg::min_by(key))
    }

    /// The record with the greatest key, the first of equals; `None` if there are none. Streams; holds one record and
    /// its key a worker.
    ///
    /// ```
    /// use kitbag::{Bag, agg::Float};
    ///
    /// let highest = Bag::from_iter([(0, 1.5), (1, 3.0), (2, 3.0)]).max_by(|point| Float(point.1))?;
    /// assert_eq!(highest, Some((1, 3.0)));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn max_by<K>(self, key: impl Fn(&T) -> K + Send + Sync) -> Result<Option<T>>
    where
        K: Ord + Serialize + DeserializeOwned + Send,
    {
        self.fold_as("max_by", agg::max_by(key))
    }
}
