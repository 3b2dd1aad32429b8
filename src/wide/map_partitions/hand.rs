//! The end of the phase before `map_partitions`: units go to the queues, with what was rejected in them.

use crate::os::sync::Arc;

use crate::batch::{At, Unit};
use crate::engine::{Entry, Fan, Flow, Push, Stop, UnitEnd, WorkerCx};
use crate::error::Result;

use super::queues::{Handed, Queues};

pub(super) struct Hand<'a, T, U> {
    queues: Arc<Queues<T>>,
    after: &'a dyn Fan<U>,
}

impl<'a, T, U> Hand<'a, T, U> {
    pub(super) fn new(queues: Arc<Queues<T>>, after: &'a dyn Fan<U>) -> Hand<'a, T, U> {
        Hand { queues, after }
    }

    /// The phase has ended.
    pub(super) fn close(&self) {
        self.queues.close();
    }
}

impl<T: Send, U> Fan<T> for Hand<'_, T, U> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(HandPush { queues: &self.queues, cx, entries: Vec::new() })
    }

    fn unwanted(&self) -> bool {
        self.queues.gone() || self.after.unwanted()
    }
}

struct HandPush<'s, T> {
    queues: &'s Queues<T>,
    cx: &'s WorkerCx<'s>,
    entries: Vec<Entry<T>>,
}

impl<T: Send> Push<T> for HandPush<'_, T> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        // Rejects go along, since how many count is known where the run ends.
        self.entries.extend(self.cx.take_rejects().map(Entry::Rejects));
        self.entries.push(Entry::Item(at, item));
        Flow::Continue(())
    }

    fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        self.entries.extend(self.cx.end_rejects().map(Entry::Rejects));
        Entry::cover(&self.entries, &permit);
        let entries = std::mem::take(&mut self.entries).into();
        match self.queues.put(unit, Handed { last, entries, permit }) {
            true => Flow::Continue(()),
            false => Flow::Break(Stop::Enough),
        }
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
