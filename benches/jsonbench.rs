//! JSONBench's five queries over raw shards, and the most active users: what `peers.sh` measures against other engines.
//! `jsonbench QUERY INPUT` prints the answer as JSON arrays, one a line; `jsonbench.py` asks the same of the others.
//!
//! ```text
//! q1      collection, events of it: most events first
//! q2      collection, created records, users that created one: most records first
//! q3      collection, hour of the day, created posts, reposts and likes: by hour, then collection
//! q4      the three users with the earliest posts, and the times
//! q5      the three users with the longest time from their first to their last post, and the milliseconds
//! users   the ten users with the most events, and how many
//!
//!     --threads N   --memory MIB
//! ```
//!
//! The queries are those of ClickHouse/JSONBench. It leaves open what comes first of what is equal; here that is the smaller
//! name, and times are UTC.

#![allow(clippy::print_stdout, reason = "it prints its answer")]

use std::cmp::Reverse;

use kitbag::{Bag, Config, Json, JsonRef, Result, Scan, agg};
use serde::{Deserialize, Serialize};
use serde_json::json;

type Outcome<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The kinds of posts that q3 counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Feed {
    #[serde(rename = "app.bsky.feed.like")]
    Like,
    #[serde(rename = "app.bsky.feed.post")]
    Post,
    #[serde(rename = "app.bsky.feed.repost")]
    Repost,
}

fn time(event: &JsonRef<'_>) -> Option<u64> {
    event.get("time_us")?.as_u64()
}

/// The collection in which an event created a record.
fn created<'a>(event: &JsonRef<'a>) -> Option<JsonRef<'a>> {
    let commit = event.get("commit")?;
    let created = commit.get("operation")?.as_str()? == "create" && event.get("kind")?.as_str()? == "commit";
    if created { commit.get("collection") } else { None }
}

fn feed(event: &JsonRef<'_>) -> Option<Feed> {
    match &*created(event)?.as_str()? {
        "app.bsky.feed.like" => Some(Feed::Like),
        "app.bsky.feed.post" => Some(Feed::Post),
        "app.bsky.feed.repost" => Some(Feed::Repost),
        _ => None,
    }
}

fn posts(events: Scan) -> Scan {
    events.filter(|event| feed(&event) == Some(Feed::Post))
}

fn q1(events: Scan) -> Result<Vec<serde_json::Value>> {
    let mut rows = events.count_by(|event| event.get("commit")?.get("collection")).collect()?;
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(rows.into_iter().map(|row| json!(row)).collect())
}

fn q2(events: Scan) -> Result<Vec<serde_json::Value>> {
    // A count for each pair of collection and user; of each collection as many users as pairs.
    let created = events.filter(|event| created(&event).is_some());
    let pairs = created
        .fold_by_keys(|event| [event.get("commit").and_then(|c| c.get("collection")), event.get("did")], agg::count());
    type Row = ([Json; 2], u64);
    let records = (agg::sum(|row: &Row| row.1), agg::count());
    let mut rows = pairs.fold_by(|row| row.0[0].clone(), records).collect()?;
    rows.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    Ok(rows.into_iter().map(|(collection, (records, users))| json!((collection, records, users))).collect())
}

fn q3(events: Scan) -> Result<Vec<serde_json::Value>> {
    let hours = events.filter_map(|event| Some((time(&event)? / 3_600_000_000 % 24, feed(&event)?)));
    let mut rows: Vec<_> = hours.frequencies().collect()?;
    rows.sort_by_key(|((hour, feed), _)| (*hour, *feed as u8));
    Ok(rows.into_iter().map(|((hour, feed), count)| json!((feed, hour, count))).collect())
}

fn q4(events: Scan) -> Result<Vec<serde_json::Value>> {
    let first = agg::min(|event: &JsonRef<'_>| time(event).unwrap_or(u64::MAX));
    let users = posts(events).fold_by(|event| event.get("did"), first);
    best(users.map(|(user, first)| (Reverse(first), Reverse(user))), 3, |first| json!(first.0))
}

fn q5(events: Scan) -> Result<Vec<serde_json::Value>> {
    let ends = (agg::max(|event: &JsonRef<'_>| time(event)), agg::min(|event: &JsonRef<'_>| time(event)));
    let users = posts(events).fold_by(|event| event.get("did"), ends);
    let spans = users.map(|(user, (last, first))| {
        let millis = |time: Option<Option<u64>>| time.flatten().unwrap_or(0) / 1000;
        (millis(last) - millis(first), Reverse(user))
    });
    best(spans, 3, |span| json!(span))
}

fn users(events: Scan) -> Result<Vec<serde_json::Value>> {
    let counts = events.count_by(|event| event.get("did"));
    best(counts.map(|(user, count)| (count, Reverse(user))), 10, |count| json!(count))
}

/// The largest `k`, each with its user before it.
fn best<V: Ord + Clone + Send + Sync + Serialize + for<'de> Deserialize<'de> + 'static>(
    rows: Bag<(V, Reverse<Json>)>,
    k: usize,
    value: fn(V) -> serde_json::Value,
) -> Result<Vec<serde_json::Value>> {
    Ok(rows.top_k(k)?.into_iter().map(|(first, user)| json!((user.0, value(first)))).collect())
}

fn main() -> Outcome {
    let (mut config, mut words) = (Config::new(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument}: expected a number"));
        match argument.as_str() {
            "--threads" => config = config.threads(value()?.parse()?),
            "--memory" => config = config.memory(value()?.parse::<u64>()? << 20),
            // What `cargo bench` adds.
            "--bench" => {}
            _ => words.push(argument),
        }
    }
    let [query, input] = words.as_slice() else {
        return Err("usage: jsonbench q1|q2|q3|q4|q5|users INPUT [--threads N] [--memory MIB]".into());
    };
    let events = Scan::new(input.as_str()).with(config);
    let rows = match query.as_str() {
        "q1" => q1(events)?,
        "q2" => q2(events)?,
        "q3" => q3(events)?,
        "q4" => q4(events)?,
        "q5" => q5(events)?,
        "users" => users(events)?,
        _ => return Err(format!("{query}: expected q1 to q5 or users").into()),
    };
    for row in rows {
        println!("{row}");
    }
    Ok(())
}
