//! Pipes: a line that is written into one comes out at once, and memory stays where the budget says.

#![allow(clippy::cast_possible_truncation, reason = "a test speaks, and its numbers are small")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, wait and start processes")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use common::watch::wait_for;
use common::watched;
use kitbag::{Bag, Config, Input, Json, Scan};

/// A pipe with a name, and its writing end.
fn fifo() -> (tempfile::TempDir, std::path::PathBuf, std::fs::File) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600), 0).unwrap();
    let writer = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    (dir, path, writer)
}

/// Writes lines with pauses between them, and measures how long each takes to come out. Every one must come; all but
/// the slowest two of twelve within 100 ms (the machine may be busy with something else).
fn latency(what: &str, mut write: impl FnMut(&str), come: &Receiver<String>) {
    let mut times = Vec::new();
    for n in 0..12 {
        let line = format!("{{\"n\":{n}}}");
        std::thread::sleep(Duration::from_millis(if n % 3 == 0 { 150 } else { 10 }));
        let begun = Instant::now();
        write(&(line.clone() + "\n"));
        let came =
            come.recv_timeout(Duration::from_secs(5)).unwrap_or_else(|_| panic!("{what}: line {n} did not come out"));
        times.push(begun.elapsed());
        assert_eq!(came.trim_end(), line, "{what}");
    }
    times.sort();
    assert!(times[9] < Duration::from_millis(100), "{what}: {times:?}");
}

struct Lines(Sender<String>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for line in std::str::from_utf8(bytes).unwrap().lines() {
            let _ = self.0.send(line.to_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_line_written_into_a_pipe_comes_out_at_once() {
    type Run = fn(std::path::PathBuf, Config, Sender<String>);
    let runs: [(&str, Run); 4] = [
        ("Bag::iter", |path, config, out| {
            for record in Bag::<Json>::read_json(path).with(config).iter().unwrap() {
                let _ = out.send(record.unwrap().raw().to_owned());
            }
        }),
        ("Scan and for_each", |path, config, out| {
            Scan::new(path).with(config).map(|r| r.raw().to_owned()).for_each(|line| _ = out.send(line)).unwrap();
        }),
        ("write_jsonl_to", |path, config, out| {
            Scan::new(path).with(config).records().write_jsonl_to(Lines(out)).unwrap();
        }),
        ("take", |path, config, out| {
            Bag::read_text(path).with(config).take(100).filter(|_| true).for_each(|line| _ = out.send(line)).unwrap();
        }),
    ];
    for (what, run) in runs {
        for (threads, block) in [(1, None), (2, Some(16)), (8, None)] {
            let label = format!("{what}, {threads} threads, block {block:?}");
            let (_dir, path, mut writer) = fifo();
            let (send, receive) = channel();
            let mut config = Config::new().threads(threads);
            if let Some(bytes) = block {
                config = config.block_size(bytes);
            }
            let runner = std::thread::spawn(move || run(path, config, send));
            latency(&label, |line| writer.write_all(line.as_bytes()).unwrap(), &receive);
            // The last writer goes: the run comes to its end.
            drop(writer);
            watched(&label, || runner.join().unwrap());
        }
    }
}

#[test]
fn a_compressed_pipe_gives_what_has_been_flushed_into_it() {
    let (_dir, path, writer) = fifo();
    let (send, receive) = channel();
    let runner = std::thread::spawn(move || Bag::read_text(path).for_each(|line| _ = send.send(line)).unwrap());
    let mut packer = flate2::write::GzEncoder::new(writer, flate2::Compression::fast());
    let write = |line: &str| {
        packer.write_all(line.as_bytes()).unwrap();
        packer.flush().unwrap();
    };
    latency("gzip", write, &receive);
    drop(packer.finish().unwrap());
    watched("gzip", || runner.join().unwrap());
}

/// Starts this test program again, to run only `test`, with this in its environment.
fn again(test: &str, key: &str, value: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(key, value).stdout(Stdio::null());
    command
}

#[test]
fn standard_input_gives_every_line_that_has_come_and_does_not_wait_for_more() {
    const KEY: &str = "KITBAG_TEST_COPY_TO";
    if let Some(path) = std::env::var_os(KEY) {
        let to = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        let config = Config::new().threads(2).block_size(100);
        Bag::read_text(Input::stdin()).with(config).map(|line| Json::parse(&line).unwrap()).write_jsonl_to(to).unwrap();
        return;
    }
    let out = tempfile::NamedTempFile::new().unwrap();
    let name = "standard_input_gives_every_line_that_has_come_and_does_not_wait_for_more";
    let mut child = again(name, KEY, out.path()).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = |count: usize| (0..count).map(|n| format!("{{\"n\":{n}}}\n")).collect::<String>();
    let all = lines(2000);
    let mut sent = 0;
    for part in [1, 7, 900, 40, 1052] {
        let from = lines(sent).len();
        sent += part;
        let to = lines(sent).len();
        stdin.write_all(&all.as_bytes()[from..to]).unwrap();
        let came = wait_for(Duration::from_secs(10), || std::fs::metadata(out.path()).unwrap().len() as usize >= to);
        assert!(
            came.is_some(),
            "{sent} lines were written, and only {} bytes of {to} came",
            std::fs::metadata(out.path()).unwrap().len()
        );
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(out.path()).unwrap(), all);
}

#[test]
fn a_slow_consumer_does_not_let_memory_grow_beyond_the_budget() {
    const KEY: &str = "KITBAG_TEST_SLOW_READ";
    const BUDGET: u64 = 16 << 20;
    if let Some(path) = std::env::var_os(KEY) {
        let status = |key: &str| -> u64 {
            let text = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = text.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
        };
        let before = status("VmRSS:");
        let mut count = 0_u64;
        for line in
            Bag::read_text(std::path::PathBuf::from(path)).with(Config::new().threads(4).memory(BUDGET)).iter().unwrap()
        {
            line.unwrap();
            count += 1;
            if count.is_multiple_of(5000) {
                std::thread::sleep(Duration::from_millis(3));
            }
        }
        assert_eq!(count, 900_000);
        let grown = status("VmHWM:") - before;
        assert!(grown <= BUDGET + (32 << 20), "the process grew by {grown} bytes under a budget of {BUDGET}");
        eprintln!("grown by {grown}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for shard in 0..6 {
        let text: String =
            (0..150_000).map(|n| format!("{{\"shard\":{shard},\"n\":{n},\"pad\":\"{:0>80}\"}}\n", n)).collect();
        std::fs::write(dir.path().join(format!("{shard}.gz")), common::pack::gzip(text.as_bytes())).unwrap();
    }
    let child = again("a_slow_consumer_does_not_let_memory_grow_beyond_the_budget", KEY, dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("grown by "), "{said}");
    eprintln!("{said}");
}
