//! From what a caller names to a list of shards in a fixed order.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::engine::InputFile;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::os::{Meta, Os};

use super::Input;
use super::pattern::Glob;

/// One shard.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub(crate) path: PathBuf,
    /// What is there, if it is a file of known size; `None` for standard input, pipes and devices.
    pub(crate) meta: Option<Meta>,
}

impl Shard {
    pub(crate) fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// What is told of it to whoever asks what an output was made from.
    pub(crate) fn as_input(&self) -> InputFile {
        let path = if self.is_stdin() { "<stdin>".into() } else { self.path.to_string_lossy() };
        InputFile::new(path.into_owned(), self.meta.as_ref())
    }
}

impl Input {
    /// Finds the shards, in order. Nothing is opened.
    pub(crate) fn shards(&self, os: &Os) -> Result<Vec<Shard>> {
        let mut shards = Vec::new();
        for path in &self.0 {
            let before = shards.len();
            named(os, path, &mut shards)?;
            if shards.len() == before {
                return Err(missing(path, "expected a directory with at least one shard"));
            }
        }
        if shards.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "no input: expected at least one path"));
        }
        Ok(shards)
    }
}

/// The mark of a complete directory, which holds no records: no pattern means it that does not begin so. The manifest's
/// name begins with a dot, which no pattern means.
const MARK: &str = "_SUCCESS";

/// What one argument stands for: a path that exists, else a pattern.
fn named(os: &Os, path: &Path, shards: &mut Vec<Shard>) -> Result<()> {
    if path.as_os_str() == "-" {
        shards.push(Shard { path: path.to_owned(), meta: None });
        return Ok(());
    }
    match os.meta(path) {
        Ok(meta) if meta.dir => return directory(os, path, shards),
        Ok(meta) => {
            shards.push(Shard { path: path.to_owned(), meta: meta.regular.then_some(meta) });
            return Ok(());
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(path, "read", error)),
        Err(_) => {}
    }
    let Some(pattern) = path.to_str().filter(|text| text.contains(['*', '?', '['])) else {
        return Err(missing(path, "expected a file: there is none"));
    };
    let pattern = Glob::new(pattern).map_err(|error| {
        let text = format!("expected a glob pattern: {} at character {}", error.msg, error.pos + 1);
        Error::new(ErrorKind::Usage, text).at(place(path))
    })?;
    let mut found = pattern.find(os)?;
    if !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"_")) {
        found.retain(|path| path.file_name().is_none_or(|name| name != MARK));
    }
    let mut files = Vec::new();
    for path in found {
        match os.meta(&path).map_err(|error| Error::io(&path, "read", error))? {
            meta if meta.dir => directory(os, &path, &mut files)?,
            meta if meta.regular => files.push(Shard { path, meta: Some(meta) }),
            // A pattern must not hang on a pipe that happens to match.
            _ => {}
        }
    }
    if files.is_empty() {
        return Err(missing(path, "expected a pattern that matches a file: it matches none"));
    }
    files.sort_by(|a, b| natural(&a.path, &b.path));
    if pattern.is_deep() {
        // `**/*` matches directories and what is in them, through links too: each file is read once.
        let mut seen = HashSet::new();
        for file in files {
            if seen.insert(os.real(&file.path).map_err(|error| Error::io(&file.path, "read", error))?) {
                shards.push(file);
            }
        }
    } else {
        shards.append(&mut files);
    }
    Ok(())
}

/// All regular files below a directory, in natural order of their paths.
pub(crate) fn directory(os: &Os, dir: &Path, shards: &mut Vec<Shard>) -> Result<()> {
    let mut files = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    let mut seen = HashSet::new();
    while let Some(dir) = waiting.pop() {
        let meta = os.meta(&dir).map_err(|error| Error::io(&dir, "read", error))?;
        if !seen.insert(meta.id) && cfg!(unix) {
            continue;
        }
        for entry in os.list(&dir).map_err(|error| Error::io(&dir, "list", error))? {
            if matches!(entry.name.as_encoded_bytes().first(), Some(b'.' | b'_')) {
                continue;
            }
            match os.meta(&entry.path).map_err(|error| Error::io(&entry.path, "read", error))? {
                meta if meta.dir => waiting.push(entry.path),
                meta if meta.regular => files.push(Shard { path: entry.path, meta: Some(meta) }),
                _ => {}
            }
        }
    }
    files.sort_by(|a, b| natural(&a.path, &b.path));
    shards.append(&mut files);
    Ok(())
}

fn place(path: &Path) -> Place {
    Place { path: path.to_string_lossy().into_owned(), ..Place::default() }
}

fn missing(path: &Path, text: &str) -> Error {
    Error::new(ErrorKind::NotFound, text).at(place(path))
}

/// Natural order: component by component, runs of digits by their value, everything else by bytes.
pub(crate) fn natural<'a>(a: &'a Path, b: &'a Path) -> Ordering {
    let (mut left, mut right) = (a.components(), b.components());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (a, b) if a.is_none() || b.is_none() => return a.is_some().cmp(&b.is_some()),
            (a, b) => {
                let bytes = |part: Option<std::path::Component<'a>>| {
                    part.map_or(&[][..], |part| part.as_os_str().as_encoded_bytes())
                };
                match natural_bytes(bytes(a), bytes(b)) {
                    Ordering::Equal => {}
                    other => return other,
                }
            }
        }
    }
}

fn natural_bytes(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while let (Some(&x), Some(&y)) = (a.first(), b.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, rest_a) = number(a);
            let (y, rest_b) = number(b);
            // Without leading zeros the longer number is the larger.
            match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                Ordering::Equal => (a, b) = (rest_a, rest_b),
                other => return other,
            }
        } else if x != y {
            return x.cmp(&y);
        } else {
            (a, b) = (&a[1..], &b[1..]);
        }
    }
    a.len().cmp(&b.len())
}

/// The digits at the start, without leading zeros, and what follows them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes its own files and threads")]

    use super::*;

    #[test]
    fn natural_order() {
        let mut names =
            ["a/part-10", "a/part-2", "a-1/x", "a/part-2b", "a/part-02", "b", "a/part-", "a"].map(Path::new);
        names.sort_by(|a, b| natural(a, b));
        let sorted = ["a", "a/part-", "a/part-02", "a/part-2", "a/part-2b", "a/part-10", "a-1/x", "b"];
        assert_eq!(names, sorted.map(Path::new));
    }

    #[test]
    fn names_patterns_and_folders() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("sub/_skip")).unwrap();
        for name in ["p-10", "p-9", "sub/q", "sub/.hidden", "sub/_skip/r", "[x]"] {
            std::fs::write(at(name), "1\n").unwrap();
        }
        #[cfg(unix)]
        {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            std::os::unix::fs::symlink(dir.path(), at("sub/loop")).unwrap();
            // Nobody writes into it: whoever opened it would wait.
            mknodat(CWD, at("p-pipe"), FileType::Fifo, Mode::from(0o600), 0).unwrap();
        }
        let find = |input: &Path| {
            let shards = Input::from(input).shards(&Os::default())?;
            Ok::<_, Error>(shards.into_iter().map(|s| s.path.file_name().unwrap().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(find(dir.path()).unwrap(), ["[x]", "p-9", "p-10", "q"]);
        assert_eq!(find(&at("p-*")).unwrap(), ["p-9", "p-10"]);
        assert_eq!(find(&at("**/*")).unwrap(), ["[x]", "p-9", "p-10", "r", "q"]);
        assert_eq!(find(&at("[x]")).unwrap(), ["[x]"]);
        std::fs::create_dir(at("_out")).unwrap();
        for name in ["_SUCCESS", ".manifest.json", "_mine", "p"] {
            std::fs::write(at("_out").join(name), "1\n").unwrap();
        }
        assert_eq!(find(&at("_out/*")).unwrap(), ["_mine", "p"]);
        assert_eq!(find(&at("_out/_*")).unwrap(), ["_SUCCESS", "_mine"]);
        let error = find(&at("z*")).unwrap_err();
        assert!(error.to_string().ends_with("z*: expected a pattern that matches a file: it matches none"), "{error}");
        assert_eq!(find(&at("nothing")).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(find(&at("sub/_skip/r")).unwrap(), ["r"]);
    }
}
