//! What is made durable before it gets its name: each file that is written is synced behind its last byte, then comes the
//! one rename, then the directory in which the name is. A power cut at any moment leaves the old output or the new one.

use std::collections::BTreeMap;

use super::plans::{PLANS, Place};
use super::tool::{KITBAG, program, run};
use super::trace::can_trace;
use super::tree::tree;

/// The path in `call(3</path>, …`.
fn path_of(line: &str) -> Option<&str> {
    line.split_once('<')?.1.split_once('>').map(|(path, _)| path)
}

/// The paths in quotes.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

#[test]
fn every_file_is_durable_before_its_name_and_the_name_before_the_end() {
    if !can_trace() {
        return;
    }
    for plan in &PLANS {
        let place = Place::new(plan);
        place.restore();
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = program("strace");
        command.args(["-f", "-y", "-qq", "--seccomp-bpf", "-o"]).arg(log.path());
        command.args(["-e", "trace=write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat"]);
        let ran = run(command.arg(KITBAG).args(&place.arguments));
        assert!(ran.code == Some(0) && tree(&place.out()) == place.new, "{ran:?}");
        let log = std::fs::read_to_string(log.path()).unwrap();
        let out = place.out().to_str().unwrap().to_owned();
        // Of each path in the stage whether it was written since it was synced last; directories are written by what is
        // made in them.
        let (mut dirty, mut files, mut renamed, mut named) = (BTreeMap::new(), 0, 0, false);
        for line in log.lines() {
            let call = line.split_once(' ').unwrap().1.trim_start();
            let in_out = |path: &str| path.starts_with(&out);
            if call.starts_with("fsync") || call.starts_with("fdatasync") {
                let path = path_of(call).unwrap();
                dirty.remove(path);
                named |= renamed == 1 && path == out;
            } else if call.starts_with("rename") {
                assert_eq!(dirty.len(), 0, "{}: {line}: not durable by then: {dirty:?}", plan.name);
                renamed += usize::from(quoted(call).iter().all(|path| in_out(path)));
            } else if call.starts_with("mkdir") {
                let made = quoted(call)[0];
                // The directory of all outputs is there, and so tried in vain.
                if in_out(made) && made != out {
                    dirty.insert(made.to_owned(), "its names");
                }
            } else if let Some(path) = path_of(call).filter(|path| in_out(path)) {
                assert_eq!(renamed, 0, "{}: {line}: written under its name", plan.name);
                files += usize::from(dirty.insert(path.to_owned(), "its bytes").is_none());
            }
        }
        assert!(files > 0 && renamed == 1 && named, "{}: {files} files, {renamed} renames\n{log}", plan.name);
    }
}
