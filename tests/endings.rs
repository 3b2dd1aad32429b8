//! How runs end when they do not come to their end: panics, dropped iterators, cancellation, consumers and inputs that
//! stand still. Every thread ends, the error says where, and the next run in the same process works.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test may panic, wait and look at files"
)]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::watch::{run_threads, wait_for};
use common::{grid, watched};
use kitbag::{Bag, CancelToken, Config, ErrorKind, Json, Scan, agg};

/// Tests that count the threads of the process take turns.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    all_threads_end(Duration::from_secs(3));
    guard
}

fn all_threads_end(limit: Duration) {
    let ended = wait_for(limit, || run_threads().is_empty());
    assert!(ended.is_some(), "after {limit:?} there are still {:?}", run_threads());
}

fn numbers(dir: &Path, count: usize) -> std::path::PathBuf {
    let path = dir.join("numbers.jsonl");
    std::fs::write(&path, (0..count).map(|n| format!("{n}\n")).collect::<String>()).unwrap();
    path
}

/// A FIFO that nobody has opened yet.
fn fifo(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600), 0).unwrap();
    path
}

#[test]
fn a_panic_in_any_closure_names_stage_and_record_and_the_next_run_works() {
    let _alone = alone();
    std::panic::set_hook(Box::new(|info| {
        if !info.to_string().contains("on purpose") {
            eprintln!("{info}");
        }
    }));
    let dir = tempfile::tempdir().unwrap();
    let path = numbers(dir.path(), 200);
    type Run = fn(Bag<i64>, i64) -> kitbag::Result<u64>;
    let hit = |n: i64, at: i64| assert!(n != at, "on purpose \x1b[2J at {at}");
    let _ = hit;
    macro_rules! at {
        ($n:expr, $at:expr) => {
            assert!($n != $at, "on purpose \x1b[2J at {}", $at)
        };
    }
    let runs: [(&str, Run); 14] = [
        ("1:map", |bag, at| bag.map(move |n| at!(n, at)).count()),
        ("1:filter", |bag, at| {
            bag.filter(move |n| {
                at!(*n, at);
                true
            })
            .count()
        }),
        ("1:remove", |bag, at| {
            bag.remove(move |n| {
                at!(*n, at);
                true
            })
            .count()
        }),
        ("1:filter_map", |bag, at| {
            bag.filter_map(move |n| {
                at!(n, at);
                Some(n)
            })
            .count()
        }),
        ("1:flat_map", |bag, at| {
            bag.flat_map(move |n| {
                at!(n, at);
                [n]
            })
            .count()
        }),
        ("1:flat_map", |bag, at| bag.flat_map(move |n| (0..3).inspect(move |_| at!(n, at))).count()),
        ("1:inspect", |bag, at| bag.inspect(move |n| at!(*n, at)).count()),
        ("1:try_map", |bag, at| {
            bag.try_map(move |n| {
                at!(n, at);
                Ok::<_, String>(n)
            })
            .count()
        }),
        ("1:try_filter", |bag, at| {
            bag.try_filter(move |n| {
                at!(*n, at);
                Ok::<_, String>(true)
            })
            .count()
        }),
        ("2:map", |bag, at| bag.filter(|_| true).map(move |n| at!(n, at)).filter(|()| true).count()),
        ("1:any", |bag, at| {
            bag.any(move |n| {
                at!(*n, at);
                false
            })
            .map(u64::from)
        }),
        ("1:all", |bag, at| {
            bag.all(move |n| {
                at!(*n, at);
                true
            })
            .map(u64::from)
        }),
        ("1:fold", |bag, at| bag.fold(agg::fold_with(|| 0, move |_: &mut u64, n: &i64| at!(*n, at), |_, _| ()))),
        ("2:map", |bag, at| bag.take(1000).map(move |n| at!(n, at)).count()),
    ];
    for setting in grid() {
        for (stage, run) in &runs {
            for at in [0, 1, 100, 199] {
                let label = format!("{stage} at {at}, {setting}");
                let bag = Bag::<i64>::read_json(&path).with(setting.config());
                let error = watched(&label, || run(bag, at)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Panic, "{label}: {error}");
                let place =
                    format!("{}:{}:1: a closure panicked: on purpose \\u{{1b}}[2J at {at}", path.display(), at + 1);
                assert!(error.to_string().starts_with(&place), "{label}: {error}");
                assert_eq!(error.stage(), Some(*stage), "{label}");
            }
        }
        assert_eq!(Bag::<i64>::read_json(&path).with(setting.config()).count().unwrap(), 200);
    }
    all_threads_end(Duration::from_secs(1));
    let _ = std::panic::take_hook();
}

#[test]
fn a_panic_while_neighbours_are_merged_ends_the_run_with_its_stage() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = numbers(dir.path(), 2000);
    for setting in grid() {
        let bag = Bag::<i64>::read_json(&path).with(setting.config());
        let run = || bag.reduce(|a, b| if a + b > 1_000_000 { panic!("on purpose: too large") } else { a + b });
        let error = watched(&setting.to_string(), run).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panic, "{setting}: {error}");
        assert_eq!(error.stage(), Some("1:reduce"), "{setting}: {error}");
        assert!(error.place().is_some_and(|place| place.line.is_some()), "{setting}: {error}");
    }
    all_threads_end(Duration::from_secs(1));
}

#[test]
fn a_panicking_iterator_is_an_error_with_its_place_after_the_records_before_it() {
    let _alone = alone();
    for setting in grid() {
        for at in [0, 1, 1023, 1024, 1500] {
            let label = format!("panic at {at}, {setting}");
            let bag = || {
                let items = (0..5000).inspect(move |&n| assert!(n != at, "on purpose"));
                Bag::from_iter(items).with(setting.config())
            };
            let error = watched(&label, || bag().count()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Panic, "{label}");
            assert!(error.to_string().starts_with(&format!("<from_iter>:{}:1: ", at + 1)), "{label}: {error}");
            assert_eq!(error.stage(), Some("0:from_iter"), "{label}");
            let before = watched(&label, || bag().take(at as u64).collect()).unwrap();
            assert_eq!(before, (0..at).collect::<Vec<_>>(), "{label}");
        }
    }
    all_threads_end(Duration::from_secs(1));
}

#[test]
fn a_panicking_consumer_ends_the_run() {
    let _alone = alone();
    for threads in [1, 2, 8] {
        let bag = Bag::range(0..100_000).with(Config::new().threads(threads));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            bag.for_each(|n| assert!(n != 5000, "on purpose"))
        }));
        assert!(outcome.is_err(), "the consumer's own panic is the consumer's");
        all_threads_end(Duration::from_secs(1));
        struct Angry;
        impl std::io::Write for Angry {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                panic!("on purpose")
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let bag = Bag::range(0..100_000).with(Config::new().threads(threads));
        let error = watched("a writer that panics", || bag.write_jsonl_to(Angry)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panic, "{error}");
    }
    all_threads_end(Duration::from_secs(1));
}

#[test]
fn a_writer_that_fails_ends_the_run_with_its_error() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
            }
            // Short writes, as a pipe does them.
            let taken = bytes.len().min(self.0).min(3);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for setting in grid() {
        let bag = Bag::range(0..20_000).with(setting.config());
        let error = watched(&setting.to_string(), || bag.write_jsonl_to(Full(5000))).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::Limit), "{setting}: {error}");
    }
}

#[test]
fn an_iterator_dropped_half_read_ends_promptly_and_leaves_no_thread() {
    let _alone = alone();
    for setting in grid() {
        for read in [0, 1, 3000] {
            let label = format!("dropped after {read}, {setting}");
            let mut iter = Bag::range(0..i64::MAX).map(|n| n + 1).with(setting.config()).iter().unwrap();
            let some: Vec<i64> = iter.by_ref().take(read).map(Result::unwrap).collect();
            assert_eq!(some.len(), read);
            std::thread::sleep(Duration::from_millis(3));
            let begun = Instant::now();
            watched(&label, || drop(iter));
            assert!(begun.elapsed() < Duration::from_millis(500), "{label}: {:?}", begun.elapsed());
            // The kernel may list a thread for a moment after it was joined.
            all_threads_end(Duration::from_millis(200));
        }
    }
}

#[test]
fn cancelling_ends_a_busy_run_within_two_seconds() {
    let _alone = alone();
    for setting in grid() {
        let token = CancelToken::new();
        let bag = Bag::range(0..i64::MAX).filter(|n| n % 7 == 0).with(setting.config().cancel_token(&token));
        let (error, took) = std::thread::scope(|scope| {
            let run = scope.spawn(|| bag.count());
            std::thread::sleep(Duration::from_millis(20));
            let begun = Instant::now();
            token.cancel();
            let error = watched(&format!("cancelled, {setting}"), || run.join().unwrap()).unwrap_err();
            (error, begun.elapsed())
        });
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{setting}: {error}");
        assert!(took < Duration::from_secs(2), "{setting}: {took:?}");
    }
    all_threads_end(Duration::from_millis(100));
}

/// Cancels a run that reads `path`, and expects it to end within two seconds.
fn cancelled_while_it_waits(path: &Path, what: &str) {
    for threads in [1, 2, 8] {
        let token = CancelToken::new();
        let scan = Scan::new(path).with(Config::new().threads(threads).cancel_token(&token));
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || send.send(scan.count()));
        std::thread::sleep(Duration::from_millis(100));
        token.cancel();
        let ended = receive.recv_timeout(Duration::from_secs(2));
        let ended = ended.unwrap_or_else(|_| panic!("{what}, {threads} threads: not ended after two seconds"));
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled, "{what}, {threads} threads");
    }
    all_threads_end(Duration::from_secs(1));
}

#[test]
fn cancelling_ends_a_run_whose_pipe_delivers_nothing() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = fifo(dir.path());
    let open = || std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    {
        let _writer = open();
        cancelled_while_it_waits(&path, "a writer that never writes");
    }
    {
        use std::io::Write as _;
        let mut writer = open();
        writer.write_all(b"{\"n\":1}\n{\"n\":").unwrap();
        cancelled_while_it_waits(&path, "a writer that stops in a line");
    }
}

#[test]
fn cancelling_ends_a_run_whose_pipe_nobody_opens() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    cancelled_while_it_waits(&fifo(dir.path()), "a pipe without a writer");
}

#[test]
fn cancelling_ends_a_run_whose_consumer_has_gone_to_sleep() {
    let _alone = alone();
    for threads in [1, 2, 8] {
        let token = CancelToken::new();
        let mut iter =
            Bag::range(0..i64::MAX).with(Config::new().threads(threads).cancel_token(&token)).iter().unwrap();
        assert_eq!(iter.next().unwrap().unwrap(), 0);
        // Long enough for every channel and the gate to be full.
        std::thread::sleep(Duration::from_millis(200));
        token.cancel();
        all_threads_end(Duration::from_secs(2));
        let error = watched("after the cancellation", || iter.find_map(Result::err)).unwrap();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(iter.next().is_none());
    }
}

#[test]
fn a_slow_consumer_makes_the_readers_wait() {
    let _alone = alone();
    for (threads, memory) in [(1, 2 << 20), (2, 2 << 20), (8, 64 << 20)] {
        let pulled = Arc::new(AtomicU64::new(0));
        let count = pulled.clone();
        let endless = (0..u64::MAX).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        let mut iter = Bag::from_iter(endless).with(Config::new().threads(threads).memory(memory)).iter().unwrap();
        assert_eq!(iter.next().unwrap().unwrap(), 0);
        std::thread::sleep(Duration::from_millis(300));
        let before = pulled.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(300));
        let after = pulled.load(Ordering::Relaxed);
        assert_eq!(before, after, "{threads} threads: records are still being read and nobody takes them");
        // A record counts for 64 bytes at the gate, which lets a quarter of the budget in.
        assert!(after < memory / 4 / 64 + 40_000, "{threads} threads: {after} records wait");
        assert_eq!(iter.next().unwrap().unwrap(), 1);
    }
}

#[test]
fn a_run_inside_a_run_has_its_own_threads() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = numbers(dir.path(), 50);
    let inner = path.clone();
    let bag = Bag::<i64>::read_json(&path).with(Config::new().threads(1));
    let sums = bag.map(move |n| {
        let sum = Bag::<i64>::read_json(&inner).with(Config::new().threads(1)).filter(move |m| *m <= n).sum();
        i64::try_from(sum.unwrap()).unwrap()
    });
    let sums = watched("nested", || sums.collect()).unwrap();
    assert_eq!(sums, (0..50).map(|n| n * (n + 1) / 2).collect::<Vec<i64>>());
}

#[test]
fn json_records_outlive_their_run() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = numbers(dir.path(), 500);
    let kept: Vec<Json> = Bag::<Json>::read_json(&path).collect().unwrap();
    drop(dir);
    assert!(kept.iter().map(|n| n.as_i64().unwrap()).eq(0..500));
}

#[test]
fn a_pipe_that_stands_still_does_not_hold_up_a_run_that_has_enough() {
    use std::io::Write as _;
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = fifo(dir.path());
    let mut writer = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    for threads in [1, 2, 8] {
        let bag = || Bag::<String>::read_text(&path).with(Config::new().threads(threads));
        let within = |what: &str, body: &mut dyn FnMut()| {
            let begun = Instant::now();
            watched(what, body);
            assert!(begun.elapsed() < Duration::from_millis(500), "{what}, {threads} threads: {:?}", begun.elapsed());
        };
        writer.write_all(b"one\n").unwrap();
        within("take", &mut || assert_eq!(bag().take(1).collect().unwrap(), ["one"]));
        writer.write_all(b"one\n").unwrap();
        within("any", &mut || assert!(bag().any(|line| line == "one").unwrap()));
        writer.write_all(b"one\n").unwrap();
        within("an error after take", &mut || {
            let error = bag().take(5).try_map(|_| Err::<(), _>("refused")).collect().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closure);
        });
        writer.write_all(b"one\n").unwrap();
        within("drop", &mut || {
            let mut iter = bag().filter(|_| true).take(7).map(|line| line).iter().unwrap();
            assert_eq!(iter.next().unwrap().unwrap(), "one");
        });
        within("drop unread", &mut || drop(bag().iter().unwrap()));
    }
    all_threads_end(Duration::from_millis(500));
}

#[test]
fn a_panic_at_the_end_of_a_fold_is_an_error_of_its_stage() {
    use agg::Fold as _;
    let bag = Bag::range(0..10);
    let error = bag.fold(agg::count().map(|n| assert!(n != 10, "on purpose"))).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("1:fold")), "{error}");
    let started = agg::fold_with(|| -> u64 { panic!("on purpose") }, |_: &mut u64, _: &i64| (), |_, _| ());
    let error = Bag::range(0..10).fold(started).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Panic, Some("1:fold")), "{error}");
}

#[test]
fn a_pipe_that_stands_still_before_map_partitions_does_not_hold_up_what_was_read() {
    use std::io::Write as _;
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = fifo(dir.path());
    let mut writer = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let list = numbers(dir.path(), 10);
    for threads in [1, 2, 8] {
        let within = |what: &str, body: &mut dyn FnMut()| {
            let begun = Instant::now();
            watched(what, body);
            assert!(begun.elapsed() < Duration::from_millis(700), "{what}, {threads} threads: {:?}", begun.elapsed());
        };
        let config = || Config::new().threads(threads);
        let bag = |paths: &[&Path]| {
            Bag::<String>::read_text(paths.iter().map(|path| path.to_path_buf()).collect::<Vec<_>>())
                .with(config())
                .map_partitions(|records| records)
        };
        writer.write_all(b"one\n").unwrap();
        within("an error in the partition that waits", &mut || {
            let error = bag(&[&path]).try_map(|_| Err::<(), _>("refused")).count().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closure);
        });
        within("an error in the partition before", &mut || {
            let error = bag(&[&list, &path]).try_map(|_| Err::<(), _>("refused")).count().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closure);
        });
        writer.write_all(b"one\n").unwrap();
        within("a panic", &mut || {
            let error = bag(&[&path]).map(|line| assert!(line != "one", "on purpose")).count().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Panic);
        });
        writer.write_all(b"one\n").unwrap();
        within("the first record", &mut || {
            let mut iter = bag(&[&path]).iter().unwrap();
            assert_eq!(iter.next().unwrap().unwrap(), "one");
        });
    }
    all_threads_end(Duration::from_millis(500));
}

#[test]
fn lines_longer_than_a_block_hold_back_the_readers_by_their_length() {
    let _alone = alone();
    const LENGTH: usize = 200_000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long");
    std::fs::write(&path, format!("{}\n", "x".repeat(LENGTH - 1)).repeat(200)).unwrap();
    for threads in [2, 4] {
        let (seen, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (count, slow) = (seen.clone(), most.clone());
        let config = Config::new().threads(threads).memory(8 << 20).block_size(16 << 10);
        let lengths = Bag::read_text(&path).with(config).map(move |line| {
            if count.fetch_add(1, Ordering::Relaxed) == 0 {
                // The first record takes until nothing else moves.
                let mut before = 0;
                while before != count.load(Ordering::Relaxed) {
                    before = count.load(Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(300));
                }
                slow.store(before, Ordering::Relaxed);
            }
            line.len()
        });
        let lengths = watched("long lines", || lengths.iter().unwrap().collect::<kitbag::Result<Vec<_>>>()).unwrap();
        assert_eq!(lengths, [LENGTH - 1; 200]);
        // A quarter of the budget is for text in flight; each reader may have a line in hand beyond it.
        let (most, limit) = (most.load(Ordering::Relaxed), (2 << 20) / LENGTH as u64 + 2 * threads as u64);
        assert!(most <= limit, "{threads} threads: {most} lines are in flight, {limit} would do");
    }
}
