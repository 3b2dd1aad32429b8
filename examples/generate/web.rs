//! Access logs of a shop: visits that lead from page to page, routes that fail more or less often.

use std::fmt::Write as _;

use crate::random::{Random, mix};
use crate::shards::clock;

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

/// One visit to the web site: a client on its way from page to page.
#[derive(Clone, Copy, Default)]
pub(crate) struct Visit {
    client: u64,
    left: u64,
    page: Option<&'static str>,
}

pub(crate) fn hit(to: &mut String, random: &mut Random, time: u64, visits: &mut [Visit]) -> std::fmt::Result {
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
