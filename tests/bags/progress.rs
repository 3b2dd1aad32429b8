//! How far a run is: what a monitor says while it runs, and after it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and look at files")]

use super::common;

use std::sync::{Arc, Mutex};

use common::corners;
use kitbag::{BadRecords, Monitor, Progress, Scan};

#[test]
fn what_was_read_grows_to_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let text: String = (0..20_000).map(|n| format!("{{\"n\":{n},\"pad\":\"{:0>90}\"}}\n", n * 7919)).collect();
    std::fs::write(dir.path().join("a.jsonl"), &text).unwrap();
    std::fs::write(dir.path().join("b.jsonl.gz"), common::pack::gzip(text.as_bytes())).unwrap();
    std::fs::write(dir.path().join("c.jsonl.zst"), zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
    let total: u64 = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    for setting in corners().into_iter().filter(|setting| setting.block.is_none_or(|block| block > 64)) {
        for policy in [BadRecords::Fail, BadRecords::Quarantine(dir.path().join(".bad"))] {
            let monitor = Monitor::new();
            let (seen, asked) = (Arc::new(Mutex::new(Vec::<Progress>::new())), monitor.clone());
            let sink = seen.clone();
            let scan = Scan::new(dir.path()).with(setting.config().monitor(&monitor).bad_records(policy));
            let numbers = scan.map(|record| record.get("n").and_then(|n| n.as_u64()).unwrap());
            let count = numbers.inspect(move |n| {
                if n % 500 == 499 {
                    sink.lock().unwrap().push(asked.progress().unwrap());
                }
            });
            assert_eq!(count.count().unwrap(), 60_000);
            let mut seen = seen.lock().unwrap();
            assert!(seen.iter().all(|progress| progress.total == Some(total) && progress.read <= total), "{setting}");
            seen.sort_by_key(|progress| progress.read);
            let (first, last) = (seen.first().unwrap(), seen.last().unwrap());
            // What the workers have in hand was read before: all of it by the end of the last shard.
            assert!(first.read > 0 && last.read > total / 2, "{setting}: {} of {total}", last.read);
            assert!(last.report.stages[0].records_out > 0 && !last.report.complete);
            assert!(monitor.progress().is_none() && monitor.report().unwrap().complete);
        }
    }
}
