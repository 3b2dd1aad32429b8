//! A whole run over borrowed records allocates for its blocks and threads, and nothing for a record. Alone in its file, for
//! the allocator counts what all threads do.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use kitbag::{Config, Scan};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often a run over this many records allocates.
fn allocations(records: usize) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for n in 0..records {
        let user = n % 100;
        writeln!(
            text,
            r#"{{"user": {{"id": {user}, "n\u0061me": "a \"b\" \u00e9 é"}}, "kind": "k{}", "x": 1.50}}"#,
            n % 7
        )
        .unwrap();
    }
    let path = dir.path().join("records.jsonl");
    std::fs::write(&path, text).unwrap();
    let before = COUNT.load(Ordering::Relaxed);
    let named = |record: kitbag::JsonRef<'_>| {
        record.get("user").and_then(|user| user.get("name")?.as_str().map(|name| name.ends_with('é'))) == Some(true)
    };
    let config = Config::default().threads(2);
    let counts = Scan::new(&path).with(config).filter(named).count_by(|record| record.get("kind")).collect().unwrap();
    let count = COUNT.load(Ordering::Relaxed) - before;
    assert_eq!((counts.len(), counts.iter().map(|(_, count)| *count).sum::<u64>()), (7, records as u64));
    count
}

#[test]
fn a_record_of_a_run_allocates_nothing() {
    let (few, many) = (allocations(10_000), allocations(110_000));
    // Some for each of the blocks, of which there is one for about 2,000 records.
    assert!(many.saturating_sub(few) < 1_000, "{few} for 10,000 records, {many} for 110,000");
}
