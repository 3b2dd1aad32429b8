//! What aggregates read of a record: closures over owned and over borrowed records by one bound. What must stay true:
//! [`Project`] has no `Fn` trait above it.

/// Gets a `V` out of a `T`: every `Fn(&T) -> V` does, and [`Itself`].
///
/// Constructors ask for this trait and not for `Fn(&T) -> V` for the sake of borrowed records. Given such a bound, the
/// compiler would take a closure's signature from it, with `T` as one type and so with one lifetime, and
/// `|view: &View<'_>| …` would not be a closure for views of every lifetime any more. A bound that says nothing of
/// `Fn` leaves the closure as it is written. The price: the closure must write the type of its argument.
///
/// ```
/// use kitbag::agg::{Aggregate, sum};
///
/// struct View<'a>(&'a str);
///
/// fn reads_all_views<A: for<'a> Aggregate<View<'a>>>(_: &A) {}
/// reads_all_views(&sum(|view: &View<'_>| view.0.len()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not get a `{V}` out of a `&{T}`",
    label = "expected a closure that names the type of its argument: `|record: &{T}| …`"
)]
pub trait Project<T: ?Sized, V>: Send + Sync {
    /// The part of `item` that is asked for.
    fn get(&self, item: &T) -> V;
}

impl<T: ?Sized, V, F: Fn(&T) -> V + Send + Sync> Project<T, V> for F {
    #[inline]
    fn get(&self, item: &T) -> V {
        self(item)
    }
}

/// The projection of a record to a copy of itself.
///
/// ```
/// use kitbag::agg::{self, Itself, sum};
/// assert_eq!(agg::apply(&sum(Itself), [1u8, 2, 3]), 6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Itself;

impl<T: Clone> Project<T, T> for Itself {
    #[inline]
    fn get(&self, item: &T) -> T {
        item.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::agg::*;

    struct View<'a>(&'a str);

    /// As the engine would: views that live no longer than one call.
    fn lengths<A: for<'a> Aggregate<View<'a>>>(aggregate: &A, text: &str) -> A::Out {
        let mut state = aggregate.init();
        for (index, word) in (0..).zip(text.split(' ')) {
            let word = word.to_owned();
            aggregate.step(&mut state, Seq::new(Default::default(), index), &View(&word));
        }
        aggregate.finish(state)
    }

    #[test]
    fn every_aggregate_reads_views_of_every_lifetime() {
        let text = "one three eleven";
        assert_eq!(lengths(&count(), text), 3);
        assert_eq!(lengths(&sum(|view: &View<'_>| view.0.len()), text), 14);
        let halves = sum(|view: &View<'_>| view.0.len() as f64 / 2.0).map(|total| total + 1.0);
        assert_eq!(lengths(&halves, text), 8.0);
        assert_eq!(lengths(&mean(|view: &View<'_>| view.0.len() as f32), text), Some(14.0 / 3.0));
        assert_eq!(lengths(&var(|view: &View<'_>| view.0.len() as i64).ddof(2), text), Some(14.0 / 3.0));
        let ends = (first_of(|view: &View<'_>| view.0.to_owned()), last_of(|view: &View<'_>| view.0.len()));
        assert_eq!(lengths(&ends, text), (Some("one".to_owned()), Some(6)));
        let longest = max(|view: &View<'_>| view.0.len()).filter(|view: &View<'_>| view.0.len() % 2 == 1);
        assert_eq!(lengths(&longest, text), Some(5));
        let words = collect_of(|view: &View<'_>| view.0.len());
        assert_eq!(lengths(&words, text), [3, 5, 6]);
        let longest = max_by(String::len).of(|view: &View<'_>| view.0.to_owned());
        assert_eq!(lengths(&longest, text).as_deref(), Some("eleven"));
        let two = top_k(2, |word: &String| word.len()).of(|view: &View<'_>| view.0.to_owned());
        assert_eq!(lengths(&two, text), ["eleven", "three"]);
        let distinct = count_distinct(|view: &View<'_>| view.0.len());
        let about = approx_count_distinct(|view: &View<'_>| view.0.len());
        assert_eq!(lengths(&(distinct, about), text), (3, 3));
        let often = frequencies(|view: &View<'_>| view.0.len() % 2);
        assert_eq!(lengths(&often, text), [(1, 2), (0, 1)]);
        assert_eq!(lengths(&join_strings("+", |view: &View<'_>| view.0.to_owned()), text), "one+three+eleven");
        assert_eq!(lengths(&quantile(1.0, |view: &View<'_>| view.0.len()).unwrap(), text), Some(6.0));
        assert_eq!(lengths(&sample_of(3, 0, |view: &View<'_>| view.0.len()), text), [3, 5, 6]);
        let total = fold_with(|| 0, |total: &mut usize, view: &View<'_>| *total += view.0.len(), |a, b| *a += b);
        assert_eq!(lengths(&total, text), 14);
        let joined = step_in_order(String::new, |all: &mut String, view: &View<'_>| all.push_str(view.0));
        assert_eq!(lengths(&joined, text), "onethreeeleven");
    }

    #[test]
    fn unsized_records_and_functions_are_read_too() {
        let aggregate = (count(), sum(str::len), max(|line: &str| line.len()));
        let mut state = aggregate.init();
        aggregate.step(&mut state, Seq::default(), "four");
        assert_eq!(aggregate.finish(state), (1, 4, Some(4)));
    }
}
