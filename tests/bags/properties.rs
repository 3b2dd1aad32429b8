//! Any records, cut and packed in any way, through any pipeline under any configuration, give what a `Vec` gives, and
//! give it twice. Written unchanged they are the same bytes.

#![allow(clippy::cast_possible_truncation, reason = "a test speaks, and its numbers are small")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and make files")]

use super::common;

use std::path::PathBuf;

use common::pack::{gzip_members, gzip_with_name, zstd_bare, zstd_frames};
use common::{Dice, watched};
use kitbag::{Bag, Config, Json, JsonRef, Scan, Target};
use proptest::prelude::*;

/// The text of any JSON value, as odd as JSON allows on one line.
fn json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        Just("-0".to_owned()),
        Just("18446744073709551616".to_owned()),
        Just("1e999".to_owned()),
        Just("1.0".to_owned()),
    ];
    let character = prop_oneof![
        6 => "[ -!#-\\[\\]-~]",
        2 => "[\u{80}-\u{10ffff}]",
        1 => prop_oneof![Just("\u{feff}"), Just("\u{2028}"), Just("\u{7f}"), Just("漢"), Just("🎒")].prop_map(str::to_owned),
        1 => "\\\\(n|r|t|b|f|/|\\\\|\"|u00e9|u0000|ud83c\\\\udf92|u2028)",
    ];
    let string = prop::collection::vec(character, 0..12).prop_map(|parts| format!("\"{}\"", parts.concat()));
    let space = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\t "), 1 => Just("\r")];
    let leaf = prop_oneof![
        number,
        string.clone(),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let array = (prop::collection::vec(inner.clone(), 0..6), space.clone())
            .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(&format!("{space},"))));
        let member =
            (string.clone(), inner, space.clone()).prop_map(|(key, value, space)| format!("{key}{space}:{value}"));
        let object = (prop::collection::vec(member, 0..6), prop_oneof![Just(""), Just(" ")])
            .prop_map(|(members, space)| format!("{{{space}{}{space}}}", members.join(&format!(",{space}"))));
        prop_oneof![array, object]
    })
}

/// How the records are stored: shards, each with a packing and a seed for its cuts.
#[derive(Clone, Debug)]
struct Store {
    cuts: Vec<(prop::sample::Index, u8, u64)>,
    last_newline: bool,
}

fn store() -> impl Strategy<Value = Store> {
    let cut = (any::<prop::sample::Index>(), 0..6_u8, any::<u64>());
    (prop::collection::vec(cut, 0..5), any::<bool>()).prop_map(|(cuts, last_newline)| Store { cuts, last_newline })
}

impl Store {
    fn write(&self, records: &[String]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let dir = tempfile::tempdir().unwrap();
        let mut ends: Vec<_> =
            self.cuts.iter().map(|(at, how, seed)| (at.index(records.len() + 1), *how, *seed)).collect();
        ends.sort_unstable();
        ends.push((records.len(), 0, 3));
        let mut paths = Vec::new();
        let mut from = 0;
        for (number, (to, how, seed)) in ends.into_iter().enumerate() {
            let end = if how % 2 == 1 { "\r\n" } else { "\n" };
            let mut text = records[from..to].join(end);
            if to > from && (self.last_newline || text.ends_with('\r')) {
                text.push_str(end);
            }
            from = to;
            let mut dice = Dice::new(seed);
            let pieces = dice.below(9);
            let bytes = match how {
                0 | 1 => text.into_bytes(),
                2 | 3 => gzip_members(dice.cut(text.as_bytes(), pieces)),
                4 => zstd_frames(dice.cut(text.as_bytes(), pieces)),
                _ if seed % 2 == 0 => gzip_with_name(text.as_bytes()),
                _ => zstd_bare(text.as_bytes()),
            };
            paths.push(dir.path().join(format!("shard-{number}")));
            std::fs::write(&paths[number], bytes).unwrap();
        }
        (dir, paths)
    }
}

fn config() -> impl Strategy<Value = Config> {
    let block = prop_oneof![1..200_usize, 200..70_000_usize];
    (1..9_usize, prop::option::of(block), (3..64_u64).prop_map(|mib| mib << 20)).prop_map(|(threads, block, memory)| {
        // Each `take` is one phase more at a time; there are at most six.
        let flying = |block: u64| (6 * threads as u64 * 8 * block).next_multiple_of(1 << 20) + (1 << 20);
        let config = Config::new().threads(threads).max_record(64 << 10);
        match block {
            Some(bytes) => config.block_size(bytes).memory(memory.max(flying(bytes as u64))),
            None => config.memory(memory),
        }
    })
}

/// One narrow verb, as a bag does it and as a `Vec` does it.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Keep(usize),
    Drop(usize),
    Push,
    Repeat(usize),
    Some(usize),
    Words,
    Tried,
    Refused(usize),
    Seen,
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        (1..5_usize).prop_map(Verb::Keep),
        (1..5_usize).prop_map(Verb::Drop),
        Just(Verb::Push),
        (0..4_usize).prop_map(Verb::Repeat),
        (1..5_usize).prop_map(Verb::Some),
        Just(Verb::Words),
        Just(Verb::Tried),
        (1..5_usize).prop_map(Verb::Refused),
        Just(Verb::Seen),
    ]
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn in_bag(bag: Bag<String>, verb: Verb) -> Bag<String> {
    match verb {
        Verb::Keep(n) => bag.filter(move |text| text.len() % n == 0),
        Verb::Drop(n) => bag.remove(move |text| text.len() % n == 0),
        Verb::Push => bag.map(|text| text + "+"),
        Verb::Repeat(n) => bag.flat_map(move |text| (0..n).map(move |i| format!("{i}{text}"))),
        Verb::Some(n) => bag.filter_map(move |text| (text.len() % n == 0).then(|| text.to_uppercase())),
        Verb::Words => bag.map(|text| words(&text)).flatten(),
        Verb::Tried => bag.try_map(|text| Ok::<_, String>(text + "!")),
        Verb::Refused(n) => bag.try_filter(move |text| Ok::<_, String>(text.len() % n != 0)),
        Verb::Seen => bag.inspect(|text| assert!(text.len() < 1 << 30)),
    }
}

fn in_vec(records: Vec<String>, verb: Verb) -> Vec<String> {
    let all = records.into_iter();
    match verb {
        Verb::Keep(n) => all.filter(|text| text.len() % n == 0).collect(),
        Verb::Drop(n) | Verb::Refused(n) => all.filter(|text| text.len() % n != 0).collect(),
        Verb::Push => all.map(|text| text + "+").collect(),
        Verb::Repeat(n) => all.flat_map(|text| (0..n).map(move |i| format!("{i}{text}")).collect::<Vec<_>>()).collect(),
        Verb::Some(n) => all.filter(|text| text.len() % n == 0).map(|text| text.to_uppercase()).collect(),
        Verb::Words => all.flat_map(|text| words(&text)).collect(),
        Verb::Tried => all.map(|text| text + "!").collect(),
        Verb::Seen => all.collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pipeline_over_any_records_gives_what_a_vec_gives_and_gives_it_twice(
        records in prop::collection::vec(json(), 0..60),
        store in store(),
        verbs in prop::collection::vec((verb(), prop::option::weighted(0.1, 0..50_u64)), 1..6),
        configs in [config(), config()],
    ) {
        let (_dir, paths) = store.write(&records);
        // A record's own text: what is around it is white space of the line.
        let mut model: Vec<String> = records.iter().map(|text| text.trim_matches([' ', '\t', '\r']).to_owned()).collect();
        for (verb, take) in &verbs {
            model = in_vec(model, *verb);
            model.truncate(take.map_or(usize::MAX, |n| n as usize));
        }
        for config in configs {
            let bag = || {
                let mut bag = Bag::<Json>::read_json(&paths[..]).with(config.clone()).map(|record| record.raw().to_owned());
                for (verb, take) in &verbs {
                    bag = in_bag(bag, *verb);
                    bag = if let Some(n) = take { bag.take(*n) } else { bag };
                }
                bag
            };
            let label = format!("{config:?}");
            watched(&label, || {
                prop_assert_eq!(&bag().collect().unwrap(), &model);
                prop_assert_eq!(&bag().iter().unwrap().collect::<Result<Vec<_>, _>>().unwrap(), &model);
                prop_assert_eq!(bag().count().unwrap(), model.len() as u64);
                let joined = bag().reduce(|a, b| a + "\n" + &b).unwrap();
                prop_assert_eq!(joined, (!model.is_empty()).then(|| model.join("\n")));
                prop_assert_eq!(bag().max().unwrap(), model.iter().max().cloned());
                Ok(())
            })?;
        }
    }

    #[test]
    fn records_written_unchanged_are_the_same_bytes_under_every_configuration(
        records in prop::collection::vec(json(), 0..40),
        store in store(),
        configs in [config(), config()],
        extension in prop_oneof![Just(""), Just(".gz"), Just(".zst")],
        shard_size in 1..2000_u64,
    ) {
        let (_dir, paths) = store.write(&records);
        let text: String = records.iter().map(|text| text.trim_matches([' ', '\t', '\r']).to_owned() + "\n").collect();
        let mut first = None;
        for config in configs {
            let out = tempfile::tempdir().unwrap();
            let target = || Target::new(out.path().join(format!("all/part-*.jsonl{extension}"))).shard_size(shard_size);
            let bag = Bag::<Json>::read_json(&paths[..]).with(config.clone());
            let written = watched("write", || bag.write_jsonl(target())).unwrap();
            let files: Vec<_> = written.files.iter().map(|path| (path.file_name().unwrap().to_owned(), std::fs::read(path).unwrap())).collect();
            let first = first.get_or_insert_with(|| files.clone());
            prop_assert_eq!(&*first, &files);
            let mut back = String::new();
            Bag::read_text(out.path().join("all")).with(config.clone()).for_each(|line| back.push_str(&(line + "\n"))).unwrap();
            prop_assert_eq!(&back, &text);
            // The borrowed lane, and text that no lane has parsed.
            let mut lane = Vec::new();
            Scan::new(&paths[..]).with(config).records().write_jsonl_to(&mut lane).unwrap();
            prop_assert_eq!(&String::from_utf8(lane).unwrap(), &text);
        }
    }

    #[test]
    fn every_lane_sees_the_same_records(
        records in prop::collection::vec(json(), 1..30),
        store in store(),
        config in config(),
    ) {
        let (_dir, paths) = store.write(&records);
        let text = |record: JsonRef<'_>| record.raw().to_owned();
        let borrowed = Scan::new(&paths[..]).with(config.clone()).map(text).collect().unwrap();
        let owned = Bag::<Json>::read_json(&paths[..]).with(config.clone()).map(|record| record.raw().to_owned());
        prop_assert_eq!(owned.collect().unwrap(), borrowed);
        prop_assert_eq!(Scan::new(&paths[..]).with(config.clone()).count().unwrap(), records.len() as u64);
        // The typed lane refuses what the type cannot hold (1e999 is no f64); what it reads is what serde_json reads.
        if let Ok(model) = records.iter().map(|text| serde_json::from_str::<serde_json::Value>(text)).collect::<Result<Vec<_>, _>>() {
            prop_assert_eq!(Bag::<serde_json::Value>::read_json(&paths[..]).with(config).collect().unwrap(), model);
        }
    }
}
