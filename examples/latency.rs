//! Mean and maximum latency of each path in each minute of a web log.
//!
//! ```text
//! cargo run --release --example latency -- data/web
//! ```

#![allow(clippy::print_stderr, reason = "a program prints")]

use std::error::Error;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use kitbag::Bag;
use kitbag::agg::{Float, count, max, mean};
use serde::Deserialize;

const USAGE: &str = "usage: latency FILE|GLOB|DIRECTORY|-...
prints MINUTE<TAB>PATH<TAB>REQUESTS<TAB>MEAN_MS<TAB>MAX_MS, in order of minute and path";

#[derive(Deserialize)]
struct Hit {
    time: String,
    path: String,
    latency_ms: f64,
}

fn run(input: Vec<String>) -> Result<(), Box<dyn Error>> {
    if input.is_empty() || input.iter().any(|arg| arg.starts_with("--")) {
        return Err(USAGE.into());
    }
    // `2024-11-21T00:07:01.210Z` begins with its minute.
    let hits = Bag::<Hit>::read_json(input).try_map(|hit| match hit.time.get(..16) {
        Some(minute) => Ok((minute.to_owned(), hit.path, hit.latency_ms)),
        None => Err(format!("expected a time like 2024-11-21T00:07:01.210Z, not `{}`", hit.time)),
    });
    type Row = (String, String, f64);
    let latency = (count(), mean(|hit: &Row| hit.2), max(|hit: &Row| Float(hit.2)));
    let mut rows = hits.fold_by(|(minute, path, _)| (minute.clone(), path.clone()), latency).collect()?;
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut out = BufWriter::new(std::io::stdout().lock());
    for ((minute, path), (requests, mean, max)) in rows {
        let (mean, max) = (mean.unwrap_or(0.0), max.map_or(0.0, |max| max.0));
        writeln!(out, "{minute}\t{path}\t{requests}\t{mean:.3}\t{max:.3}")?;
    }
    Ok(out.flush()?)
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("latency: {error}");
            ExitCode::FAILURE
        }
    }
}
