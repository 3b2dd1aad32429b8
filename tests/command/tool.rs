//! Running the program.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of the program came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

/// The program, in the root of the project, without variables that would change what it does.
pub(crate) fn kitbag() -> Command {
    // KITBAG_PROGRAM names another build of it, such as the optimised one.
    let program = std::env::var_os("KITBAG_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_kitbag").into());
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KITBAG_") || name == "JQ_COLORS" || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the program with these arguments and this standard input.
pub(crate) fn run_with<A: AsRef<OsStr>>(arguments: &[A], input: &[u8]) -> Ran {
    finish(kitbag().args(arguments), input)
}

/// The same, without input.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: &[A]) -> Ran {
    run_with(arguments, b"")
}

pub(crate) fn finish(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A program that reads no input may be gone before all of it is written.
        scope.spawn(move || _ = stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

/// What a run prints that must succeed and say nothing.
pub(crate) fn print<A: AsRef<OsStr> + std::fmt::Debug>(arguments: &[A], input: &str) -> String {
    let ran = run_with(arguments, input.as_bytes());
    assert!(ran.code == Some(0) && ran.err.is_empty(), "{arguments:?}: {ran:?}");
    ran.out
}

/// A directory with these files.
pub(crate) fn files(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

pub(crate) fn at(dir: &tempfile::TempDir, name: &str) -> String {
    dir.path().join(name).to_str().unwrap().to_owned()
}

/// The names in a directory, hidden ones too.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// jq, where there is one.
pub(crate) fn jq() -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join("jq")).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: jq is not installed");
    }
    found
}
