//! `MaxErrors`: the same error at the same record for every configuration, and nothing left of such a run.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and look at files")]

use super::common;

use std::path::{Path, PathBuf};

use common::{corners, grid, watched};
use kitbag::{BadRecords, Bag, Config, ErrorKind, MaxErrors, Monitor, Scan, Target};

/// Shards in three codecs of so many lines each: every 10th is no JSON, and every 15th is a number that closures refuse.
fn shards(dir: &Path, lines: usize) -> Vec<PathBuf> {
    let line = |n: usize| if n % 10 == 9 { "{bad\n".to_owned() } else { format!("{n}\n") };
    let text = |from: usize| (from..from + lines).map(line).collect::<String>();
    let paths = ["a.jsonl", "b.jsonl.gz", "c.jsonl.zst"].map(|name| dir.join(name));
    std::fs::write(&paths[0], text(0)).unwrap();
    std::fs::write(&paths[1], common::pack::gzip(text(lines).as_bytes())).unwrap();
    std::fs::write(&paths[2], zstd::encode_all(text(2 * lines).as_bytes(), 1).unwrap()).unwrap();
    paths.into()
}

fn is_refused(n: usize) -> bool {
    n % 10 == 9 || n.is_multiple_of(15)
}

/// The records of the shards that are left out.
fn refused(lines: usize) -> Vec<usize> {
    (0..3 * lines).filter(|&n| is_refused(n)).collect()
}

fn kept(paths: &[PathBuf], config: Config) -> Bag<usize> {
    let bag = Bag::<usize>::read_json(paths).with(config);
    bag.try_map(|n| if is_refused(n) { Err("a multiple of 15") } else { Ok(n) })
}

#[test]
fn one_record_too_many_ends_the_run_at_that_record() {
    let dir = tempfile::tempdir().unwrap();
    let (lines, refused) = (100, refused(100));
    let (paths, bad) = (shards(dir.path(), lines), dir.path().join("bad.jsonl"));
    for setting in grid() {
        for most in [0, 1, 17, refused.len() - 1, refused.len()] {
            let monitor = Monitor::new();
            let config = setting.config().max_errors(MaxErrors::records(most as u64)).monitor(&monitor);
            let config = config.bad_records(BadRecords::Quarantine(bad.clone()));
            let label = format!("{setting}, at most {most}");
            let target = Target::new(dir.path().join("out/part-*.gz")).shard_size(100).overwrite();
            let written = watched(&label, || kept(&paths, config).write_jsonl(target));
            let quarantined = Bag::read_text(&bad).count().unwrap();
            assert_eq!(monitor.report().unwrap().rejected, quarantined, "{label}");
            let Some(&last) = refused.get(most) else {
                assert_eq!(written.unwrap().records, (3 * lines - refused.len()) as u64, "{label}");
                std::fs::remove_dir_all(dir.path().join("out")).unwrap();
                continue;
            };
            let error = written.unwrap_err();
            let (count, were) = (most + 1, if most == 0 { "was" } else { "were" });
            let text = format!("{count} of {} records {were} left out: more than {most}", last + 1);
            assert_eq!((error.kind(), error.message()), (ErrorKind::TooManyErrors, &*text), "{label}");
            let place = error.place().unwrap();
            let expected = (&*paths[last / lines], Some((last % lines) as u64 + 1));
            assert_eq!((Path::new(&place.path), place.line), expected, "{label}");
            assert_eq!(quarantined, most as u64 + 1, "{label}");
            assert!(!dir.path().join("out").exists(), "{label}");
        }
    }
}

#[test]
fn a_share_ends_the_run_early_but_not_before_the_thousandth_record_and_else_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (paths, refused) = (shards(dir.path(), 700), refused(700));
    let run = |paths: &[PathBuf], config: Config, percent: &str| {
        let config = config.bad_records(BadRecords::Skip).max_errors(percent.parse().unwrap());
        kept(paths, config).write_jsonl(dir.path().join("out.jsonl"))
    };
    // Of the first thousand far more than 5 %: the first bad one from there on says so.
    let (before, first) = (refused.iter().filter(|&&n| n + 1 < 1000).count(), refused.iter().find(|&&n| n + 1 >= 1000));
    let expected = format!("{} of {} records were left out: more than 5%", before + 1, first.unwrap() + 1);
    for setting in corners() {
        let error = watched(&setting.to_string(), || run(&paths, setting.config(), "5%")).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::TooManyErrors, &*expected), "{setting}");
        // One shard has too few records for that: it is judged when all are there.
        let error = watched(&setting.to_string(), || run(&paths[1..2], setting.config(), "5%")).unwrap_err();
        let count = refused.iter().filter(|&&n| n / 700 == 1).count();
        assert_eq!(error.message(), format!("{count} of 700 records were left out: more than 5%"), "{setting}");
        assert!(error.place().is_none() && !dir.path().join("out.jsonl").exists(), "{setting}");
        watched(&setting.to_string(), || run(&paths, setting.config(), "20%")).unwrap();
        std::fs::remove_file(dir.path().join("out.jsonl")).unwrap();
    }
}

#[test]
fn what_counts_is_what_the_answer_needed() {
    let dir = tempfile::tempdir().unwrap();
    let paths = shards(dir.path(), 100);
    for setting in corners() {
        let config = |most| setting.config().bad_records(BadRecords::Skip).max_errors(MaxErrors::records(most));
        let label = setting.to_string();
        // 0 and 9 are left out before the first ten records that are kept.
        let few = watched(&label, || kept(&paths, config(2)).take(10).collect()).unwrap();
        assert_eq!(few, (1..12).filter(|&n| !is_refused(n)).collect::<Vec<_>>(), "{label}");
        let error = watched(&label, || kept(&paths, config(1)).take(10).collect()).unwrap_err();
        assert_eq!(error.message(), "2 of 10 records were left out: more than 1", "{label}");
        let parts = watched(&label, || kept(&paths, config(30)).map_partitions(|records| [records.count()]).collect());
        assert_eq!(parts.unwrap_err().message(), "31 of 181 records were left out: more than 30", "{label}");
        // Groups that a closure refuses count, and nothing is read by then.
        let groups = |most| {
            let groups = kept(&paths, config(most)).group_by(|n| n % 10);
            let odd = groups.try_map(|(key, _)| if key % 2 > 0 { Err("odd") } else { Ok(key) });
            watched(&label, || odd.collect())
        };
        let records = refused(100).len() as u64;
        assert_eq!(groups(records + 4).unwrap().len(), 5, "{label}");
        let text = format!("{} of 300 records were left out: more than {}", records + 3, records + 2);
        assert_eq!(groups(records + 2).unwrap_err().message(), text, "{label}");
        let error = watched(&label, || Scan::new(&paths[..]).with(config(7)).count()).unwrap_err();
        assert_eq!(error.message(), "8 of 80 records were left out: more than 7", "{label}");
        let error = watched(&label, || kept(&paths, config(3)).iter().unwrap().find_map(|next| next.err())).unwrap();
        assert_eq!(error.message(), "4 of 20 records were left out: more than 3", "{label}");
    }
}

#[test]
fn what_is_handed_out_ends_before_the_one_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let (lines, refused) = (100, refused(100));
    let paths = shards(dir.path(), lines);
    for setting in grid() {
        for most in [0, 1, 17, refused.len() - 1] {
            let label = format!("{setting}, at most {most}");
            let config = setting.config().bad_records(BadRecords::Skip).max_errors(MaxErrors::records(most as u64));
            // Each record comes out twice, so that records and outputs are not the same.
            let twice = || kept(&paths, config.clone()).flat_map(|n| [n, n]);
            let before = (0..refused[most]).filter(|&n| !is_refused(n)).flat_map(|n| [n, n]).collect::<Vec<_>>();
            let given = watched(&label, || twice().iter().unwrap().map_while(Result::ok).collect::<Vec<_>>());
            assert!(given == before, "{label}: {} instead of {}", given.len(), before.len());
            let mut text = Vec::new();
            watched(&label, || twice().write_jsonl_to(&mut text)).unwrap_err();
            assert!(
                text == before.iter().map(|n| format!("{n}\n")).collect::<String>().into_bytes(),
                "{label}: {}",
                String::from_utf8_lossy(&text)
            );
        }
    }
}

#[test]
fn a_damaged_shard_counts_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let whole = common::pack::gzip("1\n2\n3\n".repeat(1000).as_bytes());
    std::fs::write(dir.path().join("a.gz"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(dir.path().join("b"), "1\n").unwrap();
    for setting in corners() {
        let config = |most| setting.config().bad_records(BadRecords::Skip).max_errors(MaxErrors::records(most));
        let count = |most| watched(&setting.to_string(), || Scan::new(dir.path()).with(config(most)).count());
        assert!(count(1).is_ok() && count(0).is_err_and(|error| error.kind() == ErrorKind::TooManyErrors), "{setting}");
    }
}

#[test]
fn a_limit_without_a_policy_that_leaves_out_is_refused() {
    let config = Config::new().max_errors(MaxErrors::records(1));
    assert_eq!(Bag::range(0..3).with(config).count().unwrap_err().kind(), ErrorKind::Usage);
}
