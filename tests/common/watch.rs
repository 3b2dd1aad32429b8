//! A watchdog: a run that hangs becomes a failure that says which run it was.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// No run of these tests takes longer.
const LIMIT: Duration = Duration::from_secs(30);

static RUNNING: Mutex<BTreeMap<u64, (Instant, String)>> = Mutex::new(BTreeMap::new());
static START: Once = Once::new();

/// Calls `body`; if it does not come back within the limit, the test process ends and names `label`.
pub fn watched<R>(label: &str, body: impl FnOnce() -> R) -> R {
    START.call_once(|| {
        std::thread::Builder::new().name("watchdog".into()).spawn(watch).unwrap();
    });
    let number = {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let number = running.last_key_value().map_or(0, |(last, _)| last + 1);
        running.insert(number, (Instant::now(), label.to_owned()));
        number
    };
    struct Leave(u64);
    impl Drop for Leave {
        fn drop(&mut self) {
            RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
        }
    }
    let _leave = Leave(number);
    body()
}

fn watch() {
    loop {
        std::thread::sleep(Duration::from_millis(250));
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        for (since, label) in running.values() {
            if since.elapsed() > LIMIT {
                // What is printed in the usual way is held back until the test ends, which it does not.
                let _ = writeln!(std::io::stderr(), "HANG: no answer after {LIMIT:?}: {label}");
                std::process::exit(101);
            }
        }
    }
}

/// Threads of this process that belong to runs.
pub fn run_threads() -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        // A thread may be gone between the list and the look.
        if let Ok(name) = std::fs::read_to_string(entry.path().join("comm"))
            && name.starts_with("kitbag-")
        {
            names.push(name.trim().to_owned());
        }
    }
    names
}

/// Waits until `done`, at most `limit`; says how long it took.
pub fn wait_for(limit: Duration, mut done: impl FnMut() -> bool) -> Option<Duration> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if done() {
            return Some(begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}
