//! Damaged and misnamed shards: what is whole before the damage is delivered, what is not is never passed off as data,
//! and the error names the path and the byte.

#![allow(clippy::print_stdout, reason = "a test speaks, and its numbers are small")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use super::common;

use std::path::{Path, PathBuf};

use common::pack::{gzip, gzip_members, gzip_with_name, skippable, zstd, zstd_bare, zstd_frames};
use common::{Dice, Setting, corners, watched};
use kitbag::{BadRecords, Bag, Config, ErrorKind, Json, Monitor, Result};

fn lines(count: usize) -> Vec<String> {
    let mut dice = Dice::new(5);
    (0..count).map(|n| format!(r#"{{"n":{n},"noise":"{:x}","pad":"{}"}}"#, dice.next(), "ab ".repeat(n % 9))).collect()
}

fn text(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn read(path: &Path, config: Config) -> Result<Vec<String>> {
    Bag::read_text(path).with(config).collect()
}

/// Lines and rejects under `Skip`.
fn skipped(path: &Path, config: Config) -> (Vec<String>, u64) {
    let monitor = Monitor::new();
    let config = config.bad_records(BadRecords::Skip).monitor(&monitor);
    let lines = read(path, config).unwrap();
    (lines, monitor.report().unwrap().rejected)
}

/// A few settings, and one with room for whole members at once.
fn settings() -> Vec<Setting> {
    corners().into_iter().take(5).collect()
}

#[test]
fn a_shard_cut_anywhere_gives_its_whole_lines_and_an_error_that_names_path_and_byte() {
    let lines = lines(60);
    let text = text(&lines);
    let folder = Folder::new();
    let mut dice = Dice::new(11);
    let files = [
        ("one.gz", gzip(&text)),
        ("many.gz", gzip_members(dice.cut(&text, 6))),
        ("one.zst", zstd(&text)),
        ("many.zst", zstd_frames(dice.cut(&text, 6))),
        ("bare.zst", zstd_bare(&text)),
    ];
    let settings = settings();
    for (name, whole) in &files {
        let mut delivered = 0;
        for cut in 0..whole.len() {
            let path = folder.put(name, &whole[..cut]);
            let setting = settings[cut % settings.len()];
            let label = format!("{name} cut at {cut} of {}, {setting}", whole.len());
            let (some, rejected) = watched(&label, || skipped(&path, setting.config()));
            // Between members a cut cannot be seen: then the last line may be the start of one.
            let whole_lines =
                if rejected == 0 { text.starts_with(some.join("\n").as_bytes()) } else { lines.starts_with(&some) };
            assert!(whole_lines, "{label}: what was delivered is not the beginning of the shard");
            match watched(&label, || read(&path, setting.config())) {
                Ok(all) => {
                    assert_eq!((rejected, &all), (0, &some), "{label}");
                    assert!(name.starts_with("many"), "{label}");
                }
                Err(error) => {
                    assert_eq!(rejected, 1, "{label}");
                    let place = error.place().unwrap();
                    assert_eq!(place.path, path.to_str().unwrap(), "{label}: {error}");
                    assert!(place.byte.is_some_and(|byte| byte <= cut as u64), "{label}: {error}");
                    let kinds = [ErrorKind::Truncated, ErrorKind::Corrupt, ErrorKind::Format];
                    assert!(kinds.contains(&error.kind()), "{label}: {error}");
                    assert!(cut < 4 || error.kind() == ErrorKind::Truncated, "{label}: {error}");
                }
            }
            delivered = delivered.max(some.len());
        }
        assert!(delivered > 50 || !name.starts_with("many"), "{name}: at most {delivered} lines were saved");
    }
}

#[test]
fn every_whole_line_before_a_cut_is_delivered_whatever_the_configuration() {
    let lines = lines(4000);
    let text = text(&lines);
    let folder = Folder::new();
    for (name, whole) in [("a.gz", gzip_members(text.chunks(9000))), ("a.zst", zstd_frames(text.chunks(9000)))] {
        for part in [3, 7] {
            let cut = whole.len() * part / 10;
            let path = folder.put(name, &whole[..cut]);
            let mut first: Option<(usize, u64, String)> = None;
            for setting in corners() {
                let label = format!("{name}, {part} tenths, {setting}");
                let (some, rejected) = watched(&label, || skipped(&path, setting.config()));
                assert!(lines.starts_with(&some), "{label}");
                let error = watched(&label, || read(&path, setting.config())).unwrap_err();
                let answer = (some.len(), rejected, error.to_string());
                // A member of 9000 bytes is at most what may be missing of what was stored before the cut.
                assert!(some.len() + 200 > lines.len() * part / 10, "{label}: only {} lines", some.len());
                assert_eq!(*first.get_or_insert_with(|| answer.clone()), answer, "{label}");
            }
        }
    }
}

/// What the decoder makes of a frame until it stumbles (which may be other text: the checksum comes last) does not hang
/// on how much it was asked for at once.
#[test]
fn the_text_before_damage_inside_a_zstd_frame_is_the_same_whatever_the_configuration() {
    let lines = lines(16_000);
    let text = text(&lines);
    let folder = Folder::new();
    let mut delivered = Vec::new();
    for (name, whole) in [("sized.zst", zstd(&text)), ("bare.zst", zstd_bare(&text))] {
        for part in [1, 3, 4, 6, 9] {
            let mut bytes = whole.clone();
            let at = whole.len() * part / 10;
            for byte in &mut bytes[at..at + 40] {
                *byte = !*byte;
            }
            let path = folder.put(name, &bytes);
            let mut first: Option<(usize, u64, String)> = None;
            for setting in corners() {
                let label = format!("{name}, damage at {at}, {setting}");
                let (some, rejected) = watched(&label, || skipped(&path, setting.config()));
                let error = watched(&label, || read(&path, setting.config())).map(|all| all.len());
                let answer = (some.len(), rejected, format!("{error:?}"));
                assert_eq!(*first.get_or_insert_with(|| answer.clone()), answer, "{label}");
            }
            delivered.push(first.unwrap().0);
        }
    }
    assert!(delivered.iter().any(|&count| count > 2000 && count < 16_000), "{delivered:?}");
}

/// Flips bits and reads: the original, a beginning of it with an error, but never other data without an error.
fn flips(name: &str, whole: &[u8], text: &[u8], count: usize, seed: u64, check_all: bool) {
    let folder = Folder::new();
    let expected: Vec<String> = String::from_utf8(text.to_vec()).unwrap().lines().map(str::to_owned).collect();
    let mut dice = Dice::new(seed);
    let (mut same, mut errors, mut silent) = (0, 0, 0);
    for round in 0..count {
        let mut bytes = whole.to_vec();
        let at = dice.below(bytes.len());
        let bit = dice.below(8);
        bytes[at] ^= 1 << bit;
        let path = folder.put(name, &bytes);
        // Alternately with room for whole members, and streamed.
        let memory = if round % 2 == 0 { 2 << 20 } else { 1 << 30 };
        let config = Config::new().threads(1).block_size(512).memory(memory);
        match watched(name, || read(&path, config)) {
            Ok(lines) if lines == expected => same += 1,
            Ok(_) => {
                silent += 1;
                assert!(!check_all, "{name}: bit {bit} of byte {at}: other data, and no error (memory {memory})");
            }
            Err(error) => {
                assert!(error.place().is_some_and(|place| place.path.ends_with(name)), "{error}");
                errors += 1;
            }
        }
    }
    println!("{name}: {same} read as before, {errors} errors, {silent} silent, of {count}");
    assert!(errors + silent > count / 2, "{name}: the flips do not reach the data");
}

#[test]
fn flipped_bits_of_gzip_are_an_error_or_harmless() {
    let text = text(&lines(40));
    flips("one.gz", &gzip(&text), &text, 2500, 1, true);
    flips("named.gz", &gzip_with_name(&text), &text, 1000, 2, true);
    flips("many.gz", &gzip_members(Dice::new(3).cut(&text, 5)), &text, 2000, 4, true);
}

#[test]
fn flipped_bits_of_zstd_with_checksums_are_an_error_or_harmless() {
    let text = text(&lines(40));
    flips("one.zst", &zstd(&text), &text, 2500, 5, true);
    let frames: Vec<u8> = Dice::new(3).cut(&text, 5).into_iter().flat_map(zstd).collect();
    flips("many.zst", &frames, &text, 2000, 6, true);
    // A frame without a checksum cannot be told from another one: a flip in it may go unnoticed, and nothing is
    // promised but that the run ends.
    flips("bare.zst", &zstd_bare(&text), &text, 500, 7, false);
}

#[test]
fn a_member_whose_beginning_is_damaged_is_not_taken_for_the_end_of_the_one_before() {
    // Two members of the same size, even of the same text: what follows the first is damage, and not nothing.
    let folder = Folder::new();
    let (a, b) = (text(&lines(30)), text(&lines(30)).to_ascii_uppercase());
    for (second, kind) in [(&b, "same size"), (&a, "same text")] {
        for byte in 0..3 {
            let (first, mut damaged) = (gzip(&a), gzip(second));
            damaged[byte] ^= 0x10;
            let path = folder.put("a.gz", &[first.clone(), damaged].concat());
            for setting in settings() {
                let error = read(&path, setting.config()).map(|lines| lines.len());
                let error = error.expect_err(&format!("{kind}, magic byte {byte}, {setting}: the damage was not seen"));
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                let at = error.place().unwrap().byte.unwrap();
                assert!((first.len() as u64..first.len() as u64 + 3).contains(&at), "{setting}: {error}");
            }
        }
    }
}

#[test]
fn garbage_after_the_last_member_is_an_error_and_zero_padding_of_gzip_is_not() {
    let folder = Folder::new();
    let lines = lines(50);
    let text = text(&lines);
    let packed = gzip(&text);
    let trailer = packed[packed.len() - 8..].to_vec();
    for zeros in [1, 7, 511, 1 << 20] {
        let path = folder.put("padded.gz", &[packed.clone(), vec![0; zeros]].concat());
        for setting in settings() {
            assert_eq!(read(&path, setting.config()).unwrap(), lines, "{zeros} zeros, {setting}");
        }
    }
    let garbage: [(&str, Vec<u8>); 9] = [
        ("text", b"not gzip\n".to_vec()),
        ("one byte", vec![1]),
        ("the trailer once more", trailer.clone()),
        ("its size once more", trailer[4..].to_vec()),
        ("zeros, then a byte", [vec![0; 100], vec![9]].concat()),
        ("half a header", vec![0x1f, 0x8b, 8]),
        ("zeros, then a member", [vec![0; 10], gzip(&text)].concat()),
        ("many zeros, then a member", [vec![0; 1 << 18], gzip(&text)].concat()),
        ("a zstd frame", zstd(&text)),
    ];
    for (what, bytes) in &garbage {
        let path = folder.put("garbage.gz", &[packed.clone(), bytes.clone()].concat());
        for setting in settings() {
            let error = read(&path, setting.config()).map(|lines| lines.len()).expect_err(what);
            let kinds = [ErrorKind::Corrupt, ErrorKind::Truncated];
            assert!(kinds.contains(&error.kind()), "{what}, {setting}: {error}");
            // A member behind it is whole; its first line may be the end of one.
            let behind = if what.contains("a member") { &lines[1..] } else { &[] };
            assert_eq!(skipped(&path, setting.config()), ([&lines, behind].concat(), 1), "{what}, {setting}");
        }
    }
    let packed = zstd(&text);
    for (what, bytes) in [("text", b"not zstd\n".to_vec()), ("zeros", vec![0; 8]), ("gzip", gzip(&text))] {
        let path = folder.put("garbage.zst", &[packed.clone(), bytes].concat());
        let error = read(&path, Config::new()).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
        assert_eq!(error.place().unwrap().byte, Some(packed.len() as u64), "{what}: {error}");
    }
    let only_skippable = folder.put("skip.zst", &skippable(1, b"nothing"));
    assert_eq!(read(&only_skippable, Config::new()).unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let folder = Folder::new();
    for (name, bytes, kind, says) in [
        ("a.bz2", &b"BZh91AY&SY\x01\x02"[..], ErrorKind::Format, "bzip2"),
        ("a.gz", b"BZh91AY&SY\x01\x02", ErrorKind::Format, "bzip2"),
        ("a.xz", b"\xfd7zXZ\0\0\x04", ErrorKind::Format, "xz"),
        ("a.zip", b"PK\x03\x04\x14\0", ErrorKind::Format, "zip"),
        ("a.jsonl", b"\xff\xfe{\0}\0", ErrorKind::Format, "UTF-16"),
        ("b.gz", b"{\"n\":1}\n", ErrorKind::Format, "gzip"),
        ("b.zst", b"{\"n\":1}\n", ErrorKind::Format, "zstd"),
        ("c.gz", b"", ErrorKind::Format, "empty"),
        ("c.zst", b"", ErrorKind::Format, "empty"),
    ] {
        let path = folder.put(name, bytes);
        for setting in corners() {
            let error = Bag::<Json>::read_json(&path).with(setting.config()).collect().unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            let text = error.to_string();
            assert!(text.starts_with(&format!("{}: byte 0: expected ", path.display())), "{text}");
            assert!(text.contains(says), "{text}");
        }
    }
    // The bytes decide, not the name.
    let lines = lines(3);
    for (name, bytes) in [("d.jsonl", gzip(&text(&lines))), ("d.gz", zstd(&text(&lines))), ("d", text(&lines))] {
        assert_eq!(read(&folder.put(name, &bytes), Config::new()).unwrap(), lines, "{name}");
    }
    assert_eq!(read(&folder.put("e.jsonl", b""), Config::new()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_zstd_window_beyond_the_budget_is_a_limit_and_says_so() {
    let folder = Folder::new();
    let mut packer = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    packer.long_distance_matching(true).unwrap();
    packer.window_log(27).unwrap();
    std::io::Write::write_all(&mut packer, b"{\"n\":1}\n").unwrap();
    let path = folder.put("long.zst", &packer.finish().unwrap());
    let error = read(&path, Config::new().threads(2).memory(64 << 20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains("window"), "{error}");
    assert_eq!(read(&path, Config::new().threads(1).memory(1 << 30)).unwrap(), [r#"{"n":1}"#]);
}
