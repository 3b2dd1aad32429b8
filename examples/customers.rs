//! One document for each customer out of the orders of all shards: what was spent in each currency, and when.
//!
//! ```text
//! cargo run --release --example customers -- target/customers.jsonl.gz data/orders
//! ```

#![allow(clippy::print_stderr, reason = "a program prints")]
#![allow(clippy::cast_possible_truncation, reason = "a price in cents is far below 2^53")]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use kitbag::{Bag, Result};
use serde::{Deserialize, Serialize};

const USAGE: &str = "usage: customers OUTPUT FILE|GLOB|DIRECTORY|-...
writes one JSON line for each customer to OUTPUT, packed as its name says (.jsonl, .jsonl.gz, .jsonl.zst)";

#[derive(Deserialize, Serialize)]
struct Order {
    order_id: u64,
    customer: Customer,
    currency: String,
    items: Vec<Item>,
    created_at: String,
}

#[derive(Deserialize, Serialize)]
struct Customer {
    id: u64,
    name: String,
}

#[derive(Deserialize, Serialize)]
struct Item {
    price: f64,
    quantity: u64,
}

#[derive(Default, Serialize)]
struct Document {
    customer: u64,
    name: String,
    spent_cents: BTreeMap<String, u64>,
    orders: Vec<(String, u64)>,
}

fn document(id: u64, orders: impl Iterator<Item = Result<Order>>) -> Result<Document> {
    let mut document = Document { customer: id, ..Document::default() };
    for order in orders {
        let Order { order_id, customer, currency, items, created_at } = order?;
        let cents = items.iter().map(|item| (item.price * 100.0).round() as u64 * item.quantity);
        *document.spent_cents.entry(currency.to_uppercase()).or_default() += cents.sum::<u64>();
        document.name = customer.name.trim().to_owned();
        document.orders.push((created_at, order_id));
    }
    document.orders.sort();
    Ok(document)
}

fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    if args.len() < 2 || args.iter().any(|arg| arg.starts_with("--")) {
        return Err(USAGE.into());
    }
    let customers = Bag::<Order>::read_json(&args[1..]).group_by(|order| order.customer.id);
    customers.try_map(|(customer, orders)| document(customer, orders)).write_jsonl(&args[0])?;
    Ok(())
}

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("customers: {error}");
            ExitCode::FAILURE
        }
    }
}
