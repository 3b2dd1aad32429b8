//! What is written: the same text, files, boundaries and compressed bytes for every configuration, and nothing half-done.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and look at files")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{corners, grid, watched};
use kitbag::{Bag, ErrorKind, Json, Target};

fn records(count: usize) -> Vec<String> {
    (0..count).map(|n| format!(r#"{{"n":{n}, "pad":"{}","f":1.50,"n":{n}}}"#, "p".repeat(n * 7 % 90))).collect()
}

/// What a directory holds, by name; its manifest is another test's.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| !entry.file_name().to_str().unwrap().starts_with(['.', '_']))
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// Unpacks with the tools that everybody has; `None` where they are missing.
fn unpacked(path: &Path) -> Option<Vec<u8>> {
    let tool = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        _ => return Some(std::fs::read(path).unwrap()),
    };
    let output = Command::new(tool).arg("-dc").arg(path).output().ok()?;
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

#[test]
fn one_file_in_each_codec_has_the_same_bytes_for_every_configuration() {
    let records = records(300);
    let text = records.join("\n") + "\n";
    for name in ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"] {
        let mut first: Option<Vec<u8>> = None;
        for setting in grid() {
            let dir = tempfile::tempdir().unwrap();
            let (from, to) = (dir.path().join("in.jsonl"), dir.path().join("out").join(name));
            std::fs::write(&from, &text).unwrap();
            let label = format!("{name}, {setting}");
            let bag = || Bag::<Json>::read_json(&from).with(setting.config());
            let written = watched(&label, || bag().write_jsonl(&to)).unwrap();
            assert_eq!((written.records, written.text_bytes), (300, text.len() as u64), "{label}");
            assert_eq!(written.files, std::slice::from_ref(&to), "{label}");
            let bytes = std::fs::read(&to).unwrap();
            assert_eq!(written.file_bytes, bytes.len() as u64, "{label}");
            assert_eq!(contents(to.parent().unwrap()).len(), 1, "{label}: something else was left behind");
            match &first {
                None => {
                    if let Some(plain) = unpacked(&to) {
                        assert!(plain == text.as_bytes(), "{label}: the text was not written as it was read");
                    }
                    first = Some(bytes);
                }
                Some(first) => assert!(*first == bytes, "{label}: the bytes differ from those of the first run"),
            }
        }
    }
}

#[test]
fn shards_have_the_same_names_boundaries_and_bytes_for_every_configuration() {
    let records = records(900);
    let text = records.join("\n") + "\n";
    for (name, shard_size) in
        [("part-*.jsonl", 1000), ("p*.jsonl.gz", 7777), ("*.zst", 1), ("part-*.jsonl.zst", 1 << 30)]
    {
        let mut first: Option<Vec<(String, Vec<u8>)>> = None;
        for setting in corners() {
            let dir = tempfile::tempdir().unwrap();
            let (from, to) = (dir.path().join("in.jsonl"), dir.path().join("out"));
            std::fs::write(&from, &text).unwrap();
            let label = format!("{name}, {setting}");
            let target = Target::new(to.join(name)).shard_size(shard_size);
            let bag = Bag::<String>::read_text(&from).with(setting.config());
            let written = watched(&label, || bag.write_text(target)).unwrap();
            let found = contents(&to);
            let names: Vec<_> = written.files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
            assert_eq!(names, found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), "{label}");
            if first.is_none() {
                let plain: Option<Vec<Vec<u8>>> = written.files.iter().map(|path| unpacked(path)).collect();
                if let Some(plain) = plain {
                    assert!(plain.iter().all(|part| part.ends_with(b"\n")), "{label}");
                    assert!(plain.concat() == text.as_bytes(), "{label}");
                    // A shard ends at the first line end at or after its size.
                    for part in &plain[..plain.len() - 1] {
                        let before = part[..part.len() - 1].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
                        assert!(part.len() as u64 >= shard_size && (before as u64) < shard_size, "{label}");
                    }
                }
            }
            let first = first.get_or_insert_with(|| found.clone());
            assert!(*first == found, "{label}: files differ from those of the first run");
        }
    }
}

#[test]
fn output_larger_than_a_chunk_reads_back_and_has_the_same_bytes() {
    let text: String = (0..60_000).map(|n| format!("{{\"n\":{n},\"pad\":\"{:0>100}\"}}\n", n * 7919)).collect();
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("in.jsonl");
    std::fs::write(&from, &text).unwrap();
    for name in ["out.gz", "out.zst"] {
        let mut first: Option<Vec<u8>> = None;
        for (threads, block, memory) in [(1, 1 << 18, 1 << 30), (2, 4096, 8 << 20), (8, 1 << 16, 32 << 20)] {
            let config = kitbag::Config::new().threads(threads).block_size(block).memory(memory);
            let to = dir.path().join(format!("{threads}-{name}"));
            let label = format!("{name}, {threads} threads");
            watched(&label, || Bag::<Json>::read_json(&from).with(config.clone()).write_jsonl(&to)).unwrap();
            let back = watched(&label, || Bag::<String>::read_text(&to).with(config).collect()).unwrap();
            assert!(back.iter().map(String::as_str).eq(text.lines()), "{label}: it does not read back");
            let bytes = std::fs::read(&to).unwrap();
            assert!(*first.get_or_insert_with(|| bytes.clone()) == bytes, "{label}: bytes differ");
        }
    }
}

#[test]
fn a_failed_run_leaves_nothing_behind_and_the_old_output_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("shards")).unwrap();
    std::fs::write(dir.path().join("shards/old"), "old").unwrap();
    std::fs::write(dir.path().join("file.jsonl"), "old").unwrap();
    let text: String =
        (0..3000).map(|n| if n == 2000 { "{broken\n".into() } else { format!("{{\"n\":{n}}}\n") }).collect();
    let input = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(input.path(), text).unwrap();
    for setting in corners() {
        for target in ["shards/part-*.jsonl.gz", "file.jsonl", "new/part-*.zst", "new.jsonl"] {
            let target = Target::new(dir.path().join(target)).overwrite().shard_size(500);
            let bag = Bag::<Json>::read_json(input.path()).with(setting.config());
            let error = watched(&setting.to_string(), || bag.write_jsonl(target)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Record, "{setting}");
        }
        let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["file.jsonl", "shards"], "{setting}");
        assert_eq!(contents(&dir.path().join("shards")), [("old".to_owned(), b"old".to_vec())], "{setting}");
    }
}

#[test]
fn a_target_that_exists_is_refused_and_overwriting_swaps_it_whole() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["a.jsonl", "d/part-*.jsonl"] {
        let write = |count: i64, target: Target| Bag::range(0..count).write_jsonl(target.shard_size(100));
        write(200, Target::new(at(name))).unwrap();
        assert_eq!(write(1, Target::new(at(name))).unwrap_err().kind(), ErrorKind::OutputExists, "{name}");
        let written = write(3, Target::new(at(name)).overwrite()).unwrap();
        assert_eq!(written.files.len(), 1, "{name}");
        assert_eq!(std::fs::read_to_string(&written.files[0]).unwrap(), "0\n1\n2\n", "{name}");
    }
    assert_eq!(contents(&at("d")).len(), 1, "shards of the old run were mixed with the new one");
    // Reading a file while it is replaced by its own change.
    let doubled =
        Bag::<i64>::read_json(at("a.jsonl")).map(|n| n * 2).write_jsonl(Target::new(at("a.jsonl")).overwrite());
    assert_eq!(doubled.unwrap().records, 3);
    assert_eq!(std::fs::read_to_string(at("a.jsonl")).unwrap(), "0\n2\n4\n");
}

#[test]
fn two_runs_to_one_new_target_never_mix() {
    for round in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let target = || Target::new(dir.path().join("out/part-*.jsonl")).shard_size(200);
        let results: Vec<_> = std::thread::scope(|scope| {
            let runs = [0, 1000].map(|base| scope.spawn(move || Bag::range(base..base + 500).write_jsonl(target())));
            runs.map(|run| run.join().unwrap()).into()
        });
        let won: Vec<_> = results.iter().flatten().collect();
        assert_eq!(won.len(), 1, "round {round}: {results:?}");
        let lost = results.iter().find_map(|result| result.as_ref().err()).unwrap();
        assert_eq!(lost.kind(), ErrorKind::OutputExists, "round {round}: {lost}");
        let numbers = Bag::<i64>::read_json(dir.path().join("out")).collect().unwrap();
        assert!(
            numbers == (0..500).collect::<Vec<_>>() || numbers == (1000..1500).collect::<Vec<_>>(),
            "round {round}"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "round {round}: a stage was left behind");
    }
}
