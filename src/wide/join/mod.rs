//! Joins: records of two bags that have equal keys. The right side is stored first; if it then lies in memory and half of
//! that is still free, the left side streams past it ([`probe`]), else both are stored, and joined partition by partition
//! ([`emit`]). What comes out is the same, in the same order.

mod emit;
mod plan;
mod probe;

use std::hash::Hash;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bag::Bag;
use crate::error::{Error, Result};
use crate::spill::JoinKind;

use super::codec::{decode, encode};
use plan::{Join, Side};

/// Makes an answer of a left record, of a right one as it is stored, or of both.
type Make<T, V> = fn(Option<T>, Option<&[u8]>) -> Result<V>;

impl<T: Serialize + DeserializeOwned + Send + 'static> Bag<T> {
    /// Pairs each record with those of another bag that have an equal key: an inner join. Records that have many partners
    /// are in many pairs. Pairs come in the order of this bag's records, those of one record in the order of the other
    /// bag's. Keys are equal as `Eq` says, so that `None` meets `None`: filter such records out before if they should not.
    ///
    /// The other bag is read first, and held within the memory budget. Where half of that is then still free, this bag's
    /// records stream past it; else both spill, are joined partition by partition, and put in order again. The run has
    /// this bag's configuration. For [`map_partitions`](Bag::map_partitions) the pairs are one partition.
    ///
    /// ```
    /// use kitbag::Bag;
    ///
    /// let sales = Bag::from_iter([("ann", 3), ("bob", 1), ("ann", 5)]).map(|(who, n)| (who.to_string(), n));
    /// let towns = Bag::from_iter([("ann", "Ulm"), ("cid", "Bonn")]).map(|(who, town)| (who.to_string(), town.to_string()));
    /// let joined = sales.join(towns, |sale| sale.0.clone(), |town| town.0.clone());
    /// let joined = joined.map(|(sale, town)| (sale.1, town.1));
    /// assert_eq!(joined.collect()?, [(3, "Ulm".to_string()), (5, "Ulm".to_string())]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The run fails if a key or a record does not survive being written and read through serde, or if the budget has no
    /// room for some blocks a thread or for the longest record several times. Errors of the other bag come first.
    #[doc(alias = "inner_join")]
    pub fn join<U, K>(
        self,
        right: Bag<U>,
        left_key: impl Fn(&T) -> K + Send + Sync + 'static,
        right_key: impl Fn(&U) -> K + Send + Sync + 'static,
    ) -> Bag<(T, U)>
    where
        U: Serialize + DeserializeOwned + Send + 'static,
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        let make: Make<T, (T, U)> = |left, right| Ok((some(left)?, decode(some(right)?)?));
        self.joined(right, ("join", JoinKind::Inner), (left_key, right_key), encode::<U>, make)
    }

    /// Like [`join`](Bag::join); a record of this bag without a partner is paired with `None`.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let joined = Bag::range(0..3).left_join(Bag::range(1..2), |n| *n, |n| *n);
    /// assert_eq!(joined.collect()?, [(0, None), (1, Some(1)), (2, None)]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn left_join<U, K>(
        self,
        right: Bag<U>,
        left_key: impl Fn(&T) -> K + Send + Sync + 'static,
        right_key: impl Fn(&U) -> K + Send + Sync + 'static,
    ) -> Bag<(T, Option<U>)>
    where
        U: Serialize + DeserializeOwned + Send + 'static,
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        let make: Make<T, (T, Option<U>)> = |left, right| Ok((some(left)?, right.map(decode).transpose()?));
        self.joined(right, ("left_join", JoinKind::Left), (left_key, right_key), encode::<U>, make)
    }

    /// Like [`join`](Bag::join); a record of the other bag without a partner is paired with `None`. Such pairs come last,
    /// in the order of the other bag.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let joined = Bag::range(0..3).right_join(Bag::range(2..4), |n| *n, |n| *n);
    /// assert_eq!(joined.collect()?, [(Some(2), 2), (None, 3)]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn right_join<U, K>(
        self,
        right: Bag<U>,
        left_key: impl Fn(&T) -> K + Send + Sync + 'static,
        right_key: impl Fn(&U) -> K + Send + Sync + 'static,
    ) -> Bag<(Option<T>, U)>
    where
        U: Serialize + DeserializeOwned + Send + 'static,
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        let make: Make<T, (Option<T>, U)> = |left, right| Ok((left, decode(some(right)?)?));
        self.joined(right, ("right_join", JoinKind::Right), (left_key, right_key), encode::<U>, make)
    }

    /// Like [`join`](Bag::join); a record of either bag without a partner is paired with `None`. Those of this bag are where
    /// they were, those of the other bag come last, in its order.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let joined = Bag::range(0..2).full_join(Bag::range(1..3), |n| *n, |n| *n);
    /// assert_eq!(joined.collect()?, [(Some(0), None), (Some(1), Some(1)), (None, Some(2))]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "outer_join")]
    pub fn full_join<U, K>(
        self,
        right: Bag<U>,
        left_key: impl Fn(&T) -> K + Send + Sync + 'static,
        right_key: impl Fn(&U) -> K + Send + Sync + 'static,
    ) -> Bag<(Option<T>, Option<U>)>
    where
        U: Serialize + DeserializeOwned + Send + 'static,
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        let make: Make<T, (Option<T>, Option<U>)> = |left, right| Ok((left, right.map(decode).transpose()?));
        self.joined(right, ("full_join", JoinKind::Full), (left_key, right_key), encode::<U>, make)
    }

    /// The records that have a partner in the other bag, each once. Of the other bag only the keys are held; all else is as
    /// with [`join`](Bag::join).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let joined = Bag::range(0..5).semi_join(Bag::from_iter([3, 1, 3]), |n| *n, |n| *n);
    /// assert_eq!(joined.collect()?, [1, 3]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn semi_join<U, K>(
        self,
        right: Bag<U>,
        left_key: impl Fn(&T) -> K + Send + Sync + 'static,
        right_key: impl Fn(&U) -> K + Send + Sync + 'static,
    ) -> Bag<T>
    where
        U: Send + 'static,
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        self.joined(right, ("semi_join", JoinKind::Semi), (left_key, right_key), |_, _| Ok(()), |left, _| some(left))
    }

    /// The records that have no partner in the other bag. Of that only the keys are held; all else is as with
    /// [`join`](Bag::join).
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let joined = Bag::range(0..5).anti_join(Bag::from_iter([3, 1, 3]), |n| *n, |n| *n);
    /// assert_eq!(joined.collect()?, [0, 2, 4]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn anti_join<U, K>(
        self,
        right: Bag<U>,
        left_key: impl Fn(&T) -> K + Send + Sync + 'static,
        right_key: impl Fn(&U) -> K + Send + Sync + 'static,
    ) -> Bag<T>
    where
        U: Send + 'static,
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
    {
        self.joined(right, ("anti_join", JoinKind::Anti), (left_key, right_key), |_, _| Ok(()), |left, _| some(left))
    }

    /// `value` writes what is stored of a right record, `make` makes the answers.
    fn joined<U, K, V>(
        self,
        right: Bag<U>,
        (verb, kind): (&'static str, JoinKind),
        (left_key, right_key): (impl Fn(&T) -> K + Send + Sync + 'static, impl Fn(&U) -> K + Send + Sync + 'static),
        value: fn(&U, &mut Vec<u8>) -> Result<()>,
        make: Make<T, V>,
    ) -> Bag<V>
    where
        U: Send + 'static,
        K: Hash + Eq + Serialize + DeserializeOwned + Send + 'static,
        V: Send + 'static,
    {
        self.wrap_two(right, |left, right, before, stage| Join {
            left: Side { plan: left, key: Box::new(left_key), value: encode::<T>, _key: PhantomData },
            right: Side { plan: right, key: Box::new(right_key), value, _key: PhantomData },
            before,
            stage,
            verb,
            kind,
            make,
            whole: false,
        })
    }
}

fn some<V>(side: Option<V>) -> Result<V> {
    side.ok_or_else(|| Error::internal("a side of a join is missing"))
}
