//! strace as a means: it puts faults into the calls of the real program, and says how often it did.

use std::path::PathBuf;

use super::tool::{KITBAG, Ran, has, program, run, skipped};

/// What is put into which call.
pub(crate) struct Fault<'a> {
    /// Names of calls, separated by commas.
    pub(crate) calls: &'a str,
    /// As strace has it: `error=EIO`, `retval=1`, `signal=KILL`.
    pub(crate) what: &'a str,
    /// The first one that fails, of each thread's.
    pub(crate) first: usize,
    /// All that come behind it fail too.
    pub(crate) for_ever: bool,
}

/// A run under a fault.
pub(crate) struct Traced {
    pub(crate) ran: Ran,
    /// How often the fault was put in.
    pub(crate) fired: usize,
    /// Calls as strace saw them.
    pub(crate) log: String,
}

/// Whether strace is here and may be used; says that the test is skipped if not.
pub(crate) fn can_trace() -> bool {
    if !has("strace") {
        return false;
    }
    let may = run(program("strace").args(["-f", "-qq", "-o", "/dev/null", "true"])).code == Some(0);
    if !may {
        skipped("strace may not trace here");
    }
    may
}

/// Runs the command with a fault.
pub(crate) fn traced(fault: &Fault<'_>, arguments: &[String]) -> Traced {
    let log = tempfile::NamedTempFile::new().unwrap();
    let path: PathBuf = log.path().to_owned();
    let Fault { calls, what, first, for_ever } = fault;
    let plus = if *for_ever { "+" } else { "" };
    let mut command = program("strace");
    // Without `trace=` of the same calls strace injects nothing, and does not say so.
    command.args(["-f", "-qq", "-s", "0", "-o"]).arg(&path);
    if !what.starts_with("signal=") {
        // Faster; but signals come at the first call only then.
        command.arg("--seccomp-bpf");
    }
    command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{what}:when={first}{plus}")]);
    let ran = run(command.arg(KITBAG).args(arguments));
    let log = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    let fired = match what.starts_with("signal=") {
        true => usize::from(log.contains("killed by SIG")),
        false => log.matches("(INJECTED)").count() + log.matches("(DELAYED)").count(),
    };
    Traced { ran, fired, log }
}

/// Numbers that grow by one first, and then faster: faults that come by the hundred are much alike.
pub(crate) fn next(k: usize) -> usize {
    if k < 6 { k + 1 } else { k + k / 2 }
}
