//! Orders of a shop, with the dirt that a cleaning step must handle.

use std::fmt::Write as _;

use crate::random::Random;
use crate::shards::clock;

/// Dirty in the ways a cleaning step must handle: white space, upper case, orders without items, empty notes.
pub(crate) fn order(to: &mut String, random: &mut Random, time: u64, line: u64) -> std::fmt::Result {
    let (id, customer) = (random.below(1_000) * 1_000_000 + line, random.skewed() % 2_000);
    let name = ["Ada", "Zoë", "Grace", " Linus", "José ", "Юлия"][customer as usize % 6];
    let mail = random.pick(&["example.com", "example.com", "EXAMPLE.COM"]);
    let currency = random.pick(&["EUR", "EUR", "USD", "eur"]);
    write!(to, r#"{{"order_id":{id},"customer":{{"id":{customer},"name":"{name}","email":"c{customer}@{mail}"}},"#)?;
    write!(to, r#""currency":"{currency}","items":["#)?;
    for item in 0..random.below(5) {
        let comma = if item == 0 { "" } else { "," };
        let (sku, price) = (random.skewed() % 5_000, 99 + random.below(20_000));
        write!(to, r#"{comma}{{"sku":"SKU-{sku:04}","price":{}.{:02},"#, price / 100, price % 100)?;
        write!(to, r#""quantity":{}}}"#, 1 + random.below(4))?;
    }
    let note = random.pick(&["null", "null", r#""""#, r#""  leave at the door ""#, r#""\tGift\n""#, r#""ring twice""#]);
    write!(to, r#"],"created_at":"{}","note":{note}}}"#, clock(time))
}
