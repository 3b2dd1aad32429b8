//! [`Output`]: what a closure that makes text writes into.

use crate::os::sync::Arc;

use crate::batch::{At, Seq};
use crate::engine::Run;

use super::Partition;

/// Where a piece of text ends, and where it belongs.
pub(super) type Piece = (usize, Partition);

/// What the closure of [`Scan::write_with`](crate::Scan::write_with) and [`Bag::write_with`](crate::Bag::write_with) writes into, and where the record in hand stands.
#[derive(Debug)]
pub struct Output<'a> {
    pub(super) text: &'a mut Vec<u8>,
    pub(super) pieces: &'a mut Vec<Piece>,
    pub(super) run: &'a Run,
    pub(super) at: At,
    pub(super) seq: Seq,
    pub(super) stop: bool,
}

impl Output<'_> {
    /// The text so far, of this record and of some before it: only what is appended is the closure's. A line ends with
    /// a newline that the closure writes.
    pub fn text(&mut self) -> &mut Vec<u8> {
        self.text
    }

    /// What was appended for this record since the last call goes into this partition. For
    /// [`Scan::write_partitioned_with`](crate::Scan::write_partitioned_with) and its like, where all text must go into
    /// one; anywhere else it is an error.
    pub fn put_into(&mut self, partition: Partition) {
        let end = self.text.len();
        // What was taken back since it was put somewhere is gone.
        self.pieces.iter_mut().rev().take_while(|(before, _)| *before > end).for_each(|(before, _)| *before = end);
        self.pieces.push((end, partition));
    }

    /// The record's shard as the caller wrote it or as it was found; `<stdin>` for standard input, and `<name>` for
    /// records that come from memory or from many shards. Costs a lock and an allocation.
    pub fn path(&self) -> Arc<str> {
        self.run.path(self.at.shard)
    }

    /// Nothing behind this record is wanted: the run ends here, complete. What the closure writes for this record counts.
    ///
    /// ```
    /// # use kitbag::{Bag, Error};
    /// let mut text = Vec::new();
    /// Bag::range(0..i64::MAX).write_with_to(&mut text, |n, out| {
    ///     out.text().extend_from_slice(format!("{n}\n").as_bytes());
    ///     if n == 2 {
    ///         out.stop();
    ///     }
    ///     Ok::<(), Error>(())
    /// })?;
    /// assert_eq!(text, b"0\n1\n2\n");
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn stop(&mut self) {
        self.stop = true;
    }

    /// The record's position among those that come to this verb.
    pub fn seq(&self) -> Seq {
        self.seq
    }
}
