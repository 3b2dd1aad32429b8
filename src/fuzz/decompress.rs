//! Any bytes as a compressed file: the decoders give what the reference implementations give, or an error, however the
//! bytes are handed in and out; a run that leaves out what is bad comes to its end, and says the same for any setting.

use std::io::Read as _;

use crate::config::{BadRecords, Config};
use crate::engine::Monitor;
use crate::input::{Decoder, Gzip, Zstd};

use super::{Taken, file};

/// More text than this is not looked at.
const MOST: usize = 1 << 20;
/// Windows of zstd frames, as a power of two.
const WINDOW: u32 = 20;

pub fn decompress(data: &[u8]) {
    let mut bits = Taken(data);
    let (format, input, out) = (bits.below(2), 1 + bits.below(200), 1 + bits.below(300));
    let magic: &[u8] = if format == 0 { &[0x1f, 0x8b, 8] } else { &[0x28, 0xb5, 0x2f, 0xfd] };
    let bytes = if bits.byte() < 128 { bits.0.to_vec() } else { [magic, bits.0].concat() };
    let Some(whole) = decode(&bytes, format, usize::MAX, 1 << 16) else { return };
    assert_eq!(Some(&whole), decode(&bytes, format, usize::MAX, out).as_ref(), "room for {out}");
    // What comes of a damaged frame depends on how its bytes come, which they do only in pipes by chance.
    let pieces = decode(&bytes, format, input, out).map(Result::ok);
    assert_eq!(pieces, Some(whole.clone().ok()), "pieces of {input} bytes");
    if let (Ok(text), true) = (&whole, !bytes.is_empty()) {
        assert_eq!(reference(&bytes, format).as_ref(), Some(text));
    }
    salvaged(&bytes, ["a.gz", "a.zst"][format], 1 + out);
}

/// What our decoder makes of all bytes, handed in and out in pieces, and whether that was an error. `None` if it is too
/// much.
pub(super) fn decode(bytes: &[u8], format: usize, input: usize, out: usize) -> Option<Result<Vec<u8>, Vec<u8>>> {
    let mut decoder: Box<dyn Decoder> =
        if format == 0 { Box::new(Gzip::new()) } else { Box::new(Zstd::new(WINDOW).unwrap()) };
    let (mut text, mut room, mut rest) = (Vec::new(), vec![0; out], bytes);
    loop {
        let piece = &rest[..input.min(rest.len())];
        let Ok(progress) = decoder.decode(piece, &mut room) else { return Some(Err(text)) };
        assert!(progress.consumed <= piece.len() && progress.produced <= out);
        text.extend(&room[..progress.produced]);
        rest = &rest[progress.consumed..];
        if text.len() > MOST {
            return None;
        }
        if progress.consumed + progress.produced == 0 && !progress.ended {
            assert!(rest.is_empty(), "it stands still before {} bytes", rest.len());
            return Some(if decoder.may_end() { Ok(text) } else { Err(text) });
        }
    }
}

/// What others make of it.
fn reference(bytes: &[u8], format: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    if format == 0 {
        // Padding is ours to leave out.
        let padding = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        for cut in 0..=padding {
            text.clear();
            if flate2::read::MultiGzDecoder::new(&bytes[..bytes.len() - cut]).read_to_end(&mut text).is_ok() {
                return Some(text);
            }
        }
        return None;
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        let frame = zstd_safe::find_frame_compressed_size(rest).ok()?;
        let mut piece = Vec::with_capacity(MOST + 1);
        zstd_safe::DCtx::create().decompress(&mut piece, &rest[..frame]).ok()?;
        text.extend(piece);
        rest = &rest[frame..];
    }
    Some(text)
}

/// A run over a damaged file ends, and gives the same for any setting.
pub(super) fn salvaged(bytes: &[u8], name: &str, block: usize) -> (Vec<String>, u64, u64) {
    let (_dir, path) = file(name, bytes);
    let run = |threads, block, memory| {
        let monitor = Monitor::new();
        let config = Config::new().threads(threads).block_size(block).memory(memory);
        let config = config.bad_records(BadRecords::Skip).monitor(&monitor).max_record(4096);
        let lines = crate::Bag::read_text(&path).with(config).collect().unwrap();
        let report = monitor.report().unwrap();
        assert!(report.lost_bytes <= bytes.len() as u64);
        (lines, report.rejected, report.lost_bytes)
    };
    // With the same longest window.
    let first = run(1, block, 16 << 20);
    assert_eq!(first, run(2, 1 << 16, 8 << 20), "other settings");
    first
}
