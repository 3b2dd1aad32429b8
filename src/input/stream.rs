//! An open shard as a stream of decompressed bytes: damage with its place in the file, and nothing that was there when the
//! shard was listed is left out.

use crate::error::Error;
use crate::os::File;

use super::decode::{Damage, Decoder, Gzip, Zstd};
use super::format::Format;
use super::salvage::Lookout;

/// Bytes of a compressed file that are read at once.
pub(super) const INPUT: usize = 128 << 10;

/// A shard being read.
pub(crate) struct Stream {
    pub(super) file: File,
    pub(super) path: std::path::PathBuf,
    pub(super) format: Format,
    pub(super) decoder: Option<Box<dyn Decoder>>,
    pub(super) input: Vec<u8>,
    pub(super) taken: usize,
    pub(super) filled: usize,
    pub(super) end_of_file: bool,
    /// Offset in the file of the next byte that is decoded.
    pub(super) offset: u64,
    /// Members or frames decoded, checksum and all.
    pub(super) parts: u64,
    /// Where the one in hand begins, where the last text came from, and how much came of this one.
    pub(super) part: Part,
    /// Looks for what is whole behind damage; only where that is left out.
    pub(super) lookout: Option<Box<Lookout>>,
    /// Damage that was seen when the file was opened.
    pub(super) broken: Option<Error>,
    pub(super) window_log: u32,
    /// The size of a file that has one, as it was listed; such a file never keeps a reader waiting.
    pub(super) listed: Option<u64>,
}

/// The member or frame in hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    pub(super) start: u64,
    /// Behind the bytes of which the last text came.
    pub(super) given: u64,
    /// Bytes of text.
    pub(super) text: u64,
}

impl Stream {
    /// One that has seen nothing yet; none for plain bytes.
    pub(super) fn new_decoder(&self) -> Result<Option<Box<dyn Decoder>>, Error> {
        Ok(match self.format {
            Format::Plain => None,
            Format::Gzip => Some(Box::new(Gzip::new())),
            Format::Zstd => Some(Box::new(Zstd::new(self.window_log).map_err(|damage| self.damaged(damage))?)),
        })
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The bytes of a file of this length, if they were all read when it was opened; the stream is then to be asked
    /// for nothing but to [`seek`](Stream::seek).
    #[cfg(feature = "libdeflate")]
    pub(crate) fn take_whole(&mut self, len: usize) -> Option<Vec<u8>> {
        // There was room for more: had the file been longer, more would have come.
        let whole = self.offset == 0 && self.taken == 0 && self.filled == len && len < self.input.len();
        whole.then(|| std::mem::take(&mut self.input))
    }

    /// Goes on at this offset of a gzip file, where a member ended after `parts` more than were decoded here.
    #[cfg(feature = "libdeflate")]
    pub(crate) fn seek(&mut self, offset: u64, parts: u64) -> Result<(), Error> {
        if offset > 0 {
            self.decoder = Some(Box::new(Gzip::after_member()));
        }
        self.parts += parts;
        self.file.seek(offset).map_err(|error| self.unreadable(error))?;
        (self.taken, self.filled, self.end_of_file, self.offset) = (0, 0, false, offset);
        self.part = Part { start: offset, given: offset, text: 0 };
        if self.input.is_empty() {
            self.input = vec![0; INPUT];
        }
        Ok(())
    }

    /// Whether a member or frame has just ended.
    #[cfg(feature = "libdeflate")]
    pub(crate) fn at_boundary(&self) -> bool {
        self.decoder.as_ref().is_some_and(|decoder| decoder.may_end())
    }

    /// Offset in the file of the next byte that is decoded.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Decompresses into `out`; 0 is the end of the shard, `None` that `halted` said so while bytes were waited for.
    pub(crate) fn fill(&mut self, out: &mut [u8], halted: &dyn Fn() -> bool) -> Result<Option<usize>, Error> {
        self.broken.take().map_or(Ok(()), Err)?;
        loop {
            if self.taken == self.filled && !self.end_of_file {
                if !self.waited(halted) {
                    return Ok(None);
                }
                if self.decoder.is_none() {
                    // Plain bytes go straight into the block.
                    let read = self.file.read(out).map_err(|error| self.unreadable(error))?;
                    if read == 0 && !out.is_empty() {
                        self.whole(self.offset)?;
                    }
                    self.offset += read as u64;
                    return Ok(Some(read));
                }
                self.more()?;
            }
            let most = self.ahead();
            let input = &self.input[self.taken..self.taken + most];
            let Some(decoder) = &mut self.decoder else {
                let count = input.len().min(out.len());
                if count == 0 && !out.is_empty() {
                    // An empty file, as was seen when it was opened.
                    self.whole(self.offset)?;
                }
                out[..count].copy_from_slice(&input[..count]);
                self.taken += count;
                self.offset += count as u64;
                return Ok(Some(count));
            };
            let progress = match decoder.decode(input, out) {
                Ok(progress) => progress,
                Err(damage) => return Err(self.damaged(damage)),
            };
            self.taken += progress.consumed;
            self.offset += progress.consumed as u64;
            if progress.produced > 0 {
                (self.part.given, self.part.text) = (self.offset, self.part.text + progress.produced as u64);
            }
            if progress.ended {
                self.parts += 1;
                self.part = Part { start: self.offset, given: self.offset, text: 0 };
            }
            if progress.produced > 0 {
                return Ok(Some(progress.produced));
            }
            if most == 0 && !progress.ended && self.taken < self.filled {
                // What follows may be the beginning of a member or frame, and this one has not ended.
                match self.judge(halted)? {
                    Some(()) => continue,
                    None => return Ok(None),
                }
            }
            if self.end_of_file && self.taken == self.filled {
                self.whole(self.offset)?;
                return if self.decoder.as_ref().is_some_and(|decoder| decoder.may_end()) {
                    Ok(Some(0))
                } else {
                    Err(self.truncated())
                };
            }
            if progress.consumed == 0 && most > 0 && !progress.ended {
                // No decoder stands still with input and room; if one did, this loop would never end.
                return Err(self.damaged(Damage::Corrupt("the decoder makes no progress".into())));
            }
        }
    }

    /// Whether the next read of the file would wait.
    pub(crate) fn would_wait(&self) -> bool {
        self.listed.is_none() && self.taken == self.filled && !self.end_of_file && !self.file.ready(0)
    }

    /// Waits until the file can be read; `false` if `halted` said so before.
    pub(super) fn waited(&self, halted: &dyn Fn() -> bool) -> bool {
        while self.listed.is_none() && !self.file.ready(50) {
            if halted() {
                return false;
            }
        }
        true
    }

    pub(super) fn more(&mut self) -> Result<(), Error> {
        if self.taken > 0 {
            self.input.copy_within(self.taken..self.filled, 0);
            (self.taken, self.filled) = (0, self.filled - self.taken);
        }
        let read = self.file.read(&mut self.input[self.filled..]);
        let read = read.map_err(|error| self.unreadable(error))?;
        self.filled += read;
        self.end_of_file = read == 0;
        Ok(())
    }
}
