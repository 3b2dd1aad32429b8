//! A plan, its data and its settings, all from bytes: the answer is that of a `Vec`.

use std::collections::BTreeMap;

use crate::agg;
use crate::config::{BadRecords, Config};
use crate::{Bag, Monitor};

use super::{Taken, file, packed};

type Rec = (u64, i64);

pub fn pipeline(data: &[u8]) {
    let mut bits = Taken(data);
    let (threads, block, format, small) = (1 + bits.below(4), 1 + bits.below(500), bits.below(4), bits.byte() % 2 == 0);
    let verbs = bits.some(6).to_vec();
    let mut choices = Taken(bits.some(8));
    let (mut text, mut records, mut bad) = (String::new(), Vec::new(), 0);
    for pair in bits.0.chunks(2).take(1000) {
        let (key, value) = (u64::from(pair[0] % 16), i64::from(*pair.last().unwrap()) - 100);
        match pair[0] {
            250.. => {
                text += ["no\n", "[1]\n", "[1,2\n", "{}\n", "[1,\"x\"]\n", "[-1,1]\n"][usize::from(pair[0] - 250)];
                bad += 1;
            }
            _ => {
                text += &format!("[{key} ,{value}]\n");
                records.push((key, value));
            }
        }
    }
    let bytes = if format == 3 { text.into_bytes() } else { packed(text.as_bytes(), format, &mut choices) };
    let (_dir, path) = file("a", &bytes);
    let monitor = Monitor::new();
    let config = Config::new().threads(threads).block_size(block).max_record(200);
    let config = config.memory(if small { 16 << 20 } else { 64 << 20 }).bad_records(BadRecords::Skip).monitor(&monitor);
    let mut bag = Bag::<Rec>::read_json(&path);
    let (mut expected, mut cut) = (records.clone(), false);
    for verb in verbs {
        cut |= verb % 12 == 3;
        bag = append(bag, verb, &records);
        expected = model(expected, verb, &records);
    }
    let answer = bag.with(config).collect().unwrap();
    assert_eq!(answer, expected);
    if !cut {
        assert_eq!(monitor.report().unwrap().rejected, bad);
    }
}

fn append(bag: Bag<Rec>, verb: u8, records: &[Rec]) -> Bag<Rec> {
    let n = i64::from(verb / 12);
    match verb % 12 {
        0 => bag.map(move |(k, v)| (k, v.wrapping_mul(n).wrapping_add(1))),
        1 => bag.filter(move |(_, v)| v.rem_euclid(n + 2) != 0),
        2 => bag.flat_map(move |(k, v)| (0..v.rem_euclid(3)).map(move |more| (k + 1, v + more))).take(3000),
        3 => bag.take(n as u64 * 7),
        4 => bag.sort_by_key(move |(_, v)| v.rem_euclid(n + 2)),
        5 => bag.distinct(),
        6 => bag.fold_by(|(k, _)| *k, agg::collect_of(|(_, v): &Rec| *v)).map(|(k, all)| (k, hashed(&all))),
        7 => bag.group_by(|(k, _)| *k).try_map(|(k, group)| {
            let all = group.map(|rec| rec.map(|(_, v)| v)).collect::<crate::Result<Vec<_>>>()?;
            Ok::<_, crate::Error>((k, hashed(&all)))
        }),
        8 => bag.count_by(|(_, v)| *v as u64).map(|(k, count)| (k, count as i64)),
        9 => bag.distinct_last_by(|(k, _)| *k),
        10 => {
            let right: Vec<Rec> = records.iter().copied().take(9).collect();
            bag.semi_join(Bag::from_iter(right), |(k, _)| *k, |(k, _)| *k)
        }
        _ => {
            let right: Vec<Rec> = records.iter().copied().take(3).collect();
            let joined = bag.left_join(Bag::from_iter(right), |(k, _)| *k, |(k, _)| *k);
            joined.map(|((k, v), right)| (k, v ^ right.map_or(5, |(_, v)| v)))
        }
    }
}

fn hashed(all: &[i64]) -> i64 {
    all.iter().fold(7, |all: i64, v| all.wrapping_mul(31).wrapping_add(*v))
}

/// Groups in order of their first records.
fn grouped(all: &[Rec], key: impl Fn(&Rec) -> u64) -> Vec<(u64, Vec<i64>)> {
    let (mut places, mut groups) = (BTreeMap::new(), Vec::<(u64, Vec<i64>)>::new());
    for rec in all {
        let place = *places.entry(key(rec)).or_insert_with(|| {
            groups.push((key(rec), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(rec.1);
    }
    groups
}

fn model(mut all: Vec<Rec>, verb: u8, records: &[Rec]) -> Vec<Rec> {
    let n = i64::from(verb / 12);
    match verb % 12 {
        0 => all.iter_mut().for_each(|(_, v)| *v = v.wrapping_mul(n).wrapping_add(1)),
        1 => all.retain(|(_, v)| v.rem_euclid(n + 2) != 0),
        2 => {
            let more = all.iter().flat_map(|&(k, v)| (0..v.rem_euclid(3)).map(move |more| (k + 1, v + more)));
            all = more.take(3000).collect();
        }
        3 => all.truncate(n as usize * 7),
        4 => all.sort_by_key(|(_, v)| v.rem_euclid(n + 2)),
        5 => {
            let mut seen = std::collections::HashSet::new();
            all.retain(|rec| seen.insert(*rec));
        }
        6 | 7 => return grouped(&all, |(k, _)| *k).iter().map(|(k, values)| (*k, hashed(values))).collect(),
        8 => return grouped(&all, |(_, v)| *v as u64).iter().map(|(k, values)| (*k, values.len() as i64)).collect(),
        9 => {
            let mut seen = std::collections::HashSet::new();
            all.reverse();
            all.retain(|(k, _)| seen.insert(*k));
            all.reverse();
        }
        10 => all.retain(|(k, _)| records.iter().take(9).any(|(key, _)| key == k)),
        _ => {
            let partners = |k: u64| records.iter().take(3).filter(move |(key, _)| *key == k).collect::<Vec<_>>();
            let of = |(k, v): (u64, i64)| match partners(k) {
                none if none.is_empty() => vec![(k, v ^ 5)],
                some => some.into_iter().map(|(_, other)| (k, v ^ other)).collect(),
            };
            all = all.into_iter().flat_map(of).collect();
        }
    }
    all
}
