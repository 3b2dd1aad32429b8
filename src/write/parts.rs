//! The files of an output while they are written: open, write, finish, then commit or abort. Dropped before `commit`,
//! nothing of them is left.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::os::{Commit, Os, StageDir};

use super::target::{Kind, Resolved};

/// The output being written.
pub(crate) struct Parts {
    sink: Sink,
    names: (PathBuf, String, String),
    overwrite: bool,
    files: Vec<PathBuf>,
    bytes: u64,
}

enum Sink {
    File(Option<Commit>),
    Directory { stage: StageDir, made: BTreeSet<String>, open: Option<std::fs::File> },
}

impl Parts {
    pub(crate) fn open(os: &Os, target: Resolved) -> Result<Parts> {
        let overwrite = target.overwrite;
        let (sink, names) = match target.kind {
            Kind::File(path) => {
                let file = os.create(&path).map_err(|error| Error::io(&path, "create", error))?;
                (Sink::File(Some(file)), (path, String::new(), String::new()))
            }
            Kind::Directory { dir, before, after } => {
                let stage = os.stage_dir(&dir).map_err(|error| Error::io(&dir, "create", error))?;
                (Sink::Directory { stage, made: BTreeSet::new(), open: None }, (dir, before, after))
            }
        };
        Ok(Parts { sink, names, overwrite, files: Vec::new(), bytes: 0 })
    }

    /// Appends packed bytes to a part; the parts come in order, those within one directory after the other. In a
    /// target that is one file there is none but the target's own, the empty one.
    pub(crate) fn write(&mut self, within: &str, part: u32, bytes: &[u8], ends_part: bool) -> Result<()> {
        self.bytes += bytes.len() as u64;
        let (dir, before, after) = &self.names;
        match &mut self.sink {
            Sink::File(file) => {
                let file = file.as_mut().ok_or_else(|| Error::internal("a write after the end"))?;
                file.write_all(bytes).map_err(|error| Error::io(dir, "write", error))?;
                if self.files.is_empty() {
                    self.files.push(dir.clone());
                }
                Ok(())
            }
            Sink::Directory { stage, made, open } => {
                let slash = if within.is_empty() { "" } else { "/" };
                let name = format!("{within}{slash}{before}{part:06}{after}");
                let path = dir.join(&name);
                let mut write = || -> io::Result<()> {
                    if open.is_none() {
                        make_dirs(stage, made, within)?;
                        *open = Some(stage.create(&name)?);
                        self.files.push(path.clone());
                    }
                    if let Some(file) = open {
                        file.write_all(bytes)?;
                    }
                    if ends_part && let Some(file) = open.take() {
                        file.sync_all()?;
                    }
                    Ok(())
                };
                if part > 999_999 {
                    return Err(Error::new(ErrorKind::Limit, "more than 1000000 shards: a larger shard_size would do"));
                }
                write().map_err(|error| Error::io(&path, "write", error))
            }
        }
    }

    /// Makes the output visible under its name, whole. Gives its files and their bytes.
    pub(crate) fn commit(self) -> Result<(Vec<PathBuf>, u64)> {
        let target = &self.names.0;
        let committed = match self.sink {
            Sink::File(Some(file)) => file.commit(self.overwrite),
            Sink::File(None) => Ok(()),
            Sink::Directory { stage, made, .. } => {
                made.iter().try_for_each(|dir| stage.sync(dir)).and_then(|()| stage.commit(self.overwrite))
            }
        };
        committed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                let text = "the target appeared while the run went on: it is left as it is";
                Error::io(target, "commit", error).replaced(ErrorKind::OutputExists, text)
            }
            _ => Error::io(target, "commit", error),
        })?;
        Ok((self.files, self.bytes))
    }
}

/// Makes a directory in the stage, and those that it is in. What is there and was not made here is not ours: nothing is
/// written through a link that somebody put there, and two names that the file system takes for one are an error.
fn make_dirs(stage: &StageDir, made: &mut BTreeSet<String>, within: &str) -> io::Result<()> {
    let ends = within.match_indices('/').map(|(at, _)| at).chain([within.len()]);
    for dir in ends.map(|end| &within[..end]).filter(|dir| !dir.is_empty()) {
        if !made.contains(dir) {
            stage.create_dir(dir)?;
            made.insert(dir.to_owned());
        }
    }
    Ok(())
}
