//! Cleans orders and makes one record of each of their items: white space around text goes, mail addresses and
//! currencies are spelt in one way, notes that say nothing are left out. The result is written as new shards.
//!
//! ```text
//! cargo run --release --example clean -- target/items data/orders
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

use std::error::Error;
use std::process::ExitCode;

use kitbag::{Bag, Json, Target};
use serde::{Deserialize, Serialize};

const USAGE: &str = "usage: clean [--shard-kib N] DIRECTORY FILE|GLOB|DIRECTORY|-...
writes DIRECTORY/part-*.jsonl.zst, a new shard after every N KiB of text (131072)";

#[derive(Clone, Deserialize, Serialize)]
struct Order {
    order_id: u64,
    customer: Customer,
    currency: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing)]
    items: Vec<Item>,
    #[serde(flatten, skip_deserializing)]
    item: Option<Item>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Customer {
    id: u64,
    name: String,
    email: String,
}

/// The price stays the text that it is: `42.10` is not `42.1`.
#[derive(Clone, Deserialize, Serialize)]
struct Item {
    sku: String,
    price: Json,
    quantity: u32,
}

fn lines(mut order: Order) -> impl Iterator<Item = Order> {
    order.customer.name = order.customer.name.trim().to_owned();
    order.customer.email = order.customer.email.trim().to_lowercase();
    order.currency = order.currency.trim().to_uppercase();
    order.note = order.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    std::mem::take(&mut order.items).into_iter().map(move |item| Order { item: Some(item), ..order.clone() })
}

fn run(mut args: Vec<String>) -> Result<(), Box<dyn Error>> {
    let mut shard_size = 128 << 20;
    if args.first().is_some_and(|arg| arg == "--shard-kib") {
        shard_size = args.get(1).ok_or(USAGE)?.parse::<u64>().map_err(|error| format!("--shard-kib: {error}"))? << 10;
        args.drain(..2);
    }
    if args.len() < 2 || args.iter().any(|arg| arg.starts_with("--")) {
        return Err(USAGE.into());
    }
    let target = Target::new(format!("{}/part-*.jsonl.zst", args.remove(0))).shard_size(shard_size);
    let written = Bag::<Order>::read_json(args).flat_map(lines).write_jsonl(target)?;
    println!("{} items in {} shards, {} bytes", written.records, written.files.len(), written.text_bytes);
    Ok(())
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clean: {error}");
            ExitCode::FAILURE
        }
    }
}
