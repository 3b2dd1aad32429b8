//! What lies hidden beside a target while it is made, under a random name, until it gets the target's. Its owner holds
//! a lock on it, which ends with the process, however that ends: so the next run that writes into the same directory
//! knows what a killed one has left, and takes it away.

use std::io;
use std::path::{Path, PathBuf};

use super::faults::{Faults, Op};
use super::output::{parent, sync_dir};
use super::owner::{DIR, FILE, Locked, RANDOM, lock, sweep};
use super::tree::Meta;

/// How often a name is looked at again that others took or gave back meanwhile.
const TRIES: usize = 16;

/// A file or directory that is being made; dropped, it is gone.
#[derive(Debug)]
pub(super) struct Hidden {
    path: PathBuf,
    dir: bool,
    /// It has another name now, and is not to be removed.
    named: bool,
    faults: Faults,
    /// Held as long as this is; none where the file system has no locks.
    _lock: Option<std::fs::File>,
}

impl Hidden {
    /// Makes a file in a directory, and takes away what killed runs left there.
    pub(super) fn file(within: &Path, faults: &Faults) -> io::Result<(std::fs::File, Hidden)> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(FILE).rand_bytes(RANDOM);
        #[cfg(unix)]
        {
            // The final file gets the permissions an ordinary new file would: the umask still applies.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        owned(|| {
            faults.at(Op::Open)?;
            let (file, path) = builder.tempfile_in(within)?.into_parts();
            let hidden = Hidden::new(path.keep().map_err(|failed| failed.error)?, false, faults);
            Ok((file, hidden))
        })
    }

    /// The same for a directory.
    pub(super) fn dir(within: &Path, faults: &Faults) -> io::Result<Hidden> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(DIR).rand_bytes(RANDOM);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o777));
        }
        owned(|| {
            faults.at(Op::MakeDir)?;
            Ok(((), Hidden::new(builder.tempdir_in(within)?.keep(), true, faults)))
        })
        .map(|((), hidden)| hidden)
    }

    fn new(path: PathBuf, dir: bool, faults: &Faults) -> Hidden {
        Hidden { path, dir, named: false, faults: faults.clone(), _lock: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name; its bytes are durable by now. With `replace`, what stood there is gone then, and there is no
    /// moment without a target (where the system can swap two names); without it the name must be free, or an empty
    /// directory for a directory. After an error all is as it was before.
    pub(super) fn publish(mut self, to: &Path, replace: bool) -> io::Result<()> {
        let how = self.rename(to, replace)?;
        let durable = sync_dir(parent(to), &self.faults);
        match (how, &durable) {
            // What stands under the hidden name is what stood at the target, and goes with this.
            (How::Swapped, Ok(())) => {}
            (How::Swapped, Err(_)) => swap(&self.path, to)?,
            (How::Moved, Ok(())) | (How::Replaced, _) => self.named = true,
            (How::Moved, Err(_)) => move_to(to, &self.path)?,
        }
        durable
    }

    fn rename(&self, to: &Path, replace: bool) -> io::Result<How> {
        use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotFound};
        let mut tries = 0;
        loop {
            tries += 1;
            self.faults.at(Op::Rename)?;
            let there = replace && looked_at(to).is_ok();
            let done = match there {
                true => swap(&self.path, to).map(|()| How::Swapped).or_else(|error| match error.kind() {
                    io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput => self.replace(to),
                    _ => Err(error),
                }),
                // A rename onto an empty directory replaces it; onto anything else it fails.
                false if self.dir => move_to(&self.path, to).map(|()| How::Moved),
                false => link_new(&self.path, to).map(|()| How::Moved),
            };
            match done {
                // Another run came or went between the look and the step.
                Err(error) if there && error.kind() == NotFound && tries < TRIES => {}
                Err(error)
                    if replace
                        && !there
                        && matches!(error.kind(), AlreadyExists | DirectoryNotEmpty)
                        && tries < TRIES => {}
                done => return done,
            }
        }
    }

    /// What comes nearest to a swap where there is none: a file replaces a file at once, a directory is moved aside
    /// first.
    fn replace(&self, to: &Path) -> io::Result<How> {
        if !self.dir {
            return move_to(&self.path, to).map(|()| How::Replaced);
        }
        let aside = tempfile::Builder::new().prefix(".kitbag-old-").tempdir_in(parent(to))?;
        let old = aside.path().join("old");
        move_to(to, &old)?;
        move_to(&self.path, to).inspect_err(|_| {
            if move_to(&old, to).is_err() {
                // Better under a strange name than gone.
                let _ = tempfile::TempDir::keep(aside);
            }
        })?;
        Ok(How::Replaced)
    }
}

/// How a target got its name.
#[derive(Clone, Copy)]
enum How {
    Moved,
    Swapped,
    /// What stood there is gone.
    Replaced,
}

impl Drop for Hidden {
    /// Whatever cannot be removed is left to the next run.
    fn drop(&mut self) {
        if !self.named && self.faults.at(Op::Remove).is_ok() {
            remove(&self.path, self.dir);
        }
    }
}

/// Makes something and locks it, once more if somebody who clears away got it first; then clears away what nobody owns.
fn owned<T>(mut make: impl FnMut() -> io::Result<(T, Hidden)>) -> io::Result<(T, Hidden)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (made, mut hidden) = make()?;
        match lock(&hidden.path) {
            Locked::Mine(file) => hidden._lock = Some(file),
            Locked::Taken if tries < TRIES => continue,
            Locked::Taken | Locked::Unknown => return Ok((made, hidden)),
            Locked::Failed(error) => return Err(error),
        }
        sweep(&hidden.path, &hidden.faults);
        return Ok((made, hidden));
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(super) fn remove(path: &Path, dir: bool) {
    let _ = if dir { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(super) fn looked_at(path: &Path) -> io::Result<Meta> {
    std::fs::symlink_metadata(path).map(Meta::from)
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Swaps two names; not everywhere can that be done.
fn swap(one: &Path, other: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (one, other);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Gives a file a name that must be free.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn link_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
            done => return done.map_err(io::Error::from),
        }
    }
    std::fs::hard_link(from, to)?;
    std::fs::remove_file(from)
}
