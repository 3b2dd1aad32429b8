//! One wide verb over more records than fit the budget, made up as they are read: what `memory.sh` runs. It checks the
//! answer against a plain model, and prints, with tabs between, the highest resident memory (VmHWM) of the process up to the
//! answer, the budget, the input and what was spilled, all in MiB, the number of answers, and seconds.
//!
//! ```text
//! within group_by|fold_by|distinct|sort_by|join uniform|zipf|half|one|unique|long
//!     --threads N   --memory MIB   --times N   --input MIB   --temp DIR   --json
//! ```
//!
//! The input is so many times the budget (20), or as large as `--input` says. Keys: `uniform`, each four times on average; `zipf`, by Zipf's law with exponent
//! 1.2; `half`, one key for half of the records, uniform ones for the others; `one`, the same for all; `unique`, for none; `long`, uniform with values of 1 MiB, where others have 128 to 383
//! bytes. Values are random letters, which do not compress. Of a join a quarter of the input is the right side, whose keys
//! are unique where the left ones follow Zipf's law, and uniform where half of them are one; four of its records have the one key. Answers are consumed as they
//! come, and their order counts. `--json` prints what `measure.py` reads of a program that takes its time itself.

#![allow(clippy::disallowed_methods, reason = "a benchmark is a program of its own: the os room is the library's")]
#![allow(clippy::print_stdout, reason = "it prints its answer")]
#![allow(clippy::cast_possible_truncation, reason = "what is narrowed was drawn below a small bound")]

mod records;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Instant;

use kitbag::{Config, Monitor, agg};
use records::{MIB, Record, Shape, mix};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn digest(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// How many there were, and a digest of them in their order.
#[derive(Default, PartialEq, Debug)]
struct Seen(u64, u64);

impl Seen {
    fn add(&mut self, item: u64) {
        *self = Seen(self.0 + 1, mix(self.1 ^ item));
    }
}

impl FromIterator<u64> for Seen {
    fn from_iter<I: IntoIterator<Item = u64>>(items: I) -> Seen {
        let mut seen = Seen::default();
        items.into_iter().for_each(|item| seen.add(item));
        seen
    }
}

fn rank(record: &Record) -> u64 {
    mix(record.number)
}

/// The verb's answer.
fn answer(verb: &str, shape: Shape, config: Config) -> Outcome<Seen> {
    let records = shape.bag(config, Shape::record);
    let mut seen = Seen::default();
    match verb {
        "group_by" => records
            .group_by(|record| record.key)
            .try_map(|(key, group)| {
                let members = group.map(|record| Ok(digest(&record?))).collect::<kitbag::Result<Seen>>()?;
                Ok::<_, kitbag::Error>(digest(&(key, members.0, members.1)))
            })
            .for_each(|item| seen.add(item))?,
        "fold_by" => records
            .fold_by(|record| record.key, (agg::count(), agg::max_by(rank)))
            .map(|(key, (count, best))| digest(&(key, count, best.as_ref().map(digest))))
            .for_each(|item| seen.add(item))?,
        "distinct" => records.distinct().map(|record| digest(&record)).for_each(|item| seen.add(item))?,
        "sort_by" => {
            records.sort_by_key(|record| record.key).map(|record| digest(&record)).for_each(|item| seen.add(item))?
        }
        "join" => {
            let right = shape.right().bag(Config::new(), Shape::right_record);
            records
                .join(right, |left| left.key, |right| right.key)
                .map(|(left, right)| digest(&(digest(&left), digest(&right))))
                .for_each(|item| seen.add(item))?;
        }
        _ => return Err(format!("{verb}: expected group_by, fold_by, distinct, sort_by or join").into()),
    }
    Ok(seen)
}

/// What the answer must be, by the plainest means, whatever memory that takes.
fn model(verb: &str, shape: Shape) -> Seen {
    let records = || shape.model(Shape::record);
    match verb {
        "distinct" => {
            let mut seen = HashSet::new();
            // Copies have one number, and all else follows from that.
            records().filter(|record| seen.insert(record.number)).map(|record| digest(&record)).collect()
        }
        "sort_by" => {
            let mut items: Vec<_> = records().map(|record| (record.key, digest(&record))).collect();
            items.sort_by_key(|(key, _)| *key);
            items.into_iter().map(|(_, item)| item).collect()
        }
        "join" => {
            let mut right: HashMap<u64, Vec<u64>> = HashMap::new();
            for record in shape.right().model(Shape::right_record) {
                right.entry(record.key).or_default().push(digest(&record));
            }
            let pairs = |record: Record| {
                let left = digest(&record);
                right.get(&record.key).into_iter().flatten().map(move |right| digest(&(left, right)))
            };
            records().flat_map(pairs).collect()
        }
        // Keys by their first record: how many, a digest of all, and the best one's rank and digest.
        _ => {
            let (mut places, mut groups) = (HashMap::new(), Vec::new());
            for record in records() {
                let place = *places.entry(record.key).or_insert(groups.len());
                if place == groups.len() {
                    groups.push((record.key, Seen::default(), None));
                }
                let item = digest(&record);
                groups[place].1.add(item);
                groups[place].2 = groups[place].2.max(Some((rank(&record), item)));
            }
            let whole = verb == "group_by";
            groups
                .into_iter()
                .map(|(key, all, best)| match whole {
                    true => digest(&(key, all.0, all.1)),
                    false => digest(&(key, all.0, best.map(|(_, item)| item))),
                })
                .collect()
        }
    }
}

/// The most resident memory that this process ever had, in MiB.
fn peak() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("expected VmHWM in the status")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()?.div_ceil(1024))
}

fn main() -> Outcome {
    let (monitor, mut words) = (Monitor::new(), Vec::new());
    let mut config = Config::new().monitor(&monitor);
    let (mut memory, mut times, mut input, mut json) = (64, 20, None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument}: expected a value"));
        match argument.as_str() {
            "--threads" => config = config.threads(value()?.parse()?),
            "--memory" => memory = value()?.parse()?,
            "--times" => times = value()?.parse()?,
            "--input" => input = Some(value()?.parse()?),
            "--temp" => config = config.temp_dir(value()?),
            "--json" => json = true,
            // What `cargo bench` adds.
            "--bench" => {}
            _ => words.push(argument),
        }
    }
    let [verb, name] = words.as_slice() else {
        return Err(
            "usage: within VERB SHAPE [--threads N] [--memory MIB] [--times N] [--input MIB] [--temp DIR]".into()
        );
    };
    let bytes = input.unwrap_or(times * memory) * MIB;
    let shape = Shape::new(verb, name, bytes)?;
    config = config.memory(memory * MIB);
    if shape.long {
        // A value, what is beside it and how MessagePack marks it: by default a thirty-second of the budget is the most.
        config = config.max_record(MIB + 1024);
    }
    let start = Instant::now();
    let seen = answer(verb, shape, config)?;
    let (seconds, peak) = (start.elapsed().as_secs_f64(), peak()?);
    let report = monitor.report().ok_or("expected a report")?;
    let expected = model(verb, shape);
    if seen != expected {
        return Err(format!("{verb}, {name}: the answer is {seen:?}, expected {expected:?}").into());
    }
    let spilled = report.spilled() / MIB;
    if json {
        let row = serde_json::json!({
            "answer": seen.0, "seconds": seconds, "rss_kib": peak * 1024, "version": "", "spilled": spilled,
        });
        println!("{row}");
        return Ok(());
    }
    println!("{peak}\t{memory}\t{}\t{spilled}\t{}\t{seconds:.1}", bytes / MIB, seen.0);
    Ok(())
}
