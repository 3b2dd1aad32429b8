//! How a shard is packed, by its first bytes; what is not read is refused by name.

use std::path::Path;

use crate::error::{Error, ErrorKind, Place};

/// How a shard is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Gzip,
    Zstd,
}

/// The format that the first bytes tell; refuses by name what is not read.
pub(crate) fn sniff(head: &[u8], path: &Path) -> Result<Format, Error> {
    let wrong = |text: String| {
        let place = Place { path: path.to_string_lossy().into_owned(), byte: Some(0), ..Place::default() };
        Err(Error::new(ErrorKind::Format, text).at(place))
    };
    match head {
        [0x1f, 0x8b, ..] => return Ok(Format::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Ok(Format::Zstd),
        _ => {}
    }
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = head {
        return wrong("expected UTF-8 text: this is UTF-16 or UTF-32; convert it with `iconv -t UTF-8`".into());
    }
    if let Some((name, tool)) = other(head) {
        return wrong(format!("expected plain text, gzip or zstd: this is {name}; unpack it with `{tool}` first"));
    }
    let name = match named(path) {
        Format::Plain => return Ok(Format::Plain),
        Format::Gzip => "gzip",
        Format::Zstd => "zstd",
    };
    match head {
        [] => wrong(format!("expected {name} data, as the name says: the file is empty")),
        _ => wrong(format!("expected {name} data, as the name says: the first bytes are not {name}'s")),
    }
}

/// The format that the name tells, for a file whose first bytes may be damaged; `None` if they tell another one.
pub(super) fn claimed(head: &[u8], path: &Path) -> Option<Format> {
    let damaged = !head.is_empty() && other(head).is_none() && !matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    Some(named(path)).filter(|&format| damaged && format != Format::Plain)
}

/// A format that is known and not read, and what unpacks it.
fn other(head: &[u8]) -> Option<(&'static str, &'static str)> {
    match head {
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(("bzip2", "bzip2 -dc")),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(("xz", "xz -dc")),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Some(("zip", "unzip -p")),
        _ => None,
    }
}

fn named(path: &Path) -> Format {
    let ends = |suffix: &str| path.as_os_str().as_encoded_bytes().ends_with(suffix.as_bytes());
    match () {
        () if ends(".gz") => Format::Gzip,
        () if ends(".zst") => Format::Zstd,
        () => Format::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_their_first_bytes() {
        let sniff = |head: &[u8], name: &str| sniff(head, Path::new(name));
        assert_eq!(sniff(b"\x1f\x8b\x08", "a.txt").unwrap(), Format::Gzip);
        assert_eq!(sniff(b"\x52\x2a\x4d\x18", "a").unwrap(), Format::Zstd);
        assert_eq!(sniff(b"{}", "a.jsonl").unwrap(), Format::Plain);
        for (head, name, word) in [
            (&b"BZh91AY"[..], "a", "bzip2"),
            (b"\xfd7zXZ\0", "a", "xz"),
            (b"PK\x03\x04", "a", "zip"),
            (b"{}", "a.gz", "gzip"),
            (b"", "a.zst", "empty"),
            (b"\xff\xfe{\0", "a", "UTF-16"),
        ] {
            assert!(sniff(head, name).unwrap_err().to_string().contains(word));
        }
    }
}
