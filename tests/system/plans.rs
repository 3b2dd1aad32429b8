//! Small runs of the command that write, for faults to be put into: one file, shards, spilled groups, partitions.

use std::path::{Path, PathBuf};

use super::tool::{kitbag, print, restore, run};
use super::tree::{Tree, tree};

/// A run: its arguments before the output and the input.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    arguments: &'static [&'static str],
    target: &'static str,
    pub(crate) spills: bool,
}

pub(crate) const PLANS: [Plan; 4] = [
    Plan { name: "file", arguments: &["select(.n % 2 == 0)"], target: "a.jsonl.gz", spills: false },
    Plan { name: "shards", arguments: &["--shard-size", "400K", "."], target: "d/part-*.jsonl", spills: false },
    Plan {
        name: "groups",
        arguments: &["--shard-size", "400K", "-s", "group_by(.k) | map({k: .[0].k, s: map(.n) | add, all: .})[]"],
        target: "d/part-*.zst",
        spills: true,
    },
    Plan { name: "partitions", arguments: &["--partition-by", "{k: (.n % 3)}", "."], target: "d", spills: true },
];

pub(crate) const RECORDS: usize = 12_000;

/// Writes records, of some 250 bytes each.
pub(crate) fn records(path: &Path, count: usize) {
    let record = |n: usize| format!("{{\"n\":{},\"k\":{},\"pad\":\"{:x>200}\"}}\n", n * 7919 % 12_007, n * 31 % 701, n);
    std::fs::write(path, (0..count).map(record).collect::<String>()).unwrap();
}

/// A directory in which a plan is run, with what its output is before and after.
pub(crate) struct Place {
    dir: tempfile::TempDir,
    pub(crate) old: Tree,
    pub(crate) new: Tree,
    pub(crate) arguments: Vec<String>,
}

impl Place {
    pub(crate) fn new(plan: &Plan) -> Place {
        let dir = tempfile::tempdir().unwrap();
        let (input, out, temp) = (dir.path().join("in.jsonl"), dir.path().join("out"), dir.path().join("temp"));
        records(&input, RECORDS);
        std::fs::create_dir(&temp).unwrap();
        let mut old = Tree::from([("d".to_owned(), None), ("d/old".to_owned(), Some(b"old".to_vec()))]);
        old.insert("a.jsonl.gz".to_owned(), Some(b"old".to_vec()));
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (target, report) = (text(out.join(plan.target)), text(dir.path().join("report")));
        let settings = ["--threads", "1", "--memory", "2MiB", "--max-record", "4K", "--overwrite", "--temp-dir"];
        let arguments: Vec<String> = settings
            .into_iter()
            .chain([&*text(temp), "-o", &target])
            .chain(plan.arguments.iter().copied())
            .chain([&*text(input)])
            .map(str::to_owned)
            .collect();
        let mut place = Place { dir, old, new: Tree::new(), arguments };
        place.restore();
        print(&[&["--report".to_owned(), report.clone()], &place.arguments[..]].concat());
        place.new = tree(&place.out());
        // The harness proves that the run does what it is for.
        let spilled = print(&["--values", ".spilled_bytes", &report]).trim().parse::<u64>().unwrap();
        assert_eq!(spilled > 0, plan.spills, "{}: {spilled} bytes were spilled", plan.name);
        std::fs::remove_file(report).unwrap();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    /// Puts the old output back.
    pub(crate) fn restore(&self) {
        restore(&self.out(), &self.old);
    }

    /// The next run takes away what was left, and gives what it should.
    pub(crate) fn next_run_works(&self, label: &str) {
        let next = run(&mut kitbag(&self.arguments));
        assert!(next.code == Some(0) && tree(&self.out()) == self.new, "{label}: the next run: {next:?}");
    }
}
