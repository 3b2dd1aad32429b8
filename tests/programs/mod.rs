//! The built programs of `examples/`, which `cargo test` builds before it runs any test.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "shared by test binaries that each use a part of it; tests may touch the system and panic"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where the example is built: beside the directory of this test's own program.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).expect("a test lies in target/<profile>/deps");
    let path = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "the example `{name}` is not built: {} is missing. `cargo test` builds the examples; before a single test is \
         run by its name, `cargo build --examples` does",
        path.display()
    );
    path
}

/// Runs an example in the root of the project.
pub fn run(name: &str, arguments: &[&str]) -> Output {
    run_with_input(name, arguments, b"")
}

/// Runs an example with these bytes on its standard input.
pub fn run_with_input(name: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program(name));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A program that reads no input may be gone before all of it is written.
        scope.spawn(move || _ = stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}

/// Runs an example that must succeed without a word on stderr, and gives what it prints.
pub fn succeed(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{name} {arguments:?}: {}: {said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
