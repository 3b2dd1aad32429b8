//! The same as jq prints, where jq is installed: over the fixtures, and over real records where they are.

use std::path::Path;
use std::process::Command;

use super::tool::{jq, kitbag, run};

/// Both programs on the same decompressed text; a number that nobody computed with may be written otherwise by jq.
fn compare(jq: &Path, options: &[&str], shards: &[std::path::PathBuf]) {
    let ours = kitbag().args(options).args(shards).output().unwrap();
    let mut texts = Vec::new();
    kitbag::Input::from(shards)
        .reader(&kitbag::Config::new())
        .map(|mut text| std::io::Read::read_to_end(&mut text, &mut texts))
        .unwrap()
        .unwrap();
    let plain = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(plain.path(), texts).unwrap();
    let theirs = Command::new(jq).arg("-c").args(options).arg(plain.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ours.stderr);
    assert_eq!(ours.status.code(), theirs.status.code(), "{options:?}: {said}");
    let (ours, theirs) = (String::from_utf8(ours.stdout).unwrap(), String::from_utf8(theirs.stdout).unwrap());
    assert_eq!(ours.lines().count(), theirs.lines().count(), "{options:?}: {said}");
    for (number, (our, their)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert!(
            our == their
                || options.contains(&"-r")
                || same(&serde_json::from_str(our).unwrap(), &serde_json::from_str(their).unwrap()),
            "{options:?}, line {number}: {our} is {their} in jq"
        );
    }
}

/// Whether values are the same, where numbers are doubles: jq rounds them, and prints some with other last digits.
pub(super) fn same(our: &serde_json::Value, their: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (our, their) {
        (Number(our), Number(their)) => our.as_f64() == their.as_f64(),
        (Array(our), Array(their)) => {
            our.len() == their.len() && our.iter().zip(their).all(|(our, their)| same(our, their))
        }
        (Object(our), Object(their)) => {
            our.len() == their.len()
                && our.iter().all(|(key, our)| their.get(key).is_some_and(|their| same(our, their)))
        }
        _ => our == their,
    }
}

fn shards(folder: &str) -> Vec<std::path::PathBuf> {
    kitbag::Input::from(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).paths().unwrap()
}

#[test]
fn over_the_fixtures() {
    let Some(jq) = jq() else { return };
    for options in [
        &["."][..],
        &["-S", "."],
        &["-a", ".agent"],
        &["select(.status >= 500) | {path, status}"],
        &["-r", "[.method, .path, .status] | @csv"],
        &["keys, length, (.path | ascii_downcase | split(\"/\"))"],
        &[".user?, .referer // \"none\""],
        &["-s", "group_by(.status) | map({s: .[0].status, n: length})"],
        &["-s", "map(.bytes) | add, min, max"],
        &["-n", "[inputs.status] | unique"],
        &["-n", "reduce inputs as $h ({}; .[$h.method] += 1)"],
        &["[., input | .status]"],
        &["-R", "length"],
        &["-sR", "split(\"\\n\") | length"],
        &["--tab", ".path"],
        &["-e", ".path | startswith(\"/no\")"],
        &["--arg", "m", "GET", "select(.method == $m) | .latency_ms"],
    ] {
        compare(&jq, options, &shards("data/web"));
    }
    for options in
        [&["."][..], &[".commit.collection // .kind"], &["[paths] | length"], &["-s", "map(.did) | unique | length"]]
    {
        compare(&jq, options, &shards("data/events"));
    }
}

#[test]
fn over_real_records() {
    let Some(jq) = jq() else { return };
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/sample");
    let dir = std::env::var_os("KITBAG_SAMPLE").map_or(beside, Into::into);
    if !dir.exists() {
        eprintln!("skipped: {} is not there (KITBAG_SAMPLE names the folder of sample shards)", dir.display());
        return;
    }
    let mut compared = 0;
    for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let paths: Vec<_> = kitbag::Input::from(&entry)
            .paths()
            .unwrap()
            .into_iter()
            .filter(|path| path.to_string_lossy().contains(".jsonl"))
            .collect();
        // Their first shard is enough; some folders hold no JSON lines.
        if let [first, ..] = &paths[..]
            && run(&["-n", "first(inputs) | empty", first.to_str().unwrap()]).code == Some(0)
        {
            compare(&jq, &["keys, length"], &paths[..1]);
            compare(&jq, &["-s", "length"], &paths[..1]);
            compare(&jq, &["."], &paths[..1]);
            compared += 1;
        }
    }
    assert!(compared > 0);
}

#[test]
fn what_is_beyond_jq_is_the_same_in_jq_with_its_definitions() {
    let Some(jq) = jq() else { return };
    let extra = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/jq/extra.jq")).unwrap();
    let text = kitbag().args([".", "data/web"]).output().unwrap();
    let plain = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(plain.path(), text.stdout).unwrap();
    for program in [
        "count_by(.status)",
        "map(.path) | frequencies | map(.count)",
        "topk(5; .latency_ms) | map(.time)",
        "distinct_by(.client) | map(.time)",
        "mean(.bytes) | floor",
        "stddev(.status) * 1e6 | floor",
        "quantile(0.9; .latency_ms)",
        "map(.time[:19] + \"Z\" | fromdate | time_bucket(3600)) | unique",
    ] {
        let ours = run(&["-s", program, "data/web"]);
        let theirs = Command::new(&jq).args(["-sc", &(extra.clone() + program)]).arg(plain.path()).output().unwrap();
        assert_eq!(ours.out, String::from_utf8(theirs.stdout).unwrap(), "{program}: {}", ours.err);
    }
}
