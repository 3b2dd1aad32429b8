//! The emitting halves of a join: one reader walks the joined rows and packs them, the workers decode them. A left row that
//! has more right ones than a unit holds goes on in the next unit.

use crate::os::sync::{Arc, Mutex, PoisonError};
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::batch::{At, Seq, Unit};
use crate::engine::{Fan, Feed, Feeder, Flow, Halted, StageMeter, UnitEnd, Work, WorkerCx};
use crate::error::{Error, Result};
use crate::spill::{Joined, Pairs, Probe};

use super::super::codec::decode;
use super::super::emit::Emitter;
use super::super::packer::{Packed, Packer, unpack};
use super::super::place::place_of;
use super::Make;

/// Where the left side failed (at its end, if at no unit), and what it said.
pub(super) struct Failed {
    pub(super) stopped: Option<Unit>,
    pub(super) error: Error,
}

impl Failed {
    /// Whether a row is behind the failure: what was stored of these is chance. Right rows alone are.
    fn is_before(&self, seq: Seq) -> bool {
        seq.is_behind() || self.stopped.is_some_and(|stopped| seq.unit() > stopped)
    }
}

/// What a row in a unit is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// A left row without right ones.
    Left,
    /// A left row; those of the right side follow.
    Paired,
    /// A right row of the left one before.
    Mate,
    /// A right row without left ones.
    Right,
}

/// Packs a left row with its right ones, or a row alone.
fn pack(packer: &mut Packer<'_, '_>, joined: Joined<'_>, right: bool) -> Result<Result<(), Halted>> {
    let (left, mut rights) = match joined {
        Joined::Alone(row) => return packer.alone(if right { Tag::Right } else { Tag::Left } as u8, row),
        Joined::Pairs(left, rights) => (left, rights),
    };
    let mut begun = false;
    while let Some(right) = rights.next()? {
        match packer.make_room(&[left.len(), right.len()]) {
            Ok(sent) => begun &= !sent,
            Err(halted) => return Ok(Err(halted)),
        }
        if !std::mem::replace(&mut begun, true) {
            packer.put(Tag::Paired as u8, left)?;
        }
        packer.put(Tag::Mate as u8, right)?;
    }
    Ok(Ok(()))
}

/// The rows of a store that holds both sides.
pub(super) struct JoinFeed<'a, T, V> {
    pub(super) source: Mutex<Option<(Pairs, Option<Failed>)>>,
    pub(super) make: Make<T, V>,
    pub(super) meter: Arc<StageMeter>,
    pub(super) down: &'a dyn Fan<V>,
}

impl<T: DeserializeOwned + Send, V: Send> Feed<Vec<u8>> for JoinFeed<'_, T, V> {
    fn tasks(&self) -> u32 {
        1
    }

    fn feed(&self, _task: u32, out: &mut Feeder<'_, Vec<u8>>) -> Result<()> {
        let taken = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((mut pairs, failed)) = taken else { return Ok(()) };
        let mut packer = Packer::new(out);
        let in_stage = |error: Error| error.in_stage(self.meter.name.clone());
        while let Some((seq, joined)) = pairs.next().map_err(in_stage)? {
            let wanted = failed.as_ref().is_none_or(|failed| !failed.is_before(seq));
            if wanted && pack(&mut packer, joined, seq.is_behind()).map_err(in_stage)?.is_err() {
                return Ok(());
            }
        }
        // Before a failure the last unit is sent as one that others follow.
        packer.end(failed.is_none());
        failed.map_or(Ok(()), |failed| Err(failed.error))
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Vec<u8>> + 's> {
        JoinWork::boxed(cx, self.make, &self.meter, self.down)
    }
}

/// The rows of a probe that met no left one.
pub(super) struct RestFeed<'a, T, V> {
    pub(super) probe: &'a Probe,
    pub(super) make: Make<T, V>,
    pub(super) meter: Arc<StageMeter>,
    pub(super) down: &'a dyn Fan<V>,
}

impl<T: DeserializeOwned + Send, V: Send> Feed<Vec<u8>> for RestFeed<'_, T, V> {
    fn tasks(&self) -> u32 {
        1
    }

    fn feed(&self, _task: u32, out: &mut Feeder<'_, Vec<u8>>) -> Result<()> {
        let mut packer = Packer::new(out);
        for (_, part, row) in self.probe.rest()? {
            if let Err(Halted) = packer.alone(Tag::Right as u8, self.probe.value(part, row)?)? {
                return Ok(());
            }
        }
        packer.end(true);
        Ok(())
    }

    fn unwanted(&self) -> bool {
        self.down.unwanted()
    }

    fn open<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Work<Vec<u8>> + 's> {
        JoinWork::boxed(cx, self.make, &self.meter, self.down)
    }
}

struct JoinWork<'s, T, V> {
    make: Make<T, V>,
    to: Emitter<'s, V>,
    _items: PhantomData<fn() -> T>,
}

impl<'s, T: DeserializeOwned + Send + 's, V: Send> JoinWork<'s, T, V> {
    fn boxed(
        cx: &'s WorkerCx<'s>,
        make: Make<T, V>,
        meter: &'s StageMeter,
        down: &'s dyn Fan<V>,
    ) -> Box<dyn Work<Vec<u8>> + 's> {
        Box::new(JoinWork { make, to: Emitter::new(cx, meter, down), _items: PhantomData })
    }

    fn answer(&mut self, left: Option<&Packed<'_>>, right: Option<&Packed<'_>>) -> Flow {
        let at = left.or(right).map_or_else(At::nowhere, |row| place_of(row.place));
        self.to.emit(at, || {
            let left = left.map(|row| decode::<T>(row.record)).transpose()?;
            (self.make)(left, right.map(|row| row.record))
        })
    }
}

impl<'s, T: DeserializeOwned + Send + 's, V: Send> Work<Vec<u8>> for JoinWork<'s, T, V> {
    fn unit(&mut self, unit: Unit, batch: Vec<u8>) -> Flow {
        self.to.begin(unit)?;
        let (mut rest, mut paired) = (batch.as_slice(), None);
        while !rest.is_empty() {
            let (row, after) = match unpack(rest) {
                Ok(split) => split,
                Err(error) => return self.to.fail(error),
            };
            rest = after;
            match row.tag {
                tag if tag == Tag::Left as u8 => self.answer(Some(&row), None)?,
                tag if tag == Tag::Right as u8 => self.answer(None, Some(&row))?,
                tag if tag == Tag::Mate as u8 => self.answer(paired.as_ref(), Some(&row))?,
                _ => paired = Some(row),
            }
        }
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.to.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.to.finish()
    }
}
