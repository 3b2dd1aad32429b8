//! `--verify DIR`: whether a directory still holds what was written there.

use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _};
use kitbag::CancelToken;

use super::args::Args;
use super::exit::Failure;
use super::{settings, stdout};

/// The options that mean something here.
const MEANT: [&str; 4] = ["verify", "threads", "memory", "quiet"];

/// Verifies the directory and says so.
pub(super) fn run(args: &Args, matches: &ArgMatches, dir: &Path, cancel: &CancelToken) -> Result<(), Failure> {
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let options = Args::command();
    if let Some(other) =
        options.get_arguments().map(|option| option.get_id().as_str()).find(|id| given(id) && !MEANT.contains(id))
    {
        let text =
            format!("--verify takes --threads, --memory and --quiet: {} means nothing here", other.replace('_', "-"));
        return Err(Failure::Usage(text));
    }
    match kitbag::verify(dir, &settings::limits(args, cancel)) {
        Ok(_) if args.quiet => Ok(()),
        Ok(verified) => {
            let dir = kitbag::escape(dir.as_os_str().as_encoded_bytes(), usize::MAX);
            let (parts, lines, bytes) = (verified.parts, verified.lines, verified.file_bytes);
            let text = format!("{dir}: verified {parts} files, {lines} lines, {bytes} bytes\n");
            Ok(stdout::print(text.as_bytes())?)
        }
        Err(unverified) => {
            let all = unverified.to_string();
            // What is wrong with the run itself comes alone.
            let alone = <[kitbag::Error; 1]>::try_from(unverified.faults);
            Err(alone.map_or(Failure::Input(all), |[fault]| fault.into()))
        }
    }
}
