//! Counts records by the value at a path: `count_by PATH FILE|GLOB…` prints `COUNT<TAB>VALUE`, most frequent first.
//!
//! ```text
//! cargo run --release --example count_by -- .commit.collection data/events
//! ```

#![allow(clippy::print_stderr, reason = "a program says on standard error what went wrong")]

use std::process::ExitCode;

use kitbag::{Bag, Config, Json, Path, Scan};

const USAGE: &str = "usage: count_by [--threads N] [--memory MIB] [--lane borrowed|json] PATH FILE|GLOB|DIRECTORY|-...";

/// What the command line asks for.
struct Args {
    config: Config,
    borrowed: bool,
    path: Path,
    input: Vec<String>,
}

fn parse(args: impl Iterator<Item = String>) -> Result<Args, Box<dyn std::error::Error>> {
    let (mut config, mut borrowed, mut rest) = (Config::new(), true, Vec::new());
    let mut args = args.skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--threads" => config = config.threads(value()?.parse()?),
            "--memory" => config = config.memory(value()?.parse::<u64>()? << 20),
            "--lane" => {
                borrowed = match value()?.as_str() {
                    "borrowed" => true,
                    "json" => false,
                    other => return Err(format!("--lane is `{other}`: expected borrowed or json").into()),
                }
            }
            flag if flag.starts_with("--") => return Err(format!("unknown flag {flag}\n{USAGE}").into()),
            _ => rest.push(arg),
        }
    }
    if rest.len() < 2 {
        return Err(USAGE.into());
    }
    let path = rest.remove(0).parse()?;
    Ok(Args { config, borrowed, path, input: rest })
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let Args { config, borrowed, path, input } = parse(std::env::args())?;
    let counts = match borrowed {
        true => Scan::new(input).with(config).count_by(move |record| record.pluck(&path)),
        false => Bag::<Json>::read_json(input)
            .with(config)
            .count_by(move |record| record.pluck(&path).map_or_else(Json::null, |value| value.to_json())),
    };
    let mut counts = counts.collect()?;
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut out = String::new();
    for (value, count) in counts {
        out += &format!("{count}\t{}\n", value.raw());
    }
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes())?;
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("count_by: {error}");
            ExitCode::FAILURE
        }
    }
}
