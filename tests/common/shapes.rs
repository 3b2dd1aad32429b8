//! The shapes that the same records may have on disk.

use std::path::{Path, PathBuf};

use kitbag::Input;

use super::pack::{gzip, gzip_members, gzip_with_name, zstd, zstd_bare, zstd_frames};
use super::{Dice, Kind};

/// Records as files.
#[derive(Debug)]
pub struct Shape {
    pub name: &'static str,
    pub input: Input,
    _dir: tempfile::TempDir,
}

/// Line ends and what else is around the records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dress {
    Plain,
    Crlf,
    Bom,
    Blank,
    NoLastNewline,
}

/// The text of these records.
fn text(records: &[String], dress: Dress) -> Vec<u8> {
    let mut out = String::new();
    if dress == Dress::Bom {
        out.push('\u{feff}');
    }
    for (number, record) in records.iter().enumerate() {
        if dress == Dress::Blank {
            out.push_str(["\n", "", " \t\r\n", "\r\n\n"][number % 4]);
        }
        out.push_str(record);
        out.push_str(if dress == Dress::Crlf { "\r\n" } else { "\n" });
    }
    if dress == Dress::Blank {
        out.push_str("\n  ");
    }
    if dress == Dress::NoLastNewline && records.last().is_some_and(|last| !last.is_empty()) {
        out.pop();
    }
    out.into_bytes()
}

/// Every shape of these records. Shards are numbered so that natural order matters, and some hold nothing.
pub fn shapes(records: &[String], kind: Kind) -> Vec<Shape> {
    let mut dice = Dice::new(records.len() as u64 + 7);
    let mut shapes = Vec::new();
    let mut one = |name, file: &str, bytes: Vec<u8>| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        std::fs::write(&path, bytes).unwrap();
        shapes.push(Shape { name, input: Input::from(path), _dir: dir });
    };
    let plain = text(records, Dress::Plain);
    one("plain", "a.jsonl", plain.clone());
    one("crlf", "a.jsonl", text(records, Dress::Crlf));
    one("byte-order mark", "a.jsonl", text(records, Dress::Bom));
    one("no last newline", "a.jsonl", text(records, Dress::NoLastNewline));
    if kind == Kind::Json {
        one("blank lines", "a.jsonl", text(records, Dress::Blank));
        one("blank lines, gzip members", "a.jsonl.gz", gzip_members(dice.cut(&text(records, Dress::Blank), 5)));
    }
    one("gzip, one member", "a.jsonl.gz", gzip(&plain));
    one("gzip, named member, zero padding", "a.gz", [gzip_with_name(&plain), vec![0; 700]].concat());
    one("gzip, many members", "a.jsonl.gz", gzip_members(dice.cut(&plain, 40)));
    one("gzip, byte-order mark in bits", "a.gz", {
        let text = text(records, Dress::Bom);
        gzip_members([&text[..1], &text[1..2], &text[2..]])
    });
    one("zstd, one frame", "a.jsonl.zst", zstd(&plain));
    one("zstd, no size, no checksum", "a.jsonl.zst", zstd_bare(&text(records, Dress::NoLastNewline)));
    one("zstd, many and skippable frames", "a.jsonl.zst", zstd_frames(dice.cut(&plain, 20)));
    shapes.push(shards(records, &mut dice));
    shapes.push(listed(records, &mut dice));
    shapes
}

/// A directory with shards of every codec, empty ones among them.
fn shards(records: &[String], dice: &mut Dice) -> Shape {
    let dir = tempfile::tempdir().unwrap();
    let mut from = 0;
    for shard in 1..=12 {
        let to =
            if shard == 12 { records.len() } else { (from + dice.below(records.len() / 5 + 2)).min(records.len()) };
        let part = &records[from..to];
        from = to;
        let at = |suffix: &str| dir.path().join(format!("part-{shard}.jsonl{suffix}"));
        match shard % 4 {
            0 => std::fs::write(at(""), text(part, Dress::NoLastNewline)).unwrap(),
            1 => std::fs::write(at(".gz"), gzip_members(dice.cut(&text(part, Dress::Crlf), 3))).unwrap(),
            2 => std::fs::write(at(".zst"), zstd_frames(dice.cut(&text(part, Dress::Plain), 2))).unwrap(),
            _ => std::fs::write(at(""), text(part, Dress::Bom)).unwrap(),
        }
    }
    std::fs::write(dir.path().join("_SUCCESS"), "not a record").unwrap();
    std::fs::write(dir.path().join(".part-0.jsonl"), "not a record").unwrap();
    Shape { name: "directory of mixed and empty shards", input: Input::from(dir.path()), _dir: dir }
}

/// A list of paths, which keeps its order, with empty files.
fn listed(records: &[String], dice: &mut Dice) -> Shape {
    let dir = tempfile::tempdir().unwrap();
    let cut = dice.below(records.len() + 1);
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| {
        let path = Path::join(dir.path(), name);
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    };
    put("z-empty", b"");
    put("y-first", &text(&records[..cut], Dress::NoLastNewline));
    put("x-nothing.gz", &gzip(b""));
    put("b-mark", b"\xef\xbb\xbf");
    put("a-second.zst", &zstd(&text(&records[cut..], Dress::Plain)));
    Shape { name: "list with empty files", input: Input::from(paths), _dir: dir }
}
