//! Tuples of aggregates, 1 to 8 of them, as one aggregate: several answers from one pass. What must stay true: a tuple
//! may be merged only as its most demanding part may.

use super::{Aggregate, Fold, Merging};
use crate::batch::Seq;

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        impl<$($name: Fold),+> Fold for ($($name,)+) {
            type State = ($($name::State,)+);
            type Out = ($($name::Out,)+);

            fn init(&self) -> Self::State {
                ($(self.$index.init(),)+)
            }

            fn merge(&self, into: &mut Self::State, from: Self::State) {
                $(self.$index.merge(&mut into.$index, from.$index);)+
            }

            fn finish(&self, state: Self::State) -> Self::Out {
                ($(self.$index.finish(state.$index),)+)
            }

            fn merging(&self) -> Merging {
                Merging::Exact$(.max(self.$index.merging()))+
            }

            fn heap_size(&self, state: &Self::State) -> usize {
                0$( + self.$index.heap_size(&state.$index))+
            }
        }

        impl<T: ?Sized, $($name: Aggregate<T>),+> Aggregate<T> for ($($name,)+) {
            #[inline]
            fn step(&self, state: &mut Self::State, at: Seq, item: &T) {
                $(self.$index.step(&mut state.$index, at, item);)+
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agg::laws::{Cut, holds};
    use crate::agg::*;

    proptest! {
        #[test]
        fn laws(items in prop::collection::vec(any::<i16>(), 0..60), cut in any::<Cut>()) {
            let x = || |x: &i16| *x;
            let all = (count(), sum(x()), mean(x()), std(x()), min(x()), (first(), last()), collect(), top_k(3, x()));
            holds(&all, &items, cut)?;
            holds(&(count(),), &items, cut)?;
        }
    }

    #[test]
    fn a_tuple_is_as_demanding_as_its_most_demanding_part() {
        let joined = || fold_with(String::new, |all: &mut String, c: &char| all.push(*c), |a, b| a.push_str(&b));
        assert_eq!((count(), first::<char>()).merging(), Merging::Exact);
        assert_eq!((count(), joined()).merging(), Merging::InOrder);
        assert_eq!((count(), joined().exact()).merging(), Merging::Exact);
        let never = step_in_order(|| 0, |n: &mut u8, _: &char| *n += 1);
        assert_eq!((never, joined(), count()).merging(), Merging::Never);
    }
}
