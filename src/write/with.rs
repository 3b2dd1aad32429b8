//! `write_with`: a closure writes the text of each record.

use std::error::Error as StdError;
use std::io::Write;

use crate::bag::Bag;
use crate::engine::{Facts, Run};
use crate::error::Result;
use crate::input::Scan;
use crate::json::JsonRef;

use super::ends::With;
use super::jsonl::write_files;
use super::output::Output;
use super::texts::{Sink, Stream};
use super::{Target, Written};

impl Scan {
    /// Lets `f` write what it likes for each record: any number of lines. Streams, keeps order, without an allocation a
    /// record. [`Written::records`] counts the records that `f` was content with.
    ///
    /// An error makes the record a bad one: by policy it ends the run, or the record is skipped or quarantined and
    /// counted. What `f` wrote before its error stays, also where that ends the run ([`Scan::write_with_to`] then has
    /// written all that comes before the error in record order, and nothing behind it); a closure that wants otherwise
    /// truncates the text to the length it found.
    ///
    /// ```
    /// # use kitbag::Scan;
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("paths.txt");
    /// let written = Scan::new("data/web").write_with(&path, |hit, out| {
    ///     let path = hit.get("path").ok_or("expected a path")?;
    ///     out.text().extend_from_slice(path.raw().as_bytes());
    ///     out.text().push(b'\n');
    ///     Ok::<(), &str>(())
    /// })?;
    /// assert_eq!(std::fs::read_to_string(&path)?.lines().count() as u64, written.records);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_with<E>(
        self,
        target: impl Into<Target>,
        f: impl for<'a> Fn(JsonRef<'a>, &mut Output<'_>) -> Result<(), E> + Send + Sync,
    ) -> Result<Written>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let target = target.into();
        Run::start(self.config().settings(&Facts::new())?, |run| {
            write_files(run, 1, "write_with", &target, |sink| self.run(run, &With { sink, f: &f }))
        })
    }

    /// As [`Scan::write_with`], to a writer, which is flushed when nothing more is ready.
    pub fn write_with_to<E>(
        self,
        writer: impl Write + Send,
        f: impl for<'a> Fn(JsonRef<'a>, &mut Output<'_>) -> Result<(), E> + Send + Sync,
    ) -> Result<u64>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Run::start(self.config().settings(&Facts::new())?, |run| {
            let stream = Stream::new(writer);
            let sink = Sink::new(run.stage(1, "write_with_to"), run.settings.ordered, &stream);
            self.run(run, &With { sink: &sink, f: &f })?;
            sink.balance()
        })
    }
}

impl<T: Send + 'static> Bag<T> {
    /// As [`Scan::write_with`], over records of any type.
    ///
    /// ```
    /// # use kitbag::{Bag, Error};
    /// let mut text = Vec::new();
    /// Bag::range(1..4).write_with_to(&mut text, |n, out| {
    ///     (0..n).for_each(|_| out.text().extend_from_slice(b"*\n"));
    ///     Ok::<(), Error>(())
    /// })?;
    /// assert_eq!(text, b"*\n*\n*\n*\n*\n*\n");
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    pub fn write_with<E>(
        self,
        target: impl Into<Target>,
        f: impl Fn(T, &mut Output<'_>) -> Result<(), E> + Send + Sync,
    ) -> Result<Written>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let target = target.into();
        self.run(|run, plan, stage| {
            write_files(run, stage, "write_with", &target, |sink| plan.run(run, &With { sink, f: &f }))
        })
    }

    /// As [`Bag::write_with`], to a writer, which is flushed when nothing more is ready.
    pub fn write_with_to<E>(
        self,
        writer: impl Write + Send,
        f: impl Fn(T, &mut Output<'_>) -> Result<(), E> + Send + Sync,
    ) -> Result<u64>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.run(|run, plan, stage| {
            let stream = Stream::new(writer);
            let sink = Sink::new(run.stage(stage, "write_with_to"), run.settings.ordered, &stream);
            plan.run(run, &With { sink: &sink, f: &f })?;
            sink.balance()
        })
    }
}
