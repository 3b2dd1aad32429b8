//! Bad lines: the same place, text and account of them for every thread count, block size, budget and split of the file,
//! whatever the policy; the records around them stay whole.

#![allow(clippy::cast_possible_truncation, reason = "a test speaks, and its numbers are small")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use super::common;

use std::path::{Path, PathBuf};

use common::pack::{gzip, gzip_members, zstd_frames};
use common::{Dice, Setting, grid, watched};
use kitbag::{BadRecords, Bag, Config, ErrorKind, Input, Json, Monitor, Scan};

/// A text as files: plain (which is read in byte ranges), and packed.
struct Forms {
    _dir: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

fn forms(text: &[u8]) -> Forms {
    let dir = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    let mut put = |name: &str, bytes: Vec<u8>| {
        paths.push(dir.path().join(name));
        std::fs::write(paths.last().unwrap(), bytes).unwrap();
    };
    put("a.jsonl", text.to_vec());
    put("b.jsonl.gz", gzip(text));
    put("c.jsonl.gz", gzip_members(Dice::new(9).cut(text, 7)));
    put("d.jsonl.zst", zstd_frames(Dice::new(9).cut(text, 7)));
    Forms { _dir: dir, paths }
}

/// Runs `body` over all forms and settings; what it gives must be the same for all of them.
fn same<R: PartialEq + std::fmt::Debug>(text: &[u8], body: impl Fn(&Path, &Setting) -> R) -> R {
    let forms = forms(text);
    let mut first = None;
    for path in &forms.paths {
        for setting in grid() {
            let label = format!("{}, {setting}", path.file_name().unwrap().display());
            let answer = watched(&label, || body(path, &setting));
            let first = first.get_or_insert_with(|| body(path, &setting));
            assert_eq!(answer, *first, "{label}: not as in the first run");
        }
    }
    first.unwrap()
}

/// An error's text without the path that it begins with.
fn without_path(error: &kitbag::Error, path: &Path) -> String {
    let text = error.to_string();
    let rest = text.strip_prefix(&format!("{}:", path.display()));
    rest.unwrap_or_else(|| panic!("the place does not come first: {text}")).to_owned()
}

fn good(n: usize) -> String {
    format!("{{\"n\":{n},\"s\":\"{}\"}}\n", "é".repeat(n % 23))
}

/// Good lines with these at the places given (from 0).
fn around(count: usize, bad: &[(usize, &[u8])]) -> Vec<u8> {
    let mut text = Vec::new();
    for n in 0..count {
        match bad.iter().find(|(at, _)| *at == n) {
            Some((_, line)) => text.extend([line, &b"\n"[..]].concat()),
            None => text.extend(good(n).bytes()),
        }
    }
    text
}

#[test]
fn a_malformed_line_is_named_by_line_and_column_whatever_the_configuration() {
    for (line, column, kind) in [
        (&b"{\"n\":1,}"[..], 8, ErrorKind::Record),
        (b"{\"n\" 1}", 6, ErrorKind::Record),
        (b"{\"n\":1}}", 8, ErrorKind::Record),
        (b"{\"n\":1} {\"n\":2}", 9, ErrorKind::Record),
        (b"{\"n\":01}", 7, ErrorKind::Record),
        (b"{\"a\":\"\x01\"}", 7, ErrorKind::Record),
        (b"{\"a\":\"\0\"}", 7, ErrorKind::Record),
        (b"{\"a\":\"\xff\"}", 7, ErrorKind::Record),
        (b"{\"a\":\"\xc3\"}", 7, ErrorKind::Record),
        (b"nul", 1, ErrorKind::Record),
        (b"\xff\xfe", 1, ErrorKind::Record),
        (b"{", 1, ErrorKind::Format),
        (b"[{\"n\":1},", 1, ErrorKind::Format),
    ] {
        let text = around(60, &[(41, line), (55, b"{worse")]);
        let (answer, found) = same(&text, |path, setting| {
            let error = Bag::<Json>::read_json(path).with(setting.config()).collect().unwrap_err();
            (without_path(&error, path), error.kind())
        });
        let (at_line, rest) = answer.split_once(':').unwrap();
        let (at_column, rest) = rest.split_once(':').unwrap();
        assert_eq!(at_line, "42", "{answer}");
        assert_eq!(found, kind, "{answer}");
        if kind == ErrorKind::Record {
            // An unfinished word is blamed where it begins or where it breaks off.
            let near = at_column.parse::<usize>().unwrap();
            assert!(near == column || line == b"nul" && near <= 4, "expected column {column}: {answer}");
        }
        assert!(rest.contains("expected") && rest.contains("0:read_json"), "{answer}");
    }
}

#[test]
fn several_values_a_line_are_records_where_that_is_asked_for() {
    let mut lines: Vec<_> = (0..9).map(|n| (7 * n, &b" {\"n\":1}{\"n\":2}\t3\"x\"[4] "[..])).collect();
    lines.push((43, b" {\"n\":1} 2 , 5"));
    let text = around(60, &lines);
    let raws = |bag: Bag<Json>| bag.map(|record| record.view().raw().to_owned()).collect();
    let mut expected = Vec::new();
    for n in 0..60 {
        match n % 7 {
            _ if n == 43 => {}
            0 => expected.extend(["{\"n\":1}", "{\"n\":2}", "3", "\"x\"", "[4]"].map(str::to_owned)),
            _ => expected.push(good(n).trim_end().to_owned()),
        }
    }
    let config = |setting: &Setting| setting.config().concatenated(true);
    let found = same(&text, |path, setting| {
        let monitor = Monitor::new();
        let bag = Bag::read_json(path).with(config(setting).bad_records(BadRecords::Skip).monitor(&monitor));
        (raws(bag).unwrap(), monitor.report().unwrap().rejected)
    });
    assert_eq!(found, (expected.clone(), 1));
    // A line that is no such list as a whole is none of it.
    let (before, error) = same(&text, |path, setting| {
        let mut records = Scan::new(path).with(config(setting)).map(|record| record.raw().to_owned()).iter().unwrap();
        let before: Vec<_> = records.by_ref().map_while(|record| record.ok()).collect();
        (before, without_path(&Scan::new(path).with(config(setting)).count().unwrap_err(), path))
    });
    assert_eq!(before, expected[..43 + 7 * 4]);
    assert!(error.starts_with("44:12: expected the end of the line"), "{error}");
}

#[test]
fn crlf_blank_lines_and_a_mark_do_not_move_the_place() {
    let mut text = b"\xef\xbb\xbf{\"n\":1}\r\n\r\n \n".to_vec();
    text.extend(b"{\"n\":2}\r\n{\"n\":?}\r\n{\"n\":3}");
    let answer = same(&text, |path, setting| {
        let error = Scan::new(path).with(setting.config()).count().unwrap_err();
        without_path(&error, path)
    });
    assert!(answer.starts_with("5:6: "), "{answer}");
    let first_line = same(b"\xef\xbb\xbf{\"n\":?}\n", |path, setting| {
        without_path(&Scan::new(path).with(setting.config()).count().unwrap_err(), path)
    });
    assert!(first_line.starts_with("1:6: "), "{first_line}");
}

#[test]
fn a_mark_that_is_not_at_the_start_is_text_whatever_the_block_size() {
    for text in ["\n\u{feff}a\n", "1\n\u{feff}b", "\n\n\u{feff}\n", "\u{feff}\u{feff}c\n", "\u{feff}"] {
        let expected: Vec<String> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(str::to_owned).collect();
        let answer =
            same(text.as_bytes(), |path, setting| Bag::read_text(path).with(setting.config()).collect().unwrap());
        assert_eq!(answer, expected, "{text:?}");
    }
}

#[test]
fn a_pretty_printed_document_and_an_array_over_lines_are_refused_with_the_remedy() {
    for (text, remedy) in [("{\n  \"a\": 1\n}\n", "jq -c ."), ("[\n{\"a\":1},\n{\"a\":2}\n]\n", "jq -c '.[]'")] {
        let (answer, kind) = same(text.as_bytes(), |path, setting| {
            let error = Bag::<Json>::read_json(path).with(setting.config()).count().unwrap_err();
            (without_path(&error, path), error.kind())
        });
        assert!(answer.starts_with("1:") && answer.contains(remedy), "{answer}");
        assert_eq!(kind, ErrorKind::Format);
    }
}

#[test]
fn nesting_is_allowed_up_to_the_limit_and_no_deeper() {
    let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
    for (limit, lane) in [(5, "json"), (128, "json"), (1024, "json"), (5, "typed"), (128, "scan")] {
        let text = around(9, &[(3, &nested(limit)), (6, &nested(limit + 1))]);
        let answer = same(&text, |path, setting| {
            let config = setting.config().max_depth(limit);
            let error = match lane {
                "json" => Bag::<Json>::read_json(path).with(config).count(),
                "typed" => Bag::<serde_json::Value>::read_json(path).with(config).count(),
                _ => Scan::new(path).with(config).count(),
            };
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
            without_path(&error, path)
        });
        assert!(answer.starts_with("7:"), "limit {limit}, {lane}: {answer}");
    }
    // Far over it: no stack is at stake.
    let text = around(3, &[(1, &nested(20_000))]);
    let kind = same(&text, |path, s| Scan::new(path).with(s.config()).count().unwrap_err().kind());
    assert_eq!(kind, ErrorKind::Limit);
}

/// A record whose values take many times its text.
#[test]
fn a_record_of_more_values_than_the_budget_can_read_is_a_limit_that_names_one_that_does() {
    let many = format!("[{}1]", "1,".repeat(1_500_000));
    let plain = format!("\"{}\"", "1,".repeat(1_500_000));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.jsonl");
    std::fs::write(&path, format!("{plain}\n{many}\n2\n")).unwrap();
    let config = |memory: u64| Config::new().threads(2).max_record(4 << 20).memory(memory);
    type Lane = fn(&Path, Config) -> kitbag::Result<u64>;
    let lanes: [Lane; 3] = [
        |path, config| Scan::new(path).with(config).count(),
        |path, config| Bag::<Json>::read_json(path).with(config).count(),
        |path, config| Bag::<serde_json::Value>::read_json(path).with(config).count(),
    ];
    for lane in lanes {
        let error = lane(&path, config(20 << 20)).unwrap_err();
        let text = without_path(&error, &path);
        assert!(error.kind() == ErrorKind::Limit && text.starts_with("2:1: expected a record whose values"), "{text}");
        let least = text.split("would do is ").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
        let least = least.parse::<u64>().unwrap();
        assert!(lane(&path, config(least - 2)).is_err());
        assert_eq!(lane(&path, config(least)).unwrap(), 3);
        assert_eq!(lane(&path, config(20 << 20).bad_records(BadRecords::Skip)).unwrap(), 2);
    }
}

/// What the quarantine file of a run says, without the path; and what came through.
fn quarantined<R>(path: &Path, config: Config, run: impl FnOnce(Config) -> R) -> (R, u64, Vec<serde_json::Value>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.jsonl");
    let monitor = Monitor::new();
    let answer = run(config.bad_records(BadRecords::Quarantine(file.clone())).monitor(&monitor));
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let named = line.as_object_mut().unwrap().remove("path");
        assert_eq!(named.as_ref().and_then(|path| path.as_str()), path.to_str(), "{line}");
        line
    });
    (answer, monitor.report().unwrap().rejected, lines.collect())
}

#[test]
fn a_run_that_is_refused_loses_nothing_of_an_earlier_quarantine() {
    let dir = tempfile::tempdir().unwrap();
    let (bad, target) = (dir.path().join("bad.jsonl"), dir.path().join("out.jsonl"));
    let shard = dir.path().join("a.jsonl");
    std::fs::write(&shard, "1\nno\n2\n").unwrap();
    let config = || Config::new().bad_records(BadRecords::Quarantine(bad.clone()));
    let records = |input: &Path| Bag::<Json>::read_json(input).with(config());
    records(&shard).write_jsonl(&target).unwrap();
    let first = std::fs::read(&bad).unwrap();
    assert!(!first.is_empty());
    // The target is there; no such input; too little memory.
    assert_eq!(records(&shard).write_jsonl(&target).unwrap_err().kind(), ErrorKind::OutputExists);
    assert!(records(&dir.path().join("none")).count().is_err());
    let little = Bag::<Json>::read_json(&*shard).with(config().memory(1));
    assert_eq!(little.count().unwrap_err().kind(), ErrorKind::Limit);
    assert!(std::fs::read(&bad).unwrap() == first);
    // What runs begins anew, also where there is nothing to read.
    assert_eq!(Bag::from_iter(0..0).with(config()).count().unwrap(), 0);
    assert_eq!(std::fs::read(&bad).unwrap(), b"");
}

#[test]
fn a_line_over_the_limit_is_one_bad_record_and_the_next_one_is_whole() {
    for (limit, length) in [(40, 41), (40, 42), (40, 43), (40, 5000), (10, 100), (300, 9000)] {
        let long = format!("\"{}\"", "x".repeat(length - 2));
        let fits = format!("\"{}\"", "y".repeat(limit - 2));
        let lines = ["1", &long, "2", &fits, "3", &long, &long, "4"];
        for (end, last_newline) in [("\n", true), ("\r\n", true), ("\n", false)] {
            let mut text = lines.join(end);
            if last_newline {
                text.push_str(end);
            }
            let (kept, rejected, bad) = same(text.as_bytes(), |path, setting| {
                let config = setting.config().max_record(limit as u64);
                quarantined(path, config, |config| {
                    let kept = Bag::<Json>::read_json(path).with(config).collect().unwrap();
                    kept.iter().map(|record| record.raw().to_owned()).collect::<Vec<_>>()
                })
            });
            let label = format!("limit {limit}, length {length}, {end:?}");
            assert_eq!(kept, ["1", "2", &fits, "3", "4"], "{label}");
            assert_eq!(rejected, 3, "{label}");
            let at = text.find('x').unwrap() as u64 - 1;
            assert_eq!(
                (&bad[0]["line"], &bad[0]["byte"], &bad[0]["column"]),
                (&2.into(), &at.into(), &1.into()),
                "{label}"
            );
            assert_eq!(bad.iter().map(|line| line["line"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 6, 7], "{label}");
            assert!(bad[0]["error"].as_str().unwrap().contains(&limit.to_string()), "{label}: {}", bad[0]);
        }
    }
}

#[test]
fn a_blank_line_over_the_limit_is_treated_alike_in_every_block() {
    let text = format!("1\n{}\n2\n", " ".repeat(500));
    let config = |setting: &Setting| setting.config().max_record(50).bad_records(BadRecords::Skip);
    same(text.as_bytes(), |path, setting| {
        let monitor = Monitor::new();
        let kept = Bag::<i64>::read_json(path).with(config(setting).monitor(&monitor)).collect().unwrap();
        assert_eq!(kept, [1, 2]);
        monitor.report().unwrap().rejected
    });
}

#[test]
fn damage_behind_a_line_over_the_limit_brings_no_part_of_it_back() {
    let text = format!("one\n{}tail\ntwo\nthree\n", "x".repeat(3000));
    let packed = gzip(text.as_bytes());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gz");
    // The trailer is cut: all the text is there, and then the shard is damaged.
    std::fs::write(&path, &packed[..packed.len() - 6]).unwrap();
    for setting in grid() {
        let config = setting.config().max_record(100).bad_records(BadRecords::Skip);
        let kept = watched(&setting.to_string(), || Bag::read_text(&path).with(config).collect()).unwrap();
        assert_eq!(kept, ["one", "two", "three"], "{setting}");
    }
}

#[test]
fn quarantine_tells_path_line_byte_column_error_and_raw_in_record_order() {
    let text = around(80, &[(3, b"{\"n\":}"), (4, b"\xff"), (30, b"[1,"), (77, b"{\"n\":\"x\"}"), (79, b"tru")]);
    let (kept, rejected, bad) = same(&text, |path, setting| {
        quarantined(path, setting.config(), |config| {
            let bag = Bag::<Json>::read_json(path).with(config);
            bag.try_map(|record| record.get("n").and_then(|n| n.as_i64()).ok_or("expected a number at .n"))
                .collect()
                .unwrap()
        })
    });
    assert_eq!(kept, (0..80).filter(|n| ![3, 4, 30, 77, 79].contains(n)).collect::<Vec<i64>>());
    assert_eq!(rejected, 5);
    let of = |key: &str| bad.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("line"), [4, 5, 31, 78, 80]);
    assert_eq!(of("raw"), ["{\"n\":}", "\u{fffd}", "[1,", "{\"n\":\"x\"}", "tru"]);
    assert_eq!(
        bad.iter().map(|line| line["raw_base64"].as_str()).collect::<Vec<_>>(),
        [None, Some("/w=="), None, None, None]
    );
    assert_eq!(bad[0]["column"], 6);
    for line in &bad {
        let byte = line["byte"].as_u64().unwrap() as usize;
        assert_eq!(text[..byte].iter().filter(|&&b| b == b'\n').count() as u64 + 1, line["line"].as_u64().unwrap());
        assert!(byte == 0 || text[byte - 1] == b'\n', "the byte is not that of the line's start: {line}");
    }
    assert_eq!(bad[3]["error"], "expected a number at .n");
    assert!(bad[1]["error"].as_str().unwrap().contains("UTF-8"), "{}", bad[1]);
}

#[test]
fn skipping_counts_every_bad_record_and_keeps_all_others() {
    let mut dice = Dice::new(1);
    let bad: Vec<usize> = (0..200).filter(|_| dice.below(4) == 0).collect();
    let lines: Vec<(usize, &[u8])> = bad.iter().map(|&n| (n, &b"{\"n\":"[..])).collect();
    let text = around(200, &lines);
    let answer = same(&text, |path, setting| {
        let monitor = Monitor::new();
        let config = setting.config().bad_records(BadRecords::Skip).monitor(&monitor);
        let kept: Vec<u64> =
            Scan::new(path).with(config).map(|r| r.get("n").unwrap().as_u64().unwrap()).collect().unwrap();
        (kept, monitor.report().unwrap().rejected)
    });
    let kept: Vec<u64> = (0..200).filter(|n| !bad.contains(n)).map(|n| n as u64).collect();
    assert_eq!(answer, (kept, bad.len() as u64));
}

#[test]
fn of_two_errors_in_different_shards_the_lower_one_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for shard in 0..6 {
        // The later shards fail at their first line, the third one far down.
        let text = match shard {
            0 | 1 => around(400, &[]),
            2 => around(400, &[(390, b"{first")]),
            _ => around(400, &[(0, b"{later")]),
        };
        paths.push(dir.path().join(format!("{shard}.gz")));
        std::fs::write(&paths[shard], gzip(&text)).unwrap();
    }
    for setting in grid() {
        let label = setting.to_string();
        let error = watched(&label, || Bag::<Json>::read_json(&paths[..]).with(setting.config()).count()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{}:391:2: ", paths[2].display())), "{label}: {error}");
        let error = watched(&label, || {
            let bag = Bag::<String>::read_text(&paths[..]).with(setting.config());
            bag.try_map(|line| if line.contains("first") || line.contains("later") { Err("refused") } else { Ok(line) })
                .count()
        });
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), format!("{}:391:1: refused (stage 1:try_map)", paths[2].display()), "{label}");
    }
}

#[test]
fn what_is_beyond_a_satisfied_take_or_any_is_no_error() {
    let text = around(50, &[(20, b"{broken"), (30, b"\xff")]);
    same(&text, |path, setting| {
        let bag = || Bag::<Json>::read_json(path).with(setting.config());
        assert_eq!(bag().take(20).count().unwrap(), 20);
        assert_eq!(bag().take(21).count().unwrap_err().kind(), ErrorKind::Record);
        assert!(bag().any(|r| r.get("n").unwrap().as_i64() == Some(19)).unwrap());
        assert!(bag().any(|r| r.get("n").unwrap().as_i64() == Some(21)).is_err());
        assert!(!bag().all(|r| r.get("n").unwrap().as_i64() != Some(3)).unwrap());
        let panicking = bag().inspect(|r| assert!(r.get("n").unwrap().as_i64() != Some(12), "a panic at 12"));
        assert_eq!(panicking.take(12).count().unwrap(), 12, "the records before a panic are there to be taken");
        let mut iter = bag().iter().unwrap();
        assert_eq!(iter.by_ref().take_while(Result::is_ok).count(), 20, "iter gives what is before an error");
        assert!(iter.next().is_none());
    });
}

#[test]
fn rejects_beyond_a_satisfied_any_are_not_counted_and_not_written() {
    let text = around(300, &[(10, b"{one"), (15, b"{two"), (16, b"{three"), (200, b"{four"), (299, b"{five")]);
    let (found, rejected, bad) = same(&text, |path, setting| {
        quarantined(path, setting.config(), |config| {
            Bag::<Json>::read_json(path).with(config).any(|r| r.get("n").unwrap().as_i64() == Some(100)).unwrap()
        })
    });
    assert_eq!((found, rejected, bad.len()), (true, 3, 3));
}

#[test]
fn input_that_is_not_there_or_may_not_be_read_is_an_error_before_anything_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("here.jsonl"), "1\n").unwrap();
    std::fs::create_dir(at("empty")).unwrap();
    let error = |input: Input| Bag::<i64>::read_json(input).count().unwrap_err();
    for (input, name) in [
        (Input::from(at("gone.jsonl")), "gone.jsonl"),
        (Input::from(at("*.gz")), "*.gz"),
        (Input::from(at("empty")), "empty"),
        (Input::from([at("here.jsonl"), at("gone.jsonl")]), "gone.jsonl"),
        (Input::from([at("here.*"), at("x/**")]), "x/**"),
    ] {
        let error = error(input);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().starts_with(at(name).to_str().unwrap()), "{error}");
    }
    assert_eq!(error(Input::from(Vec::<PathBuf>::new())).kind(), ErrorKind::Usage);
    assert_eq!(error(Input::from(at("[z-a"))).kind(), ErrorKind::Usage);
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.jsonl");
    std::fs::write(&path, "1\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        eprintln!("skipped: this user may read everything, so permission cannot be denied");
        return;
    }
    let error = Bag::<i64>::read_json(&path).count().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
}

/// What of `lines` is rejected before the `kept`-th record that is neither bad nor refused.
fn rejected_before(kept: usize, lines: usize, rejected: impl Fn(usize) -> bool) -> Vec<usize> {
    let end = (0..lines).filter(|&n| !rejected(n)).nth(kept - 1).unwrap_or(lines);
    (0..end).filter(|&n| rejected(n)).collect()
}

#[test]
fn rejects_count_up_to_the_record_that_ends_the_run_and_no_further() {
    const LINES: usize = 1500;
    let bad = |n: usize| n % 10 == 9;
    let refused = |n: usize| n % 25 == 3;
    let late = |n: usize| n % 7 == 2;
    let lines: Vec<(usize, &[u8])> = (0..LINES).filter(|&n| bad(n)).map(|n| (n, &b"{bad"[..])).collect();
    let text = around(LINES, &lines);
    let n = |record: &Json| record.get("n").unwrap().as_u64().unwrap() as usize;
    let ok = |n: usize, no: bool| if no { Err("refused") } else { Ok(n) };
    type Pipeline = Box<dyn Fn(Bag<usize>) -> u64>;
    let either = move |n: usize| bad(n) || refused(n);
    let all = move |n: usize| either(n) || late(n);
    // Of the numbers below 300 those that are neither bad nor refused are the keys of groups.
    let keys: Vec<usize> = (0..300).filter(|&n| !either(n)).collect();
    let groups = rejected_before(5, keys.len(), |no| late(keys[no])).into_iter().map(|no| keys[no]).collect::<Vec<_>>();
    let cases: Vec<(&str, Pipeline, u64, Vec<usize>)> = vec![
        ("take 1", Box::new(|bag| bag.take(1).count().unwrap()), 1, rejected_before(1, LINES, either)),
        ("take", Box::new(|bag| bag.take(250).count().unwrap()), 250, rejected_before(250, LINES, either)),
        (
            "take more than there is",
            Box::new(|bag| bag.take(5000).count().unwrap()),
            1290,
            rejected_before(5000, LINES, either),
        ),
        ("any", Box::new(|bag| bag.any(|n| *n >= 351).unwrap().into()), 1, (0..351).filter(|&n| either(n)).collect()),
        (
            "any of a take",
            Box::new(|bag| bag.take(1000).any(|n| *n >= 351).unwrap().into()),
            1,
            (0..351).filter(|&n| either(n)).collect(),
        ),
        (
            "take of a take",
            Box::new(|bag| bag.take(450).take(200).count().unwrap()),
            200,
            rejected_before(200, LINES, either),
        ),
        (
            "a reject after a take",
            Box::new(move |bag| bag.take(1000).try_map(move |n| ok(n, late(n))).take(150).count().unwrap()),
            150,
            rejected_before(150, LINES, all),
        ),
        (
            "a take after partitions",
            Box::new(|bag| bag.map_partitions(|records| records).take(350).count().unwrap()),
            350,
            rejected_before(350, LINES, either),
        ),
        (
            "a partition half read",
            Box::new(|bag| bag.map_partitions(|records| records.take(30)).count().unwrap()),
            30,
            rejected_before(5000, LINES, either),
        ),
        (
            "groups refused before a take",
            Box::new(move |bag| {
                let groups = bag.group_by(|n| n % 300).try_map(move |(n, _)| ok(n, late(n)));
                groups.take(5).count().unwrap()
            }),
            5,
            rejected_before(LINES, LINES, either).into_iter().chain(groups).collect(),
        ),
    ];
    for (label, pipeline, expected, rejected) in cases {
        let answer = same(&text, |path, setting| {
            let (count, counted, lines) = quarantined(path, setting.config(), |config| {
                pipeline(Bag::<Json>::read_json(path).with(config).try_map(move |r| ok(n(&r), refused(n(&r)))))
            });
            (count, counted, lines.iter().map(|line| line["line"].as_u64().unwrap() as usize - 1).collect::<Vec<_>>())
        });
        assert_eq!(answer, (expected, rejected.len() as u64, rejected), "{label}");
    }
}

#[test]
fn quarantine_lines_that_wait_for_their_turn_hold_back_the_readers() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lines");
    std::fs::write(&path, "twenty bytes of text\n".repeat(600_000)).unwrap();
    type Behind = fn(Bag<()>) -> Bag<()>;
    let behind: [Behind; 3] = [|bag| bag, |bag| bag.take(1 << 40), |bag| bag.map_partitions(|records| records)];
    for (threads, behind) in [2, 8].into_iter().flat_map(|threads| behind.map(|behind| (threads, behind))) {
        let (refused, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, slow) = (refused.clone(), most.clone());
        let config =
            Config::new().threads(threads).memory(3 << 20).bad_records(BadRecords::Quarantine(dir.path().join("bad")));
        let bag = Bag::read_text(&path).with(config.block_size(16 << 10)).try_map(move |_| {
            if seen.fetch_add(1, Ordering::Relaxed) == 0 {
                // The first record takes until nothing else moves.
                let mut before = 0;
                while before != seen.load(Ordering::Relaxed) {
                    before = seen.load(Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(300));
                }
                slow.store(before, Ordering::Relaxed);
            }
            Err::<(), _>("refused")
        });
        assert_eq!(watched("a slow first record", || behind(bag).count()).unwrap(), 0);
        let (refused, most) = (refused.load(Ordering::Relaxed), most.load(Ordering::Relaxed));
        assert_eq!(refused, 600_000);
        let line = std::fs::metadata(dir.path().join("bad")).unwrap().len() as usize / 600_000;
        assert!(line > 100 && most * line < 3 << 20, "{threads} threads: {most} lines of {line} bytes wait");
    }
}
