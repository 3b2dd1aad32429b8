//! `iter` and `for_each`: records one by one, in order, as they become ready.

use crate::os::sync::thread::JoinHandle;

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Fan, Flow, Gaps, Push, Stop, UnitAccount, UnitEnd, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::os::Os;
use crate::shuffle::{EdgeMeter, Inlet, Outlet, Permit, Sequencer, edge};

use crate::os::sync::atomic::{AtomicBool, Ordering};
use crate::os::sync::{Arc, Mutex, PoisonError};

impl<T: Send + 'static> Bag<T> {
    /// Starts the run and gives its records one by one, in record order, while it goes on in the background. Streams:
    /// when nobody asks for the next record, the readers wait. Dropping the iterator ends the run. An error comes as the
    /// last item, after all records before it.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let mut first = Bag::range(0..i64::MAX).map(|n| n * n).iter()?;
    /// assert_eq!(first.nth(3).transpose()?, Some(9));
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn iter(self) -> Result<Iter<T>> {
        let os = Os::default();
        let meter = Arc::new(EdgeMeter::default());
        let (outlet, inlet) = edge(&os, 2, &meter);
        let gone = Arc::new(AtomicBool::new(false));
        let (outlet, run_meter, run_gone) = (Mutex::new(outlet), meter.clone(), gone.clone());
        let body = move || {
            self.run(|run, plan, stage| {
                run.stage(stage, "iter");
                let ordered = run.settings.ordered;
                plan.run(run, &Hand { outlet, sequencer: Sequencer::new(ordered), gone: run_gone })?;
                let _ = run_meter;
                Ok(())
            })
        };
        let runner = os.spawn("kitbag-run".into(), body).map_err(|error| {
            Error::new(ErrorKind::Limit, format!("cannot start a thread: {error}")).caused_by(error)
        })?;
        Ok(Iter { batch: Vec::new().into_iter(), inlet: Some(inlet), gone, runner: Some(runner) })
    }

    /// Calls `f` with each record, in record order, on the calling thread. Streams.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// let mut text = String::new();
    /// Bag::from_iter(["a", "b"]).for_each(|word| text.push_str(word))?;
    /// assert_eq!(text, "ab");
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn for_each(self, mut f: impl FnMut(T)) -> Result<()> {
        for item in self.iter()? {
            f(item?);
        }
        Ok(())
    }
}

/// The records of a run, from [`Bag::iter`].
pub struct Iter<T> {
    batch: std::vec::IntoIter<T>,
    inlet: Option<Box<dyn Inlet<Vec<T>>>>,
    gone: Arc<AtomicBool>,
    runner: Option<JoinHandle<Result<()>>>,
}

impl<T> std::fmt::Debug for Iter<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Iter").field("ready", &self.batch.len()).finish_non_exhaustive()
    }
}

impl<T> Iterator for Iter<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(item) = self.batch.next() {
                return Some(Ok(item));
            }
            match self.inlet.as_ref().and_then(|inlet| inlet.recv()) {
                Some(batch) => self.batch = batch.into_iter(),
                None => {
                    self.inlet = None;
                    return self.ended().err().map(Err);
                }
            }
        }
    }

    /// At least the records that are there without waiting for more.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.batch.len(), None)
    }
}

impl<T> Iter<T> {
    fn ended(&mut self) -> Result<()> {
        match self.runner.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(Error::internal("the run panicked")),
            None => Ok(()),
        }
    }
}

impl<T> Drop for Iter<T> {
    fn drop(&mut self) {
        // Without a receiver every send fails, which ends the run; readers that wait for input look at the mark. Its
        // threads are gone when this returns.
        self.gone.store(true, Ordering::Release);
        self.inlet = None;
        let _ = self.ended();
    }
}

struct Hand<T> {
    outlet: Mutex<Box<dyn Outlet<Vec<T>>>>,
    sequencer: Sequencer<(Vec<T>, UnitAccount, Option<Permit>)>,
    gone: Arc<AtomicBool>,
}

impl<T: Send> Fan<T> for Hand<T> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(HandPush { hand: self, cx, items: Vec::new(), gaps: Gaps::default() })
    }

    fn unwanted(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

struct HandPush<'s, T> {
    hand: &'s Hand<T>,
    cx: &'s WorkerCx<'s>,
    items: Vec<T>,
    gaps: Gaps,
}

impl<T: Send> Push<T> for HandPush<'_, T> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, _: At, item: T) -> Flow {
        self.gaps.note(self.cx, self.items.len());
        self.items.push(item);
        Flow::Continue(())
    }

    fn end(&mut self, UnitEnd { unit, last, permit }: UnitEnd) -> Flow {
        let (phase, fence) = (self.cx.phase, &self.cx.phase.fence);
        let cancelled = || phase.run.settings.cancel.is_cancelled();
        let account = self.gaps.end(self.cx, self.items.len(), &permit);
        let payload = (std::mem::take(&mut self.items), account, permit);
        self.hand.sequencer.submit(unit, last, payload, |unit, (mut items, account, _permit)| {
            if !fence.allows(unit) {
                return false;
            }
            let over = account.settle(phase, unit);
            items.truncate(over.unwrap_or(items.len()));
            let outlet = self.hand.outlet.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = items.is_empty() || outlet.send_unless(&cancelled, items.len() as u64, items).is_ok();
            if !sent {
                fence.lower(unit, u64::MAX, Stop::Enough);
            }
            sent && over.is_none()
        });
        Flow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
