//! The command around the interpreter: arguments, runs, output, errors and exit codes.

mod alone;
mod apart;
mod args;
mod asks;
mod bags;
mod each;
mod exit;
mod explain;
mod globals;
mod held;
mod help;
mod inputs;
mod modules;
mod numbered;
mod output;
mod partition;
mod passes;
mod progress;
mod report;
mod run;
mod settings;
mod signals;
mod slurp;
mod stdout;
mod style;
mod values;
mod verify;
mod world;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use kitbag::{CancelToken, Monitor};

use args::Args;
use exit::Failure;
use run::{Job, Outcome};
use signals::Signals;

pub(crate) use exit::DEFECT;

/// Bytes of stack of every thread that runs programs: enough for values and calls that are nested many thousands deep.
pub(crate) const STACK: usize = 64 << 20;

/// Runs the command; gives the exit code.
pub(crate) fn main() -> u8 {
    let matches = match Args::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version come this way too, with 0.
            return match error.print() {
                Err(refused) if !error.use_stderr() => end(&stdout::told(refused).into(), None),
                _ => u8::try_from(error.exit_code()).unwrap_or(exit::USAGE),
            };
        }
    };
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args.settled(&matches),
        Err(error) => {
            let _ = error.print();
            return exit::USAGE;
        }
    };
    let asked = match (&args.completions, args.man, args.short_help) {
        (_, _, true) => help::short(),
        (Some(shell), ..) => help::completions(*shell),
        (None, true, _) => help::manual(),
        (None, false, _) => return command(&args, &matches),
    };
    asked.map_or_else(|failure| end(&failure, None), |()| 0)
}

/// Runs the program over the input.
fn command(args: &Args, matches: &clap::ArgMatches) -> u8 {
    let (monitor, cancel) = (Monitor::new(), CancelToken::new());
    let config = settings::config(args, &monitor, &cancel);
    let signals = match Signals::watch(&cancel) {
        Ok(signals) => signals,
        Err(error) => return end(&Failure::Usage(format!("cannot watch for signals: {error}")), None),
    };
    if let Some(dir) = &args.verify {
        let verified = verify::run(args, matches, dir, &cancel);
        return verified.map_or_else(|failure| end(&failure, signals.came()), |()| 0);
    }
    let teller = progress::Teller::start(args, &monitor);
    let outcome = Job::new(args, matches, config, (cancel, monitor.clone())).and_then(|job| job.run());
    let outcome = outcome.map_err(|failure| failure.of_signal(signals.came()));
    drop(teller);
    let report = monitor.report().unwrap_or_default();
    let code = match &outcome {
        Ok(outcome) => finished(args, outcome, report.rejected + outcome.left_out, report.lost_bytes + outcome.lost),
        Err(failure) => end(failure, signals.came()),
    };
    // Wrong use is told, and nothing is written: the path of the report may be what is wrong.
    match args.report.as_ref().filter(|_| !matches!(outcome, Err(exit::Failure::Usage(_)))) {
        Some(path) => match report::write(path, &report, outcome.as_ref().ok(), code) {
            Ok(()) => code,
            Err(failure) => end(&failure, None),
        },
        None => code,
    }
}

/// The run came to its end: says what was left out.
fn finished(args: &Args, outcome: &Outcome, left_out: u64, lost: u64) -> u8 {
    if left_out > 0 && !args.quiet {
        let records = if left_out == 1 { "record was" } else { "records were" };
        let damaged = if lost > 0 { format!(", with {lost} bytes of damaged files") } else { String::new() };
        world::say(&format!("kitbag: {left_out} {records} left out{damaged}\n"));
    }
    outcome.code(args, left_out)
}

fn end(failure: &Failure, signal: Option<u8>) -> u8 {
    failure.say();
    failure.code(signal)
}

/// The command's own thread cannot be started.
pub(crate) fn no_thread(error: &std::io::Error) -> ExitCode {
    world::say(&format!("kitbag: cannot start a thread: {error}\n"));
    ExitCode::from(exit::LIMIT)
}
