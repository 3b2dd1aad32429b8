//! The partitions as tasks of the next phase: by key each has rows of its own; else they are cut out of one sequence, whose
//! readers take turns.

use crate::os::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::engine::{Fan, Feed, Feeder, Halted, StageMeter, Work, WorkerCx};
use crate::error::{Error, Result};
use crate::spill::{GroupRows, Groups};

use super::super::codec::decode;
use super::super::emit::Emitter;
use super::super::emit_sorted::SortedWork;
use super::super::packer::Packer;
use super::super::place::PLACE;
use super::{Cut, checked};

/// The partitions of the next phase.
pub(super) enum Parts {
    /// Cut out of one sequence, in turn.
    Turns {
        number: u32,
        cut: Cut,
        records: u64,
        sequence: Box<Mutex<Sequence>>,
        changed: Condvar,
    },
    Groups(Vec<Mutex<Option<GroupRows>>>),
}

/// How far the sequence is read.
pub(super) struct Sequence {
    rows: Option<GroupRows>,
    /// The partition whose turn it is.
    turn: u32,
    records: u64,
    bytes: u64,
}

impl Parts {
    pub(super) fn new(cut: Cut, records: u64, bytes: u64, mut groups: Groups) -> Result<Parts> {
        let number = match cut {
            Cut::Number(number) => number,
            Cut::Size(size) => checked(u32::try_from(bytes.div_ceil(size).max(1)).unwrap_or(u32::MAX))?,
            Cut::Key(number) => {
                let mut parts: Vec<_> = (0..number).map(|_| Mutex::new(None)).collect();
                for group in groups {
                    let (key, rows) = group?;
                    let part = usize::try_from(decode::<u32>(&key)?).ok().and_then(|part| parts.get_mut(part));
                    *part.ok_or_else(|| Error::internal("no such partition"))? = Mutex::new(Some(rows));
                }
                return Ok(Parts::Groups(parts));
            }
        };
        let rows = groups.next().transpose()?.map(|(_, rows)| rows);
        let sequence = Box::new(Mutex::new(Sequence { rows, turn: 0, records: 0, bytes: 0 }));
        Ok(Parts::Turns { number, cut, records, sequence, changed: Condvar::new() })
    }

    fn number(&self) -> u32 {
        match self {
            Parts::Turns { number, .. } => *number,
            Parts::Groups(parts) => u32::try_from(parts.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Sequence {
    /// Whether the partition has all its records.
    fn complete(&self, part: u32, number: u32, cut: Cut, records: u64) -> bool {
        let end = u64::from(part) + 1;
        match cut {
            Cut::Size(size) => part + 1 < number && self.bytes >= end.saturating_mul(size),
            _ => u128::from(self.records) >= u128::from(records) * u128::from(end) / u128::from(number),
        }
    }
}

/// The emitting half.
pub(super) struct PartFeed<'a, T> {
    pub(super) parts: Parts,
    pub(super) meter: Arc<StageMeter>,
    pub(super) down: &'a dyn Fan<T>,
}

impl<T: DeserializeOwned + Send> PartFeed<'_, T> {
    /// Whoever is not in turn waits for the one before, which as the oldest at the gate waits for nobody.
    fn in_turn(&self, part: u32, out: &mut Feeder<'_, Vec<u8>>) -> Result<()> {
        let Parts::Turns { number, cut, records, sequence, changed } = &self.parts else { return Ok(()) };
        let mut sequence = sequence.lock().unwrap_or_else(PoisonError::into_inner);
        while sequence.turn != part {
            if out.halted() {
                return Ok(());
            }
            let waited = changed.wait_timeout(sequence, Duration::from_millis(50));
            sequence = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut packer = Packer::new(out);
        while !sequence.complete(part, *number, *cut, *records) {
            let Some(row) = sequence.rows.as_mut().and_then(GroupRows::next_row) else { break };
            let (_, row) = row?;
            let length = row.len();
            if let Err(Halted) = packer.alone(0, row)? {
                return Ok(());
            }
            sequence.records += 1;
            sequence.bytes += length.saturating_sub(PLACE) as u64;
        }
        sequence.turn += 1;
        changed.notify_all();
        drop(sequence);
        packer.end(true);
        Ok(())
    }
}

impl<T: DeserializeOwned + Send> Feed<Vec<u8>> for PartFeed<'_, T> {
    fn tasks(&self) -> u32 {
        self.parts.number()
    }

    fn feed(&self, part: u32, out: &mut Feeder<'_, Vec<u8>>) -> Result<()> {
        let fed = match &self.parts {
            Parts::Turns { .. } => self.in_turn(part, out),
            Parts::Groups(parts) => {
                let part =
                    parts.get(part as usize).map(|part| part.lock().unwrap_or_else(PoisonError::into_inner).take());
                pack_all(part.flatten(), Packer::new(out))
            }
        };
        fed.map_err(|error| error.in_stage(self.meter.name.clone()))
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Vec<u8>> + 's> {
        Box::new(SortedWork(Emitter::new(cx, &self.meter, self.down)))
    }
}

fn pack_all(rows: Option<GroupRows>, mut packer: Packer<'_, '_>) -> Result<()> {
    if let Some(mut rows) = rows {
        while let Some(row) = rows.next_row() {
            if let Err(Halted) = packer.alone(0, row?.1)? {
                return Ok(());
            }
        }
    }
    packer.end(true);
    Ok(())
}
