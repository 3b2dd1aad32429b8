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

use std::fmt::Write as _;
use std::fs::{File, create_dir_all};
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A day in microseconds, and the start of 2024-11-21 UTC, when all of this happens.
const DAY: u64 = 86_400_000_000;
const EPOCH: u64 = 1_732_147_200_000_000;

/// Events per million of each collection (JSONBench's known answer for 1 M events; the empty one stands for identity and
/// account events), and how many per mille of them are deletions.
const COLLECTIONS: [(u64, &str, u64); 15] = [
    (448_944, "app.bsky.feed.like", 10),
    (360_374, "app.bsky.graph.follow", 62),
    (90_816, "app.bsky.feed.post", 44),
    (58_540, "app.bsky.feed.repost", 26),
    (14_040, "app.bsky.graph.block", 120),
    (11_762, "app.bsky.actor.profile", 0),
    (8_103, "app.bsky.graph.listitem", 60),
    (5_328, "", 0),
    (895, "app.bsky.graph.listblock", 50),
    (405, "app.bsky.graph.starterpack", 20),
    (356, "app.bsky.graph.list", 40),
    (255, "app.bsky.feed.threadgate", 0),
    (104, "app.bsky.feed.postgate", 0),
    (74, "app.bsky.feed.generator", 10),
    (4, "app.bsky.labeler.service", 0),
];

/// Pieces of posts, as they stand inside a JSON string: several scripts, and every kind of escape.
const PHRASES: [&str; 10] = [
    "just had the best coffee of the week, does anyone know a good book about whales?",
    r#"she said \"not today\" and left, and I still cannot believe it is already November"#,
    r"first line\nsecond line\n\nnew photos from the weekend are up, thread below",
    "Guten Morgen, schöne Grüße aus Köln ☀️ 🦀🦀🦀",
    "今日はいい天気ですね",
    "спасибо, это было здорово! صباح الخير",
    r"caf\u00e9 au lait \ud83d\ude00, either\/or",
    r"C:\\temp\\notes.txt\tis gone",
    "https://example.com/articles/2024/11/why-the-moon-follows-you",
    "the build is green again",
];

/// Path, errors 5xx per mille, usual latency in microseconds, method.
const ROUTES: [(&str, u64, u64, &str); 12] = [
    ("/", 2, 9_000, "GET"),
    ("/search", 31, 120_000, "GET"),
    ("/items", 6, 45_000, "GET"),
    ("/items/details", 4, 30_000, "GET"),
    ("/items/reviews", 12, 60_000, "GET"),
    ("/cart", 8, 25_000, "POST"),
    ("/checkout", 74, 310_000, "POST"),
    ("/checkout/confirm", 52, 450_000, "POST"),
    ("/account", 9, 35_000, "GET"),
    ("/api/v1/stock?format=json", 18, 15_000, "GET"),
    ("/static/site.css", 0, 1_500, "GET"),
    ("/static/größe.js", 1, 2_000, "GET"),
];

const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "curl/8.9.1",
    r#"ExampleBot/2.1 (\"polite\"; +https://bot.example/)"#,
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, directory, shards, megabytes, codec, seed] = arguments.as_slice() else {
        return Err("usage: generate events|web|orders DIRECTORY SHARDS TOTAL_MB plain|gz|zst SEED".into());
    };
    if !["events", "web", "orders"].contains(&kind.as_str()) || !["plain", "gz", "zst"].contains(&codec.as_str()) {
        return Err(format!("unknown kind `{kind}` or codec `{codec}`").into());
    }
    let (shards, seed) = (shards.parse::<u64>()?, seed.parse::<u64>()?);
    let size = (megabytes.parse::<f64>()? * 1e6) as u64 / shards.max(1);
    create_dir_all(directory)?;
    let next = AtomicU64::new(0);
    let work = || -> io::Result<()> {
        loop {
            let number = next.fetch_add(1, Relaxed);
            if number >= shards {
                return Ok(());
            }
            let suffix = if codec == "plain" { String::new() } else { format!(".{codec}") };
            let file = BufWriter::new(File::create(format!("{directory}/part-{number:03}.jsonl{suffix}"))?);
            let random = Random(mix(seed ^ mix(number + 1)));
            match codec.as_str() {
                "gz" => {
                    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::new(6));
                    fill(kind, size, random, &mut encoder)?;
                    encoder.finish()?.flush()?;
                }
                "zst" => {
                    let mut encoder = zstd::Encoder::new(file, 3)?;
                    fill(kind, size, random, &mut encoder)?;
                    encoder.finish()?.flush()?;
                }
                _ => fill(kind, size, random, file)?,
            }
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work()?;
        other.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })?;
    Ok(())
}

/// Writes about `size` bytes of records to `to`, their times rising over the day.
fn fill(kind: &str, size: u64, mut random: Random, mut to: impl Write) -> io::Result<()> {
    // So few visitors at a time that the requests of one visit lie minutes, not hours, apart.
    let mut visits = vec![Visit::default(); (size / 25_000).clamp(2, 256) as usize];
    let (mut written, mut lines, mut line) = (0, String::new(), 0);
    while written < size {
        // No record is shorter than 100 bytes: with less than that added, times still rise.
        let time = ((u128::from(written + random.below(100)) * u128::from(DAY)) / u128::from(size + 100)) as u64;
        lines.clear();
        line += 1;
        match kind {
            "web" => web(&mut lines, &mut random, time, &mut visits),
            "orders" => order(&mut lines, &mut random, time, line),
            _ => event(&mut lines, &mut random, time),
        }
        .map_err(io::Error::other)?;
        lines.push('\n');
        to.write_all(lines.as_bytes())?;
        written += lines.len() as u64;
    }
    to.flush()
}

fn event(to: &mut String, random: &mut Random, time: u64) -> std::fmt::Result {
    let (did, created) = (did(random.skewed()), clock(time.saturating_sub(random.below(2_000_000))));
    let (draw, mut passed) = (random.below(1_000_000), 0);
    let chosen = COLLECTIONS.iter().find(|(count, ..)| {
        passed += count;
        draw < passed
    });
    let (_, collection, deleted) = chosen.copied().unwrap_or_default();
    let name = collection.rsplit('.').next().unwrap_or_default();
    write!(to, r#"{{"did":"{did}","time_us":{},"kind":"#, EPOCH + time)?;
    if name.is_empty() {
        let (kind, field, value) = match random.below(3) {
            0 => ("account", "active", "true".to_owned()),
            _ => ("identity", "handle", format!(r#""{}.bsky.social""#, random.letters(9))),
        };
        write!(to, r#""{kind}","{kind}":{{"{field}":{value},"did":"{did}","seq":{},"#, 3_000_000_000 + time / 700)?;
        return write!(to, r#""time":"{created}"}}}}"#);
    }
    let operation = match name {
        "profile" if random.below(10) < 8 => "update",
        _ if random.below(1000) < deleted => "delete",
        _ => "create",
    };
    write!(to, r#""commit","commit":{{"rev":"{}","operation":"{operation}","#, random.letters(13))?;
    write!(to, r#""collection":"{collection}","rkey":"{}""#, random.letters(13))?;
    if operation == "delete" {
        return to.write_str("}}");
    }
    write!(to, r#","record":{{"$type":"{collection}","createdAt":"{created}""#)?;
    match name {
        "like" | "repost" => {
            write!(to, r#","subject":{}"#, post(random))?;
            if random.below(8) == 0 {
                write!(to, r#","via":{}"#, post(random))?;
            }
        }
        "post" => {
            let text: Vec<&str> = (0..=random.below(5)).map(|_| random.pick(&PHRASES)).collect();
            write!(to, r#","langs":["{}"]"#, random.pick(&["en", "en", "ja", "de", "pt", "ar"]))?;
            if random.below(10) < 6 {
                write!(to, r#","reply":{{"parent":{},"root":{}}}"#, post(random), post(random))?;
            }
            write!(to, r#","text":"{}""#, text.join(" "))?;
        }
        "follow" | "block" => write!(to, r#","subject":"{}""#, self::did(random.skewed()))?,
        _ => write!(to, r#","description":"{}","name":"{}""#, random.pick(&PHRASES), random.letters(8))?,
    }
    write!(to, r#"}},"cid":"bafyrei{}"}}}}"#, random.letters(52))
}

/// One visit to the web site: a client on its way from page to page.
#[derive(Clone, Copy, Default)]
struct Visit {
    client: u64,
    left: u64,
    page: Option<&'static str>,
}

fn web(to: &mut String, random: &mut Random, time: u64, visits: &mut [Visit]) -> std::fmt::Result {
    let visit = random.below(visits.len() as u64) as usize;
    let visit = &mut visits[visit];
    if visit.left == 0 {
        *visit = Visit { client: random.skewed() % 50_000, left: 1 + random.below(12), page: None };
    }
    let who = mix(visit.client);
    let client = match who % 8 {
        0 => format!("2001:db8::{:x}:{:x}", who >> 48, who >> 32 & 0xFFFF),
        _ => format!("10.{}.{}.{}", who >> 56, who >> 48 & 0xFF, who >> 40 & 0xFF),
    };
    let (path, broken, usual, method) = random.pick(&ROUTES);
    let status = if random.below(1000) < broken {
        random.pick(&[500, 502, 503, 503, 504])
    } else {
        random.pick(&[200, 200, 200, 200, 200, 200, 200, 200, 200, 206, 301, 304, 304, 403, 404])
    };
    // A long tail: now and then a request takes ten times as long.
    let tail = if random.below(50) == 0 { 10 } else { 1 };
    let latency = usual / 2 + random.below(usual * tail);
    let bytes = if status == 304 { 0 } else { 200 + random.below(60_000) };
    write!(to, r#"{{"time":"{}","client":"{client}","method":"{method}","path":"{path}","#, clock(time))?;
    write!(to, r#""status":{status},"bytes":{bytes},"latency_ms":{}.{:03},"#, latency / 1000, latency % 1000)?;
    match visit.page {
        Some(page) => write!(to, r#""referer":"https://shop.example{page}","#)?,
        None => to.write_str(r#""referer":null,"#)?,
    }
    write!(to, r#""agent":"{}","#, AGENTS[(who >> 8) as usize % AGENTS.len()])?;
    (visit.left, visit.page) = (visit.left - 1, Some(path));
    match who >> 16 & 3 {
        0 => write!(to, r#""user":"user{}"}}"#, visit.client),
        _ => to.write_str(r#""user":null}"#),
    }
}

/// Dirty in the ways a cleaning step must handle: white space, upper case, orders without items, empty notes.
fn order(to: &mut String, random: &mut Random, time: u64, line: u64) -> std::fmt::Result {
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

/// A reference to a post of some user.
fn post(random: &mut Random) -> String {
    let (author, key) = (did(random.skewed()), random.letters(13));
    format!(r#"{{"cid":"bafyrei{}","uri":"at://{author}/app.bsky.feed.post/{key}"}}"#, random.letters(52))
}

/// The name of a user: [`mix`] is a bijection, so that no two users share one.
fn did(user: u64) -> String {
    format!("did:plc:{}", Random(mix(user)).letters(24))
}

/// Microseconds since midnight as an ISO time.
fn clock(time: u64) -> String {
    let (ms, second) = (time / 1000 % 1000, time / 1_000_000);
    format!("2024-11-21T{:02}:{:02}:{:02}.{ms:03}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The splitmix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct Random(u64);

fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// One of 500,000 users, about as Zipf's law has it: every doubling of the rank is as likely as every other. The
    /// first 16 users are alike, which keeps the heaviest near 0.4 %.
    fn skewed(&mut self) -> u64 {
        loop {
            let step = 4 + self.below(15);
            let rank = (1 << step) + self.below(1 << step) - 16;
            if rank < 500_000 {
                return rank;
            }
        }
    }

    fn letters(&mut self, count: usize) -> String {
        let mut bits = 0;
        let letter = |n: usize| {
            bits = if n.is_multiple_of(12) { self.next() } else { bits >> 5 };
            char::from(b"abcdefghijklmnopqrstuvwxyz234567"[bits as usize % 32])
        };
        (0..count).map(letter).collect()
    }
}
