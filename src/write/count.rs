//! `count`: how many records.

use crate::os::sync::atomic::Ordering;

use crate::bag::Bag;
use crate::error::Result;

impl<T: Send + 'static> Bag<T> {
    /// Counts the records. Streams; lines of text are counted without being copied.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// assert_eq!(Bag::range(0..1000).filter(|n| n % 10 == 0).count()?, 100);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn count(self) -> Result<u64> {
        self.run(|run, plan, stage| {
            let meter = run.stage(stage, "count");
            let count = plan.count(run)?;
            meter.records_in.store(count, Ordering::Relaxed);
            Ok(count)
        })
    }
}
