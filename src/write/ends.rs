//! The chain's end where a closure writes the text of each record, for whatever takes that text: see [`Ends`].

use std::error::Error as StdError;

use crate::batch::{At, Seq, Unit};
use crate::engine::{Fan, Flow, Push, Stop, UnitEnd, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{RefFan, RefPush};
use crate::json::JsonRef;

use super::output::{Output, Piece};
use super::texts::{Out, Sink};

/// Where the text of records goes.
pub(super) trait Ends: Sync {
    type End<'s>: End<'s> + 's
    where
        Self: 's;

    /// A worker's end.
    fn end_of<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Self::End<'s>;
}

/// One worker's end.
pub(super) trait End<'s>: Send {
    fn cx(&self) -> &'s WorkerCx<'s>;
    fn stage(&self) -> (u32, &str);
    fn begin(&mut self, unit: Unit);
    /// What a closure appends to.
    fn text(&mut self) -> (&mut Vec<u8>, &mut Vec<Piece>);
    /// What was appended since the last call is of a record, or, if not, stays all the same. What fails ends the run.
    fn through(&mut self, record: bool) -> Result<()>;
    /// Nothing behind the record in hand is wanted.
    fn enough(&self) -> Flow;
    fn end(&mut self, end: UnitEnd) -> Flow;
    fn finish(&mut self) -> Result<()>;
}

impl Ends for Sink<'_> {
    type End<'s>
        = Out<'s>
    where
        Self: 's;

    fn end_of<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Out<'s> {
        self.out(cx)
    }
}

impl<'s> End<'s> for Out<'s> {
    fn cx(&self) -> &'s WorkerCx<'s> {
        self.cx
    }

    fn stage(&self) -> (u32, &str) {
        (Out::stage(self), self.stage_name())
    }

    fn begin(&mut self, _: Unit) {}

    fn text(&mut self) -> (&mut Vec<u8>, &mut Vec<Piece>) {
        (&mut self.text, &mut self.pieces)
    }

    fn through(&mut self, record: bool) -> Result<()> {
        if let Some((_, partition)) = self.pieces.pop() {
            let text = format!("expected a verb that writes partitions: text was put into {partition}");
            return Err(Error::new(ErrorKind::Usage, text));
        }
        match record {
            true => self.record(),
            false => self.keep(),
        }
        Ok(())
    }

    fn enough(&self) -> Flow {
        Out::enough(self)
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        Out::end(self, end)
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The fan of both lanes.
pub(super) struct With<'a, F, S> {
    pub(super) sink: &'a S,
    pub(super) f: &'a F,
}

impl<F, E, S: Ends> RefFan for With<'_, F, S>
where
    F: for<'a> Fn(JsonRef<'a>, &mut Output<'_>) -> Result<(), E> + Sync,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn RefPush + 's> {
        Box::new(WithPush { end: self.sink.end_of(cx), f: self.f, unit: Unit::default(), index: 0 })
    }
}

impl<T: Send, F, E, S: Ends> Fan<T> for With<'_, F, S>
where
    F: Fn(T, &mut Output<'_>) -> Result<(), E> + Sync,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(WithPush { end: self.sink.end_of(cx), f: self.f, unit: Unit::default(), index: 0 })
    }
}

struct WithPush<'s, F, N> {
    end: N,
    f: &'s F,
    unit: Unit,
    index: u64,
}

impl<'s, F, N: End<'s>> WithPush<'s, F, N> {
    fn begin(&mut self, unit: Unit) -> Flow {
        (self.unit, self.index) = (unit, 0);
        self.end.begin(unit);
        Flow::Continue(())
    }

    fn record<E>(&mut self, at: At, write: impl FnOnce(&F, &mut Output<'_>) -> Result<(), E>) -> Flow
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (cx, seq) = (self.end.cx(), Seq::new(self.unit, self.index));
        self.index += 1;
        cx.set_stage(self.end.stage().0);
        let (text, pieces) = self.end.text();
        let mut output = Output { text, pieces, run: cx.phase.run, at, seq, stop: false };
        let written = write(self.f, &mut output);
        let stop = output.stop;
        if let Err(error) = self.end.through(written.is_ok()) {
            return Flow::Break(Stop::from(error.in_stage(self.end.stage().1)));
        }
        match written {
            Err(error) => cx.refuse_for(at, error.into(), self.end.stage().1.to_owned()),
            Ok(()) if stop => self.end.enough(),
            Ok(()) => Flow::Continue(()),
        }
    }
}

impl<'s, F, E, N: End<'s>> RefPush for WithPush<'s, F, N>
where
    F: for<'a> Fn(JsonRef<'a>, &mut Output<'_>) -> Result<(), E> + Sync,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn begin(&mut self, unit: Unit) -> Flow {
        WithPush::begin(self, unit)
    }

    fn push(&mut self, at: At, record: JsonRef<'_>) -> Flow {
        self.record(at, |f, output| f(record, output))
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.end.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.end.finish()
    }
}

impl<'s, T: Send, F, E, N: End<'s>> Push<T> for WithPush<'s, F, N>
where
    F: Fn(T, &mut Output<'_>) -> Result<(), E> + Sync,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn begin(&mut self, unit: Unit) -> Flow {
        WithPush::begin(self, unit)
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        self.record(at, |f, output| f(item, output))
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.end.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        self.end.finish()
    }
}
