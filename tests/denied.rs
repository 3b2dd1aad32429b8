//! What may not be read or written: the error begins with the path and names the cause. As root, who may do everything,
//! the programs are run as another user.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]
#![cfg(unix)]

mod programs;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use programs::program;

/// A user who owns nothing here.
const NOBODY: u32 = 65534;

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A directory that everybody may enter, with a copy of a program: the original may lie where only root may go.
fn room(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    allow(dir.path(), 0o755);
    copy(name, dir.path());
    allow(&dir.path().join(name), 0o755);
    dir
}

/// By another process: had this one the copy open for writing, what another test starts meanwhile would have it open too,
/// and it could not be run.
fn copy(name: &str, dir: &Path) {
    assert!(Command::new("cp").arg(program(name)).arg(dir.join(name)).status().unwrap().success());
}

/// Runs the program as a user who may not do everything; it must fail and say this, after its name and the path.
fn denied(dir: &Path, name: &str, arguments: &[&Path], place: &Path) {
    let mut command = Command::new(dir.join(name));
    command.args(arguments).current_dir(dir);
    // What this process makes belongs to its own user.
    if dir.metadata().unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{name} {arguments:?} succeeded: {said}");
    assert!(output.stdout.is_empty(), "{name} {arguments:?} printed something");
    assert!(said.starts_with(&format!("{name}: {}: ", place.display())), "{said}");
    assert!(said.contains("Permission denied"), "{said}");
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    let dir = room("count_by");
    let path = dir.path().join("secret.jsonl");
    std::fs::write(&path, "{\"kind\":1}\n").unwrap();
    allow(&path, 0o000);
    for input in [path.clone(), dir.path().join("*.jsonl")] {
        denied(dir.path(), "count_by", &[Path::new(".kind"), &input], &path);
        denied(dir.path(), "count_by", &[Path::new("--lane"), Path::new("json"), Path::new(".kind"), &input], &path);
    }
}

#[test]
fn a_directory_that_may_not_be_listed_is_named() {
    let dir = room("count_by");
    let walked = dir.path().join("walked");
    let locked = walked.join("locked");
    std::fs::create_dir_all(&locked).unwrap();
    allow(&walked, 0o755);
    std::fs::write(walked.join("part-1.jsonl"), "{\"kind\":1}\n").unwrap();
    std::fs::write(locked.join("part-2.jsonl"), "{\"kind\":2}\n").unwrap();
    allow(&locked, 0o000);
    denied(dir.path(), "count_by", &[Path::new(".kind"), &walked], &locked);
    // A directory that may be listed and not entered: its files cannot be looked at.
    allow(&locked, 0o444);
    denied(dir.path(), "count_by", &[Path::new(".kind"), &walked], &locked.join("part-2.jsonl"));
    allow(&locked, 0o755);
}

#[test]
fn an_output_directory_that_may_not_be_written_is_named() {
    let dir = room("clean");
    copy("customers", dir.path());
    let input = dir.path().join("orders.jsonl");
    std::fs::write(&input, "{\"order_id\":1,\"customer\":{\"id\":1,\"name\":\"a\",\"email\":\"b\"},\"currency\":\"eur\",\"created_at\":\"x\",\"items\":[]}\n").unwrap();
    allow(&input, 0o644);
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    allow(&locked, 0o555);
    let (shards, file) = (locked.join("items"), locked.join("customers.jsonl"));
    denied(dir.path(), "clean", &[&shards, &input], &shards);
    denied(dir.path(), "customers", &[&file, &input], &file);
    assert_eq!(std::fs::read_dir(&locked).unwrap().count(), 0);
    allow(&locked, 0o755);
}
