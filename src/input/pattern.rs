//! Patterns of paths: what `*`, `?`, `[…]` and `**` stand for, a directory at a time. The `glob` crate says whether a name
//! matches; the walk is ours, for its own leaves out names that are not UTF-8, and a file must never be left out unsaid.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

use crate::error::{Error, Result};
use crate::os::Os;

/// `*` does not match a leading dot, as in a shell.
const AS_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A part of a pattern, between two `/`.
enum Part<'a> {
    Name(Component<'a>),
    Like(Pattern),
    /// `**`: any number of directories, or none; at the end all that is below.
    Any,
}

/// A pattern of paths.
pub(super) struct Glob<'a>(Vec<Part<'a>>);

impl Glob<'_> {
    /// # Errors
    ///
    /// Where the pattern is wrong.
    pub(super) fn new(pattern: &str) -> Result<Glob<'_>, PatternError> {
        Pattern::new(pattern)?;
        let parts = Path::new(pattern).components().map(|part| match part.as_os_str().to_str() {
            Some("**") => Ok(Part::Any),
            Some(text) if text.contains(['*', '?', '[']) => Pattern::new(text).map(Part::Like),
            _ => Ok(Part::Name(part)),
        });
        parts.collect::<Result<_, _>>().map(Glob)
    }

    /// Whether it may match a directory and what is in it.
    pub(super) fn is_deep(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Any))
    }

    /// The paths that match, files and directories.
    pub(super) fn find(&self, os: &Os) -> Result<Vec<PathBuf>> {
        let mut found = vec![PathBuf::new()];
        for (number, part) in self.0.iter().enumerate() {
            let last = number + 1 == self.0.len();
            let mut next = Vec::new();
            for base in found {
                match part {
                    Part::Name(name) => {
                        let path = base.join(name);
                        if !last || is_there(os, &path)? {
                            next.push(path);
                        }
                    }
                    Part::Like(pattern) => {
                        next.extend(list(os, &base, |name| pattern.matches_with(&name.to_string_lossy(), AS_A_SHELL))?)
                    }
                    Part::Any => below(os, base, last, &mut next)?,
                }
            }
            // `**/a/**` has more than one way to what it matches.
            next.sort();
            next.dedup();
            found = next;
        }
        Ok(found)
    }
}

/// The directory and those below it, or, at the end of a pattern, all files below it.
fn below(os: &Os, base: PathBuf, files: bool, found: &mut Vec<PathBuf>) -> Result<()> {
    let visible = |name: &OsStr| !name.as_encoded_bytes().starts_with(b".");
    let (mut waiting, mut seen) = (vec![(base, true)], HashSet::new());
    while let Some((path, first)) = waiting.pop() {
        match os.meta(or_here(&path)) {
            // Reached again, through a link.
            Ok(meta) if meta.dir && !seen.insert(meta.id) && cfg!(unix) => {}
            Ok(meta) if meta.dir => {
                waiting.extend(list(os, &path, visible)?.into_iter().map(|path| (path, false)));
                if !files {
                    found.push(path);
                }
            }
            Ok(_) if files && !first => found.push(path),
            // A link that leads nowhere is a file that is missing.
            Err(error) if files && !first || !is_nothing(&error) => return Err(Error::io(&path, "read", error)),
            _ => {}
        }
    }
    Ok(())
}

/// The paths of those names in a directory that are wanted; none of what is no directory.
fn list(os: &Os, dir: &Path, wanted: impl Fn(&OsStr) -> bool) -> Result<Vec<PathBuf>> {
    match os.list(or_here(dir)) {
        Ok(entries) => {
            Ok(entries.into_iter().filter(|entry| wanted(&entry.name)).map(|entry| dir.join(&entry.name)).collect())
        }
        Err(error) if is_nothing(&error) => Ok(Vec::new()),
        Err(error) => Err(Error::io(dir, "list", error)),
    }
}

fn is_there(os: &Os, path: &Path) -> Result<bool> {
    match os.taken(path) {
        Ok(taken) => Ok(taken.is_some()),
        Err(error) if is_nothing(&error) => Ok(false),
        Err(error) => Err(Error::io(path, "read", error)),
    }
}

fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

fn is_nothing(error: &std::io::Error) -> bool {
    matches!(error.kind(), NotFound | NotADirectory)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

    use super::*;

    #[test]
    fn a_pattern_means_what_it_means_in_a_shell() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a/x.gz", "a/b/y.gz", "a/b/.z.gz", "a/.c/w.gz", "a/b/[1].gz", "v.gz"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let find = |pattern: &str| {
            let pattern = dir.path().join(pattern);
            let mut found = Glob::new(pattern.to_str().unwrap()).unwrap().find(&Os::default()).unwrap();
            found.sort();
            found
                .iter()
                .map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(find("*"), ["a", "v.gz"]);
        assert_eq!(find("*.gz"), ["v.gz"]);
        assert_eq!(find("?/b/*.gz"), ["a/b/[1].gz", "a/b/y.gz"]);
        assert_eq!(find("*/b/[[]1].gz"), ["a/b/[1].gz"]);
        assert_eq!(find("*/b/.*"), ["a/b/.z.gz"]);
        assert_eq!(find("*/x.gz"), ["a/x.gz"]);
        assert_eq!(find("*/b/../x.gz"), ["a/b/../x.gz"]);
        assert_eq!(find("**/*.gz"), ["a/b/[1].gz", "a/b/y.gz", "a/x.gz", "v.gz"]);
        assert_eq!(find("**/b/*"), ["a/b/[1].gz", "a/b/y.gz"]);
        assert_eq!(find("a/**"), ["a/b/[1].gz", "a/b/y.gz", "a/x.gz"]);
        assert_eq!(find("**"), ["a/b/[1].gz", "a/b/y.gz", "a/x.gz", "v.gz"]);
        assert_eq!(find("**/**/y*"), ["a/b/y.gz"]);
        assert_eq!((find("*/nothing"), find("v.gz/*"), find("no/*")), (vec![], vec![], vec![]));
        assert!(Glob::new("a**").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
            assert_eq!(find("**/x.gz"), ["a/x.gz"]);
            std::os::unix::fs::symlink("nowhere", dir.path().join("a/link")).unwrap();
            let found = Glob::new(dir.path().join("**").to_str().unwrap()).unwrap().find(&Os::default());
            assert!(found.unwrap_err().to_string().contains("a/link: "));
            assert_eq!(find("a/l*k"), ["a/link"]);
        }
    }
}
