//! The run file: one temporary file without a name, to which one thread appends frames and from which any thread reads
//! them back. Its space is given back (to the disk and to the quota) when the last reader is gone, whatever ends the
//! process. There is one per thread, not one per partition: descriptors do not grow with the data.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU64, Ordering};
use std::io;

use super::budget::Reservation;
use super::frame::{self, Damage, Expected};
use super::space::{Purse, Space};
use crate::error::{Error, ErrorKind, Result};
use crate::os::File;

/// An open temporary file.
#[derive(Debug)]
pub(crate) struct RunFile {
    file: File,
    space: Space,
    /// Where the next frame goes. Places are handed out before they are written, so they never overlap.
    end: AtomicU64,
    frames: AtomicU64,
    /// Bytes that were taken from the quota.
    taken: AtomicU64,
}

impl RunFile {
    pub(crate) fn create(space: &Space) -> Result<RunFile> {
        let file = space.os.unnamed(Some(space.quota.dir())).map_err(|error| failed(space, "create", error))?;
        let zero = || AtomicU64::new(0);
        Ok(RunFile { file, space: space.clone(), end: zero(), frames: zero(), taken: zero() })
    }

    /// The number that the next frame will carry.
    pub(super) fn next_sequence(&self) -> u64 {
        self.frames.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes the parts of one frame; returns where it starts.
    pub(super) fn append(&self, parts: &[&[u8]]) -> Result<u64> {
        let length = parts.iter().map(|part| part.len() as u64).sum();
        self.space.quota.take(length)?;
        self.taken.fetch_add(length, Ordering::Relaxed);
        let start = self.end.fetch_add(length, Ordering::Relaxed);
        let mut at = start;
        for part in parts {
            self.file.write_all_at(part, at).map_err(|error| failed(&self.space, "write", error))?;
            at += part.len() as u64;
        }
        Ok(start)
    }

    /// Fills `out` from an offset.
    fn read(&self, out: &mut [u8], offset: u64) -> Result<()> {
        let mut done = 0;
        while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + done as u64) {
                Ok(0) => return Err(damaged(&self.space, offset, Damage("it ends early"))),
                Ok(more) => done += more,
                Err(error) => return Err(failed(&self.space, "read", error)),
            }
        }
        Ok(())
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        self.space.quota.give_back(*self.taken.get_mut());
    }
}

fn failed(space: &Space, doing: &str, error: io::Error) -> Error {
    let (dir, used) = (space.quota.dir(), space.quota.used());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Error::new(
            ErrorKind::Limit,
            format!(
                "temporary directory {}: no space left: {used} bytes of this run are there: {error}",
                dir.display()
            ),
        )
        .caused_by(error),
        _ => Error::io(dir, &format!("{doing} a spill file"), error),
    }
}

fn damaged(space: &Space, offset: u64, damage: Damage) -> Error {
    let dir = space.quota.dir().display().to_string();
    Error::internal(format!("spill file in {dir}: the frame at byte {offset} cannot be used: {}", damage.0))
}

/// Where a frame is and what it must be. Shares the file: as long as a frame is known, it can be read.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(super) file: Arc<RunFile>,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) expected: Expected,
}

impl Frame {
    pub(crate) fn records(&self) -> u32 {
        self.expected.records
    }

    /// Bytes of its rows.
    pub(crate) fn raw(&self) -> usize {
        self.expected.raw as usize
    }

    /// Reads and checks it; `out` (overwritten, not grown) must have room for [`Frame::raw`] bytes.
    pub(crate) fn read(&self, purse: &Purse, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<()> {
        let length = self.length as usize;
        let buffer = scratch.room(purse, length)?;
        buffer.resize(length, 0);
        self.file.read(buffer, self.offset)?;
        frame::decode(&self.expected, buffer, out).map_err(|damage| damaged(&self.file.space, self.offset, damage))
    }
}

/// A charged buffer that grows to what is asked of it and is kept between uses.
#[derive(Debug)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    charge: Option<Reservation>,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch { bytes: Vec::new(), charge: None }
    }

    /// Of this capacity, with memory that was taken before.
    pub(crate) fn with(capacity: usize, charge: Reservation) -> Result<Scratch> {
        Ok(Scratch { bytes: buffer(capacity)?, charge: Some(charge) })
    }

    /// The buffer, with at least this capacity.
    pub(crate) fn room(&mut self, purse: &Purse, capacity: usize) -> Result<&mut Vec<u8>> {
        if self.bytes.capacity() < capacity {
            // The old bytes go first: two buffers at once would need more than was planned for.
            self.release();
            let charge = purse.need(capacity as u64, "a frame of a spill file")?;
            self.bytes = buffer(capacity)?;
            self.charge = Some(charge);
        }
        Ok(&mut self.bytes)
    }

    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Gives its memory back.
    pub(crate) fn release(&mut self) {
        self.bytes = Vec::new();
        self.charge = None;
    }
}

/// An empty buffer of exactly this capacity; memory that the system does not have is an error, not an abort.
pub(crate) fn buffer(capacity: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match bytes.try_reserve_exact(capacity) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Error::new(ErrorKind::Limit, format!("the system has no {capacity} bytes of memory left"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::sink::Sink;
    use super::*;

    #[test]
    fn a_frame_is_read_back_or_refused() {
        let space = Space::new(Default::default(), Budget::new(1 << 20), None, u64::MAX);
        let purse = Purse::new(&space, Budget::new(0), 4096);
        let mut sink = Sink::new(&space, 4096);
        let first = sink.write(&purse, 1, 1, &[1; 500]).unwrap();
        let second = sink.write(&purse, 1, 1, &[2; 500]).unwrap();
        let (mut scratch, mut out) = (Scratch::new(), Vec::with_capacity(500));
        second.read(&purse, &mut scratch, &mut out).unwrap();
        assert_eq!(out, [2; 500]);

        let mut refused = |frame: Frame| {
            let error = frame.read(&purse, &mut scratch, &mut out).unwrap_err();
            assert!(error.kind() == ErrorKind::Internal && error.to_string().contains("spill file in "), "{error}");
        };
        refused(Frame { offset: first.offset, ..second.clone() });
        refused(Frame { offset: second.offset + u64::from(second.length), ..second.clone() });
        second.file.file.write_all_at(&[7], second.offset + 40).unwrap();
        refused(second.clone());
        drop((first, second, sink, scratch));
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
    }
}
