//! `write_jsonl` and `write_text`: records to files or a writer, one a line.

use std::io::Write;

use serde::Serialize;

use crate::bag::Bag;
use crate::batch::{At, Unit};
use crate::engine::{Facts, Fan, Flow, Push, Run, UnitEnd, WorkerCx};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{RefFan, RefPush, Scan};
use crate::json::JsonRef;

use super::files::Files;
use super::texts::{Out, Sink, Stream};
use super::{Target, Written};

impl<T: Serialize + Send + 'static> Bag<T> {
    /// Writes each record as a line of JSON. A [`Json`](crate::Json) that was not changed is written byte for byte.
    /// Streams, keeps order; text that is ahead of its turn is held, up to a quarter of the budget. The output appears
    /// under its name when it is complete, or not at all.
    ///
    /// ```
    /// # use kitbag::Bag;
    /// # let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("squares.jsonl.gz");
    /// let written = Bag::range(0..3).map(|n| (n, n * n)).write_jsonl(&path)?;
    /// assert_eq!((written.records, written.text_bytes), (3, 18));
    /// assert_eq!(Bag::<(i64, i64)>::read_json(path).collect()?, [(0, 0), (1, 1), (2, 4)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "to_textfiles")]
    pub fn write_jsonl(self, target: impl Into<Target>) -> Result<Written> {
        let target = target.into();
        self.run(|run, plan, stage| {
            let feed = |sink: &Sink<'_>| plan.run(run, &Encoding { sink, encode: encode_json });
            write_files(run, stage, "write_jsonl", &target, feed)
        })
    }

    /// Writes each record as a line of JSON to a writer, in order, and flushes when nothing more is ready.
    pub fn write_jsonl_to(self, writer: impl Write + Send) -> Result<u64> {
        self.run(|run, plan, stage| {
            let stream = Stream::new(writer);
            let sink = Sink::new(run.stage(stage, "write_jsonl_to"), run.settings.ordered, &stream);
            plan.run(run, &Encoding { sink: &sink, encode: encode_json })?;
            sink.balance()
        })
    }
}

impl<T: AsRef<str> + Send + 'static> Bag<T> {
    /// Writes each record as a line of text; as [`write_jsonl`](Bag::write_jsonl) otherwise. A record that holds a
    /// newline would become two lines, and is refused.
    #[doc(alias = "to_textfiles")]
    pub fn write_text(self, target: impl Into<Target>) -> Result<Written> {
        let target = target.into();
        self.run(|run, plan, stage| {
            let feed = |sink: &Sink<'_>| plan.run(run, &Encoding { sink, encode: encode_text });
            write_files(run, stage, "write_text", &target, feed)
        })
    }
}

impl Scan {
    /// Writes the records that were kept, byte for byte (white space around a record is left out). As
    /// [`Bag::write_jsonl`] otherwise, without an allocation a record.
    ///
    /// ```
    /// # use kitbag::Scan;
    /// # let dir = tempfile::tempdir()?;
    /// let failed = Scan::new("data/web").filter(|hit| hit.get("status").and_then(|s| s.as_u64()) >= Some(500));
    /// let written = failed.write_jsonl(dir.path().join("failed.jsonl.zst"))?;
    /// assert!(written.records > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_jsonl(self, target: impl Into<Target>) -> Result<Written> {
        let target = target.into();
        Run::start(self.config().settings(&Facts::new())?, |run| {
            write_files(run, 1, "write_jsonl", &target, |sink| self.run(run, &Verbatim { sink }))
        })
    }

    /// Writes the records that were kept to a writer, in order, and flushes when nothing more is ready.
    pub fn write_jsonl_to(self, writer: impl Write + Send) -> Result<u64> {
        Run::start(self.config().settings(&Facts::new())?, |run| {
            let stream = Stream::new(writer);
            let sink = Sink::new(run.stage(1, "write_jsonl_to"), run.settings.ordered, &stream);
            self.run(run, &Verbatim { sink: &sink })?;
            sink.balance()
        })
    }
}

/// Opens the files, lets `feed` bring the text, and commits.
pub(super) fn write_files(
    run: &Run,
    stage: u32,
    verb: &str,
    target: &Target,
    feed: impl FnOnce(&Sink<'_>) -> Result<()>,
) -> Result<Written> {
    let meter = run.stage(stage, verb);
    let files = Files::open(&run.os, run.settings.threads, target.resolve(&run.os)?)?;
    let sink = Sink::new(meter, run.settings.ordered, &files);
    feed(&sink)?;
    let records = sink.balance()?;
    run.may_commit()?;
    // Between here and the names nothing waits: a run that was cancelled until now leaves nothing.
    if run.settings.cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    files.commit(records, &|| run.provenance())
}

/// Appends a record to the text, with its newline.
type Encode<T> = fn(&T, &mut Vec<u8>) -> Result<()>;

pub(super) fn encode_json<T: Serialize>(record: &T, text: &mut Vec<u8>) -> Result<()> {
    let before = text.len();
    serde_json::to_writer(&mut *text, record).map_err(|error| {
        Error::new(ErrorKind::Record, format!("expected a record that JSON can hold: {error}")).caused_by(error)
    })?;
    if memchr::memchr(b'\n', &text[before..]).is_some() {
        // Only raw text with white space between its tokens can hold one.
        for byte in &mut text[before..] {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
    }
    text.push(b'\n');
    Ok(())
}

fn encode_text<T: AsRef<str>>(record: &T, text: &mut Vec<u8>) -> Result<()> {
    let line = record.as_ref().as_bytes();
    if memchr::memchr(b'\n', line).is_some() {
        return Err(Error::new(ErrorKind::Record, "expected a record without a newline").with_excerpt(line));
    }
    text.extend_from_slice(line);
    text.push(b'\n');
    Ok(())
}

/// Records of any type, encoded.
struct Encoding<'a, T> {
    sink: &'a Sink<'a>,
    encode: Encode<T>,
}

impl<T: Send> Fan<T> for Encoding<'_, T> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn Push<T> + 's> {
        Box::new(EncodingPush { out: self.sink.out(cx), encode: self.encode })
    }
}

struct EncodingPush<'s, T> {
    out: Out<'s>,
    encode: Encode<T>,
}

impl<T: Send> Push<T> for EncodingPush<'_, T> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, at: At, item: T) -> Flow {
        self.out.cx.set_stage(self.out.stage());
        if let Err(error) = (self.encode)(&item, &mut self.out.text) {
            self.out.drop_unfinished();
            return self.out.cx.refuse(at, error.in_stage(self.out.stage_name()));
        }
        self.out.record();
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.out.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Borrowed records, as they stand in the input.
struct Verbatim<'a> {
    sink: &'a Sink<'a>,
}

impl RefFan for Verbatim<'_> {
    fn worker<'s>(&'s self, cx: &'s WorkerCx<'s>) -> Box<dyn RefPush + 's> {
        Box::new(VerbatimPush { out: self.sink.out(cx) })
    }
}

struct VerbatimPush<'s> {
    out: Out<'s>,
}

impl RefPush for VerbatimPush<'_> {
    fn begin(&mut self, _: Unit) -> Flow {
        Flow::Continue(())
    }

    fn push(&mut self, _: At, record: JsonRef<'_>) -> Flow {
        self.out.text.extend_from_slice(record.raw().as_bytes());
        self.out.text.push(b'\n');
        self.out.record();
        Flow::Continue(())
    }

    fn end(&mut self, end: UnitEnd) -> Flow {
        self.out.end(end)
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
