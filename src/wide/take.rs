//! `take`: the first records, and then the run ends. `skip`: those behind them.

use crate::bag::Bag;
use crate::batch::At;
use crate::engine::{Entry, InOrder, Ordered, Pass};

impl<T: Send + 'static> Bag<T> {
    /// The first `n` records. Streams, keeps order, and ends the reading when it has them: what is wrong with later
    /// records is no error.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(5..i64::MAX).take(3).collect()?, [5, 6, 7]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn take(self, n: u64) -> Bag<T> {
        self.wrap(|plan, stage| Ordered::new(plan, stage, "take", Take { left: n }))
    }

    /// All but the first `n` records. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(0..1000).skip(2).take(3).collect()?, [2, 3, 4]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn skip(self, n: u64) -> Bag<T> {
        self.wrap(|plan, stage| Ordered::new(plan, stage, "skip", Skip { left: n }))
    }
}

struct Skip {
    left: u64,
}

impl<T> InOrder<T, T> for Skip {
    fn step(&mut self, at: At, item: T, out: &mut Vec<Entry<T>>) -> Pass {
        match self.left {
            0 => out.push(Entry::Item(at, item)),
            _ => self.left -= 1,
        }
        Pass::More
    }
}

struct Take {
    left: u64,
}

impl<T> InOrder<T, T> for Take {
    fn satisfied(&self) -> bool {
        self.left == 0
    }

    fn step(&mut self, at: At, item: T, out: &mut Vec<Entry<T>>) -> Pass {
        self.left = self.left.saturating_sub(1);
        out.push(Entry::Item(at, item));
        if self.left == 0 { Pass::Enough } else { Pass::More }
    }
}
