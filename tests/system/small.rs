//! A file system that is nearly full: a tmpfs that only a helper process has mounted, so that nothing of it outlives this
//! test, whatever ends it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::tool::{Running, has, is_root, program, skipped};

pub(crate) struct Small {
    path: PathBuf,
    _holder: Running,
    _dir: tempfile::TempDir,
}

impl Small {
    /// With these options: `size=1m`, `nr_inodes=9`. Says that the test is skipped if it cannot be had.
    pub(crate) fn new(options: &str) -> Option<Small> {
        if !is_root() || !has("unshare") || !has("mount") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut command = program("unshare");
        let script = "mount -t tmpfs -o \"$1\" tmpfs \"$0\" && echo mounted && exec cat";
        command.args(["--mount", "--propagation", "private", "sh", "-c", script]).arg(dir.path()).arg(options);
        let mut holder = Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut said = String::new();
        BufReader::new(holder.0.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        if said.trim() != "mounted" {
            skipped("nothing can be mounted here");
            return None;
        }
        let path = PathBuf::from(format!("/proc/{}/root{}", holder.0.id(), dir.path().display()));
        Some(Small { path, _holder: holder, _dir: dir })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn at(&self, name: &str) -> String {
        self.path.join(name).to_str().unwrap().to_owned()
    }

    /// Blocks and names that are free.
    pub(crate) fn free(&self) -> (u64, u64) {
        let stat = rustix::fs::statvfs(&self.path).unwrap();
        (stat.f_bfree, stat.f_ffree)
    }
}
