//! What is written beside the outputs is kept apart from what is read, and from them.

use std::path::{Path, PathBuf};

use kitbag::{Input, Target, escape};

use super::args::Args;
use super::bags::Bags;
use super::exit::Failure;
use super::values::OnError;

/// What is written beside the outputs must not be what is read, nor vanish with what an output replaces.
pub(super) fn check(args: &Args, input: &[PathBuf], bags: &Bags, target: Option<&Target>) -> Result<(), Failure> {
    if bags.are_stdin() && !args.null_input && input.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::Usage("expected --bag NAME=FILE: standard input is for the records".into()));
    }
    let quarantine = match &args.on_error {
        OnError::Quarantine(path) => Some(("--on-error quarantine", path)),
        OnError::Fail | OnError::Skip => None,
    };
    let report = args.report.as_ref().map(|path| ("--report", path));
    for (option, path) in quarantine.iter().chain(&report) {
        let wrong = |what: &str| {
            let path = escape(path.as_os_str().as_encoded_bytes(), 80);
            Err(Failure::Usage(format!("{option} writes to {path}, which {what}: expected another file")))
        };
        if Input::from(input).is_read_from(path)? || bags.are_read_from(path)? {
            return wrong("is read");
        }
        if args.output.as_ref().is_some_and(|output| path.starts_with(whole(output))) {
            return wrong("is the output's");
        }
        if quarantine.zip(report).is_some_and(|((_, quarantine), (_, report))| quarantine == report) {
            return wrong("is for the records that are left out and for the report");
        }
    }
    if let Some((_, path)) = report {
        Target::new(path).overwrite().check()?;
    }
    // A run that is refused empties no quarantine of an earlier one.
    target.filter(|_| args.partition_by.is_none()).map_or(Ok(()), |target| Ok(target.check()?))
}

/// The file or directory that an output is, whole.
fn whole(output: &Path) -> &Path {
    let pattern = output.file_name().is_some_and(|name| name.as_encoded_bytes().contains(&b'*'));
    output.parent().filter(|_| pattern).unwrap_or(output)
}
