//! How many records there are.

use super::{Aggregate, Fold};
use crate::batch::Seq;

/// The number of records; eight bytes of state.
///
/// ```
/// use kitbag::agg::{self, count};
/// assert_eq!(agg::apply(&count(), ["a", "b"]), 2);
/// ```
pub fn count() -> Count {
    Count
}

/// See [`count`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Count;

impl Fold for Count {
    type State = u64;
    type Out = u64;

    fn init(&self) -> u64 {
        0
    }

    fn merge(&self, into: &mut u64, from: u64) {
        *into += from;
    }

    fn finish(&self, state: u64) -> u64 {
        state
    }
}

impl<T: ?Sized> Aggregate<T> for Count {
    #[inline]
    fn step(&self, state: &mut u64, _: Seq, _: &T) {
        *state += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<u8>(), 0..60), cut in any::<Cut>()) {
            prop_assert_eq!(apply(&count(), items.iter()), items.len() as u64);
            holds(&count(), &items, cut)?;
        }
    }
}
