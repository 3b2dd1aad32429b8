//! What is in records stays out of reports, manifests, progress and file names, and out of messages but for the excerpt of
//! a record that cannot be read and for what a program says of its values.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::tool::{Ran, Running, kitbag, print, run};
use super::tree::tree;

const CANARY: &str = "canary-3f9c1b";

/// Whether it is in any of the bytes, as it is or in upper case.
fn is_in(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    text.contains(CANARY)
}

fn runs(dir: &Path, options: &[&str]) -> Ran {
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let mut command = kitbag(&["--report", &at("report.json"), "--progress", "json", "--overwrite"]);
    command.args(["--memory", "2MiB", "--max-record", "4K", "--threads", "1"]).args(options).arg(dir.join("in.jsonl"));
    run(&mut command)
}

#[test]
fn nothing_of_a_record_is_in_what_is_said_about_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let record = |n: usize| format!("{{\"n\":{n},\"token\":\"{CANARY}\",\"pad\":\"{:x>200}\"}}\n", n);
    let good: String = (0..10_000).map(record).collect();
    let bad = format!("{good}{{\"token\":\"{CANARY}\" \n{{\"n\":\"{CANARY}\"}}\n");
    let out = dir.path().join("out");
    let target = out.join("part-*.gz");
    let quarantine = dir.path().join("left-out.jsonl");
    let policy = format!("quarantine={}", quarantine.display());
    let mut spilled = 0;
    for (text, options, code) in [
        (&good, &["-s", "group_by(.n % 97)[]"][..], 0),
        (&good, &["-s", "sort_by(.token, .n)[]"], 0),
        (&good, &["."], 0),
        (&good, &["--partition-by", "{k: (.n % 3)}", "."], 0),
        (&bad, &["--on-error", "skip", ".n += 1"], 5),
        (&bad, &["--on-error", &policy, ".n += 1"], 5),
        (&bad, &["--on-error", "skip", "--max-errors", "1", ".n += 1"], 2),
        (&good, &["-s", "--max-temp", "64K", "sort_by(.token)[]"], 6),
        (&good, &["--explain", "-s", "sort_by(.token)"], 0),
    ] {
        std::fs::write(dir.path().join("in.jsonl"), text).unwrap();
        let target = if options[0] == "--partition-by" { out.clone() } else { target.clone() };
        let mut all = vec!["-o", target.to_str().unwrap()];
        all.extend_from_slice(options);
        let ran = runs(dir.path(), &all);
        assert_eq!(ran.code, Some(code), "{options:?}: {}", ran.err);
        assert!(!is_in(ran.err.as_bytes()) && !is_in(ran.out.as_bytes()), "{options:?}: {} {}", ran.err, ran.out);
        for (name, bytes) in tree(dir.path()) {
            assert!(!is_in(name.as_bytes()), "{options:?}: {name}");
            let data = name == "in.jsonl" || name == "left-out.jsonl" || name.contains("part-");
            assert!(data || !bytes.is_some_and(|bytes| is_in(&bytes)), "{options:?}: {name}");
        }
        let report = dir.path().join("report.json");
        let did = print(&["--values", ".spilled_bytes > 0", report.to_str().unwrap()]);
        spilled += usize::from(did == "true\n");
    }
    assert!(spilled >= 3, "{spilled}");
    // Progress is told once a second.
    let mut command = kitbag(&["--progress", "json", "-s", "sort_by(.token) | length"]);
    let mut run = Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut stdin = run.0.stdin.take().unwrap();
    stdin.write_all(good.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    drop(stdin);
    let told = run.finish();
    assert!(told.code == Some(0) && told.err.contains("\"read_bytes\":") && !is_in(told.err.as_bytes()), "{told:?}");
    // The canary sings where it is documented to: so it would have been seen elsewhere.
    assert!(is_in(&std::fs::read(&quarantine).unwrap()));
    let told = runs(dir.path(), &["-o", target.to_str().unwrap(), ".n += 1"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    std::fs::write(dir.path().join("in.jsonl"), &bad[good.len()..]).unwrap();
    let told = runs(dir.path(), &["-o", target.to_str().unwrap(), "."]);
    assert!(told.code == Some(2) && is_in(told.err.as_bytes()), "{}", told.err);
}

#[test]
fn what_holds_records_aside_is_its_owners_alone_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (input, kept) = (dir.path().join("in.jsonl"), dir.path().join("left-out.jsonl"));
    std::fs::write(&input, "{\"a\":1}\nno\n").unwrap();
    for umask in ["0", "022", "0377"] {
        let _ = std::fs::remove_file(&kept);
        let policy = format!("quarantine={}", kept.display());
        let arguments = ["--on-error", &policy, ".", input.to_str().unwrap()];
        let ran = run(&mut super::tool::after(&format!("umask {umask}"), &arguments));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let mode = std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777;
        assert!(mode & 0o077 == 0, "umask {umask}: {mode:o}");
    }
}
