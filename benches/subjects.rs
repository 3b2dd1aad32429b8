//! What `peers.sh` measures besides the examples: small commands over the public API, and the bare decompression that
//! they are held against. One command is one process, so that its wall time and peak memory are the whole truth.
//!
//! ```text
//! subjects bare        FILE…   text bytes, decoded by the library's decoders on all cores, and thrown away
//! subjects bare-stream FILE…   the same with gzip streamed by zlib-rs instead of decoded in one call by libdeflate
//! subjects lines       INPUT   lines, counted
//! subjects first N     INPUT   the first N records, printed
//! subjects pass        INPUT TARGET   all records, decoded, into one file
//! subjects folds  PATH INPUT   `fold_by` over borrowed records: a count and a sum of `.time_us` for each value at PATH
//! subjects groups PATH INPUT   `group_by`, with every record of every group read back
//! subjects sort   PATH INPUT TARGET   all records into one file, sorted by the string at PATH, those without one first
//!
//!     --threads N   --memory MIB   --temp DIR   --unordered   --spilled
//! ```
//!
//! INPUT is a path, a glob or a directory. The bare commands have no channels and look at no byte of the text: each
//! thread takes the next file, and reads, decodes and forgets it in buffers that it keeps. `folds` and `groups` print
//! keys, records and a digest of both in their order (`groups` also the sum of the groups' squared sizes); with `--spilled` they say on standard error what went to disk.

#![allow(clippy::disallowed_methods, reason = "a benchmark is a program of its own: the os room is the library's")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints its answer")]

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use flate2::{Decompress, FlushDecompress, Status};
use kitbag::{Bag, Config, Json, JsonRef, Monitor, Path, Scan, Target, agg};
use zstd_safe::{DCtx, InBuffer, OutBuffer};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Bytes read at once, and text decoded at once: as in the library.
const INPUT: usize = 128 << 10;
const BLOCK: usize = 256 << 10;

fn main() -> Outcome {
    let mut words = Vec::new();
    let (mut config, mut threads) = (Config::new(), std::thread::available_parallelism()?.get());
    let monitor = Monitor::new();
    let mut spilled = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => {
                threads = arguments.next().ok_or("--threads: expected a number")?.parse()?;
                config = config.threads(threads);
            }
            "--memory" => {
                config = config.memory(arguments.next().ok_or("--memory: expected MiB")?.parse::<u64>()? << 20)
            }
            "--temp" => config = config.temp_dir(arguments.next().ok_or("--temp: expected a directory")?),
            "--unordered" => config = config.ordered(false),
            "--spilled" => (spilled, config) = (true, config.monitor(&monitor)),
            // What `cargo bench` adds.
            "--bench" => {}
            _ => words.push(argument),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["bare", files @ ..] => println!("{}", bare(files, threads, true)?),
        ["bare-stream", files @ ..] => println!("{}", bare(files, threads, false)?),
        ["lines", input] => println!("{}", Bag::read_text(*input).with(config).count()?),
        ["first", count, input] => {
            for record in Bag::<Json>::read_json(*input).with(config).take(count.parse()?).collect()? {
                println!("{record}");
            }
        }
        ["pass", input, target] => {
            let records = Scan::new(*input).with(config).records();
            println!("{}", records.write_jsonl(Target::new(*target).overwrite())?.records);
        }
        ["folds", path, input] => println!("{}", folds(path.parse()?, Scan::new(*input).with(config))?),
        ["groups", path, input] => println!("{}", groups(path.parse()?, Bag::read_json(*input).with(config))?),
        ["sort", path, input, target] => {
            let records = Bag::read_json(*input).with(config);
            println!("{}", sort(path.parse()?, records, Target::new(*target).overwrite())?);
        }
        _ => println!(
            "usage: subjects bare|bare-stream FILE… | lines INPUT | first N INPUT | pass INPUT TARGET | \
             folds|groups PATH INPUT | sort PATH INPUT TARGET"
        ),
    }
    if spilled {
        eprintln!("{}", monitor.report().map_or(0, |report| report.spilled()));
    }
    Ok(())
}

fn folds(path: Path, records: Scan) -> Outcome<String> {
    let time = agg::sum(|record: &JsonRef<'_>| record.get("time_us").and_then(|time| time.as_u64()).unwrap_or(0));
    let (mut keys, mut records_of_all, mut digest) = (0_u64, 0, DefaultHasher::new());
    records.fold_by(move |record| record.pluck(&path), (agg::count(), time)).for_each(|(key, (count, time))| {
        (keys, records_of_all) = (keys + 1, records_of_all + count);
        (key.raw(), count, time).hash(&mut digest);
    })?;
    Ok(format!("{keys} keys, {records_of_all} records, digest {:016x}", digest.finish()))
}

fn groups(path: Path, records: Bag<Json>) -> Outcome<String> {
    let key = move |record: &Json| record.pluck(&path).map_or_else(Json::null, |value| value.to_json());
    let totals = records.group_by(key).try_map(|(key, group)| {
        let lengths = group.map(|record| Ok(record?.raw().len()));
        lengths.collect::<kitbag::Result<Vec<_>>>().map(|lengths| (key, lengths))
    });
    let (mut keys, mut records, mut squares, mut digest) = (0_u64, 0, 0, DefaultHasher::new());
    totals.for_each(|(key, lengths)| {
        let size = lengths.len();
        (keys, records, squares) = (keys + 1, records + size, squares + size * size);
        (key.raw(), lengths).hash(&mut digest);
    })?;
    Ok(format!("{keys} keys, {records} records, {squares} of their squares, digest {:016x}", digest.finish()))
}

fn sort(path: Path, records: Bag<Json>, target: Target) -> Outcome<u64> {
    let key = move |record: &Json| record.pluck(&path).and_then(|value| Some(value.as_str()?.into_owned()));
    Ok(records.sort_by_key(key).write_jsonl(target)?.records)
}

/// Decodes the files on so many threads and gives the bytes of their text.
fn bare(files: &[&str], threads: usize, at_once: bool) -> Outcome<u64> {
    let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || -> Outcome {
        let mut decoder = Bare::default();
        while let Some(path) = files.get(next.fetch_add(1, Relaxed)) {
            total.fetch_add(decoder.file(path, at_once)?, Relaxed);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|_| Err("a thread panicked".into())))
            .fold(own, Outcome::and)
    })?;
    Ok(total.into_inner())
}

/// A thread's buffers.
#[derive(Default)]
struct Bare {
    packed: Vec<u8>,
    text: Vec<u8>,
}

impl Bare {
    fn file(&mut self, path: &str, at_once: bool) -> Outcome<u64> {
        let mut file = File::open(path)?;
        match path.rsplit('.').next() {
            Some("gz") if at_once => self.gzip_at_once(&mut file),
            Some("gz") => self.gzip(&mut file),
            Some("zst") => self.zstd(&mut file),
            _ => {
                self.text.resize(self.text.len().max(BLOCK), 0);
                let mut total = 0;
                loop {
                    match file.read(&mut self.text[..BLOCK])? {
                        0 => return Ok(total),
                        read => total += read as u64,
                    }
                }
            }
        }
    }

    /// A file of one member; its last four bytes tell how much text it holds.
    fn gzip_at_once(&mut self, file: &mut File) -> Outcome<u64> {
        let len = usize::try_from(file.metadata()?.len())?;
        self.packed.resize(self.packed.len().max(len), 0);
        let packed = &mut self.packed[..len];
        file.read_exact(packed)?;
        let size = u32::from_le_bytes(*packed.last_chunk().ok_or("expected gzip data")?) as usize;
        self.text.resize(self.text.len().max(size), 0);
        let decoded = libdeflater::Decompressor::new().gzip_decompress(packed, &mut self.text[..size])?;
        if decoded == size { Ok(size as u64) } else { Err("expected a file of one gzip member".into()) }
    }

    fn gzip(&mut self, file: &mut File) -> Outcome<u64> {
        let mut inflate = Decompress::new_gzip(15);
        self.stream(file, |packed, text| {
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(packed, text, FlushDecompress::None)?;
            let (taken, given) = (inflate.total_in() - before_in, inflate.total_out() - before_out);
            if status == Status::StreamEnd {
                inflate = Decompress::new_gzip(15);
            }
            Ok((usize::try_from(taken)?, usize::try_from(given)?))
        })
    }

    fn zstd(&mut self, file: &mut File) -> Outcome<u64> {
        let mut context = DCtx::create();
        self.stream(file, |packed, text| {
            let (mut from, mut to) = (InBuffer::around(packed), OutBuffer::around(text));
            context.decompress_stream(&mut to, &mut from).map_err(zstd_safe::get_error_name)?;
            Ok((from.pos(), to.pos()))
        })
    }

    fn stream(
        &mut self,
        file: &mut File,
        mut decode: impl FnMut(&[u8], &mut [u8]) -> Outcome<(usize, usize)>,
    ) -> Outcome<u64> {
        self.packed.resize(self.packed.len().max(INPUT), 0);
        self.text.resize(self.text.len().max(BLOCK), 0);
        let (mut total, mut filled) = (0, 0);
        loop {
            let read = file.read(&mut self.packed[..INPUT])?;
            if read == 0 {
                return if total > 0 { Ok(total) } else { Err("expected text".into()) };
            }
            let mut packed = &self.packed[..read];
            loop {
                // A block of text is filled before it is forgotten.
                let room = &mut self.text[filled..BLOCK];
                let offered = room.len();
                let (taken, given) = decode(packed, room)?;
                packed = &packed[taken..];
                total += given as u64;
                filled = if given == offered { 0 } else { filled + given };
                if packed.is_empty() && given < offered {
                    break;
                }
            }
        }
    }
}
