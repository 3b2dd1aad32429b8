//! One memory budget for a run. It refuses and never waits: whoever is refused spills or fails with the limit's name.
//! A reservation gives its bytes back when it is dropped, so that no path, a panic included, can leak any.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU64, Ordering};

/// The bytes that a run may hold. Clones share the same account.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    limit: u64,
    /// What the limit is a part of, for messages: the bytes that the caller has set.
    whole: u64,
    used: AtomicU64,
    peak: AtomicU64,
    /// For a carved budget: its bytes in those it was carved from, held until the last user here is gone.
    _held: Vec<Reservation>,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Budget {
        Budget::part(limit, limit)
    }

    /// A part of what the caller has set as a whole.
    pub(crate) fn part(limit: u64, whole: u64) -> Budget {
        Budget::account(limit, whole, Vec::new())
    }

    fn account(limit: u64, whole: u64, held: Vec<Reservation>) -> Budget {
        Budget(Arc::new(Account { limit, whole, used: AtomicU64::new(0), peak: AtomicU64::new(0), _held: held }))
    }

    /// A budget of its own inside this one: its whole limit is reserved here at once, so that its users cannot be
    /// starved by others. This is how minimum needs are set aside before the first record.
    pub(crate) fn carve(&self, limit: u64) -> Option<Budget> {
        let held = self.try_reserve(limit)?;
        Some(Budget::account(limit, limit, vec![held]))
    }

    /// A budget of all that this one has, of which nothing may be in use, and so many bytes more of another.
    pub(crate) fn widened(&self, more: u64, of: &Budget) -> Option<Budget> {
        let held = vec![self.try_reserve(self.limit())?, of.try_reserve(more)?];
        let limit = self.limit() + more;
        Some(Budget::account(limit, limit, held))
    }

    /// Reserves `bytes`, or refuses at once.
    pub(crate) fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        let mut reservation = Reservation { budget: self.clone(), bytes: 0 };
        reservation.grow(bytes).then_some(reservation)
    }

    /// Like `try_reserve`; also refuses if fewer than `spared` bytes would be left.
    pub(crate) fn try_reserve_leaving(&self, bytes: u64, spared: u64) -> Option<Reservation> {
        let mut reservation = Reservation { budget: self.clone(), bytes: 0 };
        reservation.grow_leaving(bytes, spared).then_some(reservation)
    }

    pub(crate) fn limit(&self) -> u64 {
        self.0.limit
    }

    pub(crate) fn whole(&self) -> u64 {
        self.0.whole
    }

    /// The smallest whole whose part has so many bytes.
    pub(crate) fn whole_for(&self, bytes: u64) -> u64 {
        let whole = u128::from(bytes) * u128::from(self.0.whole);
        u64::try_from(whole.div_ceil(u128::from(self.0.limit.max(1)))).unwrap_or(u64::MAX)
    }

    pub(crate) fn free(&self) -> u64 {
        self.limit().saturating_sub(self.used())
    }

    pub(crate) fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The most that was ever reserved at once.
    pub(crate) fn peak(&self) -> u64 {
        self.0.peak.load(Ordering::Relaxed)
    }
}

/// Bytes taken from a [`Budget`], given back on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    bytes: u64,
}

impl Reservation {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes `more` bytes; `false` (and nothing taken) if they would exceed the limit.
    pub(crate) fn grow(&mut self, more: u64) -> bool {
        self.grow_leaving(more, 0)
    }

    /// Like `grow`; also refuses if fewer than `spared` bytes of the budget would be left.
    fn grow_leaving(&mut self, more: u64, spared: u64) -> bool {
        let account = &*self.budget.0;
        let most = account.limit.saturating_sub(spared);
        let taken = account.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(more).filter(|&sum| sum <= most)
        });
        match taken {
            Ok(before) => {
                account.peak.fetch_max(before + more, Ordering::Relaxed);
                self.bytes += more;
                true
            }
            Err(_) => false,
        }
    }

    /// Gives back all but `bytes`; no effect if it holds fewer.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        if let Some(surplus) = self.bytes.checked_sub(bytes) {
            self.budget.0.used.fetch_sub(surplus, Ordering::Relaxed);
            self.bytes = bytes;
        }
    }
}

impl Reservation {
    /// Moves `bytes` (at most all) into a reservation of their own.
    pub(crate) fn split_off(&mut self, bytes: u64) -> Reservation {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Reservation { budget: self.budget.clone(), bytes }
    }

    /// Whether its bytes are of this budget.
    pub(crate) fn is_of(&self, budget: &Budget) -> bool {
        Arc::ptr_eq(&self.budget.0, &budget.0)
    }

    /// Takes another reservation in, if both are of the same budget; else gives it back.
    pub(crate) fn join(&mut self, mut other: Reservation) -> Option<Reservation> {
        if !other.is_of(&self.budget) {
            return Some(other);
        }
        self.bytes += std::mem::take(&mut other.bytes);
        None
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_and_gives_back() {
        let budget = Budget::new(100);
        let mut first = budget.try_reserve(60).unwrap();
        assert!(budget.try_reserve(41).is_none());
        assert!(first.grow(40) && !first.grow(1));
        first.shrink_to(10);
        assert_eq!((budget.used(), budget.peak()), (10, 100));
        drop(first);
        assert_eq!(budget.used(), 0);
        assert!(budget.try_reserve(u64::MAX).is_none());
    }

    #[test]
    fn messages_speak_of_the_whole() {
        let budget = Budget::part(75, 100);
        assert_eq!((budget.whole(), budget.whole_for(75), budget.whole_for(76)), (100, 100, 102));
        assert_eq!(Budget::new(50).whole_for(51), 51);
    }

    #[test]
    fn a_wider_budget_holds_bytes_of_two() {
        let (one, other) = (Budget::new(10), Budget::new(100));
        let wide = one.widened(60, &other).unwrap();
        assert_eq!((wide.limit(), one.used(), other.used()), (70, 10, 60));
        assert!(one.widened(1, &other).is_none() && other.used() == 60);
        drop(wide);
        assert!(one.widened(101, &other).is_none());
        assert_eq!((one.used(), other.used()), (0, 0));
    }

    #[test]
    fn a_carved_budget_is_held_by_its_last_user() {
        let budget = Budget::new(100);
        let inner = budget.carve(60).unwrap();
        assert!(budget.carve(41).is_none() && inner.try_reserve(61).is_none());
        let mut some = inner.try_reserve(50).unwrap();
        let rest = some.split_off(20);
        assert!(inner.try_reserve_leaving(5, 6).is_none());
        let mut other = inner.try_reserve_leaving(4, 6).unwrap();
        assert!(some.join(inner.try_reserve(2).unwrap()).is_none());
        assert!(other.join(budget.try_reserve(1).unwrap()).is_some());
        drop((inner, some, other));
        assert_eq!((budget.used(), rest.bytes()), (60, 20));
        drop(rest);
        assert_eq!(budget.used(), 0);
    }
}
