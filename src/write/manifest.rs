//! `.manifest.json`: what lies in an output directory, so that it can be proven later ([`super::verify`]) that it still
//! lies there. One line of JSON, the same bytes for any threads and budget. Whoever reads the directory leaves out
//! names that begin with `.` or `_`, and a shell's `*` does not mean this one.
//!
//! The checksum is the CRC-32 of gzip and zlib, of a file's bytes: it is here already, runs at memory speed beside the
//! compression, can be made of the parts that workers packed, and everybody's tools know it. It finds damage, not
//! malice: who can change a file can change its manifest.

use serde::{Deserialize, Serialize};

use crate::engine::Provenance;
use crate::error::{Error, Result};

use super::codec::Codec;

/// The names beside the parts.
pub(super) const MANIFEST: &str = ".manifest.json";
pub(super) const SUCCESS: &str = "_SUCCESS";

/// What version this is of.
pub(super) const FORMAT: u32 = 1;

/// A file of an output; see [`Written::parts`](crate::Written::parts).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Part {
    /// The path below the directory, with `/` between names; of an output that is one file its name.
    pub path: String,
    pub(super) codec: Codec,
    /// Line ends in its text: records, where each is a line.
    pub lines: u64,
    /// Bytes of its text, before compression.
    pub text_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// The CRC-32 of the file's bytes, as in gzip and zlib.
    #[serde(with = "hex")]
    pub crc32: u32,
}

/// All of a directory.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) kitbag: String,
    pub(super) records: u64,
    pub(super) partitions: u64,
    pub(super) lines: u64,
    pub(super) text_bytes: u64,
    pub(super) file_bytes: u64,
    pub(super) made_from: Provenance,
    pub(super) parts: Vec<Part>,
}

impl Manifest {
    pub(super) fn new(records: u64, partitions: u64, made_from: Provenance, parts: Vec<Part>) -> Manifest {
        let sum = |of: fn(&Part) -> u64| parts.iter().fold(0, |sum: u64, part| sum.saturating_add(of(part)));
        Manifest {
            format: FORMAT,
            kitbag: env!("CARGO_PKG_VERSION").to_owned(),
            records,
            partitions,
            lines: sum(|part| part.lines),
            text_bytes: sum(|part| part.text_bytes),
            file_bytes: sum(|part| part.file_bytes),
            made_from,
            parts,
        }
    }

    /// Its line.
    pub(super) fn to_line(&self) -> Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self).map_err(|error| Error::internal(error.to_string()))?;
        line.push(b'\n');
        Ok(line)
    }

    /// Reads one; the error says what is expected.
    pub(super) fn parse(text: &[u8]) -> Result<Manifest, String> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let wrong = |error: serde_json::Error| format!("expected a manifest: {error}");
        let Head { format } = serde_json::from_slice(text).map_err(wrong)?;
        if format != FORMAT {
            return Err(format!("expected a manifest of format {FORMAT}, found {format}"));
        }
        serde_json::from_slice(text).map_err(wrong)
    }

    /// Whether a part's path stays below the directory: names with `/` between them, none of which leads elsewhere.
    pub(super) fn is_below(path: &str) -> bool {
        let name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\0', '\\']);
        path.split('/').all(name)
    }
}

/// Checksums as they are usually printed.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(crc: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{crc:08x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        let text = String::deserialize(from)?;
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parsed = u32::from_str_radix(&text, 16).ok().filter(|_| digits);
        parsed.ok_or_else(|| D::Error::custom("expected a checksum of eight hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else() {
        let part =
            Part { path: "a=1/p-000000.gz".into(), codec: Codec::Gzip, crc32: 0xab, lines: 2, ..Part::default() };
        let manifest = Manifest::new(7, 1, Provenance::default(), vec![part.clone(), part]);
        let line = manifest.to_line().unwrap();
        let text = std::str::from_utf8(&line).unwrap();
        assert!(text.ends_with("\n") && text.contains(r#""codec":"gzip","lines":2"#), "{text}");
        assert!(text.contains(r#""crc32":"000000ab""#) && text.contains(r#""lines":4,"#), "{text}");
        assert_eq!(Manifest::parse(&line).unwrap(), manifest);
        for (wrong, says) in [
            (text.replace(r#""format":1"#, r#""format":2"#), "format 1, found 2"),
            (text.replace("000000ab", "+00000ab"), "eight hexadecimal digits"),
            (text.replace("gzip", "rar"), "expected a manifest: unknown variant `rar`"),
            (text.replace(r#""lines""#, r#""line""#), "missing field `lines`"),
            (text[..text.len() / 2].to_owned(), "expected a manifest: EOF"),
            (String::new(), "expected a manifest: EOF"),
        ] {
            let error = Manifest::parse(wrong.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn paths_stay_below_the_directory() {
        assert!(Manifest::is_below("a=1/b=%2E%2E/part-0.gz") && Manifest::is_below("..x"));
        for path in ["", "/etc/passwd", "../x", "a/../x", "a//x", "a/", "./x", "a/.", "a\\..\\b", "a\0"] {
            assert!(!Manifest::is_below(path), "{path:?}");
        }
    }
}
