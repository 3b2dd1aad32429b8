//! `write_partitioned`: the same directories, files and bytes for every configuration, safe names, nothing half-done.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and look at files")]

use super::common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{corners, grid, watched};
use kitbag::{
    BadRecords, Bag, Config, Error, ErrorKind, Json, JsonRef, Monitor, Output, Partition, Result, Scan, Target,
};

/// Shards of records `{"n":…,"k":…}`, in three codecs; `k` takes seven values, and is missing now and then.
fn shards(dir: &Path, records: usize) -> (Vec<PathBuf>, Vec<String>) {
    let lines: Vec<String> = (0..records).map(line).collect();
    let text = |from: usize, to: usize| lines[from..to].join("\n") + "\n";
    let paths = ["a.jsonl", "b.jsonl.gz", "c.jsonl.zst"].map(|name| dir.join(name));
    std::fs::write(&paths[0], text(0, records / 3)).unwrap();
    std::fs::write(&paths[1], common::pack::gzip(text(records / 3, records / 2).as_bytes())).unwrap();
    std::fs::write(&paths[2], zstd::encode_all(text(records / 2, records).as_bytes(), 1).unwrap()).unwrap();
    (paths.into(), lines)
}

fn line(n: usize) -> String {
    let key = match n * 7919 % 11 {
        0 => "null".into(),
        1 => "\"../x\"".into(),
        2 => "1.50".into(),
        3 => "true".into(),
        rest => format!("\"{}\"", ["", "a b", "é"][rest % 3]),
    };
    let pad = "p".repeat(n * 7 % 60);
    if n.is_multiple_of(13) {
        format!("{{\"n\":{n},\"pad\":\"{pad}\"}}")
    } else {
        format!("{{\"n\":{n}, \"k\":{key},\"pad\":\"{pad}\"}}")
    }
}

fn by_key(record: JsonRef<'_>) -> Result<Partition> {
    Partition::new().with_json("k", record.get("k"))
}

/// What lies below a directory, by path; its manifest is another test's.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(here) = waiting.pop() {
        for entry in std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => waiting.push(entry),
                false if entry.file_name().unwrap().to_str().unwrap().starts_with(['.', '_']) => {}
                false => {
                    let name = entry.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, std::fs::read(&entry).unwrap());
                }
            }
        }
    }
    found
}

/// The lines of each partition, in order.
fn model(lines: &[String]) -> BTreeMap<String, String> {
    let mut model: BTreeMap<String, String> = BTreeMap::new();
    for line in lines {
        let record = Json::parse(line).unwrap();
        let partition = Partition::new().with_json("k", record.get("k")).unwrap();
        *model.entry(partition.to_string()).or_default() += &format!("{line}\n");
    }
    model
}

#[test]
fn each_partition_has_its_records_in_order_and_the_same_bytes_for_every_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let (paths, lines) = shards(dir.path(), 900);
    let model = model(&lines);
    assert_eq!(model.len(), 7);
    for name in ["out", "out/part-*.jsonl.gz", "out/p-*.zst"] {
        let mut first = None;
        for setting in grid() {
            let label = format!("{name}, {setting}");
            let target = Target::new(dir.path().join(name)).shard_size(3000);
            let run = || Scan::new(&paths[..]).with(setting.config()).write_partitioned(target, by_key);
            let written = watched(&label, run).unwrap();
            let out = dir.path().join("out");
            let found = contents(&out);
            assert_eq!((written.partitions, written.records, written.files.len()), (7, 900, found.len()), "{label}");
            assert_eq!(written.file_bytes, found.values().map(|bytes| bytes.len() as u64).sum::<u64>(), "{label}");
            assert_eq!(written.text_bytes, model.values().map(|text| text.len() as u64).sum::<u64>(), "{label}");
            if first.is_none() {
                for (partition, text) in &model {
                    let parts: Vec<&PathBuf> =
                        written.files.iter().filter(|path| path.parent() == Some(&out.join(partition))).collect();
                    let read = |path: &&PathBuf| Bag::read_text(path.as_path()).collect().unwrap().join("\n") + "\n";
                    let shards: Vec<String> = parts.iter().map(read).collect();
                    assert!(shards.concat() == *text, "{label}: {partition}");
                    assert!(shards.len() > 1 && shards[..shards.len() - 1].iter().all(|part| part.len() >= 3000));
                }
            }
            assert!(
                *first.get_or_insert_with(|| found.clone()) == found,
                "{label}: other files than those of the first run"
            );
            std::fs::remove_dir_all(out).unwrap();
        }
    }
}

#[test]
fn many_partitions_stay_within_the_budget_and_spill() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = None;
    for (threads, memory) in [(1, 4 << 20), (2, 6 << 20), (8, 128 << 20), (2, 1 << 30)] {
        let monitor = Monitor::new();
        let config = Config::new().threads(threads).memory(memory).max_record(4096).monitor(&monitor);
        let out = dir.path().join(format!("{threads}-{memory}"));
        let numbers = Bag::range(0..120_000).map(|n| (n * 7919 % 601, format!("{n:0>150}"))).with(config);
        let by = |row: &(i64, String)| Partition::new().with("k", Some(&row.0.to_string()));
        let written = watched(&format!("{threads} threads"), || numbers.write_partitioned(&out, by)).unwrap();
        assert_eq!((written.partitions, written.records), (601, 120_000));
        let report = monitor.report().unwrap();
        // As it lies on the disk, compressed.
        assert_eq!(report.spilled() > 0, memory < 32 << 20, "{memory}: {} bytes were spilled", report.spilled());
        assert!(report.peak_budget <= memory, "{} of {memory}", report.peak_budget);
        let found = contents(&out);
        let one: Vec<(i64, String)> = Bag::read_json(out.join("k=17")).collect().unwrap();
        assert!(one.len() > 150 && one.iter().all(|row| row.0 == 17) && one.is_sorted(), "{memory}");
        assert!(*first.get_or_insert_with(|| found.clone()) == found, "{threads} threads, {memory} bytes");
        std::fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn a_partition_of_several_chunks_has_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = None;
    for (threads, memory) in [(1, 8 << 20), (2, 64 << 20), (8, 48 << 20)] {
        let out = dir.path().join(threads.to_string());
        let config = Config::new().threads(threads).memory(memory);
        let lines = Bag::range(0..90_000).map(|n| format!("{n:0>100}")).with(config);
        // Two partitions, one of nearly everything.
        let by =
            |line: &String| Partition::new().with("last", Some(if line.ends_with("777") { "777" } else { "other" }));
        watched(&threads.to_string(), || lines.write_partitioned(out.join("part-*.gz"), by)).unwrap();
        let found = contents(&out);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["last=777/part-000000.gz", "last=other/part-000000.gz"]);
        let back: Vec<String> = Bag::read_json(out.join("last=other")).collect().unwrap();
        assert!(back.len() == 90_000 - 90 && back.is_sorted(), "{}", back.len());
        assert!(*first.get_or_insert_with(|| found.clone()) == found, "{threads} threads");
    }
}

/// Two lines a record, each in a partition of its own; with an end.
fn two_lines(n: i64, out: &mut Output<'_>) -> Result<()> {
    for half in ["first", "second"] {
        out.text().extend_from_slice(format!("{n}\n").as_bytes());
        out.put_into(
            Partition::new().with("half", Some(half))?.with("odd", Some(if n % 2 > 0 { "yes" } else { "no" }))?,
        );
    }
    Ok(())
}

#[test]
fn stop_ends_the_run_and_what_lies_behind_it_is_not_written() {
    for setting in grid() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let bag = Bag::range(0..100_000).with(setting.config());
        let label = setting.to_string();
        let run = || {
            bag.write_partitioned_with(&out, |n, out| {
                if n > 1501 {
                    return Err(Error::stop("it is behind the end"));
                }
                if n == 1501 {
                    out.stop();
                }
                if n == 1500 { Ok(()) } else { two_lines(n, out) }
            })
        };
        let written = watched(&label, run).unwrap();
        assert_eq!((written.records, written.partitions), (1502, 4), "{label}");
        let odd = std::fs::read_to_string(out.join("half=second/odd=yes/part-000000.jsonl")).unwrap();
        let expected: String = (0..751).map(|n| format!("{}\n", 2 * n + 1)).collect();
        assert!(odd == expected, "{label}");
    }
}

#[test]
fn what_a_policy_leaves_out_and_what_stays_of_it() {
    let dir = tempfile::tempdir().unwrap();
    for setting in corners() {
        let config = setting.config().bad_records(BadRecords::Skip);
        let out = dir.path().join("out");
        let bag = Bag::range(0..3000).with(config);
        let run = || {
            bag.write_partitioned_with(Target::new(&out).overwrite(), |n, out| {
                if n % 3 == 1 {
                    // Never put anywhere.
                    out.text().extend_from_slice(b"lost\n");
                    return Err("refused before".to_owned());
                }
                two_lines(n, out).map_err(|error| error.to_string())?;
                match n % 3 {
                    2 => {
                        let half = out.text().len() / 2;
                        out.text().truncate(half);
                        Err("refused behind, and half of it taken back".to_owned())
                    }
                    _ => Ok(()),
                }
            })
        };
        let written = watched(&setting.to_string(), run).unwrap();
        assert_eq!((written.records, written.partitions), (1000, 4), "{setting}");
        let lines = |half: &str| Bag::<i64>::read_json(out.join(format!("half={half}"))).collect().unwrap().len();
        assert_eq!((lines("first"), lines("second")), (2000, 1000), "{setting}");
    }
}

#[test]
fn a_run_that_fails_leaves_nothing_and_the_old_output_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("old")).unwrap();
    std::fs::write(dir.path().join("old/x"), "old").unwrap();
    let input = tempfile::tempdir().unwrap();
    let (paths, _) = shards(input.path(), 600);
    let by = |n: &i64| match n {
        2999 => Partition::new().with("n", Some(&"x".repeat(300))),
        n => Partition::new().with("n", Some(&(n % 40).to_string())),
    };
    for setting in corners() {
        for name in ["new", "old", "new/deep/part-*.gz"] {
            let target = || Target::new(dir.path().join(name)).overwrite();
            let label = format!("{name}, {setting}");
            let failed = |kind, run: &dyn Fn(Bag<i64>) -> Result<kitbag::Written>| {
                let error = watched(&label, || run(Bag::range(0..5000).with(setting.config()))).unwrap_err();
                assert_eq!(error.kind(), kind, "{label}: {error}");
                error.to_string()
            };
            let long = failed(ErrorKind::Closure, &|bag| bag.write_partitioned(target(), by));
            assert!(long.starts_with("<range>:3000:1: ") && long.contains("at most 255 bytes"), "{long}");
            let many =
                failed(ErrorKind::Limit, &|bag| bag.take(2000).write_partitioned(target().max_partitions(39), by));
            assert!(many.contains("expected at most 39 partitions: `n=39` is one more"), "{many}");
            let mixed = failed(ErrorKind::Record, &|bag| {
                bag.take(100).write_partitioned(target(), |n| match n {
                    77 => Partition::new().with("m", None),
                    _ => Partition::new().with("n", None),
                })
            });
            assert!(mixed.contains("the same keys, found `n=__HIVE") && mixed.contains("`m=__HIVE"), "{mixed}");
            failed(ErrorKind::Usage, &|bag| bag.write_partitioned(target(), |_| Ok(Partition::new())));
            failed(ErrorKind::Panic, &|bag| {
                bag.write_partitioned(target(), |n| if *n > 2000 { panic!("{n}") } else { by(n) })
            });
            let text = failed(ErrorKind::Usage, &|bag| {
                bag.write_partitioned_with(target(), |n, out| {
                    out.text().push(b'\n');
                    if n == 7 { Ok(()) } else { by(&n).map(|partition| out.put_into(partition)) }
                })
            });
            assert!(text.contains("put into a partition"), "{text}");
        }
        let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert!(left == ["new", "old"] || left == ["old"], "{setting}: {left:?}");
        if dir.path().join("new").exists() {
            // Only the directory above a target that failed.
            assert!(std::fs::read_dir(dir.path().join("new")).unwrap().next().is_none(), "{setting}");
            std::fs::remove_dir(dir.path().join("new")).unwrap();
        }
        assert_eq!(contents(&dir.path().join("old")).len(), 1, "{setting}");
    }
    let bad = Scan::new(&paths[..]).filter(|record| record.get("n").is_some_and(|n| n.as_u64() > Some(50)));
    let refused =
        bad.write_partitioned(dir.path().join("new"), |record| Partition::new().with_json("all", Some(record)));
    assert!(refused.unwrap_err().to_string().contains("a.jsonl:52:1: "));
}

#[test]
fn targets_that_cannot_be_are_refused_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let write = |target: Target| {
        let run = Bag::range(0..3).inspect(|_| panic!("it was read"));
        run.write_partitioned(target, |_| Partition::new().with("k", None)).unwrap_err().kind()
    };
    std::fs::create_dir(dir.path().join("taken")).unwrap();
    std::fs::write(dir.path().join("taken/x"), "x").unwrap();
    assert_eq!(write(Target::new(dir.path().join("one.jsonl.gz"))), ErrorKind::Usage);
    assert_eq!(write(Target::new(dir.path().join("taken"))), ErrorKind::OutputExists);
    assert_eq!(write(Target::new(dir.path().join("taken/x")).overwrite()), ErrorKind::OutputExists);
    let misused = Bag::range(0..3).write_with(dir.path().join("one.jsonl"), |_, out| {
        out.put_into(Partition::new().with("k", None)?);
        Ok::<(), Error>(())
    });
    assert_eq!(misused.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn overwriting_swaps_the_directory_whole_and_nothing_gives_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let write = |from: i64, to: i64| {
        let by = |n: &i64| Partition::new().with("n", Some(&n.to_string()));
        Bag::range(from..to).write_partitioned(Target::new(&out).overwrite(), by).unwrap()
    };
    write(0, 5);
    assert_eq!(write(4, 6).files, [out.join("n=4/part-000000.jsonl"), out.join("n=5/part-000000.jsonl")]);
    assert_eq!(contents(&out).len(), 2);
    let nothing = write(0, 0);
    assert_eq!((nothing.partitions, nothing.files.len(), contents(&out).len()), (0, 0, 0));
    assert!(out.is_dir() && std::fs::read_dir(dir.path()).unwrap().count() == 1);
}
