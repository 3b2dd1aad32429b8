//! `sample` and `random_sample`: some records, drawn at random. What must stay true: which ones depends on the seed and on
//! the records' order alone, so both count records in order (see [`agg::sample`](fn@crate::agg::sample)).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agg;
use crate::bag::Bag;
use crate::batch::At;
use crate::engine::{Entry, InOrder, Ordered, Pass};
use crate::error::{Error, ErrorKind, Result};

impl<T: Clone + Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// `n` records drawn at random, without replacement, in record order; all of them where there are not more. The same
    /// seed draws the same records for any threads, blocks, shards and budget. Streams; holds up to 2`n` records. One
    /// thread draws, at the cost of a hash a record, while the others read and run the verbs before.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let drawn = Bag::range(0..1000).sample(3, 42)?;
    /// assert_eq!(drawn.len(), 3);
    /// assert_eq!(drawn, Bag::range(0..1000).sample(3, 42)?);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "random.sample")]
    pub fn sample(self, n: usize, seed: u64) -> Result<Vec<T>> {
        self.fold_as("sample", agg::sample(n, seed))
    }
}

impl<T: Send + 'static> Bag<T> {
    /// Keeps each record with probability `p`, independently of the others. The same seed keeps the same records for any
    /// threads, blocks, shards and budget, and a larger `p` keeps those of a smaller one and more. Streams, keeps order.
    /// One thread draws, at the cost of a hash and two hand-overs a record; for
    /// [`map_partitions`](Bag::map_partitions) what it keeps is one partition.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let tenth = Bag::range(0..100_000).random_sample(0.1, 42)?.count()?;
    /// assert!(tenth.abs_diff(10_000) < 400);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails at once if `p` does not lie from 0 to 1.
    pub fn random_sample(self, p: f64, seed: u64) -> Result<Bag<T>> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::new(ErrorKind::Usage, format!("expected a probability from 0 to 1, found {p}")));
        }
        Ok(self.wrap(|plan, stage| Ordered::new(plan, stage, "random_sample", Keep { p, seed, index: 0 })))
    }
}

struct Keep {
    p: f64,
    seed: u64,
    index: u64,
}

impl<T> InOrder<T, T> for Keep {
    fn step(&mut self, at: At, item: T, out: &mut Vec<Entry<T>>) -> Pass {
        // The high bits as a float in [0, 1): below 1 always, below 0 never.
        let number = (agg::draw(self.seed, self.index) >> 11) as f64 / (1u64 << 53) as f64;
        self.index += 1;
        if number < self.p {
            out.push(Entry::Item(at, item));
        }
        Pass::More
    }
}
