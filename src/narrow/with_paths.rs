//! `with_paths`: each record with the shard that it comes from.

use crate::os::sync::Arc;

use crate::bag::Bag;

impl<T: Send + 'static> Bag<T> {
    /// Puts before each record the path of its shard, as it was given or found: `<stdin>` for standard input, `<name>`
    /// for records from memory. The path is shared, and nothing else is allocated. Streams, keeps order. Behind a verb
    /// that makes its records of many shards it gives that of the first of them, or nothing.
    ///
    /// ```
    /// # use kitbag::{Bag, Input};
    /// let shards = Bag::read_text("data/web/*.gz").with_paths().map(|(path, _)| path).collect()?;
    /// let first = Input::from("data/web/*.gz").paths()?.remove(0);
    /// assert_eq!(*shards[0], *first.to_string_lossy());
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    #[doc(alias = "include_path")]
    pub fn with_paths(self) -> Bag<(Arc<str>, T)> {
        self.narrow("with_paths", |at, item, down| {
            let path = down.cx.phase.run.path(at.shard);
            down.push(at, (path, item))
        })
    }
}
