//! Keys that were made to collide, and more lines than 32 bits can count.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::dice::Dice;
use super::tool::{KITBAG, Running, is_required, program};

/// Of these there are many pairs with one hash from any state; of small letters alone there need not be one.
const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
type Letters = [u8; 4];

/// Two texts with one FNV-1a hash of 32 bits from this state, and the state behind them.
fn fnv_pair(state: u32, dice: &mut Dice) -> (Letters, Letters, u32) {
    let mut seen: HashMap<u32, Letters> = HashMap::new();
    loop {
        let letters: Letters = std::array::from_fn(|_| LETTERS[dice.below(62)]);
        let hash = letters.iter().fold(state, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        match seen.insert(hash, letters) {
            Some(other) if other != letters => return (letters, other, hash),
            _ => {}
        }
    }
}

/// A million texts with one hash (Joux: twenty pairs behind each other).
fn fnv(keys: usize) -> Vec<String> {
    let (mut dice, mut state, mut pairs) = (Dice::new(11), 0x811c_9dc5, Vec::new());
    for _ in 0..20 {
        let (one, other, next) = fnv_pair(state, &mut dice);
        pairs.push([one, other]);
        state = next;
    }
    let key = |n: usize| pairs.iter().enumerate().flat_map(|(bit, pair)| pair[n >> bit & 1]).collect::<Vec<u8>>();
    (0..keys).map(|n| String::from_utf8(key(n)).unwrap()).collect()
}

/// Texts with one polynomial hash to the base 31, of any width: `Aa` and `BB` have one.
fn polynomial(keys: usize) -> Vec<String> {
    let pad = "Aa".repeat(20);
    let key = |n: usize| (0..20).map(|bit| ["Aa", "BB"][n >> bit & 1]).collect::<String>() + &pad;
    (0..keys).map(key).collect()
}

fn random(keys: usize) -> Vec<String> {
    let mut dice = Dice::new(12);
    (0..keys).map(|_| (0..80).map(|_| char::from(b'a' + dice.below(26) as u8)).collect()).collect()
}

/// CPU time of a run of the command.
fn cpu(arguments: &[&str], expected: &str) -> Duration {
    let mut command = program("sh");
    // The shell's own count of what its child used.
    command.args(["-c", "\"$0\" \"$@\"; times", KITBAG]).args(arguments);
    let ran = super::tool::run(&mut command);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(ran.code == Some(0) && lines[0] == expected, "{arguments:?}: {ran:?}");
    let seconds = |word: &str| {
        let (minutes, seconds) = word.trim_end_matches('s').split_once('m').unwrap();
        60.0 * minutes.parse::<f64>().unwrap() + seconds.parse::<f64>().unwrap()
    };
    Duration::from_secs_f64(lines.last().unwrap().split_whitespace().map(seconds).sum())
}

/// Requires that the first run costs no less than a third of each other one. The machine has other things to do: what cost
/// more is run once more.
fn alike(what: &str, runs: &[&dyn Fn() -> Duration]) {
    let mut times: Vec<Duration> = runs.iter().map(|run| run()).collect();
    for at in 1..times.len() {
        if times[at] > times[0] * 2 {
            times[at] = times[at].min(runs[at]());
        }
    }
    println!("{what}: {times:?}");
    assert!(times.iter().all(|time| *time < times[0] * 3), "{what}: {times:?}");
}

#[test]
fn keys_that_were_made_to_collide_cost_no_more_than_others() {
    let count = if is_required() { 1_000_000 } else { 200_000 };
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let hash = |text: &str| {
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    };
    let made = fnv(count);
    assert!(made.iter().all(|key| hash(key) == hash(&made[0])), "they do not collide");
    let shards = [("random", random(count)), ("fnv", made), ("polynomial", polynomial(count))].map(|(name, keys)| {
        let path = dir.path().join(name);
        let mut text = String::new();
        for key in &keys {
            text += &format!("{{\"k\":\"{key}\"}}\n");
        }
        std::fs::write(&path, text).unwrap();
        (name, path.to_str().unwrap().to_owned())
    });
    for program in ["map(.k) | unique | length", "unique_by([.k]) | length"] {
        let run = |path: &str| cpu(&["--threads", "2", "--memory", "1GiB", "-s", program, path], &count.to_string());
        let [random, fnv, polynomial] = shards.each_ref().map(|(_, path)| move || run(path));
        alike(&format!("{program}, keys: random, FNV-1a, base 31"), &[&random, &fnv, &polynomial]);
    }
    // Members of one object.
    let [random, fnv, polynomial] = [random(100_000), fnv(100_000), polynomial(100_000)].map(|keys| {
        let path = dir.path().join("object");
        move || {
            let members: Vec<String> = keys.iter().map(|key| format!("\"{key}\":1")).collect();
            std::fs::write(&path, format!("{{{}}}\n", members.join(","))).unwrap();
            cpu(&["--max-record", "32MiB", ".a = 1 | length", path.to_str().unwrap()], "100001")
        }
    });
    alike("members of one object: random, FNV-1a, base 31", &[&random, &fnv, &polynomial]);
}

/// A frame of this many newlines, and a record behind so many of them as do not fit 32 bits.
fn four_billion_lines(path: &Path, width: usize) -> u64 {
    let line = [vec![b' '; width - 1], vec![b'\n']].concat();
    let text = line.repeat((64 << 20) / width);
    let frame = zstd::bulk::compress(&text, 1).unwrap();
    let mut file = std::fs::File::create(path).unwrap();
    let frames = (1 << 32) / text.len() + 1;
    for _ in 0..frames {
        file.write_all(&frame).unwrap();
    }
    file.write_all(&zstd::bulk::compress(b"no json\n", 1).unwrap()).unwrap();
    (frames * (text.len() / width)) as u64
}

/// More bytes than 32 bits can count, with the place of what is wrong behind them.
#[test]
fn an_error_behind_four_billion_bytes_has_its_place() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = dir.path().join("in.zst");
    let lines = four_billion_lines(&path, 16 << 10);
    let path = path.to_str().unwrap();
    let ran = super::tool::run(program(KITBAG).args(["--memory", "64MiB", ".", path]));
    assert!(ran.code == Some(2) && ran.err.starts_with(&format!("{path}:{}:", lines + 1)), "{ran:?}, {lines} lines");
    let policy = format!("quarantine={}", dir.path().join("left-out").display());
    super::tool::run(program(KITBAG).args(["--on-error", &policy, ".", path]));
    let place = super::tool::print(&[".byte, .line", dir.path().join("left-out").to_str().unwrap()]);
    assert_eq!(place, format!("{}\n{}\n", lines << 14, lines + 1));
}

/// More lines than 32 bits can count. It takes a minute or more: it is run by hand.
#[test]
#[ignore = "takes minutes"]
fn an_error_behind_four_billion_lines_has_its_line() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = dir.path().join("in.zst");
    let lines = four_billion_lines(&path, 1);
    assert!(lines > u64::from(u32::MAX));
    let path = path.to_str().unwrap();
    let mut command = program(KITBAG);
    let mut run = Running::start(command.args(["--memory", "64MiB", ".", path]).stderr(std::process::Stdio::piped()));
    assert!(run.ended_within(Duration::from_secs(1200)).is_some());
    let ran = run.finish();
    assert!(ran.code == Some(2) && ran.err.starts_with(&format!("{path}:{}:", lines + 1)), "{ran:?}");
    let ran = super::tool::run(program(KITBAG).args(["-R", "--threads", "2", "-s", "length", path]));
    assert_eq!(ran.out.trim(), (lines + 1).to_string(), "{ran:?}");
}
