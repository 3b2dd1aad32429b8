//! The configurations under which every answer must be the same.

use std::fmt;

use kitbag::Config;

/// The smallest budget that every setting of the grid may have.
pub const SMALL: u64 = 2 << 20;

/// One configuration; `None` is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    pub threads: usize,
    pub block: Option<usize>,
    pub memory: Option<u64>,
}

impl Setting {
    pub fn config(&self) -> Config {
        let mut config = Config::new().threads(self.threads);
        if let Some(bytes) = self.block {
            config = config.block_size(bytes);
        }
        if let Some(bytes) = self.memory {
            config = config.memory(bytes);
        }
        config
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { threads, block, memory } = self;
        write!(f, "threads {threads}, block {block:?}, memory {memory:?}")
    }
}

/// All of them: threads × block sizes × budgets.
pub fn grid() -> Vec<Setting> {
    let mut settings = Vec::new();
    for threads in [1, 2, 8] {
        for block in [Some(1), Some(7), Some(64), Some(4096), None] {
            for memory in [Some(SMALL), None] {
                settings.push(Setting { threads, block, memory });
            }
        }
    }
    settings
}

/// A few that differ in everything, for tests whose one run is long.
pub fn corners() -> Vec<Setting> {
    let setting = |threads, block, memory| Setting { threads, block, memory };
    vec![
        setting(1, None, None),
        setting(1, Some(7), Some(SMALL)),
        setting(2, Some(64), None),
        setting(2, Some(4096), Some(SMALL)),
        setting(8, Some(1), Some(SMALL)),
        setting(8, None, Some(SMALL)),
    ]
}
