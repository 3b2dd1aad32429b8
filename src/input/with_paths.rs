//! `records_with_paths`: each record with the shard that it comes from.

use std::sync::Arc;

use crate::bag::Bag;
use crate::json::Json;

use super::Scan;

impl Scan {
    /// The records, owned, each with the path of its shard as it was given or found (`<stdin>` for standard input): one
    /// allocation each, the path is shared. Streams, keeps order.
    ///
    /// ```
    /// # use kitbag::Scan;
    /// let shards = Scan::new("data/web/*.gz").records_with_paths().map(|(path, _)| path).count_distinct()?;
    /// assert_eq!(shards as usize, kitbag::Input::from("data/web/*.gz").paths()?.len());
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "include_path")]
    pub fn records_with_paths(self) -> Bag<(Arc<str>, Json)> {
        self.into_bag(|cx, at, record, down| down.push(at, (cx.phase.run.path(at.shard), record.to_json())))
    }
}
