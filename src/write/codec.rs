//! Compression of output: each chunk of text becomes a member or frame of its own, so that our output can be read in
//! parallel and its bytes depend on the text alone.

use crc32fast::Hasher;
use flate2::Compression;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use zstd_safe::{CCtx, CParameter};

use crate::error::{Error, Result};

/// How an output file is packed; told by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Codec {
    #[default]
    Plain,
    Gzip,
    Zstd,
}

/// A chunk as it goes to its file, and what a manifest tells of it.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: u64,
    pub(crate) text_bytes: u64,
    /// Of the bytes.
    pub(crate) crc: Hasher,
}

impl Codec {
    pub(crate) fn of_name(name: &str) -> Codec {
        match name.rsplit('.').next() {
            Some("gz") => Codec::Gzip,
            Some("zst") => Codec::Zstd,
            _ => Codec::Plain,
        }
    }

    /// Packs one chunk, and counts and sums it on the same thread, while it is at hand.
    pub(crate) fn pack(self, text: Vec<u8>) -> Result<Packed> {
        let (lines, text_bytes) = (memchr::memchr_iter(b'\n', &text).count() as u64, text.len() as u64);
        let (bytes, mut crc) = (self.packed(text)?, Hasher::new());
        crc.update(&bytes);
        Ok(Packed { bytes, lines, text_bytes, crc })
    }

    fn packed(self, text: Vec<u8>) -> Result<Vec<u8>> {
        match self {
            Codec::Plain => Ok(text),
            Codec::Gzip => {
                let mut packer =
                    flate2::write::GzEncoder::new(Vec::with_capacity(text.len() / 3), Compression::default());
                packer
                    .write_all(&text)
                    .and_then(|()| packer.finish())
                    .map_err(|error| Error::internal(error.to_string()))
            }
            Codec::Zstd => {
                let failed = |code| Error::internal(format!("zstd: {}", zstd_safe::get_error_name(code)));
                let mut context = CCtx::create();
                context.set_parameter(CParameter::CompressionLevel(3)).map_err(failed)?;
                context.set_parameter(CParameter::ChecksumFlag(true)).map_err(failed)?;
                let mut packed = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
                context.compress2(&mut packed, &text).map_err(failed)?;
                Ok(packed)
            }
        }
    }
}
