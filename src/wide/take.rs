//! `take`: the first records, and then the run ends. `skip`: those behind them; `skip_last`: all but the last ones.
//! `enumerate`: all of them, numbered.

use std::collections::VecDeque;

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

    /// All but the last `n` records. Streams, holds `n` records, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(0..5).skip_last(2).collect()?, [0, 1, 2]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn skip_last(self, n: u64) -> Bag<T> {
        self.wrap(|plan, stage| Ordered::new(plan, stage, "skip_last", SkipLast { n, last: VecDeque::new() }))
    }

    /// Each record with its number, from 0, in record order. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::from_iter(["a", "b"]).enumerate().collect()?, [(0, "a"), (1, "b")]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn enumerate(self) -> Bag<(u64, T)> {
        self.wrap(|plan, stage| Ordered::new(plan, stage, "enumerate", Enumerate { next: 0 }))
    }
}

struct SkipLast<T> {
    n: u64,
    /// The last ones so far.
    last: VecDeque<(At, T)>,
}

impl<T: Send> InOrder<T, T> for SkipLast<T> {
    fn step(&mut self, at: At, item: T, out: &mut Vec<Entry<T>>) -> Pass {
        self.last.push_back((at, item));
        if self.last.len() as u64 > self.n
            && let Some((at, item)) = self.last.pop_front()
        {
            out.push(Entry::Item(at, item));
        }
        Pass::More
    }
}

struct Enumerate {
    next: u64,
}

impl<T> InOrder<T, (u64, T)> for Enumerate {
    fn step(&mut self, at: At, item: T, out: &mut Vec<Entry<(u64, T)>>) -> Pass {
        out.push(Entry::Item(at, (self.next, item)));
        self.next += 1;
        Pass::More
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
