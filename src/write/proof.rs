//! Whether a file is the part of an output that its manifest says: one pass over its bytes, which are summed as they
//! lie there and decoded for their lines.

use std::path::Path;

use crc32fast::Hasher;

use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Damage, Decoder, Gzip, Zstd};

use super::codec::Codec;
use super::manifest::{Manifest, Part};
use super::verify::place;

/// Bytes that are read at once, and decoded at once.
const BUFFER: usize = 128 << 10;

/// Says what is not as the part says, first what costs least to find.
pub(super) fn prove(dir: &Path, real: &Path, part: &Part, settings: &Settings) -> Result<()> {
    let (os, path) = (&settings.os, dir.join(&part.path));
    let wrong = |kind, text: String| Err(Error::new(kind, text).at(place(&path)));
    if !Manifest::is_below(&part.path) {
        return wrong(ErrorKind::Corrupt, "expected a path below the directory, as a part's name".into());
    }
    let failed = |error| Error::io(&path, "read", error);
    let meta = match os.meta(&path) {
        Ok(meta) if meta.regular => meta,
        Ok(_) => {
            return wrong(ErrorKind::Corrupt, format!("expected a file of {} bytes: this is none", part.file_bytes));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return wrong(ErrorKind::NotFound, format!("expected a file of {} bytes: there is none", part.file_bytes));
        }
        Err(error) => return Err(failed(error)),
    };
    if !os.real(&path).map_err(failed)?.starts_with(real) {
        return wrong(ErrorKind::Corrupt, "expected a file below the directory: a link leads out of it".into());
    }
    if meta.len != part.file_bytes {
        return wrong(ErrorKind::Corrupt, format!("expected {} bytes, found {}", part.file_bytes, meta.len));
    }
    let mut file = os.open(&path, true).map_err(failed)?;
    let (mut sum, mut length, mut text) = (Hasher::new(), 0, Text::new(part.codec, settings.max_window_log));
    let mut buffer = vec![0; BUFFER];
    loop {
        if settings.cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        length += read as u64;
        sum.update(&buffer[..read]);
        text.take(&buffer[..read]);
    }
    if length != part.file_bytes {
        return wrong(ErrorKind::Corrupt, format!("expected {} bytes, found {length}", part.file_bytes));
    }
    let found = sum.finalize();
    if found != part.crc32 {
        let text = format!("expected bytes with the checksum {:08x}, found {found:08x}", part.crc32);
        return wrong(ErrorKind::Corrupt, text);
    }
    match text.end() {
        Err(damage) => wrong(ErrorKind::Corrupt, format!("expected text that can be unpacked: {damage}")),
        Ok((bytes, lines)) if (bytes, lines) != (part.text_bytes, part.lines) => {
            let (expected, lines_expected) = (part.text_bytes, part.lines);
            let text = format!("expected {expected} bytes of text in {lines_expected} lines, found {bytes} in {lines}");
            wrong(ErrorKind::Corrupt, text)
        }
        Ok(_) => Ok(()),
    }
}

/// The text of a file whose bytes come one after the other, counted.
struct Text {
    decoder: Option<Box<dyn Decoder>>,
    out: Vec<u8>,
    bytes: u64,
    lines: u64,
    damage: Option<String>,
}

impl Text {
    fn new(codec: Codec, window_log: u32) -> Text {
        let (mut damage, mut out) = (None, Vec::new());
        let decoder: Option<Box<dyn Decoder>> = match codec {
            Codec::Plain => None,
            Codec::Gzip => Some(Box::new(Gzip::new())),
            Codec::Zstd => match Zstd::new(window_log) {
                Ok(decoder) => Some(Box::new(decoder)),
                Err(found) => {
                    damage = Some(say(found));
                    None
                }
            },
        };
        if decoder.is_some() {
            out = vec![0; 2 * BUFFER];
        }
        Text { decoder, out, bytes: 0, lines: 0, damage }
    }

    fn take(&mut self, mut input: &[u8]) {
        let Some(decoder) = &mut self.decoder else {
            self.bytes += input.len() as u64;
            self.lines += memchr::memchr_iter(b'\n', input).count() as u64;
            return;
        };
        // What is decoded of damaged data counts for nothing: the first damage is all that is told.
        while self.damage.is_none() {
            match decoder.decode(input, &mut self.out) {
                Ok(progress) => {
                    let text = &self.out[..progress.produced];
                    self.bytes += text.len() as u64;
                    self.lines += memchr::memchr_iter(b'\n', text).count() as u64;
                    input = &input[progress.consumed..];
                    if input.is_empty() && progress.produced == 0 {
                        return;
                    }
                    if progress == Default::default() {
                        self.damage = Some("the decoder makes no progress".into());
                    }
                }
                Err(found) => self.damage = Some(say(found)),
            }
        }
    }

    /// Bytes and lines, or why it is no text.
    fn end(self) -> Result<(u64, u64), String> {
        match (self.damage, &self.decoder) {
            (Some(damage), _) => Err(damage),
            // A file that is empty is no member and no frame; it is not written either.
            (None, Some(decoder)) if !decoder.may_end() => Err(format!("it ends within a {}", decoder.part())),
            _ => Ok((self.bytes, self.lines)),
        }
    }
}

fn say(damage: Damage) -> String {
    match damage {
        Damage::Corrupt(text) => text,
        Damage::Window => "it asks for a window beyond the memory budget".into(),
    }
}
