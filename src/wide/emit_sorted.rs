//! The emitting half of a sort: one reader walks the merge, the workers decode records. Whoever has enough (`take`) ends the
//! merge where it is.

use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::batch::Unit;
use crate::engine::{Fan, Feed, Feeder, Flow, Halted, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::{Error, Result};
use crate::spill::{Ranking, SortedRows};

use super::codec::decode;
use super::emit::Emitter;
use super::place::place_of;

/// Bytes of rows in one unit of the next phase, where blocks are smaller.
const LEAST: usize = 16 << 10;
/// Bytes before each row: its length.
const LENGTH: usize = size_of::<u32>();

/// The emitting half.
pub(super) struct SortedFeed<'a, T, R: Ranking> {
    pub(super) rows: Mutex<Option<SortedRows<R>>>,
    pub(super) meter: Arc<StageMeter>,
    pub(super) down: &'a dyn Fan<T>,
}

impl<T: DeserializeOwned + Send, R: Ranking> SortedFeed<'_, T, R> {
    fn walk(&self, rows: &mut SortedRows<R>, out: &mut Feeder<'_, Vec<u8>>) -> Result<()> {
        let most = out.run().settings.block.max(LEAST);
        let mut batch = Vec::with_capacity(most);
        loop {
            let next = rows.next()?;
            let last = next.is_none();
            if last || next.is_some_and(|row| !batch.is_empty() && batch.len() + LENGTH + row.len() > most) {
                let (full, weight) = (std::mem::replace(&mut batch, Vec::with_capacity(most)), batch.len());
                let sent = out.admit(weight).and_then(|permit| out.emit(full, weight, permit, last));
                if last || matches!(sent, Err(Halted)) {
                    return Ok(());
                }
            }
            if let Some(row) = next {
                let length = u32::try_from(row.len()).map_err(|_| Error::internal("a stored row is too long"))?;
                batch.extend_from_slice(&length.to_le_bytes());
                batch.extend_from_slice(row);
            }
        }
    }
}

impl<T: DeserializeOwned + Send, R: Ranking> Feed<Vec<u8>> for SortedFeed<'_, T, R> {
    fn tasks(&self) -> u32 {
        1
    }

    fn feed(&self, _task: u32, out: &mut Feeder<'_, Vec<u8>>) -> Result<()> {
        let taken = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rows) = taken else { return Ok(()) };
        self.walk(&mut rows, out).map_err(|error| error.in_stage(self.meter.name.clone()))
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Vec<u8>> + 's> {
        Box::new(SortedWork(Emitter::new(cx, &self.meter, self.down)))
    }
}

struct SortedWork<'s, T>(Emitter<'s, T>);

/// Takes the first row off a batch: the place of its record, and the record.
fn split(batch: &[u8]) -> Option<(&[u8; 12], &[u8], &[u8])> {
    let (length, rest) = batch.split_first_chunk::<LENGTH>()?;
    let (row, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (place, record) = row.split_first_chunk()?;
    Some((place, record, rest))
}

impl<T: DeserializeOwned + Send> Work<Vec<u8>> for SortedWork<'_, T> {
    fn unit(&mut self, unit: Unit, batch: Vec<u8>) -> Flow {
        self.0.begin(unit)?;
        let mut left = batch.as_slice();
        while !left.is_empty() {
            let Some((place, record, rest)) = split(left) else {
                return self.0.fail(Error::internal("a stored row is too short"));
            };
            left = rest;
            self.0.emit(place_of(place), || decode(record))?;
        }
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.0.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.0.finish()
    }
}
