//! Sessions of each client of a web log: a request that comes more than 30 minutes after the one before it begins a
//! new session. Every shard may come from a server of its own, so a client's requests are put in order of time first.
//!
//! ```text
//! cargo run --release --example sessions -- data/web
//! ```

#![allow(clippy::print_stderr, reason = "a program prints")]

use std::error::Error;
use std::process::ExitCode;

use kitbag::{Bag, Result};
use serde::{Deserialize, Serialize};

const USAGE: &str = "usage: sessions FILE|GLOB|DIRECTORY|-...
prints a JSON line for each client: its sessions, its requests, and the seconds of its longest session";

/// In milliseconds.
const GAP: i64 = 30 * 60 * 1000;

#[derive(Deserialize)]
struct Hit {
    client: String,
    time: String,
}

#[derive(Serialize)]
struct Client {
    client: String,
    sessions: usize,
    requests: usize,
    longest_seconds: f64,
}

/// Milliseconds since 1970 of `2024-11-21T00:00:12.947Z`.
fn millis(time: &str) -> Option<i64> {
    let field = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    // Years that begin in March: the leap day is the last one (Hinnant, "chrono-compatible low-level date algorithms").
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let seconds = (days * 24 + field(11, 13)?) * 3600 + field(14, 16)? * 60 + field(17, 19)?;
    Some(seconds * 1000 + field(20, 23)?)
}

fn run(input: Vec<String>) -> Result<(), Box<dyn Error>> {
    if input.is_empty() || input.iter().any(|arg| arg.starts_with("--")) {
        return Err(USAGE.into());
    }
    let hits = Bag::<Hit>::read_json(input).try_map(|hit| match millis(&hit.time) {
        Some(time) => Ok((hit.client, time)),
        None => Err(format!("expected a time like 2024-11-21T00:00:12.947Z, not `{}`", hit.time)),
    });
    // The groups stream, from disk where memory is short; what is held of one are its times.
    let clients = hits.group_by(|(client, _)| client.clone()).try_map(|(client, group)| {
        let mut times = group.map(|hit| Ok(hit?.1)).collect::<Result<Vec<_>>>()?;
        times.sort_unstable();
        let sessions = times.chunk_by(|before, after| after - before <= GAP);
        let longest = sessions.clone().map(|session| session[session.len() - 1] - session[0]).max().unwrap_or(0);
        let (sessions, requests) = (sessions.count(), times.len());
        Ok::<_, kitbag::Error>(Client { client, sessions, requests, longest_seconds: longest as f64 / 1000.0 })
    });
    clients.write_jsonl_to(std::io::stdout())?;
    Ok(())
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sessions: {error}");
            ExitCode::FAILURE
        }
    }
}
