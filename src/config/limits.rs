//! The limits that follow from a budget, and the smallest budget that would do for a plan.

use super::{Config, KIB, MIB};
use crate::engine::Facts;

/// Records of this length can be stored with nothing but a store's floor.
const SHORT: u64 = 4 * KIB;
/// Storing longer ones takes this many times their length of the budget for each thread, and what two threads take for one:
/// whoever reads the groups of a store needs as much as two that settle it.
const STORED: u64 = 16;

/// What follows from a budget.
pub(super) struct Limits {
    pub(super) block: u64,
    pub(super) max_record: u64,
    /// The smallest budget that would do with these.
    pub(super) least: u64,
}

impl Config {
    pub(super) fn limits(&self, memory: u64, threads: u64, plan: &Facts) -> Limits {
        let (stores, phases) = (u64::from(plan.stores), u64::from(plan.phases));
        let block = match self.block_size {
            Some(bytes) => bytes as u64,
            None => (memory / (64 * threads * phases)).clamp(16 * KIB / phases.min(4), 256 * KIB),
        };
        // What every phase needs: a block in each reader's hand, two a reader in the edge, one in each worker's hand,
        // and as much again for what is encoded and waits for its turn.
        let in_flight = MIB.saturating_add(block.saturating_mul(8 * threads * phases)).max(2 * MIB);
        // What every store needs: three quarters of this, which are the space's part of it, are its floor.
        let floors = 128 * KIB * stores * threads;
        let stored = STORED * threads.max(2);
        let max_record = self.max_record.unwrap_or_else(|| match stores {
            0 => (64 * MIB).min(memory / 32),
            _ => (64 * MIB).min(memory / 32).min(memory.saturating_sub(floors) / stored).max(SHORT),
        });
        let max_record = max_record.max(1);
        let records = if stores > 0 && max_record > SHORT { max_record.saturating_mul(stored) } else { 0 };
        let least = in_flight.max(floors.saturating_add(records)).max(max_record.saturating_mul(4));
        Limits { block, max_record, least }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn defaults_follow_from_the_budget() {
        let plan = Facts::new();
        let settings = Config::new().threads(4).memory(64 * MIB).settings(&plan).unwrap();
        assert_eq!((settings.block, settings.max_record, settings.gate), (256 << 10, 2 << 20, 16 << 20));
        let error = Config::new().threads(64).memory(8 * MIB).block_size(1 << 20).settings(&plan).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.to_string().ends_with("the smallest that would do is 537919488"), "{error}");
        assert_eq!(Config::new().threads(0).settings(&plan).unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn the_smallest_budget_that_an_error_names_would_do_and_no_smaller_one() {
        for stores in 0..7 {
            for phases in 1..6 {
                for threads in [1, 2, 8, 64] {
                    for (block, record) in
                        [(None, None), (Some(1 << 20), None), (None, Some(1 << 20)), (Some(7), Some(9))]
                    {
                        let plan = Facts { stores, phases, ..Facts::new() };
                        let with = |memory| {
                            let mut config = Config::new().threads(threads).memory(memory);
                            (config.block_size, config.max_record) = (block, record);
                            config.settings(&plan).map(drop).map_err(|error| error.to_string())
                        };
                        let error = with(1).unwrap_err();
                        let least: u64 = error.rsplit(' ').next().unwrap().parse().unwrap();
                        assert_eq!(with(least), Ok(()), "{stores} stores, {phases} phases, {threads} threads");
                        assert!(
                            with(least - 1).is_err(),
                            "{stores} stores, {phases} phases, {threads} threads: {least}"
                        );
                    }
                }
            }
        }
    }
}
