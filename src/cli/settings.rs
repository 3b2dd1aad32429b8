//! What options say of the library's runs.

use kitbag::{BadRecords, CancelToken, Config, Monitor};

use super::STACK;
use super::args::Args;
use super::values::OnError;

/// The configuration of the library's runs.
pub(super) fn config(args: &Args, monitor: &Monitor, cancel: &CancelToken) -> Config {
    let bad = match &args.on_error {
        OnError::Fail => BadRecords::Fail,
        OnError::Skip => BadRecords::Skip,
        OnError::Quarantine(path) => BadRecords::Quarantine(path.clone()),
    };
    let config = limits(args, cancel).bad_records(bad).monitor(monitor);
    match args.max_errors {
        // From the environment it is for runs that leave records out.
        Some(most) if args.on_error != OnError::Fail => config.max_errors(most),
        _ => config,
    }
}

/// What of it is for every run, also for one whose records are outputs.
pub(super) fn limits(args: &Args, cancel: &CancelToken) -> Config {
    // jq takes several values a line, and nests more than the library's default; the threads' stacks are deep enough.
    let mut config = Config::new().cancel_token(cancel).ordered(!args.unordered);
    config = config.max_depth(1024).stack_size(STACK).concatenated(true);
    if let Some(threads) = args.threads {
        config = config.threads(threads);
    }
    if let Some(bytes) = args.memory {
        config = config.memory(bytes);
    }
    if let Some(dir) = &args.temp_dir {
        config = config.temp_dir(dir);
    }
    if let Some(bytes) = args.max_temp {
        config = config.max_temp(bytes);
    }
    if let Some(bytes) = args.max_record {
        config = config.max_record(bytes);
    }
    config
}
