//! The paths of a web log by the share of their answers that are server errors (5xx), the worst first.
//!
//! ```text
//! cargo run --release --example top_errors -- --top 3 data/web
//! ```

#![allow(clippy::print_stderr, reason = "a program prints")]

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use kitbag::agg::{Float, Fold, count, top_k};
use kitbag::{Json, JsonRef, Scan};

const USAGE: &str = "usage: top_errors [--top N] FILE|GLOB|DIRECTORY|-...
prints SHARE<TAB>ERRORS<TAB>ANSWERS<TAB>PATH for the N (10) paths with the highest share of 5xx answers";

fn run(mut args: Vec<String>) -> Result<(), Box<dyn Error>> {
    let mut top = 10;
    if args.first().is_some_and(|arg| arg == "--top") {
        top = args.get(1).ok_or(USAGE)?.parse().map_err(|error| format!("--top: {error}\n{USAGE}"))?;
        args.drain(..2);
    }
    if args.is_empty() || args.iter().any(|arg| arg.starts_with("--")) {
        return Err(USAGE.into());
    }
    // One pass over borrowed records: nothing is allocated for a record whose path is known.
    let failed =
        |hit: &JsonRef<'_>| hit.get("status").and_then(|status| status.as_u64()).is_some_and(|code| code >= 500);
    let by_path = Scan::new(args).fold_by(|hit| hit.get("path"), (count(), count().filter(failed)));
    let share = |(_, (answers, errors)): &(Json, (u64, u64))| Float(*errors as f64 / *answers as f64);
    let mut out = std::io::stdout().lock();
    for (path, (answers, errors)) in by_path.fold(top_k(top, share))? {
        let share = 100.0 * errors as f64 / answers as f64;
        writeln!(out, "{share:.2}%\t{errors}\t{answers}\t{}", path.as_str().unwrap_or_else(|| path.raw().into()))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("top_errors: {error}");
            ExitCode::FAILURE
        }
    }
}
