//! [`verify`]: whether a directory still holds what its manifest says. The manifest is data from outside like any
//! other.

use crate::os::sync::Mutex;
use crate::os::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Config, Settings};
use crate::engine::Facts;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::input::{Shard, directory};

use super::manifest::{MANIFEST, Manifest, Part, SUCCESS};
use super::proof::prove;
use super::texts::lock;

/// What was proven, from [`verify`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Files.
    pub parts: u64,
    /// Lines in all of them.
    pub lines: u64,
    /// Bytes of their text.
    pub text_bytes: u64,
    /// Their bytes.
    pub file_bytes: u64,
}

/// What is wrong with a directory, from [`verify`]: each fault with its path and what was expected there.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unverified {
    /// The faults, in the order of the manifest, then of names: at least one, at most a hundred.
    pub faults: Vec<Error>,
    /// How many more there are.
    pub more: u64,
}

/// The most faults that are told one by one.
const TOLD: usize = 100;

/// Bytes of the longest manifest that is read.
const LONGEST: u64 = 1 << 30;

/// Reads every file of a directory that was written by a [`Target`](crate::Target), on all threads, and compares its
/// length, its checksum, its text and its lines with what `.manifest.json` says. Files that a reader of the directory
/// would take for shards and that the manifest does not name are faults, and so are links that lead out of the
/// directory. Of the configuration, threads, limits and cancellation count. Holds the manifest, and two buffers and a
/// decompressor a thread.
///
/// What is verified is that nothing was damaged or lost. Who can change a file can change its manifest too.
///
/// ```
/// # use kitbag::{Bag, Config};
/// # let dir = tempfile::tempdir()?;
/// let out = dir.path().join("out");
/// Bag::range(0..1000).write_jsonl(out.join("part-*.jsonl.zst"))?;
/// assert_eq!(kitbag::verify(&out, &Config::new())?.lines, 1000);
///
/// std::fs::write(out.join("part-000000.jsonl.zst"), "not what was there")?;
/// let unverified = kitbag::verify(&out, &Config::new()).unwrap_err();
/// assert!(unverified.to_string().contains("part-000000.jsonl.zst: expected "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails if anything is not as the manifest says, or if there is no manifest or no `_SUCCESS`: with all faults at once.
/// A run that was cancelled has one fault, of the kind [`ErrorKind::Cancelled`].
pub fn verify(dir: impl AsRef<Path>, config: &Config) -> Result<Verified, Unverified> {
    let dir = dir.as_ref();
    let one = |error| Unverified { faults: vec![error], more: 0 };
    let settings = config.settings(&Facts::new()).map_err(one)?;
    let manifest = read(dir, &settings).map_err(one)?;
    let mut faults = Faults::default();
    let mark = dir.join(SUCCESS);
    match settings.os.meta(&mark) {
        Ok(meta) if meta.regular => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => faults.add(Error::io(&mark, "look at", error)),
        _ => {
            let text = "expected the mark of a complete output: there is none";
            faults.add(Error::new(ErrorKind::NotFound, text).at(place(&mark)));
        }
    }
    let mut named = HashSet::new();
    for part in manifest.parts.iter().filter(|part| !named.insert(part.path.as_str())) {
        let text = "expected each path once, found this one twice in the manifest";
        faults.add(Error::new(ErrorKind::Corrupt, text).at(place(&dir.join(&part.path))));
    }
    let Manifest { lines, text_bytes, file_bytes, records, partitions, .. } = manifest;
    let sums = Manifest::new(records, partitions, manifest.made_from, manifest.parts);
    if (sums.lines, sums.text_bytes, sums.file_bytes) != (lines, text_bytes, file_bytes) {
        let text = "expected totals that are the sums of the parts";
        faults.add(Error::new(ErrorKind::Corrupt, text).at(place(&dir.join(MANIFEST))));
    }
    for fault in all(dir, &sums.parts, &settings).map_err(one)? {
        faults.add(fault);
    }
    let named = sums.parts.iter().map(|part| dir.join(&part.path)).collect();
    if let Err(error) = others(dir, &named, &settings, &mut faults) {
        faults.add(error);
    }
    match faults {
        Faults { told, more } if !told.is_empty() => Err(Unverified { faults: told, more }),
        _ => Ok(Verified { parts: sums.parts.len() as u64, lines, text_bytes, file_bytes }),
    }
}

/// Reads the manifest.
fn read(dir: &Path, settings: &Settings) -> Result<Manifest> {
    let (os, path) = (&settings.os, dir.join(MANIFEST));
    let failed = |error: io::Error| Error::io(&path, "read", error);
    if !os.meta(dir).map_err(|error| Error::io(dir, "read", error))?.dir {
        return Err(Error::new(ErrorKind::Usage, "expected a directory to verify: this is a file").at(place(dir)));
    }
    let wrong = |text: String| Err(Error::new(ErrorKind::Corrupt, text).at(place(&path)));
    let len = match os.meta(&path) {
        Ok(meta) if meta.regular => meta.len,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {
            let text = "expected a manifest: there is none";
            return Err(Error::new(ErrorKind::NotFound, text).at(place(&path)));
        }
    };
    if len > LONGEST {
        return wrong(format!("expected a manifest of at most {LONGEST} bytes, found {len}"));
    }
    let mut file = os.open(&path, true).map_err(failed)?;
    let mut text = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    let mut filled = 0;
    while filled < text.len() {
        match file.read(&mut text[filled..]).map_err(failed)? {
            0 => break,
            read => filled += read,
        }
    }
    Manifest::parse(&text[..filled]).or_else(wrong)
}

/// What is wrong with the parts, in their order.
fn all(dir: &Path, parts: &[Part], settings: &Settings) -> Result<Vec<Error>> {
    let os = &settings.os;
    let real = os.real(dir).map_err(|error| Error::io(dir, "read", error))?;
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((at, part)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, parts.get(at)?)))
        {
            if settings.cancel.is_cancelled() {
                return;
            }
            if let Err(error) = prove(dir, &real, part, settings) {
                lock(&found).push((at, error));
            }
        }
    };
    os.scope(|scope| {
        for thread in 1..settings.threads.min(parts.len().max(1)) {
            // Where a thread cannot be had, the others do its part.
            let _ = os.spawn_scoped(scope, format!("kitbag-verify-{thread}"), work);
        }
        work();
    });
    if settings.cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    let mut found = std::mem::take(&mut *lock(&found));
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, error)| error).collect())
}

/// Files that would be read as shards and are none.
fn others(dir: &Path, named: &HashSet<PathBuf>, settings: &Settings, faults: &mut Faults) -> Result<()> {
    let mut there = Vec::new();
    directory(&settings.os, dir, &mut there)?;
    for Shard { path, .. } in there.into_iter().filter(|shard| !named.contains(&shard.path)) {
        let text = "expected no file here: the manifest names none";
        faults.add(Error::new(ErrorKind::Corrupt, text).at(place(&path)));
    }
    Ok(())
}

#[derive(Default)]
struct Faults {
    told: Vec<Error>,
    more: u64,
}

impl Faults {
    fn add(&mut self, fault: Error) {
        match self.told.len() {
            TOLD.. => self.more += 1,
            _ => self.told.push(fault),
        }
    }
}

pub(super) fn place(path: &Path) -> Place {
    Place { path: path.to_string_lossy().into_owned(), ..Place::default() }
}

impl fmt::Display for Unverified {
    /// A fault a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if at > 0 { "\n" } else { "" })?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Unverified {}
