//! Packs text as others do: gzip members and zstd frames, with all that may stand between them.

use std::io::Write as _;

/// One gzip member.
pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// One gzip member with every optional header field.
pub fn gzip_with_name(text: &[u8]) -> Vec<u8> {
    let builder = flate2::GzBuilder::new().filename("a name").comment("made by a test").extra(*b"xy\x02\0ab").mtime(7);
    let mut packer = builder.write(Vec::new(), flate2::Compression::new(1));
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// Members one after another.
pub fn gzip_members<'t>(pieces: impl IntoIterator<Item = &'t [u8]>) -> Vec<u8> {
    pieces.into_iter().flat_map(gzip).collect()
}

/// One zstd frame with a checksum; its size is in its header.
pub fn zstd(text: &[u8]) -> Vec<u8> {
    let mut packer = zstd::bulk::Compressor::new(3).unwrap();
    packer.include_checksum(true).unwrap();
    packer.compress(text).unwrap()
}

/// One zstd frame without a checksum and without a size.
pub fn zstd_bare(text: &[u8]) -> Vec<u8> {
    let mut packer = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    packer.include_checksum(false).unwrap();
    packer.include_contentsize(false).unwrap();
    packer.window_log(18).unwrap();
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// A skippable frame.
pub fn skippable(number: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x50 + number % 16, 0x2a, 0x4d, 0x18];
    frame.extend((content.len() as u32).to_le_bytes());
    frame.extend(content);
    frame
}

/// Frames with skippable ones before, between and after them.
pub fn zstd_frames<'t>(pieces: impl IntoIterator<Item = &'t [u8]>) -> Vec<u8> {
    let mut file = skippable(3, b"");
    for (number, piece) in (0..).zip(pieces) {
        file.extend(if number % 2 == 0 { zstd(piece) } else { zstd_bare(piece) });
        file.extend(skippable(number, b"not text\n{\"nor\": \"a record\"}\n"));
    }
    file
}
