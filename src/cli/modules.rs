//! `-L DIR`: where `import` and `include` find modules.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kitbag::{Config, escape};

use crate::jq::{Libraries, Modules};

use super::asks::Asks;
use super::globals::text_of;

/// The modules of these directories. `PATH` is `DIR/PATH.jq` or `DIR/PATH/NAME.jq`, in the first directory that has it;
/// nothing outside of them. What those that are used ask for is noted.
pub(super) fn libraries(dirs: &[PathBuf], config: &Config, asks: &Arc<Mutex<Asks>>) -> Libraries {
    if dirs.is_empty() {
        return Libraries::default();
    }
    let (dirs, config, asks) = (dirs.to_vec(), config.clone(), asks.clone());
    let find: Box<Modules> = Box::new(move |path: &str| {
        let path = Path::new(path);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let name = path.file_name().filter(|_| inside).ok_or("expected a path without `..` below a directory of -L")?;
        for dir in &dirs {
            let module = dir.join(path);
            let mut file_name = name.to_owned();
            file_name.push(".jq");
            for file in [module.with_file_name(&file_name), module.join(&file_name)] {
                if let Ok(text) = text_of(&file, &config) {
                    let mut asks = asks.lock().unwrap_or_else(PoisonError::into_inner);
                    *asks = asks.or(Asks::of(&text));
                    return Ok(text);
                }
            }
        }
        Err(format!("no module `{}` in the directories of -L", escape(path.as_os_str().as_encoded_bytes(), 80)))
    });
    Libraries { modules: Some(find) }
}
