//! What a damaged compressed shard still gives where bad records are left out: all lines before the damaged member or
//! frame, those that came of it before its decoder stumbled, and all lines of those behind it but the end of one that
//! the damage may have cut. Loss is counted in bytes, once for each damaged stretch.

#![allow(clippy::print_stdout, reason = "a test speaks, and its numbers are small")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use super::common;

use std::io::Write as _;
use std::path::Path;

use common::grid::SMALL;
use common::pack::{gzip, gzip_with_name, skippable, zstd, zstd_bare};
use common::{Dice, Setting, corners, watched};
use kitbag::{BadRecords, Bag, Config, ErrorKind, Json, MaxErrors, Monitor, Scan};
use proptest::prelude::*;

/// Parts of a shard, each packed by itself, with the text of each.
struct Packed {
    name: &'static str,
    parts: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether a flipped bit inside a part is sure to be noticed.
    proven: bool,
}

impl Packed {
    fn new(name: &'static str, texts: &[&[u8]], proven: bool, pack: impl Fn(usize, &[u8]) -> Vec<u8>) -> Packed {
        let parts = texts.iter().enumerate().map(|(at, text)| (pack(at, text), text.to_vec())).collect();
        Packed { name, parts, proven }
    }

    fn bytes(&self) -> Vec<u8> {
        self.parts.iter().flat_map(|(bytes, _)| bytes.clone()).collect()
    }

    /// The texts of the parts before the first one that holds one of these bytes, and behind the last one.
    fn around(&self, from: usize, to: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut before, mut behind, mut at) = (Vec::new(), Vec::new(), 0);
        for (bytes, text) in &self.parts {
            let end = at + bytes.len();
            if end <= from {
                before.extend(text);
            } else if at >= to {
                behind.extend(text);
            }
            at = end;
        }
        (before, behind)
    }
}

fn stored(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(0));
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// Every way to pack these texts.
fn packed(texts: &[&[u8]]) -> Vec<Packed> {
    vec![
        Packed::new("a.gz", texts, true, |at, text| if at % 3 == 1 { gzip_with_name(text) } else { gzip(text) }),
        Packed::new("stored.gz", texts, true, |_, text| stored(text)),
        Packed::new("a.zst", texts, true, |_, text| zstd(text)),
        Packed::new("bare.zst", texts, false, |_, text| zstd_bare(text)),
        Packed::new("mixed.zst", texts, false, |at, text| match at % 3 {
            0 => [zstd_bare(text), skippable(1, b"in between")].concat(),
            1 => zstd(text),
            _ => [skippable(2, b""), zstd(text)].concat(),
        }),
    ]
}

fn lines_of(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).split_inclusive('\n').map(str::to_owned).collect()
}

/// The lines that are whole: of what comes before, those with a newline; of what comes behind a gap, those that begin
/// there, the first only if it is an object or array.
fn whole_before(text: &[u8]) -> Vec<String> {
    let whole = lines_of(text).into_iter().filter(|line| line.ends_with('\n'));
    whole.map(|line| line.trim_end().to_owned()).collect()
}

fn whole_behind(text: &[u8], json: bool) -> Vec<String> {
    let mut lines: Vec<String> = lines_of(text).iter().map(|line| line.trim_end().to_owned()).collect();
    let value = lines.first().and_then(|first| serde_json::from_str::<serde_json::Value>(first).ok());
    let whole = json && value.is_some_and(|value| value.is_object() || value.is_array());
    if !whole && !lines.is_empty() {
        lines.remove(0);
    }
    lines
}

/// What came of a shard.
#[derive(Clone, Debug, PartialEq)]
struct Came {
    lines: Vec<String>,
    rejected: u64,
    lost: u64,
    /// The quarantine's lines about damage.
    gaps: Vec<String>,
}

fn read(path: &Path, json: bool, config: Config) -> Came {
    let (monitor, dir) = (Monitor::new(), tempfile::tempdir().unwrap());
    let bad = dir.path().join("bad.jsonl");
    // The limit follows from the budget, unless it is said.
    let config = config.max_record(10_000).bad_records(BadRecords::Quarantine(bad.clone())).monitor(&monitor);
    let lines = match json {
        true => Bag::<Json>::read_json(path).with(config).map(|record| record.to_string()).collect().unwrap(),
        false => Bag::read_text(path).with(config).collect().unwrap(),
    };
    let report = monitor.report().unwrap();
    let told = std::fs::read_to_string(bad).unwrap();
    assert_eq!(told.lines().count() as u64, report.rejected);
    let about = |line: &&str| {
        let error = Json::parse(line).unwrap().get("error").unwrap().as_str().unwrap().into_owned();
        ["gzip", "zstd"].iter().any(|format| error.contains(format))
    };
    let gaps = told.lines().filter(about).map(str::to_owned).collect();
    Came { lines, rejected: report.rejected, lost: report.lost_bytes, gaps }
}

/// Where damage was put into a shard.
struct Damaged<'a> {
    packed: &'a Packed,
    bytes: Vec<u8>,
    /// The bytes of the original that are not in it as they were.
    from: usize,
    to: usize,
}

impl Damaged<'_> {
    fn check(&self, path: &Path, json: bool, setting: Setting) -> Came {
        let label = format!("{}, {}..{}, json {json}, {setting}", self.packed.name, self.from, self.to);
        let came = watched(&label, || read(path, json, setting.config()));
        let (before, behind) = self.packed.around(self.from, self.to);
        let all: Vec<u8> = self.packed.parts.iter().flat_map(|(_, text)| text.clone()).collect();
        if came.lines == lines_of(&all).iter().map(|line| line.trim_end()).collect::<Vec<_>>() && came.rejected == 0 {
            return came;
        }
        let (first, mut last) = (whole_before(&before), whole_behind(&behind, json));
        if came.gaps.is_empty() {
            // Not noticed, so that the first line behind is glued to what came.
            assert!(!self.packed.proven, "{label}: other text, and no error: {came:?}");
            last = whole_behind(&behind, false);
        }
        assert!(came.lines.starts_with(&first), "{label}: lines before the damage are missing\n{came:?}\n{first:?}");
        assert!(came.lines.ends_with(&last), "{label}: lines behind the damage are missing\n{came:?}\n{last:?}");
        assert!(came.lines.len() >= first.len() + last.len(), "{label}: a line came twice\n{came:?}");
        assert!(came.lost <= self.bytes.len() as u64, "{label}: {came:?}");
        came
    }
}

fn texts(json: bool) -> (Vec<u8>, Vec<usize>) {
    let mut dice = Dice::new(3);
    let line = |n: usize| match json {
        true => format!("{{\"n\":{n},\"noise\":\"{:x}\",\"s\":\"}}{{\"}}\n", n * 7919),
        false => format!("{}\n", 100_000 + n * 37),
    };
    let text: Vec<u8> = (0..40).flat_map(|n| line(n).into_bytes()).collect();
    // Some parts begin a line, others do not.
    let newline = |near: usize| near + text[near..].iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let cuts =
        vec![newline(text.len() / 6), text.len() / 3 + dice.below(9), newline(text.len() / 2), text.len() * 4 / 5];
    (text, cuts)
}

fn cut<'t>(text: &'t [u8], cuts: &[usize]) -> Vec<&'t [u8]> {
    let mut from = 0;
    let ends = cuts.iter().copied().chain([text.len()]);
    ends.map(|to| &text[std::mem::replace(&mut from, to)..to]).collect()
}

/// The whole lines that an independent decoder makes of the part that begins here, up to the flipped byte.
fn before_the_flip(packed: &Packed, at: usize) -> Vec<String> {
    let mut start = 0;
    let (bytes, before) = packed.parts.iter().fold((None, Vec::new()), |(found, mut before), (bytes, text)| {
        let inside = (start..start + bytes.len()).contains(&at);
        let found = found.or(inside.then(|| bytes[..at - start].to_vec()));
        if found.is_none() {
            before.extend(text);
        }
        start += bytes.len();
        (found, before)
    });
    let mut text = before;
    let bytes = bytes.unwrap();
    if packed.name.ends_with(".gz") {
        let mut decoder = flate2::write::GzDecoder::new(Vec::new());
        let _ = decoder.write_all(&bytes);
        let _ = decoder.flush();
        text.extend(decoder.get_ref());
    } else {
        let mut decoder = ::zstd::stream::write::Decoder::new(Vec::new()).unwrap();
        let _ = decoder.write_all(&bytes);
        let _ = decoder.flush();
        text.extend(decoder.get_ref());
    }
    whole_before(&text)
}

#[test]
fn a_flip_anywhere_costs_no_line_of_another_part() {
    let settings: Vec<Setting> = corners();
    let dir = tempfile::tempdir().unwrap();
    for json in [false, true] {
        let (text, cuts) = texts(json);
        for packed in packed(&cut(&text, &cuts)) {
            let (whole, path) = (packed.bytes(), dir.path().join(packed.name));
            let (mut gaps, mut lost, mut odd) = (0, 0, 0);
            for at in 0..whole.len() {
                let mut bytes = whole.clone();
                bytes[at] ^= if at % 2 == 0 { 1 << (at / 2 % 8) } else { 0xff };
                std::fs::write(&path, &bytes).unwrap();
                let damaged = Damaged { packed: &packed, bytes, from: at, to: at + 1 };
                let came = damaged.check(&path, json, settings[at % settings.len()]);
                if !came.gaps.is_empty() {
                    assert_eq!(came.gaps.len(), 1, "{}, {at}: {came:?}", packed.name);
                    let known = before_the_flip(&packed, at);
                    assert!(came.lines.starts_with(&known), "{}, {at}: {came:?}\n{known:?}", packed.name);
                    let own = packed.parts.iter().map(|(bytes, _)| bytes.len()).max().unwrap();
                    assert!(came.lost <= own as u64, "{}, {at}: {came:?}", packed.name);
                    let true_lines = whole_before(&text);
                    odd += came.lines.iter().filter(|line| !true_lines.contains(line)).count();
                }
                (gaps, lost) = (gaps + came.gaps.len(), lost + came.lost);
            }
            println!(
                "{}, json {json}: {gaps} gaps in {} flips, {lost} bytes, {odd} odd lines",
                packed.name,
                whole.len()
            );
            assert!(gaps > whole.len() / 5 && lost > 0);
        }
    }
}

#[test]
fn a_gap_is_the_same_whatever_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let text: Vec<u8> =
        (0..9000).flat_map(|n| format!("{{\"n\":{n},\"x\":\"{:x}\"}}\n", n * 7919).into_bytes()).collect();
    let cuts = [40_000, 41_000, 90_000, 180_000];
    for packed in packed(&cut(&text, &cuts)) {
        let (whole, path) = (packed.bytes(), dir.path().join(packed.name));
        let mut dice = Dice::new(17);
        for _ in 0..3 {
            let mut bytes = whole.clone();
            let from = dice.below(whole.len());
            let to = (from + 1 + dice.below(3000)).min(whole.len());
            bytes[from..to].fill(0xa5);
            std::fs::write(&path, &bytes).unwrap();
            let damaged = Damaged { packed: &packed, bytes, from, to };
            for json in [false, true] {
                let mut first = None;
                for setting in corners() {
                    let came = damaged.check(&path, json, setting);
                    let first: &Came = first.get_or_insert_with(|| came.clone());
                    assert_eq!(
                        (first.lost, &first.gaps),
                        (came.lost, &came.gaps),
                        "{}, {from}..{to}, {setting}",
                        packed.name
                    );
                    assert!(*first == came, "{}, {from}..{to}, {setting}: other lines", packed.name);
                }
            }
        }
    }
}

#[test]
fn numbers_that_lost_their_beginning_are_no_records() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gz");
    // The first member ends in the middle of 12345, the second is damaged, the third begins in the middle of 67890.
    let mut second = gzip(b"45\n777\n67");
    let end = second.len() - 5;
    second[end] ^= 1;
    let (first, third) = (gzip(b"{\"a\":1}\n123"), gzip(b"890\n[5]\n6\n"));
    std::fs::write(&path, [&first[..], &second, &third].concat()).unwrap();
    let came = read(&path, true, Config::new());
    assert_eq!(came.lines, ["{\"a\":1}", "12345", "777", "[5]", "6"]);
    assert_eq!((came.rejected, came.gaps.len()), (1, 1), "{came:?}");
    let gap = Json::parse(&came.gaps[0]).unwrap();
    let said = gap.get("error").unwrap().as_str().unwrap().into_owned();
    let next = first.len() + second.len();
    assert!(said.contains("the 9 bytes of text that came of it before are kept, unproven"), "{said}");
    assert!(
        said.ends_with(&format!("bytes of the file are left out, up to the next gzip member at byte {next}")),
        "{said}"
    );
    assert_eq!(gap.get("raw").unwrap().as_str().unwrap(), "67");
    // A record behind the gap: its line is counted as if one ended there.
    let error = Bag::<Json>::read_json(&path)
        .try_map(|record| if record.raw() == "6" { Err(kitbag::Error::stop("six")) } else { Ok(()) })
        .with(Config::new().bad_records(BadRecords::Skip))
        .count()
        .unwrap_err();
    assert_eq!(error.place().unwrap().line, Some(7), "{error}");
    assert_eq!(error.kind(), ErrorKind::Stopped);
}

#[test]
fn each_damaged_stretch_counts_once_against_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zst");
    let mut frames: Vec<Vec<u8>> = (0..7).map(|n| zstd(format!("{{\"n\":{n}}}\n").repeat(50).as_bytes())).collect();
    for damaged in [1, 4, 5] {
        // In the checksum, so that all text comes as it was.
        *frames[damaged].last_mut().unwrap() ^= 0x55;
    }
    std::fs::write(&path, frames.concat()).unwrap();
    let came = read(&path, true, Config::new());
    assert_eq!(
        (came.rejected, came.gaps.len()),
        (2, 2),
        "two stretches, for what lies between the last two is not whole"
    );
    assert_eq!(came.lines.len(), 300);
    let most = |most| {
        let config = Config::new().bad_records(BadRecords::Skip).max_errors(MaxErrors::records(most));
        Bag::<Json>::read_json(&path).with(config).count()
    };
    assert!(most(2).is_ok());
    assert_eq!(most(1).unwrap_err().kind(), ErrorKind::TooManyErrors);
}

#[test]
fn members_inside_a_whole_member_are_its_text_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("twice.gz");
    let inner: Vec<u8> =
        (0..30).flat_map(|n| [&gzip(format!("{n}\n").as_bytes())[..], b"\nbetween\n"].concat()).collect();
    std::fs::write(&path, [stored(&inner), gzip(b"last\n")].concat()).unwrap();
    for setting in corners() {
        let came = read(&path, false, setting.config());
        assert_eq!(came.lines.iter().filter(|line| *line == "between").count(), 30, "{setting}");
        assert_eq!(
            (came.lost, came.gaps.len(), came.lines.last().map(String::as_str)),
            (0, 0, Some("last")),
            "{setting}"
        );
    }
}

#[test]
fn many_beginnings_that_are_none_do_not_take_forever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gz");
    // Each looks like a member whose only block goes on to the end of the file.
    let tease = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0xff, 0xff, 0, 0][..], &[b' '; 49]].concat();
    let bytes = [gzip(b"first\n"), vec![7], tease.repeat(40_000), gzip(b"lost\nlast\n")].concat();
    std::fs::write(&path, &bytes).unwrap();
    let came = watched("teased", || read(&path, false, Config::new()));
    assert_eq!(came.lines[0], "first");
    assert_eq!(came.gaps.len(), 1);
}

/// What may happen to bytes.
#[derive(Clone, Debug)]
enum Harm {
    Flip(u8),
    Fill(u8, usize),
    Remove(usize),
    Insert(Vec<u8>),
    Cut,
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        (1..=255u8).prop_map(Harm::Flip),
        (any::<u8>(), 1..2000usize).prop_map(|(byte, count)| Harm::Fill(byte, count)),
        (1..2000usize).prop_map(Harm::Remove),
        prop::collection::vec(any::<u8>(), 1..300).prop_map(Harm::Insert),
        Just(Harm::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_a_shard_its_other_parts_come_out(
        lines in prop::collection::vec(r#"(\{"a":"[a-z{}]{0,40}"\}|[1-9][0-9]{0,8}|\[[1-9][0-9]{0,3}\])"#, 1..120),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        shape in 0..5usize,
        at in any::<prop::sample::Index>(),
        harm in harm(),
        (threads, block, small, json) in (1..5usize, 1..5000usize, any::<bool>(), any::<bool>()),
    ) {
        let text = (lines.join("\n") + "\n").into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        cuts.sort_unstable();
        let packed = packed(&cut(&text, &cuts)).swap_remove(shape);
        let whole = packed.bytes();
        let at = at.index(whole.len());
        let (mut bytes, mut to) = (whole.clone(), at);
        match harm {
            Harm::Flip(bits) => (bytes[at], to) = (bytes[at] ^ bits, at + 1),
            Harm::Fill(byte, count) => {
                to = (at + count).min(whole.len());
                bytes[at..to].fill(byte);
            }
            Harm::Remove(count) => {
                to = (at + count).min(whole.len());
                bytes.drain(at..to);
            }
            // A part is whole in which nothing was put, and its neighbours are not touched by what is put between them.
            Harm::Insert(more) => _ = bytes.splice(at..at, more),
            Harm::Cut => {
                bytes.truncate(at);
                to = whole.len();
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(packed.name);
        std::fs::write(&path, &bytes).unwrap();
        // An empty file, or one that begins as another format, is refused whole; so is what is taken for plain text.
        prop_assume!(bytes.len() > 8);
        let setting = Setting { threads, block: Some(block), memory: small.then_some(SMALL) };
        let known = Packed { proven: false, ..packed };
        let damaged = Damaged { packed: &known, bytes, from: at, to };
        damaged.check(&path, json, setting);
    }
}

#[test]
fn a_line_of_several_values_behind_a_gap_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let numbers: String = (0..5000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let mut shard = gzip(b"{\"n\":-1}\n");
    let mut damaged = gzip(numbers.as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8].fill(0xff);
    shard.extend(damaged);
    shard.extend(gzip(b"{\"n\":9000}{\"n\":9001}\n9002 9003\n"));
    let path = dir.path().join("a.jsonl.gz");
    std::fs::write(&path, shard).unwrap();
    for setting in corners() {
        let config = setting.config().bad_records(BadRecords::Skip).concatenated(true);
        let raws = Scan::new(&path).with(config).map(|record| record.raw().to_owned()).collect().unwrap();
        let behind: Vec<_> = raws.iter().map(String::as_str).skip_while(|raw| !raw.contains("9000")).collect();
        assert_eq!(behind, ["{\"n\":9000}", "{\"n\":9001}", "9002", "9003"], "{setting}");
        assert!(raws.len() < 5000, "{setting}: nothing was damaged");
    }
}
