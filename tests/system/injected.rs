//! Calls of the real program that fail: the first of a kind in each thread, then the second, until none is left to fail.

use super::plans::{PLANS, Place, Plan};
use super::tool::{print, visible};
use super::trace::{Fault, can_trace, next, traced};
use super::tree::tree;

/// What a kind of calls fails with, and the exit code for it.
struct Kind {
    calls: &'static str,
    error: &'static str,
    number: u8,
    code: i32,
}

const fn kind(calls: &'static str, error: &'static str, number: u8, code: i32) -> Kind {
    Kind { calls, error, number, code }
}

const WRITE: Kind = kind("write", "ENOSPC", 28, 6);
const WRITE_EIO: Kind = kind("write", "EIO", 5, 2);
const SPILL: Kind = kind("pwrite64", "ENOSPC", 28, 6);
const SPILL_EIO: Kind = kind("pwrite64", "EIO", 5, 2);
const BACK: Kind = kind("pread64", "EIO", 5, 2);
const READ: Kind = kind("read", "EIO", 5, 2);
const SYNC: Kind = kind("fsync,fdatasync", "EIO", 5, 2);
const RENAME: Kind = kind("rename,renameat,renameat2", "EIO", 5, 2);
const OPEN: Kind = kind("openat", "EIO", 5, 2);
const OPEN_FULL: Kind = kind("openat", "EMFILE", 24, 6);
const MAKE: Kind = kind("mkdir,mkdirat", "ENOSPC", 28, 6);
const REMOVE: Kind = kind("unlink,unlinkat,rmdir", "EIO", 5, 2);
const LOCK: Kind = kind("flock", "EIO", 5, 2);

/// One run under a fault: the old output after an error, the new one after none, nothing beside it. Gives whether the
/// fault was put in.
fn one(label: &str, place: &Place, kind: &Kind, first: usize, for_ever: bool) -> bool {
    place.restore();
    let what = format!("error={}", kind.error);
    let traced = traced(&Fault { calls: kind.calls, what: &what, first, for_ever }, &place.arguments);
    let (ran, fired) = (&traced.ran, traced.fired > 0);
    let (after, hidden) = visible(tree(&place.out()));
    let label = format!("{label} ({} fired)\n{}", traced.fired, traced.log);
    // What cannot be removed, or not even opened for that, is left to the next run.
    let unopened = |line: &str| line.contains("/.kitbag-") && line.contains("INJECTED");
    let stays = kind.calls == REMOVE.calls || kind.calls == OPEN.calls && traced.log.lines().any(unopened);
    assert!(hidden == 0 || stays, "{label}: {hidden} things are left");
    match ran.code {
        Some(0) => {
            // Bytes and names that were refused are never done without.
            let needed = ["write", "pwrite64", "pread64", SYNC.calls, RENAME.calls].contains(&kind.calls);
            assert!(after == place.new && !(fired && needed), "{label}: it said that all is well: {ran:?}");
        }
        // Without its libraries the program does not begin.
        Some(127) => assert!(after == place.old && ran.err.contains("shared librar"), "{label}: {ran:?}"),
        code => {
            assert!(fired && code == Some(kind.code), "{label}: {ran:?}");
            assert!(after == place.old, "{label}: the old output was touched: {ran:?}");
            // What is to be said is written, too.
            let told = ran.err.contains(&format!("(os error {})", kind.number));
            let placed = ran.err.contains(place.path().to_str().unwrap());
            let mute = kind.calls == "write" && ran.err.is_empty();
            assert!(mute || told && placed, "{label}: what failed is not told: {ran:?}");
        }
    }
    if first <= 3 || hidden > 0 {
        place.next_run_works(&label);
    }
    fired
}

/// A plan whose calls of these kinds fail, each at each place, once or for ever.
fn all(plan: &Plan, kinds: &[(Kind, bool)]) {
    if !can_trace() {
        return;
    }
    let place = Place::new(plan);
    for (kind, for_ever) in kinds {
        let (mut first, mut count) = (1, 0);
        let label =
            |first| format!("{}: {} {} of the {first}th, for ever: {for_ever}", plan.name, kind.calls, kind.error);
        while one(&label(first), &place, kind, first, *for_ever) {
            (first, count) = (next(first), count + 1);
        }
        println!("{}: {} {}: {count} faults, up to the {first}th call of a thread", plan.name, kind.calls, kind.error);
        assert!(count > 0, "{}: no {} could be made to fail", plan.name, kind.calls);
    }
}

#[test]
fn a_file() {
    let kinds = [(WRITE, false), (SYNC, false), (RENAME, false), (OPEN, false), (READ, false), (REMOVE, false)];
    all(&PLANS[0], &kinds);
}

#[test]
fn shards() {
    let kinds = [(WRITE_EIO, false), (SYNC, true), (RENAME, true), (OPEN_FULL, false), (MAKE, false), (REMOVE, true)];
    all(&PLANS[1], &kinds);
}

#[test]
fn groups() {
    all(&PLANS[2], &[(SPILL, false), (SPILL_EIO, true), (BACK, false), (OPEN, true), (SYNC, false), (LOCK, false)]);
}

#[test]
fn partitions() {
    all(&PLANS[3], &[(WRITE, true), (SPILL, true), (BACK, true), (MAKE, true), (OPEN_FULL, true), (RENAME, false)]);
}

/// A call that says that it wrote a byte, and wrote none.
#[test]
fn a_disk_that_lies_is_found_out() {
    if !can_trace() {
        return;
    }
    // Spilled text has checksums.
    let place = Place::new(&PLANS[2]);
    let (mut first, mut found) = (1, 0);
    loop {
        place.restore();
        let lie = Fault { calls: "pwrite64", what: "retval=1", first, for_ever: false };
        let traced = traced(&lie, &place.arguments);
        let after = tree(&place.out());
        match traced.ran.code {
            Some(0) => assert!(after == place.new, "a wrong output, from the {first}th call"),
            code => {
                let told = traced.ran.err.contains("cannot be used: ") && traced.ran.err.contains("spill file");
                assert!(code == Some(70) && told && after == place.old, "{first}: {:?}", traced.ran);
                found += 1;
            }
        }
        if traced.fired == 0 {
            break;
        }
        first = next(first);
    }
    assert!(found > 3, "only {found} lies were found out");
    // An output has a manifest.
    let place = Place::new(&PLANS[1]);
    let dir = place.out().join("d");
    for first in 1..5 {
        place.restore();
        let lie = Fault { calls: "write", what: "retval=1", first, for_ever: false };
        let traced = traced(&lie, &place.arguments);
        assert!(traced.fired > 0 && traced.ran.code == Some(0), "{:?}", traced.ran);
        let verified = super::tool::run(&mut super::tool::kitbag(&["--verify", dir.to_str().unwrap()]));
        assert!(verified.code == Some(2) && verified.err.contains("expected"), "{first}: {verified:?}");
    }
    place.restore();
    print(&place.arguments);
    assert!(print(&["--verify", dir.to_str().unwrap()]).contains(" 12000 lines"));
}
