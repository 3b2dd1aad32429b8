//! Where printed text goes: standard output, or the target of `-o`.

use std::io::Write as _;

use kitbag::{CancelToken, Partition, Provenance, Target, TargetWriter, Written};

use super::args::Args;
use super::exit::Failure;
use super::partition::Spool;
use super::run::Job;
use super::settings;
use super::stdout::Stdout;

/// The target of `-o`, if it is asked for.
pub(super) fn target(args: &Args) -> Result<Option<Target>, Failure> {
    let Some(path) = &args.output else {
        if args.overwrite || args.shard_size.is_some() || args.partition_by.is_some() {
            return Err(Failure::Usage("--overwrite, --shard-size and --partition-by belong to -o PATH".into()));
        }
        return Ok(None);
    };
    if path.as_os_str() == "-" {
        return Err(Failure::Usage("-o needs a path: without it outputs go to standard output".into()));
    }
    if args.seq {
        return Err(Failure::Usage("--seq marks what is printed: files of -o are JSON lines".into()));
    }
    if args.join_output {
        return Err(Failure::Usage("-j leaves no line ends at which -o could cut its output".into()));
    }
    let mut target = Target::new(path);
    if args.overwrite {
        target = target.overwrite();
    }
    if let Some(bytes) = args.shard_size {
        target = target.shard_size(bytes);
    }
    if args.partition_by.is_some() {
        // Whatever comes before they are written.
        target.check_partitions()?;
    }
    Ok(Some(target))
}

/// Bytes of text that are gathered before they are written.
const GATHER: usize = 64 << 10;

/// Text of a program that runs by itself, on its way out.
pub(super) struct Sink {
    to: To,
    text: Vec<u8>,
    rows: Vec<u8>,
}

enum To {
    Stdout(Stdout),
    Target(Box<TargetWriter>),
    Partitions(Box<Spool>),
}

impl Sink {
    /// To standard output.
    pub(super) fn stdout(cancel: &CancelToken) -> Sink {
        Sink { to: To::Stdout(Stdout::new(cancel)), text: Vec::with_capacity(GATHER), rows: Vec::new() }
    }

    /// To where the job's outputs go.
    pub(super) fn new(job: &Job<'_>) -> Result<Sink, Failure> {
        let to = match (&job.target, &job.partition) {
            (None, _) => return Ok(Sink::stdout(&job.cancel)),
            (Some(target), None) => To::Target(Box::new(target.writer()?)),
            (Some(target), Some(_)) => {
                let spool = Spool::new(job.held(), target.clone(), settings::limits(job.args, &job.cancel));
                To::Partitions(Box::new(spool))
            }
        };
        Ok(Sink { to, text: Vec::with_capacity(GATHER), rows: Vec::new() })
    }

    /// What is to be appended to; then [`Sink::appended`] or [`Sink::put_into`] is called.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Writes, if enough has been gathered.
    pub(super) fn appended(&mut self) -> Result<(), Failure> {
        if self.text.len() >= GATHER { self.flush() } else { Ok(()) }
    }

    /// What was appended since the last call goes into a partition, of an output that has some.
    pub(super) fn put_into(&mut self, partition: &Partition) -> Result<(), Failure> {
        Spool::row(partition, &self.text, &mut self.rows);
        self.text.clear();
        self.flush()
    }

    /// Writes what has been gathered.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        match &mut self.to {
            // Nobody sees them yet.
            To::Partitions(_) if self.rows.len() < GATHER => {}
            To::Partitions(spool) => {
                spool.write(&self.rows)?;
                self.rows.clear();
            }
            _ if self.text.is_empty() => {}
            To::Target(writer) => {
                writer.write_all(&self.text)?;
                self.text.clear();
            }
            To::Stdout(out) => {
                out.write_all(&self.text)?;
                self.text.clear();
            }
        }
        Ok(())
    }

    /// Writes all of it, which was made from this, and gives the target its name.
    pub(super) fn commit(mut self, made_from: impl FnOnce() -> Provenance) -> Result<Option<Written>, Failure> {
        self.flush()?;
        match self.to {
            To::Stdout(_) => Ok(None),
            To::Target(mut writer) => {
                writer.made_from(made_from());
                Ok(Some(writer.commit()?))
            }
            To::Partitions(mut spool) => {
                spool.write(&self.rows)?;
                Ok(Some(spool.commit(made_from())?))
            }
        }
    }
}
