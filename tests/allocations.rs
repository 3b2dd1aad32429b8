//! The borrowed lane reads records without allocating: a counting allocator watches a loop over parsed lines.

#![allow(clippy::unwrap_used)]

use kitbag::{Json, JsonParser};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged; the counter is a constant-initialized thread
// local without a destructor, so touching it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates, after it ran once for the buffers to grow.
fn allocations(mut work: impl FnMut()) -> usize {
    work();
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

fn lines() -> Vec<String> {
    let numbers = (0..200).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    (0..100)
        .map(|n| {
            format!(
                r#"{{"user": {{"id": {n}, "name": "na\u006de \"{n}\""}}, "l\u0069st": [{numbers}], "k\u0069nd": "k{}", "x": 1.50}}"#,
                n % 7
            )
        })
        .collect()
}

#[test]
fn reading_a_record_allocates_nothing() {
    let lines = lines();
    let mut parser = JsonParser::default();
    let mut counts = [0usize; 10];
    let count = allocations(|| {
        for line in &lines {
            let record = parser.read(line.as_bytes()).unwrap();
            let view = record.view();
            let kind = view.get("kind").and_then(|kind| kind.as_str()).unwrap();
            counts[usize::from(kind.as_bytes()[1] - b'0')] += 1;
            let user = view.get("user").unwrap();
            assert!(user.get("id").and_then(|id| id.as_u64()).is_some());
            assert!(user.get("name").and_then(|name| name.as_str()).is_some_and(|name| name.starts_with("name \"")));
            assert_eq!(view.get("x").unwrap().raw(), "1.50");
        }
    });
    assert_eq!(count, 0);
    assert_eq!(counts.iter().sum::<usize>(), 200);
}

#[test]
fn walking_a_record_allocates_nothing() {
    let lines = lines();
    let mut parser = JsonParser::default();
    let count = allocations(|| {
        for line in &lines {
            let record = parser.read(line.as_bytes()).unwrap();
            let view = record.view();
            assert_eq!(view.entries().count(), 4);
            let list = view.get("list").unwrap();
            assert_eq!(list.elements().filter_map(|n| n.as_f64()).sum::<f64>(), 19900.0);
            // The text of numbers far from any string, too.
            assert_eq!(list.elements().map(|n| n.raw().len()).sum::<usize>(), 490);
            assert!(view == view && view.get("list").unwrap() == list);
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn numbers_beyond_64_bits_allocate_nothing() {
    let mut parser = JsonParser::default();
    let line = br#"{"id": 123456789012345678901234567890, "x": [1e999, true, "a"]}"#;
    let count = allocations(|| {
        for _ in 0..100 {
            let record = parser.read(line).unwrap();
            assert_eq!(record.view().get("id").unwrap().raw().len(), 30);
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn an_owned_record_is_one_allocation_of_the_size_it_names() {
    let lines = lines();
    let mut parser = JsonParser::default();
    let mut kept: Vec<Json> = Vec::with_capacity(1000);
    let count = allocations(|| {
        for line in &lines {
            kept.push(parser.read(line.as_bytes()).unwrap().view().to_json());
        }
    });
    assert_eq!(count, lines.len());
    assert!(kept.iter().zip(&lines).all(|(json, line)| json.raw() == line && json.heap_size() > line.len()));
}
