//! `write_partitioned`: a directory for each partition, in the manner of Hive. All text is stored by its partition first
//! ([`absorb`]), then written one partition after the other ([`emit`]): one file is open at a time, however many there are.

mod absorb;
mod emit;

use std::error::Error as StdError;

use serde::Serialize;

use crate::bag::Bag;
use crate::engine::{Facts, Run};
use crate::error::{Error, Result};
use crate::input::Scan;
use crate::json::JsonRef;
use crate::spill::Store;

use super::ends::With;
use super::jsonl::encode_json;
use super::output::Output;
use super::parts::{Made, Parts};
use super::{Partition, Target, Written};
use absorb::Absorb;

const VERB: &str = "write_partitioned";

impl<T: Serialize + Send + 'static> Bag<T> {
    /// Writes each record as a line of JSON into the directory of its partition: `out/day=2026-01-02/part-000000.jsonl`.
    /// The target is a directory, or a pattern such as `out/part-*.jsonl.zst`, which says how shards are named and packed;
    /// [`Target::shard_size`] holds within each partition. Records of a partition keep their order; names, files and bytes
    /// are the same for any setting. Holds all text within the memory budget, and spills beyond it; one file is open at a
    /// time. The directory appears under its name when all is complete, or not at all.
    ///
    /// ```
    /// # use kitbag::{Bag, Partition};
    /// # let dir = tempfile::tempdir()?;
    /// let out = dir.path().join("numbers");
    /// let partition = |n: &i64| Partition::new().with("parity", Some(if n % 2 == 0 { "even" } else { "odd" }));
    /// let written = Bag::range(0..5).write_partitioned(&out, partition)?;
    /// assert_eq!((written.partitions, written.records), (2, 5));
    /// assert_eq!(std::fs::read_to_string(out.join("parity=odd/part-000000.jsonl"))?, "1\n3\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `by` refuses is a bad record. The run fails if there are more partitions than
    /// [`Target::max_partitions`] allows, if two have different keys, or if the file system takes two names for one.
    #[doc(alias = "partition_on")]
    #[doc(alias = "partition_by")]
    pub fn write_partitioned(
        self,
        target: impl Into<Target>,
        by: impl Fn(&T) -> Result<Partition> + Send + Sync,
    ) -> Result<Written> {
        self.write_partitioned_with(target, |record, out| {
            let partition = by(&record)?;
            encode_json(&record, out.text())?;
            out.put_into(partition);
            Ok::<(), Error>(())
        })
    }
}

impl<T: Send + 'static> Bag<T> {
    /// As [`write_partitioned`](Bag::write_partitioned), where `f` writes what it likes for each record, and says by
    /// [`Output::put_into`] where it goes. All that is said of [`Scan::write_with`] holds here too; text that was put
    /// nowhere goes if `f` refuses the record, and ends the run if not.
    ///
    /// ```
    /// # use kitbag::{Bag, Error, Partition};
    /// # let dir = tempfile::tempdir()?;
    /// let out = dir.path().join("divisors");
    /// Bag::range(1..7).write_partitioned_with(&out, |n, out| {
    ///     for divisor in (1..=n).filter(|divisor| n % divisor == 0) {
    ///         out.text().extend_from_slice(format!("{n}\n").as_bytes());
    ///         out.put_into(Partition::new().with("of", Some(&divisor.to_string()))?);
    ///     }
    ///     Ok::<(), Error>(())
    /// })?;
    /// assert_eq!(std::fs::read_to_string(out.join("of=3/part-000000.jsonl"))?, "3\n6\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_partitioned_with<E>(
        self,
        target: impl Into<Target>,
        f: impl Fn(T, &mut Output<'_>) -> Result<(), E> + Send + Sync,
    ) -> Result<Written>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let target = target.into();
        self.run_gathering(VERB, |run, plan, stage| {
            write(run, stage, &target, |absorb| plan.run(run, &With { sink: absorb, f: &f }))
        })
    }
}

impl Scan {
    /// As [`Bag::write_partitioned`]: the records that were kept, byte for byte.
    ///
    /// ```
    /// # use kitbag::{Partition, Scan};
    /// # let dir = tempfile::tempdir()?;
    /// let by = |hit: kitbag::JsonRef<'_>| Partition::new().with_json("status", hit.get("status"));
    /// let written = Scan::new("data/web").write_partitioned(dir.path().join("web/part-*.jsonl.zst"), by)?;
    /// assert!(written.partitions > 2 && dir.path().join("web/status=200/part-000000.jsonl.zst").is_file());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_partitioned(
        self,
        target: impl Into<Target>,
        by: impl for<'a> Fn(JsonRef<'a>) -> Result<Partition> + Send + Sync,
    ) -> Result<Written> {
        self.write_partitioned_with(target, |record, out| {
            let partition = by(record)?;
            out.text().extend_from_slice(record.raw().as_bytes());
            out.text().push(b'\n');
            out.put_into(partition);
            Ok::<(), Error>(())
        })
    }

    /// As [`Bag::write_partitioned_with`], over borrowed records.
    pub fn write_partitioned_with<E>(
        self,
        target: impl Into<Target>,
        f: impl for<'a> Fn(JsonRef<'a>, &mut Output<'_>) -> Result<(), E> + Send + Sync,
    ) -> Result<Written>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (target, mut facts) = (target.into(), Facts::new());
        facts.gathering(VERB);
        Run::start(self.config().settings(&facts)?, |run| {
            write(run, 1, &target, |absorb| self.run(run, &With { sink: absorb, f: &f }))
        })
    }
}

/// Opens the target, lets `feed` bring the text, writes it and commits.
fn write(run: &Run, stage: u32, target: &Target, feed: impl FnOnce(&Absorb<'_>) -> Result<()>) -> Result<Written> {
    let meter = run.stage(stage, VERB);
    let here = |error: Error| error.in_stage(meter.name.clone());
    let target = target.resolve_partitioned(&run.os)?;
    let space = run.space.counted_apart();
    let store = Store::new(&space, run.settings.threads).map_err(here)?;
    let (codec, shard_size, most) = (target.codec, target.shard_size, target.partitions);
    let parts = Parts::open(&run.os, target)?;
    let absorb = Absorb::new(run, &store, meter.clone());
    feed(&absorb)?;
    let absorbed = absorb.ended().map_err(here)?;
    let emitted = store.finish().map_err(here).and_then(|stored| {
        let how = emit::How { codec, shard_size, most, stop: absorbed.stop };
        emit::emit(run, &meter, stored, how, parts)
    });
    meter.spilled_in(&space);
    let (parts, partitions, text_bytes) = emitted?;
    // Behind an end that was asked for, text has come that is not written.
    let came = if absorbed.stop.is_none() { absorbed.text } else { text_bytes };
    run.may_commit()?;
    if run.settings.cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    let made = Made { records: absorbed.records, partitions, text_bytes: came, made_from: &|| run.provenance() };
    parts.commit(made)
}
