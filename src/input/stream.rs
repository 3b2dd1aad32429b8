//! An open shard as a stream of decompressed bytes: damage with its place in the file, and nothing that was there when the
//! shard was listed is left out.

use crate::config::Settings;
use crate::error::{Error, ErrorKind, Place};
use crate::os::File;

use super::Shard;
use super::decode::{Damage, Decoder, Gzip, Zstd};
use super::format::{Format, sniff};

/// Bytes of a compressed file that are read at once.
const INPUT: usize = 128 << 10;

/// A shard being read.
pub(crate) struct Stream {
    file: File,
    path: std::path::PathBuf,
    format: Format,
    decoder: Option<Box<dyn Decoder>>,
    input: Vec<u8>,
    taken: usize,
    filled: usize,
    end_of_file: bool,
    /// Offset in the file of the next byte that is decoded.
    offset: u64,
    /// Members or frames decoded, checksum and all.
    parts: u64,
    window_log: u32,
    /// The size of a file that has one, as it was listed; such a file never keeps a reader waiting.
    listed: Option<u64>,
}

impl Stream {
    /// Opens a shard and looks at its first bytes; `None` if `halted` said so while they were waited for.
    pub(crate) fn open(shard: &Shard, settings: &Settings, halted: &dyn Fn() -> bool) -> Result<Option<Stream>, Error> {
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
        stream.format = sniff(&stream.input[..stream.filled], &stream.path)?;
        stream.decoder = match stream.format {
            Format::Plain => None,
            Format::Gzip => Some(Box::new(Gzip::new())),
            Format::Zstd => Some(Box::new(Zstd::new(stream.window_log).map_err(|damage| stream.damaged(damage))?)),
        };
        Ok(Some(stream))
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
        self.file.seek(offset).map_err(|error| Error::io(&self.path, "read", error))?;
        (self.taken, self.filled, self.end_of_file, self.offset) = (0, 0, false, offset);
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
        loop {
            if self.taken == self.filled && !self.end_of_file {
                if !self.waited(halted) {
                    return Ok(None);
                }
                if self.decoder.is_none() {
                    // Plain bytes go straight into the block.
                    let read = self.file.read(out).map_err(|error| Error::io(&self.path, "read", error))?;
                    if read == 0 && !out.is_empty() {
                        self.whole(self.offset)?;
                    }
                    self.offset += read as u64;
                    return Ok(Some(read));
                }
                self.more()?;
            }
            let input = &self.input[self.taken..self.filled];
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
            self.parts += u64::from(progress.ended);
            if progress.produced > 0 {
                return Ok(Some(progress.produced));
            }
            if self.end_of_file && self.taken == self.filled {
                self.whole(self.offset)?;
                return if self.decoder.as_ref().is_some_and(|decoder| decoder.may_end()) {
                    Ok(Some(0))
                } else {
                    Err(self.truncated())
                };
            }
            if progress.consumed == 0 && self.taken < self.filled && !progress.ended {
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

    fn more(&mut self) -> Result<(), Error> {
        if self.taken > 0 && self.taken == self.filled {
            (self.taken, self.filled) = (0, 0);
        }
        let room = &mut self.input[self.filled..];
        let read = self.file.read(room).map_err(|error| Error::io(&self.path, "read", error))?;
        self.filled += read;
        self.end_of_file = read == 0;
        Ok(())
    }

    /// Whether the file ends where it should, now that there is nothing at this offset: it may have become longer, but what
    /// was there when it was listed must have come.
    pub(crate) fn whole(&self, offset: u64) -> Result<(), Error> {
        let Some(listed) = self.listed.filter(|&listed| offset < listed) else { return Ok(()) };
        let now = self.file.meta().map_err(|error| Error::io(&self.path, "read", error))?;
        // Some files that a kernel makes up are shorter than their size.
        if now.len >= listed {
            return Ok(());
        }
        let text = format!("the file was cut while the run went on: it had {listed} bytes");
        Err(Error::new(ErrorKind::Io, text).at(Place { byte: Some(offset), ..self.place() }))
    }

    fn place(&self) -> Place {
        Place { path: self.path.to_string_lossy().into_owned(), byte: Some(self.offset), ..Place::default() }
    }

    fn part(&self) -> String {
        let part = self.decoder.as_ref().map_or("file", |decoder| decoder.part());
        format!("{part} {}", self.parts + 1)
    }

    fn truncated(&self) -> Error {
        let text = format!("expected the rest of {}: the compressed file ends in the middle of it", self.part());
        Error::new(ErrorKind::Truncated, text).at(self.place())
    }

    fn damaged(&self, damage: Damage) -> Error {
        match damage {
            Damage::Corrupt(text) => {
                let text = format!("{text} in the compressed file, at {}", self.part());
                Error::new(ErrorKind::Corrupt, text).at(self.place())
            }
            Damage::Window => {
                let text = format!(
                    "{} asks for a window of more than 2^{} bytes, the most that the memory budget allows here",
                    self.part(),
                    self.window_log
                );
                Error::new(ErrorKind::Limit, text).at(self.place())
            }
        }
    }
}
