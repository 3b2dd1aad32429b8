//! What a directory says of itself: the manifest is the same for every configuration, and whatever is damaged, lost or
//! added later is found and named.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and look at files")]

use super::common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Dice, corners, watched};
use kitbag::{
    BadRecords, Bag, CancelToken, Config, ErrorKind, Input, JsonRef, Monitor, Partition, Scan, Target, verify,
};
use serde_json::Value;

/// Every file below a directory, by path.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(here) = waiting.pop() {
        for entry in std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => waiting.push(entry),
                false => {
                    let name = entry.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, std::fs::read(&entry).unwrap());
                }
            }
        }
    }
    found
}

fn manifest(dir: &Path) -> Value {
    let text = std::fs::read(dir.join(".manifest.json")).unwrap();
    assert!(text.ends_with(b"}\n") && text.iter().filter(|&&byte| byte == b'\n').count() == 1);
    serde_json::from_slice(&text).unwrap()
}

/// Two shards, with a bad line in each.
fn input(dir: &Path) -> Vec<PathBuf> {
    let text = |from: usize| -> String {
        (from..from + 400)
            .map(|n| if n % 400 == 77 { "no\n".into() } else { format!("{{\"n\":{n},\"k\":{}}}\n", n % 3) })
            .collect()
    };
    let paths = [dir.join("a.jsonl"), dir.join("b.jsonl.gz")];
    std::fs::write(&paths[0], text(0)).unwrap();
    std::fs::write(&paths[1], common::pack::gzip(text(400).as_bytes())).unwrap();
    paths.into()
}

fn by_key(record: JsonRef<'_>) -> kitbag::Result<Partition> {
    Partition::new().with_json("k", record.get("k"))
}

#[test]
fn a_manifest_tells_what_was_read_and_written_the_same_for_every_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let (paths, out) = (input(dir.path()), dir.path().join("out"));
    for (name, parted) in [("part-*.jsonl.zst", false), ("p*.gz", true), ("*", true)] {
        let mut first = None;
        for setting in corners() {
            let config = setting.config().bad_records(BadRecords::Skip);
            let target = Target::new(out.join(name)).overwrite().shard_size(900);
            let scan = Scan::new(&paths[..]).with(config.clone());
            let run = || match parted {
                true => scan.write_partitioned(target, by_key),
                false => scan.write_jsonl(target),
            };
            let written = watched(&setting.to_string(), run).unwrap();
            let found = tree(&out);
            assert_eq!(found["_SUCCESS"], b"");
            let manifest = manifest(&out);
            let number = |key: &str| manifest[key].as_u64().unwrap();
            assert_eq!((number("format"), number("records"), number("lines")), (1, 798, 798));
            assert_eq!((number("partitions"), number("text_bytes")), (written.partitions, written.text_bytes));
            assert_eq!(number("file_bytes"), written.file_bytes);
            let made_from = &manifest["made_from"];
            let inputs = made_from["inputs"].as_array().unwrap();
            assert_eq!((made_from["read"].as_u64(), made_from["rejected"].as_u64()), (Some(800), Some(2)));
            assert_eq!((made_from["on_error"].as_str(), inputs.len()), (Some("skip"), 2));
            for (input, path) in inputs.iter().zip(&paths) {
                let meta = std::fs::metadata(path).unwrap();
                let modified = meta.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
                assert_eq!(input["path"], path.to_str().unwrap());
                assert_eq!(input["bytes"], meta.len());
                assert_eq!(u128::from(input["modified_ns"].as_u64().unwrap()), modified.as_nanos());
            }
            let parts = manifest["parts"].as_array().unwrap();
            assert!(parts.len() > 3 && parts.len() == written.files.len() && found.len() == parts.len() + 2);
            for ((part, path), same) in parts.iter().zip(&written.files).zip(&written.parts) {
                assert_eq!(out.join(part["path"].as_str().unwrap()), *path);
                let bytes = std::fs::read(path).unwrap();
                assert_eq!(part["crc32"], format!("{:08x}", crc32fast::hash(&bytes)));
                assert_eq!(part["file_bytes"], bytes.len());
                let lines = Bag::read_text(path).collect().unwrap();
                assert_eq!(part["lines"], lines.len());
                assert_eq!(part["text_bytes"], lines.iter().map(|line| line.len() + 1).sum::<usize>());
                assert_eq!((same.crc32, same.lines), (crc32fast::hash(&bytes), lines.len() as u64));
            }
            let verified = watched(&setting.to_string(), || verify(&out, &config)).unwrap();
            assert_eq!((verified.parts, verified.lines), (parts.len() as u64, 798));
            assert!(*first.get_or_insert_with(|| found.clone()) == found, "{name}, {setting}: other files");
            // Who reads the directory reads the parts and nothing else.
            assert_eq!(Bag::read_text(&out).count().unwrap(), 798);
        }
    }
}

#[test]
fn what_is_chance_or_not_known_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (paths, out) = (input(dir.path()), dir.path().join("out/part-*"));
    let target = || Target::new(&out).overwrite();
    let made_from = || manifest(out.parent().unwrap())["made_from"].clone();
    // How far the readers got is chance, even if that is all of it; what is rejected before the end is not.
    let scan = Scan::new(&paths[..]).with(Config::new().bad_records(BadRecords::Skip));
    scan.map(|record| record.to_json()).take(100).write_jsonl(target()).unwrap();
    assert_eq!((&made_from()["read"], made_from()["rejected"].as_u64()), (&Value::Null, Some(1)));
    Bag::range(0..5).write_jsonl(target()).unwrap();
    assert_eq!((made_from()["read"].as_u64(), made_from()["inputs"].as_array().unwrap().len()), (Some(5), 0));
    // Both sides of a join are read, the right one first.
    let side =
        |path: &PathBuf| Scan::new(path).filter(|record| record.get("k").is_some()).map(|record| (0, record.to_json()));
    let joined = side(&paths[1]).take(3).join(side(&paths[1]).take(2), |row| row.0, |row| row.0);
    let skip = Config::new().bad_records(BadRecords::Skip);
    joined.map(|_| 1).with(skip).write_jsonl(target()).unwrap();
    assert_eq!(made_from()["inputs"].as_array().unwrap().len(), 2);
    // Where the text comes from elsewhere, the caller says; what the target says counts.
    let mut writer = target().writer().unwrap();
    writer.made_from(Input::from(&paths[..]).provenance().unwrap());
    writer.commit().unwrap();
    assert_eq!(made_from()["inputs"][1]["path"], paths[1].to_str().unwrap());
    assert_eq!(made_from()["on_error"], Value::Null);
    let mut writer = target().made_from(Input::from("-").provenance().unwrap()).writer().unwrap();
    writer.made_from(Input::from(&paths[..]).provenance().unwrap());
    writer.commit().unwrap();
    let stdin = serde_json::json!([{"path": "<stdin>", "bytes": null, "modified_ns": null}]);
    assert_eq!(made_from()["inputs"], stdin);
    // A run that writes nothing has a report all the same.
    let monitor = Monitor::new();
    let scan = Scan::new(&paths[0]).with(Config::new().bad_records(BadRecords::Skip).monitor(&monitor));
    scan.count().unwrap();
    let provenance = monitor.report().unwrap().provenance;
    assert_eq!((provenance.inputs.len(), provenance.read, provenance.rejected), (1, Some(400), Some(1)));
}

/// A directory of shards, and one of partitions, small and plain to damage.
fn outputs(dir: &Path) -> [PathBuf; 3] {
    let numbers = || Bag::range(0..3000);
    let at = |name: &str| dir.join(name);
    numbers().write_jsonl(Target::new(at("plain/part-*.jsonl")).shard_size(3000)).unwrap();
    numbers().write_jsonl(Target::new(at("zst/part-*.zst")).shard_size(3000)).unwrap();
    let by = |n: &i64| Partition::new().with("k", Some(&(n % 4).to_string()));
    numbers().write_partitioned(at("parted/p*.gz"), by).unwrap();
    ["plain", "zst", "parted"].map(at)
}

/// What is said of a directory in which something was done to this part of it.
fn said(dir: &Path, harm: impl FnOnce(&Path)) -> Vec<(ErrorKind, String)> {
    let kept = tempfile::tempdir().unwrap();
    assert!(std::process::Command::new("cp").arg("-a").args([dir, kept.path()]).status().unwrap().success());
    let copy = kept.path().join(dir.file_name().unwrap());
    verify(&copy, &Config::new().threads(3)).unwrap();
    harm(&copy);
    let mut first = None;
    for threads in [1, 2, 8] {
        let found = verify(&copy, &Config::new().threads(threads)).map(drop);
        let faults = found.err().map_or(Vec::new(), |unverified| {
            assert_eq!(unverified.more, 0);
            unverified.faults
        });
        let prefix = format!("{}/", copy.display());
        let told = |fault: &kitbag::Error| (fault.kind(), fault.to_string().replace(&prefix, ""));
        let told: Vec<_> = faults.iter().map(told).collect();
        assert_eq!(*first.get_or_insert_with(|| told.clone()), told, "{threads} threads");
    }
    first.unwrap()
}

#[test]
fn each_fault_is_named_with_its_path_and_what_was_expected() {
    use ErrorKind::{Corrupt, NotFound, Usage};
    let dir = tempfile::tempdir().unwrap();
    let [plain, zst, parted] = outputs(dir.path());
    let change = |path: PathBuf, how: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = std::fs::read(&path).unwrap();
        how(&mut bytes);
        std::fs::write(path, bytes).unwrap();
    };
    let text = |dir: &Path, from: &str, to: &str| {
        change(dir.join(".manifest.json"), &|bytes| {
            let text = String::from_utf8(std::mem::take(bytes)).unwrap();
            assert!(text.contains(from), "{from}: {text}");
            *bytes = text.replacen(from, to, 1).into_bytes();
        });
    };
    let one = |said: Vec<(ErrorKind, String)>, kind: ErrorKind, begins: &str| {
        let [(found, fault)] = &said[..] else { panic!("expected one fault, {begins}: {said:?}") };
        assert!(*found == kind && fault.starts_with(begins), "expected {begins}: {said:?}");
    };
    for (dir, part) in [(&plain, "part-000001.jsonl"), (&zst, "part-000001.zst"), (&parted, "k=1/p000000.gz")] {
        one(
            said(dir, |dir| std::fs::remove_file(dir.join(part)).unwrap()),
            NotFound,
            &format!("{part}: expected a file of "),
        );
        one(said(dir, |dir| change(dir.join(part), &|bytes| _ = bytes.pop())), Corrupt, &format!("{part}: expected "));
        one(
            said(dir, |dir| change(dir.join(part), &|bytes| bytes.push(b'\n'))),
            Corrupt,
            &format!("{part}: expected "),
        );
        one(
            said(dir, |dir| std::fs::write(dir.join("k=1.jsonl"), "").unwrap()),
            Corrupt,
            "k=1.jsonl: expected no file here",
        );
        one(
            said(dir, |dir| std::fs::remove_file(dir.join("_SUCCESS")).unwrap()),
            NotFound,
            "_SUCCESS: expected the mark",
        );
        one(
            said(dir, |dir| std::fs::remove_file(dir.join(".manifest.json")).unwrap()),
            NotFound,
            ".manifest.json: expected a manifest: there is none",
        );
        one(
            said(dir, |dir| change(dir.join(".manifest.json"), &|bytes| bytes.truncate(99))),
            Corrupt,
            ".manifest.json: expected a manifest: EOF",
        );
        one(
            said(dir, |dir| text(dir, "\"format\":1", "\"format\":9")),
            Corrupt,
            ".manifest.json: expected a manifest of format 1, found 9",
        );
        one(
            said(dir, |dir| text(dir, "\"text_bytes\":", "\"text_bytes\":1")),
            Corrupt,
            ".manifest.json: expected totals",
        );
        // Every single bit.
        let length = std::fs::read(dir.join(part)).unwrap().len();
        let mut dice = Dice::new(7);
        for _ in 0..60 {
            let (at, bit) = (dice.below(length), dice.below(8));
            let flipped = said(dir, |dir| change(dir.join(part), &|bytes| bytes[at] ^= 1 << bit));
            one(flipped, Corrupt, &format!("{part}: expected bytes with the checksum "));
        }
        // A directory in place of a file, and a link to the same bytes elsewhere.
        let elsewhere = tempfile::tempdir().unwrap();
        let told = said(dir, |dir| {
            std::fs::rename(dir.join(part), elsewhere.path().join("x")).unwrap();
            std::os::unix::fs::symlink(elsewhere.path().join("x"), dir.join(part)).unwrap();
        });
        one(told, Corrupt, &format!("{part}: expected a file below the directory: a link leads out"));
        for path in ["../x", "/etc/passwd", "a/../../x", ""] {
            let told = said(dir, |dir| text(dir, &format!("\"path\":\"{part}\""), &format!("\"path\":\"{path}\"")));
            assert!(
                told.iter().any(|(_, fault)| fault.contains("expected a path below the directory")),
                "{path}: {told:?}"
            );
        }
    }
    // Two at once, in the manifest's order, and what a file holds that is not what was written.
    let told = said(&plain, |dir| {
        std::fs::remove_file(dir.join("part-000003.jsonl")).unwrap();
        change(dir.join("part-000000.jsonl"), &|bytes| bytes[0] ^= 1);
        std::fs::remove_file(dir.join("_SUCCESS")).unwrap();
    });
    let begins: Vec<_> = told.iter().map(|(_, fault)| fault.split(':').next().unwrap()).collect();
    assert_eq!(begins, ["_SUCCESS", "part-000000.jsonl", "part-000003.jsonl"]);
    let told = said(&zst, |dir| text(dir, "\"codec\":\"zstd\"", "\"codec\":\"gzip\""));
    one(told, Corrupt, "part-000000.zst: expected text that can be unpacked: ");
    let told = said(&plain, |dir| text(dir, "\"codec\":\"plain\",\"lines\":", "\"codec\":\"plain\",\"lines\":1"));
    assert!(
        told.iter().any(|(_, fault)| fault.contains(" bytes of text in 1") && fault.contains(" lines, found ")),
        "{told:?}"
    );
    // What is no output at all.
    assert_eq!(verify(dir.path().join("none"), &Config::new()).unwrap_err().faults[0].kind(), NotFound);
    assert_eq!(verify(plain.join("_SUCCESS"), &Config::new()).unwrap_err().faults[0].kind(), Usage);
}

#[test]
fn of_very_many_faults_a_hundred_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    Bag::range(0..150).write_jsonl(Target::new(out.join("*")).shard_size(1)).unwrap();
    for n in 0..150 {
        std::fs::remove_file(out.join(format!("{n:06}"))).unwrap();
    }
    let unverified = verify(&out, &Config::new().threads(4)).unwrap_err();
    assert_eq!((unverified.faults.len(), unverified.more), (100, 50));
    let text = unverified.to_string();
    assert!(text.lines().count() == 101 && text.ends_with("\nand 50 more"), "{text}");
}

#[test]
fn verifying_can_be_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let [plain, ..] = outputs(dir.path());
    let token = CancelToken::new();
    token.cancel();
    let unverified = verify(plain, &Config::new().cancel_token(&token)).unwrap_err();
    assert_eq!(unverified.faults.iter().map(kitbag::Error::kind).collect::<Vec<_>>(), [ErrorKind::Cancelled]);
}
