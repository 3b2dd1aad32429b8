//! Public suites of files, where KITBAG_SUITES names a folder that has them: `json` is JSONTestSuite as its repository is,
//! `packed` any tree with gzip and zstd files of other projects. Nothing of them is copied in; docs/figures.md has the
//! rates.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test says what it skips, and its rates")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use kitbag::{BadRecords, Bag, Config, ErrorKind, Input, Json, JsonParser, Monitor, Scan};
use serde::de::IgnoredAny;
use serde_json::Value;

/// A folder of suites; `None` says why not.
fn suite(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("KITBAG_SUITES") else {
        eprintln!("skipped: KITBAG_SUITES names no folder with `{name}`");
        return None;
    };
    let path = Path::new(&folder).join(name);
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut waiting, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(dir) = waiting.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Whether every lane takes a text as one value; they must be of one mind.
fn accepted(text: &[u8], name: &str) -> bool {
    let accepts = JsonParser::default().read(text).is_ok();
    // A text that comes from memory may be nested deeper.
    let kept = std::str::from_utf8(text).is_ok_and(|text| Json::parse(text).is_ok());
    let deep = JsonParser::default().read(text).is_err_and(|error| error.kind() == ErrorKind::Limit);
    assert!(kept == accepts || deep, "{name}: Json::parse");
    let typed = JsonParser::default().read_as::<IgnoredAny>(text).is_ok();
    assert_eq!(typed, accepts, "{name}: read_as");
    accepts
}

/// Records and rejected lines of a file of lines: owned, typed and borrowed.
fn as_file(text: &[u8], name: &str) -> (u64, u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    std::fs::write(&path, text).unwrap();
    let monitor = Monitor::new();
    let config = Config::new().threads(1).bad_records(BadRecords::Skip).monitor(&monitor);
    let count = |count: kitbag::Result<u64>| count.map(|count| (count, monitor.report().unwrap().rejected)).unwrap();
    let owned = count(Bag::<Json>::read_json(&path).with(config.clone()).map(|_| ()).count());
    assert_eq!(count(Bag::<IgnoredAny>::read_json(&path).with(config.clone()).count()), owned, "{name}: typed");
    assert_eq!(count(Scan::new(&path).with(config.clone()).count()), owned, "{name}: scan");
    owned
}

/// Each file as one text (white space may be newlines), and as a file of JSON lines, where a newline ends the record:
/// what holds newlines inside is then some other lines, of which at least one is refused if the whole is.
#[test]
fn json_test_suite() {
    let Some(folder) = suite("json") else { return };
    let (mut must, mut must_not, mut may, mut taken) = (0, 0, 0, 0);
    for path in files(&folder.join("test_parsing")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read(&path).unwrap();
        let accepts = accepted(&text, &name);
        let lines = text.strip_suffix(b"\n").unwrap_or(&text);
        let one_line = !lines.contains(&b'\n');
        let (records, refused) = as_file(&text, &name);
        match name.as_bytes()[0] {
            b'y' => {
                assert!(accepts, "{name} has to be accepted");
                assert!(!one_line || (records, refused) == (1, 0), "{name} has to be a record");
                must += 1;
            }
            b'n' => {
                assert!(!accepts, "{name} has to be refused");
                // Blank lines are no records, and no bad ones either.
                let unmarked = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
                let blank = unmarked.iter().all(u8::is_ascii_whitespace);
                assert!(refused > 0 || blank, "{name} has to be refused");
                assert!(!one_line || records == 0, "{name} has to be refused");
                must_not += 1;
            }
            _ => {
                // Numbers beyond doubles are JSON, though no `Value`.
                let is_json = std::str::from_utf8(&text).is_ok() && serde_json::from_slice::<IgnoredAny>(&text).is_ok();
                let value = serde_json::from_slice::<Value>(&text);
                let range = value.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
                assert_eq!(accepts, is_json && (value.is_ok() || range), "{name}: serde_json says {value:?}");
                may += 1;
                taken += u64::from(accepts);
            }
        }
    }
    println!("JSONTestSuite: {must} accepted, {must_not} refused, {taken} of {may} free ones accepted");
    assert!(must >= 95 && must_not >= 188 && may >= 35, "this is not the whole suite");
}

/// What others make of a packed file; `None` if they refuse it.
fn reference(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    match bytes {
        [0x1f, 0x8b, ..] => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).ok().map(|_| text),
        _ => zstd::stream::read::Decoder::new(bytes).and_then(|mut all| all.read_to_end(&mut text)).ok().map(|_| text),
    }
}

/// gzip members in a file that is whole.
fn members(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let [0x1f, 0x8b, ..] = bytes {
        let mut member = flate2::bufread::GzDecoder::new(bytes);
        std::io::copy(&mut member, &mut std::io::sink()).unwrap();
        bytes = member.into_inner();
        count += 1;
    }
    count
}

#[test]
fn packed_files_of_other_projects() {
    let Some(folder) = suite("packed") else { return };
    let (mut whole, mut many, mut refused) = (0, 0, 0);
    for path in files(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        if !matches!(bytes[..], [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
            continue;
        }
        let expected = reference(&bytes);
        let mut text = Vec::new();
        let read = Input::from(&path)
            .reader(&Config::new())
            .and_then(|mut reader| reader.read_to_end(&mut text).map_err(kitbag::Error::stop));
        assert_eq!(read.is_ok(), expected.is_some(), "{}: {read:?}", path.display());
        // As lines, by a decoder of streams and, where memory allows, of whole members.
        for (threads, memory) in [(1, 4 << 20), (2, 1 << 30)] {
            let config = Config::new().threads(threads).memory(memory).max_record(64 << 10);
            let lines = Bag::read_text(&path).with(config.clone().bad_records(BadRecords::Skip)).count().unwrap();
            let Some(expected) = &expected else {
                assert!(Bag::read_text(&path).with(config).count().is_err(), "{}", path.display());
                continue;
            };
            let good = expected.split_inclusive(|&byte| byte == b'\n').filter(|line| {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                line.len() <= 64 << 10 && std::str::from_utf8(line).is_ok()
            });
            assert_eq!(lines, good.count() as u64, "{} with {threads} threads", path.display());
        }
        match expected {
            Some(expected) => {
                assert!(text == expected, "{}: another text", path.display());
                whole += 1;
                many += u32::from(members(&bytes) > 1);
            }
            None => refused += 1,
        }
    }
    println!(
        "packed files: {whole} read as others read them, {many} of them of many gzip members; {refused} refused as they do"
    );
    assert!(whole + refused > 10, "there is hardly a file in {}", folder.display());
}
