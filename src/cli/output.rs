//! Where printed text goes: standard output, or the target of `-o`.

use std::io::{self, Write as _};

use kitbag::{Target, TargetWriter, Written};

use super::args::Args;
use super::exit::Failure;

/// The target of `-o`, if it is asked for.
pub(super) fn target(args: &Args) -> Result<Option<Target>, Failure> {
    let Some(path) = &args.output else {
        if args.overwrite || args.shard_size.is_some() {
            return Err(Failure::Usage("--overwrite and --shard-size belong to -o PATH".into()));
        }
        return Ok(None);
    };
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
    Ok(Some(target))
}

/// Bytes of text that are gathered before they are written.
const GATHER: usize = 64 << 10;

/// Text of a program that runs by itself, on its way out.
#[derive(Debug)]
pub(super) struct Sink {
    target: Option<TargetWriter>,
    text: Vec<u8>,
}

impl Sink {
    pub(super) fn new(target: Option<&Target>) -> Result<Sink, Failure> {
        Ok(Sink { target: target.map(Target::writer).transpose()?, text: Vec::with_capacity(GATHER) })
    }

    /// What is to be appended to; then [`Sink::appended`] is called.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Writes, if enough has been gathered.
    pub(super) fn appended(&mut self) -> Result<(), Failure> {
        if self.text.len() >= GATHER { self.flush() } else { Ok(()) }
    }

    /// Writes what has been gathered.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        if self.text.is_empty() {
            return Ok(());
        }
        match &mut self.target {
            Some(writer) => writer.write_all(&self.text)?,
            None => {
                let mut out = io::stdout().lock();
                out.write_all(&self.text).and_then(|()| out.flush())?;
            }
        }
        self.text.clear();
        Ok(())
    }

    /// Writes all of it and gives the target its name.
    pub(super) fn commit(mut self) -> Result<Option<Written>, Failure> {
        self.flush()?;
        self.target.map(|writer| writer.commit().map_err(Failure::from)).transpose()
    }
}
