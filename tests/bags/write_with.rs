//! `write_with`: where a run ends early, what comes before is written, and nothing behind it, for every configuration.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and look at files")]

use super::common;

use std::io::Write as _;
use std::path::Path;

use common::{grid, watched};
use kitbag::{BadRecords, Bag, Config, Error, ErrorKind, JsonRef, Output, Scan, Seq, Target};

const RECORDS: usize = 300;

/// Shards of records `{"n":…}`, in three codecs.
fn shards(dir: &Path) -> Vec<std::path::PathBuf> {
    let line = |n: usize| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "p".repeat(n * 7 % 60));
    let text = |from, to| (from..to).map(line).collect::<String>();
    let paths = ["a.jsonl", "b.jsonl.gz", "c.jsonl.zst"].map(|name| dir.join(name));
    std::fs::write(&paths[0], text(0, 100)).unwrap();
    std::fs::write(&paths[1], common::pack::gzip(text(100, 200).as_bytes())).unwrap();
    std::fs::write(&paths[2], zstd::encode_all(text(200, RECORDS).as_bytes(), 1).unwrap()).unwrap();
    paths.into()
}

fn number(record: JsonRef<'_>) -> usize {
    usize::try_from(record.get("n").and_then(|n| n.as_u64()).unwrap()).unwrap()
}

/// Two lines a record.
fn lines(n: usize, out: &mut Output<'_>) {
    writeln!(out.text(), "{n} first").and_then(|()| writeln!(out.text(), "{n} second")).unwrap();
}

fn expected(numbers: impl Iterator<Item = usize>) -> String {
    numbers.map(|n| format!("{n} first\n{n} second\n")).collect()
}

#[test]
fn an_error_leaves_what_was_written_before_it_and_nothing_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let paths = shards(dir.path());
    for setting in grid() {
        for bad in [0, 57, 199, RECORDS - 1] {
            let mut text = Vec::new();
            let label = format!("{setting}, error at {bad}");
            let error = watched(&label, || {
                Scan::new(&paths[..]).with(setting.config()).write_with_to(&mut text, |record, out| {
                    let n = number(record);
                    if n < bad {
                        lines(n, out);
                        return Ok(());
                    }
                    out.text().extend_from_slice(format!("{n} begun\n").as_bytes());
                    Err(format!("{n} is refused"))
                })
            })
            .unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::Closure, &*format!("{bad} is refused")), "{label}");
            let place = error.place().unwrap();
            assert_eq!(
                (Path::new(&place.path), place.line),
                (&*paths[bad / 100], Some(bad as u64 % 100 + 1)),
                "{label}"
            );
            assert!(String::from_utf8(text).unwrap() == expected(0..bad) + &format!("{bad} begun\n"), "{label}");
        }
    }
}

#[test]
fn stop_ends_a_run_that_is_complete_and_an_error_behind_it_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let paths = shards(dir.path());
    for (number_of_setting, setting) in grid().into_iter().enumerate() {
        let to = dir.path().join(format!("out-{number_of_setting}.gz"));
        let written = watched(&setting.to_string(), || {
            Scan::new(&paths[..]).with(setting.config()).write_with(&to, |record, out| match number(record) {
                n if n > 151 => Err(format!("{n} should not count")),
                n => {
                    lines(n, out);
                    if n == 151 {
                        out.stop();
                    }
                    Ok(())
                }
            })
        })
        .unwrap();
        assert_eq!(written.records, 152, "{setting}");
        assert!(Bag::read_text(&to).collect().unwrap().join("\n") + "\n" == expected(0..152), "{setting}");
    }
}

#[test]
fn what_a_policy_leaves_out_stays_in_the_text_unless_it_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let paths = shards(dir.path());
    let quarantine = dir.path().join("bad.jsonl");
    for setting in grid() {
        for policy in [BadRecords::Skip, BadRecords::Quarantine(quarantine.clone())] {
            let mut text = Vec::new();
            let take_back = policy != BadRecords::Skip;
            let config = setting.config().bad_records(policy);
            let records = watched(&setting.to_string(), || {
                Scan::new(&paths[..]).with(config).write_with_to(&mut text, |record, out| {
                    let (n, before) = (number(record), out.text().len());
                    lines(n, out);
                    if n % 3 > 0 {
                        return Ok(());
                    }
                    if take_back {
                        out.text().truncate(before);
                    }
                    Err("a multiple of three")
                })
            });
            assert_eq!(records.unwrap(), 200, "{setting}");
            let kept = (0..RECORDS).filter(|n| n % 3 > 0 || !take_back);
            assert!(String::from_utf8(text).unwrap() == expected(kept), "{setting}, taken back {take_back}");
        }
        assert_eq!(Bag::read_text(&quarantine).count().unwrap(), 100);
    }
}

#[test]
fn an_error_that_stops_is_one_under_every_policy_and_leaves_no_target() {
    let dir = tempfile::tempdir().unwrap();
    let paths = shards(dir.path());
    for setting in grid() {
        let config = setting.config().bad_records(BadRecords::Skip);
        let to = dir.path().join("out").join("part-*.jsonl");
        let run = Scan::new(&paths[..]).with(config).write_with(Target::new(&to), |record, out| match number(record) {
            n if n % 50 == 49 => Err(Error::stop(format!("{n} ends it"))),
            n => {
                lines(n, out);
                Ok(())
            }
        });
        let error = run.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Stopped, "49 ends it"), "{setting}");
        assert!(!dir.path().join("out").exists(), "{setting}");
    }
}

#[test]
fn positions_and_paths_are_those_of_the_records() {
    let dir = tempfile::tempdir().unwrap();
    let paths = shards(dir.path());
    for setting in grid() {
        let seen = std::sync::Mutex::new(Vec::<(Seq, usize, String)>::new());
        let run = Scan::new(&paths[..]).with(setting.config()).write_with_to(std::io::sink(), |record, out| {
            seen.lock().unwrap().push((out.seq(), number(record), out.path().to_string()));
            Ok::<(), Error>(())
        });
        run.unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort();
        assert_eq!(seen.len(), RECORDS);
        for (index, (_, n, path)) in seen.iter().enumerate() {
            assert_eq!((*n, Path::new(path)), (index, &*paths[index / 100]), "{setting}");
        }
    }
    let memory = Bag::from_iter([1]).with(Config::new().threads(1));
    let mut text = Vec::new();
    let one = |_, out: &mut Output<'_>| {
        out.text().push(b'x');
        Ok::<(), Error>(())
    };
    memory.write_with_to(&mut text, one).unwrap();
    assert_eq!(text, b"x");
}
