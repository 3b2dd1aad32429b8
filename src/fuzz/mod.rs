//! What the fuzz targets do (`fuzz/`): each body takes any bytes and panics if what must hold does not. Compiled for
//! fuzzing and for tests only; the test here replays the inputs that are kept.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a fuzz target panics, makes its own files, and has small numbers"
)]

mod damage;
mod decompress;
mod error_text;
pub(crate) mod json;
mod lines;
mod partition_name;
mod pipeline;
mod spill_frame;

pub use damage::damage;
pub use decompress::decompress;
pub use error_text::error_text;
pub use json::json;
pub use lines::lines;
pub use partition_name::partition_name;
pub use pipeline::pipeline;
pub use spill_frame::spill_frame;

/// A body; the inputs of a name are in `fuzz/corpus/NAME/`.
pub type Target = (&'static str, fn(&[u8]));

/// All but that of programs, which the command has.
pub const TARGETS: [Target; 8] = [
    ("damage", damage),
    ("decompress", decompress),
    ("error_text", error_text),
    ("json", json),
    ("lines", lines),
    ("partition_name", partition_name),
    ("pipeline", pipeline),
    ("spill_frame", spill_frame),
];

/// Bytes that are taken from the front; zeros when there are no more.
#[derive(Clone, Debug)]
pub struct Taken<'a>(pub &'a [u8]);

impl<'a> Taken<'a> {
    pub fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    pub fn below(&mut self, end: usize) -> usize {
        (usize::from(self.byte()) | usize::from(self.byte()) << 8) % end.max(1)
    }

    pub fn some(&mut self, count: usize) -> &'a [u8] {
        let (some, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        some
    }
}

/// A file of these bytes, which lives as long as the directory.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// A gzip member.
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(5));
    std::io::Write::write_all(&mut packer, text).unwrap();
    packer.finish().unwrap()
}

/// A zstd frame, with a checksum or without.
fn zstd(text: &[u8], checksum: bool) -> Vec<u8> {
    let mut packer = zstd_safe::CCtx::create();
    packer.set_parameter(zstd_safe::CParameter::ChecksumFlag(checksum)).unwrap();
    let mut packed = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    packer.compress2(&mut packed, text).unwrap();
    packed
}

/// Members or frames of pieces of a text.
fn packed(text: &[u8], format: usize, bits: &mut Taken<'_>) -> Vec<u8> {
    let (mut rest, mut packed) = (text, Vec::new());
    for _ in 0..bits.below(4) {
        let (piece, behind) = rest.split_at(bits.below(rest.len() + 1));
        packed.extend(pack(piece, format));
        rest = behind;
    }
    packed.extend(pack(rest, format));
    packed
}

fn pack(piece: &[u8], format: usize) -> Vec<u8> {
    match format {
        0 => gzip(piece),
        1 => zstd(piece, true),
        _ => zstd(piece, false),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_found_worth_keeping_still_holds() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let (mut replayed, mut bytes) = (Vec::new(), 0);
        for (name, target) in super::TARGETS {
            let Ok(inputs) = std::fs::read_dir(corpus.join(name)) else {
                // A packaged crate has no corpora.
                eprintln!("skipped: {} is not there", corpus.join(name).display());
                return;
            };
            let mut count = 0;
            for input in inputs {
                let input = std::fs::read(input.unwrap().path()).unwrap();
                target(&input);
                bytes += input.len();
                count += 1;
            }
            assert!(count > 0, "{name} has no inputs");
            replayed.push((name, count));
        }
        assert!(bytes < 200 << 10, "{bytes} bytes of inputs: {replayed:?}");
        eprintln!("{replayed:?}, {bytes} bytes");
    }
}
