//! `pluck`: one part of each record, by a path in jq's syntax.

use crate::bag::Bag;
use crate::error::Result;
use crate::json::{Json, Path};

impl Bag<Json> {
    /// The value at a path (`.user.id`, `items[0].sku`; the leading dot may be left out); `null` where a record has none.
    /// Streams, keeps order. Fails at once if the path is not one.
    ///
    /// ```
    /// # use kitbag::{Bag, Json};
    /// let records = ["{\"a\": {\"b\": [1, 2]}}", "{}"].map(Json::parse).into_iter().collect::<Result<Vec<_>, _>>()?;
    /// let plucked = Bag::from_iter(records).pluck("a.b[1]")?.collect()?;
    /// assert_eq!(plucked, [Json::from(2), Json::null()]);
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn pluck(self, path: &str) -> Result<Bag<Json>> {
        self.pluck_or(path, Json::null())
    }

    /// As [`pluck`](Bag::pluck), with a default where a record has no such value. A `null` in the record stays `null`.
    pub fn pluck_or(self, path: &str, default: impl Into<Json>) -> Result<Bag<Json>> {
        let (path, default): (Path, Json) = (path.parse()?, default.into());
        Ok(self.narrow("pluck", move |at, record, down| {
            let found = record.pluck(&path).map(|value| value.to_json());
            down.push(at, found.unwrap_or_else(|| default.clone()))
        }))
    }
}
