//! The emitting half of a sort: one reader walks the merge, the workers decode records. Whoever has enough (`take`) ends the
//! merge where it is.

use std::marker::PhantomData;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::batch::Unit;
use crate::engine::{Fan, Feed, Feeder, Flow, Halted, Push, StageMeter, Stop, UnitEnd, Work, WorkerCx};
use crate::error::{Error, Result};
use crate::spill::{Ranking, SortedRows};

use super::codec::decode;
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
        let mut batch = Vec::new();
        loop {
            let next = rows.next()?;
            let last = next.is_none();
            if last || next.is_some_and(|row| !batch.is_empty() && batch.len() + LENGTH + row.len() > most) {
                let (full, weight) = (std::mem::take(&mut batch), batch.len());
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
        Box::new(SortedWork { cx, meter: &self.meter, down: self.down.worker(cx), count: 0, _items: PhantomData })
    }
}

struct SortedWork<'s, T> {
    cx: &'s WorkerCx<'s>,
    meter: &'s StageMeter,
    down: Box<dyn Push<T> + 's>,
    count: u64,
    _items: PhantomData<fn() -> T>,
}

/// Takes the first row off a batch: the place of its record, and the record.
fn split(batch: &[u8]) -> Option<(&[u8; 12], &[u8], &[u8])> {
    let (length, rest) = batch.split_first_chunk::<LENGTH>()?;
    let (row, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (place, record) = row.split_first_chunk()?;
    Some((place, record, rest))
}

impl<T: DeserializeOwned + Send> Work<Vec<u8>> for SortedWork<'_, T> {
    fn unit(&mut self, unit: Unit, batch: Vec<u8>) -> Flow {
        self.down.begin(unit)?;
        let mut left = batch.as_slice();
        while !left.is_empty() {
            let row = split(left).ok_or_else(|| Error::internal("a stored row is too short"));
            let item = row.and_then(|(place, record, rest)| {
                left = rest;
                let at = place_of(place);
                self.cx.set_at(at);
                Ok((at, decode::<T>(record)?))
            });
            match item {
                Ok((at, item)) => {
                    self.count += 1;
                    self.down.push(at, item)?;
                }
                Err(error) => return Flow::Break(Stop::from(error.in_stage(self.meter.name.clone()))),
            }
        }
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.meter.records_out.fetch_add(std::mem::take(&mut self.count), Ordering::Relaxed);
        self.down.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.down.finish()
    }
}
