//! A memory limit of the system around the run: with the budget and 64 MiB nobody is killed; with far less the old output
//! stays as it was.

use std::path::{Path, PathBuf};

use super::plans::{PLANS, Place, records};
use super::tool::{KITBAG, Running, after, is_root, names, print, run, signal, skipped, visible};
use super::tree::tree;

/// A control group of our own, of either version; removed when it is dropped.
struct Group {
    dir: PathBuf,
    limit: &'static str,
}

impl Group {
    /// Says that the test is skipped if there is none to be had.
    fn new(name: &str) -> Option<Group> {
        if !is_root() {
            return None;
        }
        let unified = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
        let (root, limit) = match unified.split_whitespace().any(|controller| controller == "memory") {
            true => ("/sys/fs/cgroup", "memory.max"),
            false => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        };
        if limit == "memory.max" {
            // What is below may have limits only where the controller is handed on.
            let _ = std::fs::write(Path::new(root).join("cgroup.subtree_control"), "+memory");
        }
        let dir = Path::new(root).join(format!("kitbag-test-{name}-{}", std::process::id()));
        let made = std::fs::create_dir(&dir).is_ok();
        let group = Group { dir, limit };
        if !made || std::fs::write(group.dir.join(limit), "100000000").is_err() {
            skipped("there is no control group for memory");
            return None;
        }
        Some(group)
    }

    fn set(&self, bytes: u64) {
        std::fs::write(self.dir.join(self.limit), bytes.to_string()).unwrap();
    }

    /// How often the system has killed somebody in it.
    fn kills(&self) -> u64 {
        ["memory.events", "memory.oom_control"]
            .iter()
            .filter_map(|name| std::fs::read_to_string(self.dir.join(name)).ok())
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|line| line.strip_prefix("oom_kill ").and_then(|count| count.trim().parse::<u64>().ok()))
            .sum()
    }

    /// What a shell does to be in it.
    fn enter(&self) -> String {
        format!("echo $$ >{}/cgroup.procs", self.dir.display())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whoever was in it is gone, but the system may not have noticed yet.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.dir).is_ok() || !self.dir.exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[test]
fn within_the_budget_and_64_mib_no_run_is_killed() {
    let Some(group) = Group::new("fits") else { return };
    // On a disk: what lies in memory is charged too.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let input = dir.path().join("in.jsonl");
    records(&input, 300_000);
    let budget: u64 = 16 << 20;
    group.set(budget + (64 << 20));
    let (input, out) = (input.to_str().unwrap(), dir.path().join("out/p-*.zst"));
    let (out, report) = (out.to_str().unwrap(), dir.path().join("report"));
    let report = report.to_str().unwrap();
    for program in [
        &["-s", "group_by(.k) | map({k: .[0].k, s: map(.n) | add, all: map(.pad)})[]"][..],
        &["-s", "sort_by(.n)[]"],
        &["-s", "unique_by(.n, .pad)[]"],
        &["--partition-by", "{k: (.n % 50)}", "."],
    ] {
        let out = if program[0] == "-s" { out } else { out.trim_end_matches("/p-*.zst") };
        let temp = dir.path().to_str().unwrap();
        let settings = ["--memory", "16MiB", "--threads", "2", "--overwrite", "--temp-dir", temp, "--report", report];
        let ran = run(&mut after(&group.enter(), &[&settings[..], &["-o", out], program, &[input]].concat()));
        assert!(ran.code == Some(0) && group.kills() == 0, "{program:?}: {ran:?}, {} kills", group.kills());
        let spilled: u64 = print(&["--values", ".spilled_bytes", report]).trim().parse().unwrap();
        assert!(spilled > budget / 4, "{program:?}: {spilled} bytes were spilled: the budget was hardly too small");
    }
}

#[test]
fn a_run_that_the_system_kills_leaves_the_old_output() {
    let Some(group) = Group::new("killed") else { return };
    let (mut killed, mut alive) = (0, 0);
    for plan in &PLANS {
        let mut place = Place::new(plan);
        let memory = place.arguments.iter().position(|argument| argument == "--memory").unwrap() + 1;
        // It may take what it has not.
        place.arguments[memory] = "256MiB".to_owned();
        for kib in [1500, 3000, 4500, 6000, 9000] {
            place.restore();
            group.set(kib << 10);
            let before = group.kills();
            let ran = run(&mut after(&group.enter(), &place.arguments));
            let (after, _) = visible(tree(&place.out()));
            let label = format!("{}, {kib} KiB: {ran:?}", plan.name);
            match group.kills() > before {
                true => {
                    assert!(ran.signal == Some(9) && after == place.old, "{label}");
                    killed += 1;
                }
                false => {
                    assert!(ran.code == Some(0) && after == place.new || after == place.old, "{label}");
                    alive += 1;
                }
            }
        }
        place.next_run_works(plan.name);
        assert_eq!(names(&place.path().join("temp")), [""; 0], "{}", plan.name);
    }
    println!("{killed} runs killed, {alive} not");
    assert!(killed >= 4, "{killed} runs were killed");
}

/// A stopped process holds its lock: what is its own is not taken away, though it does nothing for long.
#[test]
fn what_a_stopped_process_holds_stays() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let stages = || names(dir.path()).iter().filter(|name| name.starts_with(".kitbag-stage-")).count();
    let mut command = super::tool::program(KITBAG);
    command.args(["-o", &at("a/p-*.jsonl"), "."]).stdin(std::process::Stdio::piped());
    let mut stopped = Running::start(&mut command);
    let begun = std::time::Instant::now();
    while stages() == 0 {
        assert!(begun.elapsed().as_secs() < 10, "the run did not begin");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(signal("STOP", &stopped.0.id().to_string()));
    print(&["-n", "-o", &at("b/p-*.jsonl"), "1"]);
    assert_eq!(stages(), 1);
    assert!(signal("CONT", &stopped.0.id().to_string()));
    drop(stopped.0.stdin.take());
    let ended = stopped.ended_within(std::time::Duration::from_secs(10)).unwrap();
    assert!(ended.success() && names(dir.path()) == ["a", "b"], "{ended:?}");
}
