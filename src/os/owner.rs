//! Who owns what lies hidden beside a target: whoever holds the lock on it. A process number would not tell, since it
//! is given to another process one day.

use std::io;
use std::path::Path;

use super::faults::{Faults, Op};
use super::hidden::{looked_at, remove};
use super::output::parent;
use super::tree::Meta;

/// What the names of files and of directories begin with; so many random letters and digits follow.
pub(super) const FILE: &str = ".kitbag-file-";
pub(super) const DIR: &str = ".kitbag-stage-";
pub(super) const RANDOM: usize = 22;

pub(super) enum Locked {
    Mine(std::fs::File),
    /// Somebody has it, or has removed it.
    Taken,
    /// There are no locks here.
    Unknown,
    Failed(io::Error),
}

/// Locks what stands at a path, through no link and without waiting.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(super) fn lock(path: &Path) -> Locked {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits()).unwrap_or(0);
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Locked::Taken,
        Err(error) => return unlocked(error),
    };
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => Locked::Taken,
        Err(std::fs::TryLockError::Error(error)) => unlocked(error),
        // Between opening and locking it may have been removed, or have got its name: then it is none of ours.
        Ok(()) => match (file.metadata().map(Meta::from), looked_at(path)) {
            (Ok(held), Ok(there)) if held.id == there.id => Locked::Mine(file),
            _ => Locked::Taken,
        },
    }
}

/// Why there is no lock. What works without one where there could be one would be taken away by the next run.
fn unlocked(error: io::Error) -> Locked {
    /// No locks available.
    const ENOLCK: i32 = 37;
    let none = matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied
    );
    match none || cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK) {
        true => Locked::Unknown,
        false => Locked::Failed(error),
    }
}

/// Removes what killed runs left beside this: things of ours, by name, of the same user, that nobody has locked. What
/// cannot be looked at or removed stays.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(super) fn sweep(own: &Path, faults: &Faults) {
    use std::os::unix::fs::MetadataExt;
    let user =
        |path: &Path| std::fs::symlink_metadata(path).map(|meta| (meta.uid(), meta.is_dir(), meta.is_file())).ok();
    let Some((me, ..)) = user(own) else { return };
    for entry in std::fs::read_dir(parent(own)).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_str().unwrap_or_default();
        let ours = |prefix: &str| {
            let rest = name.strip_prefix(prefix).unwrap_or_default();
            rest.len() == RANDOM && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let dir = match user(&path) {
            Some((owner, true, _)) if owner == me && ours(DIR) => true,
            Some((owner, _, true)) if owner == me && ours(FILE) => false,
            _ => continue,
        };
        if path.file_name() != own.file_name()
            && let Locked::Mine(_lock) = lock(&path)
            && faults.at(Op::Remove).is_ok()
        {
            remove(&path, dir);
        }
    }
}

/// Nothing is known of owners and locks there.
#[cfg(not(unix))]
pub(super) fn sweep(_: &Path, _: &Faults) {}
