//! What a caller may name as input.

use std::path::{Path, PathBuf};

/// Where records are read from: paths, glob patterns, directories, standard input, or a list of those.
///
/// * A path that exists is read, even if it has glob characters. `-` is standard input.
/// * A pattern (`logs/*.gz`, `**` for any depth) must match at least one file. A directory that it matches is read as
///   below; with `**` in it each file is read once, however it is reached. Names that begin with `.` are not meant, and
///   `_SUCCESS`, which lies beside shards that were written here, only if the pattern's last name begins with `_`.
/// * A directory is read with everything below it; names that start with `.` or `_` are left out, and a directory that
///   is reached twice through links is read once.
///
/// The shards of a pattern or directory are in natural order (`part-2` before `part-10`); a list keeps its order.
///
/// ```no_run
/// use kitbag::{Bag, Json};
///
/// let one = Bag::<Json>::read_json("logs/2026-11-*.jsonl.gz");
/// let many = Bag::<Json>::read_json(["logs/", "late.jsonl"]);
/// # let _ = (one, many);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input(pub(crate) Vec<PathBuf>);

impl Input {
    /// Standard input, as the path `-` also names it.
    pub fn stdin() -> Input {
        Input(vec![PathBuf::from("-")])
    }
}

macro_rules! from_one {
    ($($one:ty),*) => {$(
        impl From<$one> for Input {
            fn from(path: $one) -> Input {
                Input(vec![path.into()])
            }
        }
    )*};
}

from_one!(&str, String, &String, &Path, PathBuf, &PathBuf);

macro_rules! from_many {
    ($([$($generics:tt)*] $many:ty),*) => {$(
        impl<P: Into<PathBuf> $($generics)*> From<$many> for Input {
            fn from(paths: $many) -> Input {
                Input(paths.into_iter().map(Into::into).collect())
            }
        }
    )*};
}

from_many!([] Vec<P>, [, const N: usize] [P; N]);

impl<P: AsRef<Path>> From<&[P]> for Input {
    fn from(paths: &[P]) -> Input {
        Input(paths.iter().map(|path| path.as_ref().to_owned()).collect())
    }
}
