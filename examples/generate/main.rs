//! Writes shards of made-up JSON lines: the same text on every machine for the same arguments, for `data/`, for the
//! other examples and for benchmarks.
//!
//! ```text
//! cargo run --release --example generate -- KIND DIRECTORY SHARDS TOTAL_MB CODEC SEED
//! cargo run --release --example generate -- events /tmp/events 8 1000 gz 42
//! ```
//!
//! KIND is `events` (records of a social network, shaped like Bluesky's Jetstream), `web` (access logs) or `orders`;
//! CODEC is `plain`, `gz` (one member) or `zst` (one frame); 1 MB is 10^6 bytes of text. What must stay true: a
//! shard's text depends on kind, seed, shard number and shard size alone (no clock, no thread, no rounding),
//! and memory does not grow with size. Every shard spans one day, as if each came from a server of its own.

#![allow(clippy::disallowed_methods, reason = "an example is a program of its own: the os room is the library's")]
#![allow(clippy::cast_possible_truncation, reason = "every narrowing here is of a number drawn below a small bound")]

mod events;
mod orders;
mod random;
mod shards;
mod users;
mod web;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, directory, count, megabytes, codec, seed] = arguments.as_slice() else {
        return Err("usage: generate events|web|orders DIRECTORY SHARDS TOTAL_MB plain|gz|zst SEED".into());
    };
    if !["events", "web", "orders"].contains(&kind.as_str()) || !["plain", "gz", "zst"].contains(&codec.as_str()) {
        return Err(format!("unknown kind `{kind}` or codec `{codec}`").into());
    }
    let (count, seed) = (count.parse::<u64>()?, seed.parse::<u64>()?);
    let size = (megabytes.parse::<f64>()? * 1e6) as u64 / count.max(1);
    let shards = shards::Shards { kind, directory, codec, size, seed };
    std::fs::create_dir_all(directory)?;
    let next = AtomicU64::new(0);
    let work = || -> io::Result<()> {
        loop {
            let number = next.fetch_add(1, Relaxed);
            if number >= count {
                return Ok(());
            }
            shards.write(number)?;
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work()?;
        other.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })?;
    Ok(())
}
