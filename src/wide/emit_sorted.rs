//! The emitting half of a sort: one reader walks the merge, the workers decode records. Whoever has enough (`take`) ends the
//! merge where it is.

use crate::os::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::batch::Unit;
use crate::engine::{Fan, Feed, Feeder, Flow, Halted, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::Result;
use crate::spill::{Ranking, SortedRows};

use super::codec::decode;
use super::emit::Emitter;
use super::packer::{Packer, unpack};
use super::place::place_of;

/// The emitting half.
pub(super) struct SortedFeed<'a, T, R: Ranking> {
    pub(super) rows: Mutex<Option<SortedRows<R>>>,
    pub(super) meter: Arc<StageMeter>,
    pub(super) down: &'a dyn Fan<T>,
}

impl<T: DeserializeOwned + Send, R: Ranking> SortedFeed<'_, T, R> {
    fn walk(&self, rows: &mut SortedRows<R>, out: &mut Feeder<'_, Vec<u8>>) -> Result<()> {
        let mut packer = Packer::new(out);
        while let Some(row) = rows.next()? {
            if let Err(Halted) = packer.alone(0, row)? {
                return Ok(());
            }
        }
        packer.end(true);
        Ok(())
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

/// The workers' half of every verb that stores records and gives them back one by one.
pub(super) struct SortedWork<'s, T>(pub(super) Emitter<'s, T>);

impl<T: DeserializeOwned + Send> Work<Vec<u8>> for SortedWork<'_, T> {
    fn unit(&mut self, unit: Unit, batch: Vec<u8>) -> Flow {
        self.0.begin(unit)?;
        let mut left = batch.as_slice();
        while !left.is_empty() {
            let (row, rest) = match unpack(left) {
                Ok(split) => split,
                Err(error) => return self.0.fail(error),
            };
            left = rest;
            self.0.emit(place_of(row.place), || decode(row.record))?;
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
