//! Partitioning again: the rows of a partition that was too big go through a store of their own, by the next bits of
//! their hashes.

use crate::os::sync::Arc;
use crate::os::sync::atomic::Ordering;

use super::feed::Feeder;
use super::hash::HashKey;
use super::part::Part;
use super::row::Row;
use super::run::Hand;
use super::store::{Shape, Shared};
use crate::error::Result;

/// Partitions again, by bits of the hash in which its rows differ; a key that seems to have most of it comes apart.
pub(crate) fn split(part: Part, hand: &mut Hand) -> Result<Vec<Part>> {
    let stats = Arc::clone(&hand.space.stats);
    stats.splits.fetch_add(1, Ordering::Relaxed);
    stats.depth.fetch_max(u64::from(part.depth) + 1, Ordering::Relaxed);
    let shape = Shape::again(hand.block, &part.tally);
    let (depth, rehashed) = (part.depth + 1, part.rehashed);
    repartition(part, hand, shape, depth, rehashed, |row| row.hash)
}

/// Partitions by another hash of the keys, for rows that all have the same one.
pub(crate) fn rehash(part: Part, hand: &mut Hand) -> Result<Vec<Part>> {
    let rehashed = part.rehashed + 1;
    let key = HashKey::fixed(u64::from(rehashed), part.tally.vote);
    let shape = Shape::anew(hand.block);
    let depth = part.depth;
    let keys = hand.space.keys.clone();
    repartition(part, hand, shape, depth, rehashed, |row| keys.hash(&key, row.key))
}

fn repartition(
    part: Part,
    hand: &mut Hand,
    shape: Shape,
    depth: u32,
    rehashed: u32,
    hash: impl Fn(&Row<'_>) -> u64,
) -> Result<Vec<Part>> {
    let shared = Arc::new(Shared::new(&hand.space, shape));
    let mut feeder = Feeder::new(Arc::clone(&shared));
    part.drain(hand, |hand, row| feeder.push(hand, &Row { hash: hash(row), ..*row }))?;
    feeder.finish(hand)?;
    let mut parts = shared.take();
    parts.retain(|part| part.tally.rows > 0);
    for part in &mut parts {
        (part.depth, part.rehashed) = (depth, rehashed);
    }
    Ok(parts)
}
