//! What lies below a directory.

use std::collections::BTreeMap;
use std::path::Path;

/// All that is below a directory: bytes of files, names of directories.
pub type Tree = BTreeMap<String, Option<Vec<u8>>>;

pub fn tree(dir: &Path) -> Tree {
    let (mut found, mut waiting) = (Tree::new(), vec![dir.to_owned()]);
    while let Some(here) = waiting.pop() {
        for path in std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            found.insert(name, (!path.is_dir()).then(|| std::fs::read(&path).unwrap()));
            if path.is_dir() {
                waiting.push(path);
            }
        }
    }
    found
}
