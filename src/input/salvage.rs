//! What is whole behind damage in a compressed file, for runs that leave out what is bad: where the next gzip member or
//! zstd frame begins, and how many bytes are lost up to there.
//!
//! What looks like a beginning (the magic bytes, by chance once in 128 MiB) is believed only if it decodes to its end,
//! checksum and all, which is tried without keeping any text, before anything of it is given. So what is between the
//! damage and there is lost even if it could be read in part: a member that is itself cut, a skippable frame.
//!
//! A damaged member may run over the one behind it before its decoder stumbles. So inside a member the decoder gets
//! nothing from where another one begins, unless the one in hand turns out to be whole (a file that was packed twice
//! holds members in members): its text would come as garbage first, and then once more.
//!
//! What is tried in vain is bounded by the length of the file: it can be read about twice, whoever made it.

use memchr::memmem;

use crate::error::{Error, ErrorKind};

use super::decode::Damage;
use super::format::Format;
use super::stream::{Part, Stream};

/// Bytes that are tried in vain, beyond as many as the file has.
const PATIENCE: u64 = 16 << 20;

/// Watches for beginnings in a file.
#[derive(Debug)]
pub(super) struct Lookout {
    magic: &'static [u8],
    /// Bytes of the file.
    len: u64,
    /// What lies before this and looks like a beginning was judged.
    passed: u64,
    /// Up to here the input was searched, and this was found.
    searched: u64,
    found: Option<u64>,
    /// Bytes that were tried in vain.
    spent: u64,
    /// What was found to be whole while another one was in hand: where it begins and ends.
    next: Option<(u64, u64)>,
}

/// A stretch of a compressed file that is left out.
#[derive(Debug)]
pub(super) struct Gap {
    /// What is wrong, and what it costs.
    pub(super) error: Error,
    /// Bytes of the file.
    pub(super) lost: u64,
    /// Whether text comes behind it.
    pub(super) resumed: bool,
}

impl Lookout {
    pub(super) fn new(format: Format, len: u64) -> Option<Lookout> {
        let magic: &[u8] = match format {
            Format::Plain => return None,
            Format::Gzip => &[0x1f, 0x8b, 0x08],
            Format::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        };
        Some(Lookout { magic, len, passed: 0, searched: 0, found: None, spent: 0, next: None })
    }

    /// How many bytes of what comes at `at` may be decoded, where nothing before `least` is a beginning: those before
    /// the next one, or before what may be the start of its magic bytes.
    fn before(&mut self, at: u64, input: &[u8], last: bool, least: u64) -> usize {
        let relative = |place: u64| usize::try_from(place.saturating_sub(at)).unwrap_or(usize::MAX);
        if let Some(found) = self.found.filter(|&found| found >= least) {
            return relative(found).min(input.len());
        }
        self.found = None;
        let from = relative(least.max(self.searched));
        let Some(rest) = input.get(from..) else { return input.len() };
        if let Some(place) = memmem::find(rest, self.magic) {
            let found = from + place;
            self.found = Some(at + found as u64);
            return found;
        }
        let open = (1..self.magic.len()).rev().find(|&count| rest.ends_with(&self.magic[..count]) && !last);
        let before = input.len() - open.unwrap_or(0);
        self.searched = at + before as u64;
        before
    }
}

impl Stream {
    /// How many bytes of the input may be decoded now.
    pub(super) fn ahead(&mut self) -> usize {
        let input = &self.input[self.taken..self.filled];
        let Some(lookout) = &mut self.lookout else { return input.len() };
        // Behind padding nothing is decoded any more.
        if self.offset > self.part.start && self.decoder.as_ref().is_some_and(|decoder| decoder.may_end()) {
            return input.len();
        }
        lookout.before(self.offset, input, self.end_of_file, lookout.passed.max(self.part.start + 1))
    }

    /// Says where the next beginning is, if none is here. `None` if `halted` said so.
    ///
    /// # Errors
    ///
    /// If a whole member or frame begins here: then the one in hand, which has not ended, is damaged.
    pub(super) fn judge(&mut self, halted: &dyn Fn() -> bool) -> Result<Option<()>, Error> {
        let here = self.offset;
        if self.lookout.as_ref().is_none_or(|lookout| lookout.found != Some(here)) {
            // Not all of what may be the magic bytes has been read.
            self.more()?;
            return Ok(Some(()));
        }
        let whole = if self.patient() { self.whole_at(here, halted)? } else { Some(None) };
        let Some(whole) = whole else { return Ok(None) };
        let mut passed = here + 1;
        if let Some(end) = whole {
            let Some(own) = self.whole_at(self.part.start, halted)? else { return Ok(None) };
            match own {
                Some(own_end) if self.may_follow(own_end)? => passed = own_end,
                _ => {
                    self.watch(|lookout| lookout.next = Some((here, end)));
                    let part = self.decoder.as_ref().map_or("part", |decoder| decoder.part());
                    return Err(self.damaged(Damage::Corrupt(format!("another {part} begins before this one ends"))));
                }
            }
        }
        self.watch(|lookout| lookout.passed = passed);
        Ok(Some(()))
    }

    /// Goes on behind damage: at the next member or frame that is whole, or not at all. `None` if `halted` said so.
    ///
    /// # Errors
    ///
    /// The error itself, if it is none of the data, or where nothing is salvaged: in pipes, and where a bad record ends
    /// the run.
    pub(super) fn rescue(&mut self, error: Error, halted: &dyn Fn() -> bool) -> Result<Option<Gap>, Error> {
        use ErrorKind::{Corrupt, Format as Refused, Limit, Truncated};
        if self.lookout.is_none() || !matches!(error.kind(), Corrupt | Refused | Limit | Truncated) {
            return Err(error);
        }
        // Its window makes room for another one.
        let name = self.decoder.take().map_or("member", |decoder| decoder.part());
        // A frame that stumbles has given all blocks before, of which it is known where they end.
        let from = if self.format == Format::Zstd { self.part.given } else { self.offset };
        let mut next = self.lookout.as_mut().and_then(|lookout| lookout.next.take());
        // Had there been a beginning in a member that is cut, the reading would not have come to the end.
        if next.is_none() && error.kind() != Truncated {
            next = match self.search(self.offset.max(self.part.start + 1), halted)? {
                Some(next) => next,
                None => return Ok(None),
            };
        }
        let len = self.lookout.as_ref().map_or(from, |lookout| lookout.len);
        let lost = next.map_or(len, |(at, _)| at).saturating_sub(from);
        let mut text = error.message().to_owned();
        if self.part.text > 0 {
            text += &format!("; the {} bytes of text that came of it before are kept, unproven", self.part.text);
        }
        match next {
            Some((at, _)) => {
                text += &format!("; {lost} bytes of the file are left out, up to the next {name} at byte {at}")
            }
            None if lost > 0 => text += &format!("; the last {lost} bytes of the file are left out"),
            None => {}
        }
        if let Some((at, end)) = next {
            self.file.seek(at).map_err(|error| self.unreadable(error))?;
            (self.taken, self.filled, self.end_of_file, self.offset) = (0, 0, false, at);
            (self.part, self.parts) = (Part { start: at, given: at, text: 0 }, self.parts + 1);
            self.decoder = self.new_decoder()?;
            self.watch(|lookout| (lookout.passed, lookout.found) = (end, None));
        }
        let kind = error.kind();
        Ok(Some(Gap { error: error.replaced(kind, &text), lost, resumed: next.is_some() }))
    }

    /// The first whole member or frame at or after `from`, with its end.
    fn search(&mut self, mut from: u64, halted: &dyn Fn() -> bool) -> Result<Option<Option<(u64, u64)>>, Error> {
        let magic = self.lookout.as_ref().map_or(&[][..], |lookout| lookout.magic);
        let mut text = vec![0; 128 << 10];
        loop {
            if halted() {
                return Ok(None);
            }
            let read = self.file.read_at(&mut text, from).map_err(|error| self.unreadable(error))?;
            let mut at = 0;
            while let Some(place) = memmem::find(&text[at..read], magic) {
                let found = from + (at + place) as u64;
                if !self.patient() {
                    return Ok(Some(None));
                }
                match self.whole_at(found, halted)? {
                    None => return Ok(None),
                    Some(Some(end)) => return Ok(Some(Some((found, end)))),
                    Some(None) => at += place + 1,
                }
            }
            if read < magic.len() {
                return Ok(Some(None));
            }
            // The magic bytes may lie across two readings.
            from += (read + 1 - magic.len()) as u64;
        }
    }

    /// Where the member or frame ends that begins here, if it decodes to its end; what came of it is dropped.
    fn whole_at(&mut self, at: u64, halted: &dyn Fn() -> bool) -> Result<Option<Option<u64>>, Error> {
        let Some(mut decoder) = self.new_decoder()? else { return Ok(Some(None)) };
        // Most of what only looks like a beginning is found out at once.
        let (mut input, mut out) = (vec![0; 4 << 10], vec![0; 64 << 10]);
        let (mut read, mut taken, mut filled, mut flushing) = (0, 0, 0, false);
        let end = loop {
            if taken == filled && !flushing {
                if halted() {
                    return Ok(None);
                }
                if read > 0 {
                    input.resize(64 << 10, 0);
                }
                filled = self.file.read_at(&mut input, at + read).map_err(|error| self.unreadable(error))?;
                taken = 0;
                read += filled as u64;
                if filled == 0 {
                    break None;
                }
            }
            let Ok(progress) = decoder.decode(&input[taken..filled], &mut out) else { break None };
            taken += progress.consumed;
            if progress.ended {
                break Some(at + read - (filled - taken) as u64);
            }
            if progress.consumed == 0 && progress.produced == 0 && taken < filled {
                break None;
            }
            flushing = progress.produced > 0;
        };
        self.watch(|lookout| lookout.spent += if end.is_none() { read } else { 0 });
        Ok(Some(end))
    }

    /// Whether a member or frame may end here: at the end of the file, before another one, before gzip's padding.
    fn may_follow(&self, end: u64) -> Result<bool, Error> {
        let mut head = [0; 4];
        let read = self.file.read_at(&mut head, end).map_err(|error| self.unreadable(error))?;
        Ok(matches!(
            (self.format, &head[..read]),
            (_, [])
                | (Format::Gzip, [0, ..] | [0x1f, 0x8b, ..])
                | (Format::Zstd, [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18])
        ))
    }

    fn patient(&self) -> bool {
        self.lookout.as_ref().is_some_and(|lookout| lookout.spent <= lookout.len.saturating_add(PATIENCE))
    }

    fn watch(&mut self, change: impl FnOnce(&mut Lookout)) {
        if let Some(lookout) = &mut self.lookout {
            change(lookout);
        }
    }
}
