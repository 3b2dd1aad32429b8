//! What an output was made from: the files that a run has read, as they were then, and how many of their records it
//! left out. Nothing here depends on threads, budget or clock: the same run over the same files says the same.

use crate::os::sync::atomic::{AtomicBool, Ordering};
use crate::os::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::os::Meta;

/// A file that was read, as it was when the run looked for its input.
///
/// Size and time of change tell whether it is still that file as well as `make` and `rsync` can tell: its bytes are not
/// read for this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputFile {
    /// The path as the caller wrote it or as it was found; `<stdin>` for standard input.
    pub path: String,
    /// Its size in bytes; none of a pipe or device.
    pub bytes: Option<u64>,
    /// When it was changed last, in nanoseconds since 1970; none of a pipe or device.
    pub modified_ns: Option<i64>,
}

/// What an output was made from; see [`RunReport::provenance`](crate::RunReport::provenance) and
/// [`Target::made_from`](crate::Target::made_from).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Provenance {
    /// The files that were read, in the order in which they were named or found; one that is read twice stands there
    /// twice.
    pub inputs: Vec<InputFile>,
    /// Records that were read; none where reading ended early (`take`, `stop`), for how far it went then is chance.
    pub read: Option<u64>,
    /// Records (and damaged shards) that were left out because they were bad; none if nobody says.
    pub rejected: Option<u64>,
    /// Bytes of damaged compressed files that were left out; none if there were none, or nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_bytes: Option<u64>,
    /// What was done with bad ones: `fail`, `skip` or `quarantine`; none if nobody says.
    pub on_error: Option<String>,
}

/// Gathers it while a run goes on.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    inputs: Mutex<Vec<InputFile>>,
    cut: AtomicBool,
}

impl Trail {
    /// Files will be read.
    pub(crate) fn reads(&self, files: impl Iterator<Item = InputFile>) {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
    }

    /// Some of what comes is not wanted, whether or not it has been read by then.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// What is known at the end, where so many records were read.
    pub(crate) fn end(&self, read: u64, rejected: u64, lost: u64, on_error: &str) -> Provenance {
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let read = (!self.cut.load(Ordering::Relaxed)).then_some(read);
        let lost_bytes = Some(lost).filter(|&lost| lost > 0);
        Provenance { inputs, read, rejected: Some(rejected), lost_bytes, on_error: Some(on_error.to_owned()) }
    }
}

impl InputFile {
    pub(crate) fn new(path: String, meta: Option<&Meta>) -> InputFile {
        InputFile { path, bytes: meta.map(|meta| meta.len), modified_ns: meta.and_then(|meta| meta.modified) }
    }
}
