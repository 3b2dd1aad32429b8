//! One row per verb: over every shape of shards and every configuration, a verb does what it would do to a `Vec`.
//! A new verb is one more row.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::common;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use common::{Kind, check, grid, json_row, text_row};
use kitbag::agg::{self, Aggregate, Fold, count, fold_with, mean, step_in_order};
use kitbag::{Bag, ErrorKind, Json, Scan};

/// Small records, all different, some with repeated groups and some nested.
fn records() -> Vec<String> {
    (0..70)
        .map(|n| match n % 5 {
            0 => format!(r#"{{"n":{n},"tags":["a","{n}"],"who":{{"id":{}}}}}"#, n % 3),
            1 => format!(r#"{{"n": {n}, "tags": [], "text": "naïve \u00e9 {n}"}}"#),
            2 => format!(r#"{{"n":{n},"tags":["b"],"x":1e{n}}}"#),
            3 => format!(r#"{{"tags":[null,{n}],"n":{n}}}"#),
            _ => format!(r#"{{"n":{n},"tags":["{}"]}}"#, "long ".repeat(n % 40)),
        })
        .collect()
}

/// Lines of text, blank ones among them.
fn words() -> Vec<String> {
    (0..70)
        .map(|n| ["to be", "", "or not to be", "ß 漢字", "\ttabs \r inside", "x"][n % 6].to_owned() + &"y".repeat(n))
        .collect()
}

fn n(record: &Json) -> i64 {
    record.get("n").and_then(|n| n.as_i64()).unwrap()
}

fn tags(record: &Json) -> Vec<String> {
    record.get("tags").unwrap().elements().map(|tag| tag.raw().to_owned()).collect()
}

fn raws(records: Vec<Json>) -> Vec<String> {
    records.iter().map(|record| record.raw().to_owned()).collect()
}

fn sketches() -> impl Aggregate<i64, Out: std::fmt::Debug> {
    let spread = |n: &i64| (*n as f64).exp();
    let rough = agg::approx_count_distinct(|n: &i64| n % 53).precision(4).unwrap();
    (agg::quantile(0.9, spread).unwrap(), agg::quantiles([0.3, 0.31], |n: &i64| 30 - n).unwrap(), rough)
}

fn values() -> impl Aggregate<i64, Out = (u64, Vec<(i64, u64)>, String, Vec<i64>)> {
    let often = agg::frequencies(|n: &i64| n * n % 23).top(9);
    let joined = agg::join_strings(", ", |n: &i64| n.to_string());
    (agg::count_distinct(|n: &i64| n % 13), often, joined, agg::sample(4, 2))
}

/// One test per row: name, records, pipeline over the bag, model over the `Vec`.
macro_rules! rows {
    ($($row:ident: $kind:ident($records:expr), $pipeline:expr, $model:expr;)*) => {$(
        #[test]
        fn $row() {
            $kind(&$records, $pipeline, $model);
        }
    )*};
}

rows! {
    read_json_keeps_records_and_their_order: json_row(records()),
        |bag| Ok(raws(bag.collect()?)), raws;
    read_text_keeps_lines_and_their_order: text_row(words()),
        |bag| bag.collect(), |lines| lines;
    map: json_row(records()),
        |bag| bag.map(|r| n(&r) * 2).collect(), |v| v.iter().map(|r| n(r) * 2).collect();
    filter: json_row(records()),
        |bag| bag.filter(|r| n(r) % 3 == 0).map(|r| n(&r)).collect(), |v| v.iter().map(n).filter(|n| n % 3 == 0).collect();
    remove: json_row(records()),
        |bag| bag.remove(|r| n(r) % 3 == 0).map(|r| n(&r)).collect(), |v| v.iter().map(n).filter(|n| n % 3 != 0).collect();
    filter_that_keeps_nothing: json_row(records()),
        |bag| bag.filter(|_| false).map(|r| n(&r)).collect(), |_| vec![];
    filter_map: text_row(words()),
        |bag| bag.filter_map(|l| l.strip_prefix("to ").map(str::to_owned)).collect(),
        |v| v.iter().filter_map(|l| l.strip_prefix("to ").map(str::to_owned)).collect();
    flat_map: json_row(records()),
        |bag| bag.flat_map(|r| tags(&r)).collect(), |v| v.iter().flat_map(tags).collect();
    flatten: json_row(records()),
        |bag| bag.map(|r| tags(&r)).flatten().collect(), |v| v.iter().flat_map(tags).collect();
    flatten_of_options_and_chains: text_row(words()),
        |bag| bag.map(|l| l.chars().next()).flatten().flat_map(|c| [c, c]).collect(),
        |v| v.iter().filter_map(|l| l.chars().next()).flat_map(|c| [c, c]).collect();
    try_map: json_row(records()),
        |bag| bag.try_map(|r| r.raw().len().to_string().parse::<u32>()).collect(),
        |v| v.iter().map(|r| u32::try_from(r.raw().len()).unwrap()).collect();
    try_filter: json_row(records()),
        |bag| bag.try_filter(|r| Ok::<_, String>(n(r) > 30)).map(|r| n(&r)).collect(),
        |v| v.iter().map(n).filter(|n| *n > 30).collect();
    count_of_records: json_row(records()), |bag| bag.count(), |v| v.len() as u64;
    count_of_lines: text_row(words()), |bag| bag.count(), |v| v.len() as u64;
    count_after_narrow_verbs: text_row(words()),
        |bag| bag.filter(|l| l.len() > 20).count(), |v| v.iter().filter(|l| l.len() > 20).count() as u64;
    sum_of_integers: json_row(records()),
        |bag| bag.map(|r| n(&r)).sum(), |v| v.iter().map(|r| i128::from(n(r))).sum();
    sum_of_floats_is_rounded_once: json_row(records()),
        |bag| Ok(bag.flat_map(|r| [if n(&r) % 2 == 0 { 1e16 } else { -1e16 }, n(&r) as f64 / 8.0]).sum()?.to_bits()),
        // The large ones cancel; a sum that rounds on the way loses the small ones beside them.
        |v| (v.iter().map(n).sum::<i64>() as f64 / 8.0).to_bits();
    mean_of_integers: json_row(records()),
        |bag| bag.map(|r| n(&r)).mean(), |v| Some(v.iter().map(n).sum::<i64>() as f64 / v.len() as f64);
    min_and_max: json_row(records()),
        |bag| bag.map(|r| (n(&r) * 37) % 71).fold((agg::min(agg::Itself), agg::max(agg::Itself))),
        |v| (v.iter().map(|r| (n(r) * 37) % 71).min(), v.iter().map(|r| (n(r) * 37) % 71).max());
    min: text_row(words()), |bag| bag.min(), |v| v.into_iter().min();
    max: text_row(words()), |bag| bag.max(), |v| v.into_iter().max();
    min_of_nothing: json_row(records()), |bag| bag.filter(|_| false).map(|r| n(&r)).min(), |_| None;
    mean_of_nothing: json_row(records()), |bag| bag.filter(|_| false).map(|r| n(&r)).mean(), |_| None;
    any_that_holds: json_row(records()), |bag| bag.any(|r| n(r) == 41), |_| true;
    any_that_does_not: json_row(records()), |bag| bag.any(|r| n(r) == 1000), |_| false;
    all_that_hold: json_row(records()), |bag| bag.all(|r| n(r) < 1000), |_| true;
    all_that_do_not: json_row(records()), |bag| bag.all(|r| n(r) < 69), |_| false;
    fold_of_several_aggregates: json_row(records()),
        |bag| bag.map(|r| n(&r)).fold((count(), mean(agg::Itself), agg::first(), agg::last(), count().filter(|n: &i64| *n > 9))),
        |v| (v.len() as u64, Some(34.5), v.first().map(n), v.last().map(n), 60);
    fold_that_collects_keeps_order: json_row(records()),
        |bag| bag.map(|r| n(&r)).fold(agg::collect()), |v| v.iter().map(n).collect();
    fold_with_an_associative_merge_is_in_order: text_row(words()),
        |bag| bag.fold(fold_with(String::new, |text: &mut String, line: &String| text.push_str(line), |into: &mut String, from| into.push_str(&from))),
        |v| v.concat();
    fold_stepped_in_order: json_row(records()),
        |bag| bag.map(|r| n(&r)).fold(step_in_order(|| 7_i64, |state: &mut i64, n: &i64| *state = state.wrapping_mul(31) ^ n)),
        |v| v.iter().map(n).fold(7, |state: i64, n| state.wrapping_mul(31) ^ n);
    reduce_is_in_order: text_row(words()),
        |bag| bag.reduce(|a, b| a + "|" + &b), |v| Some(v.join("|"));
    reduce_of_nothing: text_row(words()),
        |bag| bag.filter(|_| false).reduce(|a, _| a), |_| None;
    top_k: json_row(records()),
        |bag| bag.map(|r| n(&r) % 10).top_k(12),
        |v| { let mut v: Vec<_> = v.iter().map(|r| n(r) % 10).collect(); v.sort_by(|a, b| b.cmp(a)); v.truncate(12); v };
    top_k_of_ties_takes_the_first: json_row(records()),
        |bag| bag.map(|r| (n(&r) % 2, n(&r))).fold(agg::top_k(9, |pair: &(i64, i64)| pair.0)),
        |v| v.iter().map(|r| (n(r) % 2, n(r))).filter(|p| p.0 == 1).take(9).collect();
    top_k_of_more_than_there_are: text_row(words()),
        |bag| bag.top_k(1000), |mut v| { v.sort_by(|a, b| b.cmp(a)); v };
    bottom_k: json_row(records()),
        |bag| bag.map(|r| n(&r) % 10).bottom_k(12),
        |v| { let mut v: Vec<_> = v.iter().map(|r| n(r) % 10).collect(); v.sort(); v.truncate(12); v };
    bottom_k_of_none_of_them: json_row(records()), |bag| bag.map(|r| n(&r)).bottom_k(0), |_| vec![];
    min_by_takes_the_first_of_equals: json_row(records()),
        |bag| Ok(bag.min_by(|r| n(r) % 7 / 3)?.map(|r| n(&r))), |v| v.iter().map(n).min_by_key(|n| n % 7 / 3);
    max_by_takes_the_first_of_equals: json_row(records()),
        |bag| Ok(bag.max_by(|r| n(r) % 7 / 3)?.map(|r| n(&r))), |v| v.iter().map(n).rev().max_by_key(|n| n % 7 / 3);
    max_by_of_nothing: json_row(records()),
        |bag| Ok(bag.filter(|_| false).max_by(n)?.map(|r| n(&r))), |_| None;
    count_distinct: json_row(records()),
        |bag| bag.map(|r| n(&r) * n(&r) % 23).count_distinct(),
        |v| v.iter().map(|r| n(r) * n(r) % 23).collect::<HashSet<_>>().len() as u64;
    count_distinct_of_nothing: text_row(words()), |bag| bag.filter(|_| false).count_distinct(), |_| 0;
    approx_count_distinct_of_a_few_is_exact: text_row(words()),
        |bag| bag.map(|line| line.len() % 37).approx_count_distinct(),
        |v| v.iter().map(|line| line.len() % 37).collect::<HashSet<_>>().len() as u64;
    quantiles_are_near_and_the_same_bit_for_bit: json_row(records()),
        |bag| {
            let [least, median, most] = bag.map(|r| n(&r) as f64 * 1.5 - 20.0).quantiles([0.0, 0.5, 1.0])?.unwrap();
            Ok((least, (median - 31.0).abs() < 0.13, most))
        },
        |_| (-20.0, true, 83.5);
    quantile_of_nothing: json_row(records()), |bag| bag.filter(|_| false).map(|r| n(&r)).quantile(0.5), |_| None;
    fold_of_sketches_is_the_same_bit_for_bit: json_row(records()),
        |bag| bag.map(|r| n(&r)).fold(sketches()).map(|answer| format!("{answer:?}")),
        |v| format!("{:?}", agg::apply(&sketches(), v.iter().map(n)));
    fold_of_values_and_texts: json_row(records()),
        |bag| bag.map(|r| n(&r)).fold(values()), |v| agg::apply(&values(), v.iter().map(n));
    sample: json_row(records()),
        |bag| bag.map(|r| n(&r)).sample(11, 5), |v| agg::apply(&agg::sample(11, 5), v.iter().map(n));
    sample_of_more_than_there_are: text_row(words()), |bag| bag.sample(71, 0), |v| v;
    sample_behind_other_verbs: json_row(records()),
        |bag| bag.flat_map(|r| tags(&r)).filter(|tag| tag != "null").sample(20, u64::MAX),
        |v| agg::apply(&agg::sample(20, u64::MAX), v.iter().flat_map(tags).filter(|tag| tag != "null"));
    sample_behind_a_wide_verb: json_row(records()),
        |bag| bag.count_by(|r| n(r) % 31).sample(7, 1),
        |v| agg::apply(&agg::sample(7, 1), (0..31).map(|k| (k, v.iter().filter(|r| n(r) % 31 == k).count() as u64)));
    random_sample: json_row(records()),
        |bag| bag.random_sample(0.4, 7)?.map(|r| n(&r)).collect(),
        // From memory, in one partition.
        |v| Bag::from_iter(v.iter().map(n).collect::<Vec<_>>()).random_sample(0.4, 7).unwrap().collect().unwrap();
    random_sample_behind_a_wide_verb: json_row(records()),
        |bag| bag.flat_map(|r| tags(&r)).frequencies().random_sample(0.5, 3)?.map(|pair| pair.0).collect(),
        |v| Bag::from_iter(v.iter().flat_map(tags).collect::<Vec<_>>()).distinct().random_sample(0.5, 3).unwrap().collect().unwrap();
    random_sample_of_random_sample_with_the_same_seed_draws_anew: json_row(records()),
        |bag| bag.random_sample(0.5, 7)?.random_sample(0.5, 7)?.map(|r| n(&r)).collect(),
        |v| {
            let half = |v: Vec<i64>| Bag::from_iter(v).random_sample(0.5, 7).unwrap().collect().unwrap();
            half(half(v.iter().map(n).collect()))
        };
    random_sample_before_take: json_row(records()),
        |bag| bag.random_sample(0.5, 9)?.take(8).map(|r| n(&r)).collect(),
        |v| { let mut v = Bag::from_iter(v.iter().map(n).collect::<Vec<_>>()).random_sample(0.5, 9).unwrap().collect().unwrap(); v.truncate(8); v };
    random_sample_of_all: text_row(words()), |bag| bag.random_sample(1.0, 7)?.collect(), |v| v;
    random_sample_of_none: text_row(words()), |bag| bag.random_sample(0.0, 7)?.collect(), |_| vec![];
    take_some: json_row(records()),
        |bag| bag.take(23).map(|r| n(&r)).collect(), |v| v.iter().take(23).map(n).collect();
    skip: json_row(records()), |bag| bag.skip(23).take(9).map(|r| n(&r)).collect(),
        |v| v.iter().skip(23).take(9).map(n).collect();
    skip_last: json_row(records()), |bag| bag.skip_last(23).map(|r| n(&r)).collect(),
        |v| v.iter().take(v.len() - 23).map(n).collect();
    skip_last_of_fewer: text_row(words()), |bag| bag.skip_last(100_000).collect(), |_| vec![];
    enumerate: json_row(records()), |bag| bag.filter(|r| n(r) % 2 == 1).enumerate().map(|(at, r)| (at, n(&r))).collect(),
        |v| (0..).zip(v.iter().map(n).filter(|n| n % 2 == 1)).collect();
    take_none: json_row(records()), |bag| bag.take(0).map(|r| n(&r)).collect(), |_| vec![];
    take_all_and_more: text_row(words()), |bag| bag.take(1000).collect(), |v| v;
    take_after_and_before_narrow_verbs: json_row(records()),
        |bag| bag.filter(|r| n(r) % 2 == 1).take(20).flat_map(|r| tags(&r)).take(13).count(),
        |_| 13;
    take_of_take_keeps_the_smaller: json_row(records()),
        |bag| bag.take(40).take(9).map(|r| n(&r)).collect(), |v| v.iter().take(9).map(n).collect();
    iter_gives_records_in_order: json_row(records()),
        |bag| bag.map(|r| n(&r)).iter()?.collect(), |v: Vec<Json>| v.iter().map(n).collect::<Vec<i64>>();
    for_each_sees_records_in_order: text_row(words()),
        |bag| { let mut seen = Vec::new(); bag.for_each(|line| seen.push(line))?; Ok(seen) }, |v| v;
    inspect_sees_every_record_once: json_row(records()),
        |bag| {
            let seen = Arc::new(AtomicI64::new(0));
            let sum = seen.clone();
            let passed = bag.inspect(move |r| _ = sum.fetch_add(n(r) + 1, Ordering::Relaxed)).count()?;
            Ok((passed, seen.load(Ordering::Relaxed)))
        },
        |v| (v.len() as u64, v.iter().map(|r| n(r) + 1).sum());
    write_jsonl_to_writes_lines_as_they_were: json_row(records()),
        |bag| { let mut text = Vec::new(); let records = bag.write_jsonl_to(&mut text)?; Ok((records, String::from_utf8(text).unwrap())) },
        |v| (v.len() as u64, raws(v).join("\n") + "\n");
    write_with_to_writes_any_number_of_lines: json_row(records()),
        |bag| {
            let mut text = Vec::new();
            let one = |record: Json, out: &mut kitbag::Output<'_>| {
                tags(&record).iter().for_each(|tag| out.text().extend_from_slice(format!("{tag}\n").as_bytes()));
                Ok::<(), kitbag::Error>(())
            };
            let records = bag.write_with_to(&mut text, one)?;
            Ok((records, String::from_utf8(text).unwrap()))
        },
        |v| (v.len() as u64, v.iter().flat_map(tags).map(|tag| tag + "\n").collect::<String>());
    with_paths_gives_each_record_its_shard: json_row(records()),
        |bag| bag.with_paths().map(|(path, record)| (!path.is_empty(), n(&record))).collect(),
        |v| v.iter().map(|record| (true, n(record))).collect();
}

#[test]
fn what_is_no_probability_is_refused_at_once() {
    for p in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
        let refused = Bag::range(0..9).random_sample(p, 0).map(drop).unwrap_err();
        assert_eq!((refused.kind(), refused.stage()), (ErrorKind::Usage, None), "{refused}");
        assert_eq!(Bag::range(0..9).quantile(p).unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(Bag::range(0..9).quantiles([0.5, p]).unwrap_err().kind(), ErrorKind::Usage);
    }
}

#[test]
fn random_sample_keeps_its_share_of_each_part_and_a_larger_share_holds_a_smaller_one() {
    let kept = |p, seed| Bag::range(0..100_000).random_sample(p, seed).unwrap().collect().unwrap();
    let (tenth, half) = (kept(0.1, 1), kept(0.5, 1));
    let set: HashSet<_> = half.iter().collect();
    assert!(tenth.iter().all(|n| set.contains(n)), "what a tenth holds, half holds");
    for part in 0..10 {
        let inside = tenth.iter().filter(|n| **n / 10_000 == part).count();
        // 1000 are expected, with a deviation of 30.
        assert!(inside.abs_diff(1000) < 150, "{inside} of 10,000 in part {part}");
    }
    // Another seed draws independently: it shares a tenth of the tenth.
    let other: HashSet<_> = kept(0.1, 2).into_iter().collect();
    let shared = tenth.iter().filter(|n| other.contains(n)).count();
    assert!(shared.abs_diff(1000) < 150, "{shared}");
}

/// A grouping by hand, until the verbs of that name are there: pairs, folded into a map.
#[test]
fn fold_into_a_map_counts_every_key() {
    let model = records().iter().map(|r| r.len() % 7).fold(HashMap::new(), |mut map, key| {
        *map.entry(key).or_insert(0_u64) += 1;
        map
    });
    let fold = || {
        fold_with(
            HashMap::new,
            |map: &mut HashMap<usize, u64>, key: &usize| *map.entry(*key).or_insert(0) += 1,
            |into, from| from.into_iter().for_each(|(key, n)| *into.entry(key).or_insert(0) += n),
        )
    };
    check(&records(), Kind::Json, &grid(), &model, |input, config| {
        Bag::<Json>::read_json(input).map(|r| r.raw().len() % 7).with(config).fold(fold())
    });
}

#[derive(serde::Deserialize, serde::Serialize, Debug, PartialEq)]
struct Record {
    n: i64,
    tags: Vec<serde_json::Value>,
    #[serde(default)]
    text: Option<String>,
}

#[test]
fn read_json_into_a_type_is_what_serde_json_reads() {
    let model: Vec<Record> = records().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    check(&records(), Kind::Json, &grid(), &model, |input, config| {
        Bag::<Record>::read_json(input).with(config).collect()
    });
}

#[test]
fn scan_verbs_are_those_of_a_bag_over_borrowed_records() {
    let numbers: Vec<i64> = (0..70).collect();
    let odd: Vec<i64> = numbers.iter().copied().filter(|n| n % 2 == 1).collect();
    let model = (numbers, odd.clone(), odd.len() as u64, records());
    check(&records(), Kind::Json, &grid(), &model, |input, config| {
        let scan = || Scan::new(input.clone()).with(config.clone());
        let number = |record: kitbag::JsonRef<'_>| record.get("n").and_then(|n| n.as_i64());
        Ok((
            scan().map(move |record| number(record).unwrap()).collect()?,
            scan().filter_map(move |record| number(record).filter(|n| n % 2 == 1)).collect()?,
            scan().filter(move |record| number(record).is_some_and(|n| n % 2 == 1)).count()?,
            raws(scan().records().collect()?),
        ))
    });
}

#[test]
fn bags_from_memory_are_what_they_were_made_from() {
    let model: Vec<i64> = (0..5000).map(|n| n * 3).collect();
    for setting in grid() {
        let label = format!("from memory, {setting}");
        common::watched(&label, || {
            let config = setting.config();
            let partitions = model.chunks(777).map(<[i64]>::to_vec).chain([vec![]]).collect::<Vec<_>>();
            assert_eq!(Bag::from_iter(model.clone()).with(config.clone()).collect().unwrap(), model, "{label}");
            assert_eq!(Bag::from_partitions(partitions).with(config.clone()).collect().unwrap(), model, "{label}");
            assert_eq!(Bag::range(0..5000).map(|n| n * 3).with(config.clone()).collect().unwrap(), model, "{label}");
            assert_eq!(Bag::range(7..7).with(config.clone()).count().unwrap(), 0, "{label}");
            assert_eq!(Bag::<u8>::from_partitions(Vec::<Vec<u8>>::new()).with(config).count().unwrap(), 0, "{label}");
        });
    }
}
