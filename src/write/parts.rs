//! The files of an output while they are written: open, write, finish, then commit or abort. Dropped before `commit`,
//! nothing of them is left. What each holds is noted as it is written; of a directory a manifest tells it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use crc32fast::Hasher;

use crate::engine::Provenance;
use crate::error::{Error, ErrorKind, Result};
use crate::os::{Commit, Os, Out, StageDir};

use super::Written;
use super::codec::{Codec, Packed};
use super::manifest::{MANIFEST, Manifest, Part, SUCCESS};
use super::resolve::{Kind, Resolved};

/// The output being written.
pub(crate) struct Parts {
    sink: Sink,
    names: (PathBuf, String, String),
    overwrite: bool,
    codec: Codec,
    made_from: Option<Provenance>,
    files: Vec<PathBuf>,
    parts: Vec<Part>,
    /// Of the last one.
    crc: Hasher,
}

enum Sink {
    File(Option<Commit>),
    Directory { stage: StageDir, made: BTreeSet<String>, open: Option<Out> },
}

/// What is known of an output that is complete, beside what was written.
pub(crate) struct Made<'a> {
    pub(crate) records: u64,
    pub(crate) partitions: u64,
    /// Bytes of text that came to be written.
    pub(crate) text_bytes: u64,
    /// What it was made from, unless the target says.
    pub(crate) made_from: &'a dyn Fn() -> Provenance,
}

impl Parts {
    pub(crate) fn open(os: &Os, target: Resolved) -> Result<Parts> {
        let Resolved { kind, codec, overwrite, made_from, .. } = target;
        let (sink, names) = match kind {
            Kind::File(path) => {
                let file = os.create(&path).map_err(|error| Error::io(&path, "create", error))?;
                (Sink::File(Some(file)), (path, String::new(), String::new()))
            }
            Kind::Directory { dir, before, after } => {
                let stage = os.stage_dir(&dir).map_err(|error| Error::io(&dir, "create", error))?;
                (Sink::Directory { stage, made: BTreeSet::new(), open: None }, (dir, before, after))
            }
        };
        let (files, parts) = (Vec::new(), Vec::new());
        Ok(Parts { sink, names, overwrite, codec, made_from, files, parts, crc: Hasher::new() })
    }

    /// Appends packed text to a part; the parts come in order, those within one directory after the other. In a
    /// target that is one file there is none but the target's own, the empty one.
    pub(crate) fn write(&mut self, within: &str, part: u32, packed: &Packed, ends_part: bool) -> Result<()> {
        let (dir, before, after) = &self.names;
        let fresh = self.parts.is_empty();
        let (codec, files, parts, crc) = (self.codec, &mut self.files, &mut self.parts, &mut self.crc);
        let mut begin = |path: PathBuf, name: String| {
            files.push(path);
            parts.push(Part { path: name, codec, ..Part::default() });
            *crc = Hasher::new();
        };
        match &mut self.sink {
            Sink::File(file) => {
                let file = file.as_mut().ok_or_else(|| Error::internal("a write after the end"))?;
                file.write_all(&packed.bytes).map_err(|error| Error::io(dir, "write", error))?;
                if fresh {
                    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    begin(dir.clone(), name);
                }
            }
            Sink::Directory { stage, made, open } => {
                let slash = if within.is_empty() { "" } else { "/" };
                let name = format!("{within}{slash}{before}{part:06}{after}");
                let path = dir.join(&name);
                if part > 999_999 {
                    return Err(Error::new(ErrorKind::Limit, "more than 1000000 shards: a larger shard_size would do"));
                }
                let mut write = || -> io::Result<()> {
                    if open.is_none() {
                        make_dirs(stage, made, within)?;
                        *open = Some(stage.create(&name)?);
                        begin(path.clone(), name.clone());
                    }
                    if let Some(file) = open {
                        file.write_all(&packed.bytes)?;
                    }
                    if ends_part && let Some(mut file) = open.take() {
                        file.sync()?;
                    }
                    Ok(())
                };
                write().map_err(|error| Error::io(&path, "write", error))?;
            }
        }
        if let Some(part) = self.parts.last_mut() {
            self.crc.combine(&packed.crc);
            part.crc32 = self.crc.clone().finalize();
            part.lines += packed.lines;
            part.text_bytes += packed.text_bytes;
            part.file_bytes += packed.bytes.len() as u64;
        }
        Ok(())
    }

    /// Makes the output visible under its name, whole.
    pub(crate) fn commit(self, made: Made<'_>) -> Result<Written> {
        let Made { records, partitions, text_bytes, made_from } = made;
        let target = &self.names.0;
        let made_from = self.made_from.unwrap_or_else(made_from);
        let manifest = Manifest::new(records, partitions, made_from, self.parts);
        if manifest.text_bytes != text_bytes {
            let text = format!("{text_bytes} bytes of text came to be written, {} were", manifest.text_bytes);
            return Err(Error::internal(text));
        }
        let committed = match self.sink {
            Sink::File(Some(file)) => file.commit(self.overwrite),
            Sink::File(None) => Ok(()),
            Sink::Directory { stage, made, .. } => {
                let line = manifest.to_line()?;
                let finished = || {
                    write_small(&stage, MANIFEST, &line)?;
                    write_small(&stage, SUCCESS, b"")?;
                    made.iter().try_for_each(|dir| stage.sync(dir))
                };
                finished().and_then(|()| stage.commit(self.overwrite))
            }
        };
        committed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                let text = "the target appeared while the run went on: it is left as it is";
                Error::io(target, "commit", error).replaced(ErrorKind::OutputExists, text)
            }
            _ => Error::io(target, "commit", error),
        })?;
        let Manifest { file_bytes, parts, .. } = manifest;
        Ok(Written { files: self.files, partitions, records, text_bytes, file_bytes, parts })
    }
}

/// A file of the directory itself, durable.
fn write_small(stage: &StageDir, name: &str, text: &[u8]) -> io::Result<()> {
    let mut file = stage.create(name)?;
    file.write_all(text)?;
    file.sync()
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
