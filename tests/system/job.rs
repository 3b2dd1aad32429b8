//! A job that is killed, and has its power cut: it reads, spills, and writes shards over an old output.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::tool::{names, print};

/// See the module text.
pub(crate) struct Job {
    dir: PathBuf,
    _made: Option<tempfile::TempDir>,
    out: PathBuf,
    lines: usize,
}

impl Job {
    pub(crate) fn new() -> Job {
        let made = tempfile::tempdir().unwrap();
        let job = Job::at(made.path().to_owned());
        Job { _made: Some(made), ..job }
    }

    /// In a directory that is there.
    pub(crate) fn at(dir: PathBuf) -> Job {
        let lines = 12_000;
        let record = |n: usize| format!("{{\"n\":{n},\"k\":{},\"pad\":\"{:x>180}\"}}\n", n * 7919 % 12_007, n);
        std::fs::write(dir.join("in.jsonl"), (0..lines).map(record).collect::<String>()).unwrap();
        let out = dir.join("out");
        Job { dir, _made: None, out, lines }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its arguments, of a run whose records carry this number.
    pub(crate) fn arguments(&self, number: usize) -> Vec<String> {
        let (target, input) = (self.out.join("part-*.jsonl"), self.dir.join("in.jsonl"));
        let program = "sort_by(.k)[] | {n, v: $v}";
        let settings =
            ["--memory", "2MiB", "--max-record", "4K", "--threads", "2", "--shard-size", "32K", "--overwrite"];
        let more = ["--argjson", "v", &number.to_string(), "-s", program, "-o"].map(str::to_owned);
        let paths = [target, input].map(|path| path.to_str().unwrap().to_owned());
        settings.map(str::to_owned).into_iter().chain(more).chain(paths).collect()
    }

    /// Which run the output is of; it must be whole, and have each record once.
    pub(crate) fn number(&self, label: &str) -> usize {
        let verified = print(&["--quiet", "--verify", self.out.to_str().unwrap()]);
        assert_eq!(verified, "", "{label}");
        let (mut seen, mut numbers) = (vec![false; self.lines], Vec::new());
        for name in names(&self.out).into_iter().filter(|name| name.starts_with("part-")) {
            for line in std::fs::read_to_string(self.out.join(name)).unwrap().lines() {
                let (n, v) = line.strip_prefix("{\"n\":").and_then(|rest| rest.split_once(",\"v\":")).unwrap();
                assert!(
                    !std::mem::replace(&mut seen[n.parse::<usize>().unwrap()], true),
                    "{label}: {n} is there twice"
                );
                numbers.push(v.trim_end_matches('}').parse::<usize>().unwrap());
            }
        }
        assert!(seen.iter().all(|seen| *seen), "{label}: a record is lost");
        numbers.dedup();
        assert_eq!(numbers.len(), 1, "{label}: two runs are mixed: {numbers:?}");
        numbers[0]
    }

    /// When runs are hit; the first one proves that it spills.
    pub(crate) fn moments(&self) -> Moments {
        let report = self.dir.join("report").to_str().unwrap().to_owned();
        print(&[&["--report".to_owned(), report.clone()], &self.arguments(0)[..]].concat());
        assert!(print(&["--values", ".spilled_bytes > 0", &report]) == "true\n", "the job does not spill");
        std::fs::remove_file(report).unwrap();
        let begun = Instant::now();
        print(&self.arguments(0));
        Moments { most: begun.elapsed() }
    }

    /// What stages are beside the output.
    pub(crate) fn hidden(&self) -> usize {
        names(&self.dir).iter().filter(|name| name.starts_with('.')).count()
    }
}

/// Moments of a run, and a few behind it, so that some come behind the commit. How long a run takes changes with what else
/// the machine does: the moments follow what they hit.
#[derive(Debug)]
pub(crate) struct Moments {
    most: Duration,
}

impl Moments {
    pub(crate) fn next(&self, dice: &mut Dice) -> Duration {
        self.most.mul_f64(dice.below(1_000_000) as f64 / 1e6)
    }

    /// Says whether the run was still there. Four of five are in the end.
    pub(crate) fn hit(&mut self, hit: bool) {
        self.most = self.most.mul_f64(if hit { 1.03 } else { 0.88 });
    }
}
