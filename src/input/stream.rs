//! An open shard as a stream of decompressed bytes: damage with its place in the file, and nothing that was there when the
//! shard was listed is left out.

use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::os::File;

use super::Shard;
use super::decode::{Damage, Decoder, Gzip, Zstd};
use super::format::{Format, claimed, sniff};
use super::salvage::Lookout;

/// Bytes of a compressed file that are read at once.
const INPUT: usize = 128 << 10;

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
    broken: Option<Error>,
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
    /// Opens a shard and looks at its first bytes; `None` if `halted` said so while they were waited for.
    pub(crate) fn open(shard: &Shard, settings: &Settings, halted: &dyn Fn() -> bool) -> Result<Option<Stream>, Error> {
        Stream::open_to(shard, settings, false, halted)
    }

    /// As [`open`](Stream::open); with `salvage` for one who goes on behind damage: see [`rescue`](Stream::rescue).
    pub(crate) fn open_to(
        shard: &Shard,
        settings: &Settings,
        salvage: bool,
        halted: &dyn Fn() -> bool,
    ) -> Result<Option<Stream>, Error> {
        let os = &settings.os;
        let file = match shard.is_stdin() {
            true => os.stdin(),
            false => {
                os.open(&shard.path, shard.meta.is_some()).map_err(|error| Error::io(&shard.path, "open", error))?
            }
        };
        let path = if shard.is_stdin() { "<stdin>".into() } else { shard.path.clone() };
        // A small file gets a small buffer: thousands of them should cost no more than their bytes.
        let len = shard.meta.map_or(INPUT as u64, |meta| meta.len + 1);
        let input = usize::try_from(len).map_or(INPUT, |len| len.clamp(16, INPUT));
        let mut stream = Stream {
            file,
            path,
            format: Format::Plain,
            decoder: None,
            input: vec![0; input],
            taken: 0,
            filled: 0,
            end_of_file: false,
            offset: 0,
            parts: 0,
            part: Part::default(),
            lookout: None,
            broken: None,
            window_log: settings.max_window_log,
            listed: shard.meta.map(|meta| meta.len),
        };
        if let Some(meta) = shard.meta {
            let now = stream.file.meta().map_err(|error| Error::io(&shard.path, "read", error))?;
            if now.id != meta.id {
                let text = "the file was replaced by another one while the run went on: what was there was not read";
                return Err(Error::new(ErrorKind::Io, text).at(stream.place()));
            }
        }
        // Four bytes tell the formats apart; a pipe may bring them one by one, and a short line may be all there is.
        while stream.filled < 6 && !stream.end_of_file && !stream.input[..stream.filled].contains(&b'\n') {
            if !stream.waited(halted) {
                return Ok(None);
            }
            stream.more()?;
        }
        let salvage = shard.meta.filter(|_| salvage);
        let head = &stream.input[..stream.filled];
        stream.format = match (sniff(head, &stream.path), claimed(head, &stream.path)) {
            (Ok(format), _) => format,
            (Err(error), Some(format)) if salvage.is_some() => {
                stream.broken = Some(error);
                format
            }
            (Err(error), _) => return Err(error),
        };
        stream.decoder = stream.new_decoder()?;
        stream.lookout = salvage.and_then(|meta| Lookout::new(stream.format, meta.len)).map(Box::new);
        Ok(Some(stream))
    }

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
    fn waited(&self, halted: &dyn Fn() -> bool) -> bool {
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
