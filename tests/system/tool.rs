//! Running the command, with a watchdog, and looking at what it has left.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::tree::Tree;

/// No run of these tests takes longer.
const WATCHDOG: Duration = Duration::from_secs(60);

/// What a run of the program came to.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

impl Ran {
    pub(crate) fn new(status: ExitStatus, out: Vec<u8>, err: &[u8]) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { out: text(&out), err: text(err), code: status.code(), signal: status.signal() }
    }
}

pub(crate) const KITBAG: &str = env!("CARGO_BIN_EXE_kitbag");

/// A program that is run without variables that would change what the command does, as a process group of its own: so
/// what it has started ends with it.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("KITBAG_") {
            command.env_remove(variable);
        }
    }
    command.stdin(Stdio::null()).process_group(0);
    command
}

/// The command.
pub(crate) fn kitbag<A: AsRef<std::ffi::OsStr>>(arguments: &[A]) -> Command {
    let mut command = program(KITBAG);
    command.args(arguments);
    command
}

/// The command, started by a shell that does something first: `$0` is the command.
pub(crate) fn after<A: AsRef<std::ffi::OsStr>>(first: &str, arguments: &[A]) -> Command {
    let mut command = program("sh");
    command.args(["-c", &format!("{first}; exec \"$0\" \"$@\""), KITBAG]).args(arguments);
    command
}

/// A running program; it is killed, with all that it has started, if it is still there when this is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            signal("KILL", &format!("-{}", self.0.id()));
            let _ = self.0.wait();
        }
    }
}

/// Sends a signal to a process, or to a group with `-` before its number; whether there was one.
pub(crate) fn signal(name: &str, to: &str) -> bool {
    Command::new("kill").args(["-s", name, "--", to]).stderr(Stdio::null()).status().unwrap().success()
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        Running(command.spawn().unwrap())
    }

    /// Waits for its end, at most so long.
    pub(crate) fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            match self.0.try_wait().unwrap() {
                Some(status) => return Some(status),
                None if begun.elapsed() > limit => return None,
                None => std::thread::sleep(Duration::from_micros(500)),
            }
        }
    }

    /// Its end and what it said.
    pub(crate) fn finish(mut self) -> Ran {
        let gather = |pipe: Option<Box<dyn Read + Send>>| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                if let Some(mut pipe) = pipe {
                    let _ = pipe.read_to_end(&mut bytes);
                }
                bytes
            })
        };
        let out = gather(self.0.stdout.take().map(|pipe| Box::new(pipe) as _));
        let err = gather(self.0.stderr.take().map(|pipe| Box::new(pipe) as _));
        let status = self.ended_within(WATCHDOG).expect("HANG: the run does not end");
        Ran::new(status, out.join().unwrap(), &err.join().unwrap())
    }
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).finish()
}

/// Runs the command, which must succeed.
pub(crate) fn print<A: AsRef<std::ffi::OsStr> + std::fmt::Debug>(arguments: &[A]) -> String {
    let ran = run(&mut kitbag(arguments));
    assert!(ran.code == Some(0) && ran.err.is_empty(), "{arguments:?}: {ran:?}");
    ran.out
}

/// Whether all of it is to be run, and in full; elsewhere what is done by the hundred is done a few times.
pub(crate) fn is_required() -> bool {
    std::env::var_os("KITBAG_SYSTEM").is_some_and(|value| value == "required")
}

/// Says that a test cannot be run here, which is a failure where all must be.
pub(crate) fn skipped(why: &str) {
    assert!(!is_required(), "KITBAG_SYSTEM=required, but {why}");
    eprintln!("skipped: {why}");
}

/// Whether this is root; says that the test is skipped if not.
pub(crate) fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let root = status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    if !root {
        skipped("this is not root");
    }
    root
}

/// Whether there is such a program; says that the test is skipped if not.
pub(crate) fn has(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    if !found {
        skipped(&format!("{name} is not installed"));
    }
    found
}

/// A tree without what killed runs leave hidden, and how many names that was.
pub(crate) fn visible(mut tree: Tree) -> (Tree, usize) {
    let before = tree.len();
    tree.retain(|name, _| !name.starts_with(".kitbag-"));
    let hidden = before - tree.len();
    (tree, hidden)
}

/// Makes a directory what it was.
pub(crate) fn restore(dir: &Path, to: &Tree) {
    let _ = std::fs::remove_dir_all(dir);
    std::fs::create_dir_all(dir).unwrap();
    for (name, bytes) in to {
        match bytes {
            None => std::fs::create_dir_all(dir.join(name)).unwrap(),
            Some(bytes) => std::fs::write(dir.join(name), bytes).unwrap(),
        }
    }
}

/// The names in a directory, hidden ones too.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
