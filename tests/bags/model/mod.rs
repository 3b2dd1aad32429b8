//! Plans as values, and what a `Vec` says that they give. Keys are compared here by a text of their own that tells values
//! apart, not by the library's `Eq`.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may panic, and its numbers are small"
)]

use std::collections::{HashMap, HashSet};

use kitbag::Json;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::common::Dice;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rec {
    pub k: Json,
    pub n: i64,
    pub pad: String,
}

/// Records by a seed: `keys` keys, of which the first has `skew` of 8 parts of the records, with texts of up to `pad` bytes.
#[derive(Clone, Debug)]
pub struct Source {
    pub seed: u64,
    pub count: usize,
    pub keys: usize,
    pub skew: usize,
    pub pad: usize,
    pub shards: usize,
    /// Whether they are read from files.
    pub text: bool,
}

/// Spellings of a key. Those in one row are equal.
fn spelt(number: usize, dice: &mut Dice) -> String {
    let no = number / 6;
    let any = |dice: &mut Dice, ways: &[String]| ways[dice.below(ways.len())].clone();
    match number % 6 {
        0 | 1 => any(dice, &[format!("{no}"), format!("{no}.0"), format!("{no}e0"), format!("{no}.00E0")]),
        2 => any(dice, &[format!("\"s{no}\""), format!("\"\\u0073{no}\"")]),
        3 => any(dice, &[format!("[{no},null]"), format!("[{no}.00,null]")]),
        4 => any(dice, &[format!("{{\"a\":{no}}}"), format!("{{\"a\":{no}e0}}")]),
        _ => ["null", "true", "\"\"", "-1", "{}", "1e400"][no % 6].to_owned(),
    }
}

impl Source {
    /// The records, by shards, of which some are empty.
    pub fn records(&self) -> Vec<Vec<Rec>> {
        let mut dice = Dice::new(self.seed);
        let mut shards = vec![Vec::new(); self.shards];
        let mut at = 0;
        for n in 0..self.count {
            while at + 1 < self.shards && dice.below(self.count) < self.shards {
                at += 1;
            }
            let number = if dice.below(8) < self.skew { 0 } else { dice.below(self.keys) };
            let k = Json::parse(&spelt(number, &mut dice)).unwrap();
            let pad = char::from(b'a' + (n % 26) as u8).to_string().repeat(dice.below(self.pad + 1));
            if let Some(shard) = shards.get_mut(at) {
                shard.push(Rec { k, n: n as i64, pad });
            }
        }
        shards
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
}

const KINDS: [Kind; 6] = [Kind::Inner, Kind::Left, Kind::Right, Kind::Full, Kind::Semi, Kind::Anti];

#[derive(Clone, Debug)]
pub struct Join {
    pub kind: Kind,
    pub by: i64,
    pub right: Plan,
}

/// A verb; most have a number by which keys, or records, are told apart.
#[derive(Clone, Debug)]
pub enum Verb {
    Map(i64),
    Filter(i64),
    FlatMap(i64),
    TryFilter(i64),
    Fail(i64),
    Take(usize),
    MapPartitions,
    GroupBy(i64),
    FoldBy(i64),
    FoldByMerged(i64),
    FoldByInOrder(i64),
    CountBy(i64),
    Frequencies(i64),
    Distinct(i64),
    DistinctBy(i64),
    DistinctLastBy(i64),
    SortByKey(i64),
    SortByJson,
    SortBy,
    Join(Box<Join>),
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub source: Source,
    pub verbs: Vec<Verb>,
}

fn source() -> impl Strategy<Value = Source> {
    let count = prop_oneof![1 => 0..10_usize, 2 => 10..300_usize, 2 => 300..1600_usize];
    let pad = prop_oneof![2 => Just(9_usize), 1 => Just(900), 3 => Just(9_000), 5 => Just(12_000), 1 => Just(60_000)];
    let keys = prop_oneof![1_usize..8, 8_usize..200];
    (any::<u64>(), count, keys, prop_oneof![0..8_usize, 5..8_usize], pad, 1..6_usize, any::<bool>()).prop_map(
        |(seed, count, keys, skew, pad, shards, text)| {
            let count = count.min(2 * MOST_BYTES / pad);
            Source { seed, count, keys, skew, pad, shards, text }
        },
    )
}

fn verb(fails: bool, joins: bool) -> impl Strategy<Value = Verb> {
    let by = prop_oneof![3 => Just(1_i64), 2 => 2..7_i64, 1 => Just(1 << 40)];
    let narrow = prop_oneof![
        (1..7_i64).prop_map(Verb::Map),
        (2..7_i64).prop_map(Verb::Filter),
        (1..4_i64).prop_map(Verb::FlatMap),
        (2..7_i64).prop_map(Verb::TryFilter),
        (0..300_usize).prop_map(Verb::Take),
        Just(Verb::MapPartitions),
    ];
    let keyed = prop_oneof![
        by.clone().prop_map(Verb::GroupBy),
        by.clone().prop_map(Verb::FoldBy),
        by.clone().prop_map(Verb::FoldByMerged),
        by.clone().prop_map(Verb::FoldByInOrder),
        by.clone().prop_map(Verb::CountBy),
        (2..9_i64).prop_map(Verb::Frequencies),
        (2..9_i64).prop_map(Verb::Distinct),
        by.clone().prop_map(Verb::DistinctBy),
        by.clone().prop_map(Verb::DistinctLastBy),
    ];
    let sorted = prop_oneof![(2..50_i64).prop_map(Verb::SortByKey), Just(Verb::SortByJson), Just(Verb::SortBy)];
    let mut all = vec![(4, narrow.boxed()), (4, keyed.boxed()), (2, sorted.boxed())];
    if fails {
        all.push((3, (0..89_i64).prop_map(Verb::Fail).boxed()));
    }
    if joins {
        let right = (source(), prop::collection::vec(verb(fails, false).boxed(), 0..3));
        let right = right.prop_map(|(source, verbs)| Plan { source, verbs });
        let join = (prop::sample::select(&KINDS[..]), by, right);
        let join = join.prop_map(|(kind, by, right)| Verb::Join(Box::new(Join { kind, by, right })));
        all.push((4, join.boxed()));
    }
    prop::strategy::Union::new_weighted(all)
}

pub fn plan(fails: bool) -> impl Strategy<Value = Plan> {
    (source(), prop::collection::vec(verb(fails, true), 1..7)).prop_map(|(source, verbs)| Plan { source, verbs })
}

/// More records, or bytes of them, are cut off by a `take`.
const MOST: usize = 1600;
const MOST_BYTES: usize = 8 << 20;
/// More wide verbs than these are left out.
const MOST_WIDE: usize = 10;

/// Records by partitions; none after a verb that leaves them open.
type Parts = (Vec<Vec<Rec>>, bool);

impl Plan {
    /// The same plan without what would be too much for a test, or is not defined: partitions of partitions.
    pub fn bounded(&self) -> Plan {
        let mut plan = Plan { source: self.source.clone(), verbs: Vec::new() };
        let mut parts = (self.source.records(), true);
        let mut wide = 0;
        for verb in &self.verbs {
            let mut verb = verb.clone();
            if let Verb::Join(join) = &mut verb {
                join.right = join.right.bounded();
                let pairs = pairs(&parts.0.concat(), join);
                if pairs > MOST {
                    join.kind = if pairs.is_multiple_of(2) { Kind::Semi } else { Kind::Anti };
                }
            }
            wide += verb.wide();
            if wide > MOST_WIDE || matches!(verb, Verb::MapPartitions) && !parts.1 {
                wide -= verb.wide();
                continue;
            }
            parts = verb.model(parts);
            plan.verbs.push(verb);
            let mut bytes = 0;
            let fits = |rec: &&Rec| {
                bytes += rec.pad.len();
                bytes < MOST_BYTES
            };
            let most = parts.0.iter().flatten().take_while(fits).count().min(MOST);
            if parts.0.iter().map(Vec::len).sum::<usize>() > most {
                plan.verbs.push(Verb::Take(most));
                parts = Verb::Take(most).model(parts);
            }
        }
        plan
    }

    /// The longest text that a source of it may have.
    pub fn longest(&self) -> usize {
        let right = |verb: &Verb| if let Verb::Join(join) = verb { join.right.longest() } else { 0 };
        self.verbs.iter().map(right).max().unwrap_or(0).max(self.source.pad)
    }

    /// Its wide verbs.
    pub fn wide(&self) -> usize {
        self.verbs.iter().map(Verb::wide).sum()
    }

    pub fn model(&self) -> Vec<Rec> {
        self.verbs.iter().fold((self.source.records(), true), |parts, verb| verb.model(parts)).0.concat()
    }
}

fn pairs(left: &[Rec], join: &Join) -> usize {
    let mut rights = HashMap::<_, usize>::new();
    join.right.model().iter().for_each(|rec| *rights.entry(key(rec, join.by)).or_default() += 1);
    left.iter().filter_map(|rec| rights.get(&key(rec, join.by))).sum()
}

/// A text that is the same for equal values.
fn canon(k: &Json) -> String {
    fn number(text: &str) -> String {
        // Beyond doubles there is one number, which is spelt in one way.
        text.parse::<f64>().map_or_else(|_| text.to_owned(), |n| n.to_string())
    }
    fn write(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Number(n) => number(&n.to_string()),
            serde_json::Value::Array(all) => all.iter().map(|item| write(item) + ",").collect(),
            serde_json::Value::Object(all) => all.iter().map(|(k, v)| format!("{{{k:?}{}}}", write(v))).collect(),
            other => other.to_string(),
        }
    }
    serde_json::from_str(k.raw())
        .map_or_else(|_| k.raw().to_owned(), |value| format!("{}{}", kind(&value), write(&value)))
}

fn kind(value: &serde_json::Value) -> u8 {
    match value {
        serde_json::Value::Null => 0,
        serde_json::Value::Bool(_) => 1,
        serde_json::Value::Number(_) => 2,
        serde_json::Value::String(_) => 3,
        serde_json::Value::Array(_) => 4,
        serde_json::Value::Object(_) => 5,
    }
}

fn key(rec: &Rec, m: i64) -> (String, i64) {
    (canon(&rec.k), rec.n.rem_euclid(m))
}

/// Groups in order of their first records, each with its first record's key.
fn grouped(records: Vec<Rec>, m: i64) -> Vec<((Json, i64), Vec<Rec>)> {
    let (mut places, mut groups) = (HashMap::new(), Vec::<((Json, i64), Vec<Rec>)>::new());
    for rec in records {
        let place = *places.entry(key(&rec, m)).or_insert_with(|| {
            groups.push(((rec.k.clone(), rec.n.rem_euclid(m)), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(rec);
    }
    groups
}

pub fn mapped(rec: Rec, m: i64) -> Rec {
    Rec { n: rec.n.wrapping_mul(m).wrapping_add(1), ..rec }
}

pub fn copies(rec: Rec, m: i64) -> Vec<Rec> {
    (0..rec.n.rem_euclid(m)).map(|no| Rec { n: rec.n.wrapping_add(no * 7), ..rec.clone() }).collect()
}

fn hashed(numbers: impl IntoIterator<Item = i64>) -> i64 {
    numbers.into_iter().fold(7, |all: i64, n| all.wrapping_mul(31).wrapping_add(n))
}

/// One record of a partition.
pub fn summary(records: Vec<Rec>) -> Vec<Rec> {
    let n = hashed(records.iter().map(|rec| rec.n));
    vec![Rec {
        k: Json::from(records.len() as u64),
        n,
        pad: records.last().map_or_else(String::new, |rec| rec.pad.clone()),
    }]
}

/// One record of a group, to whose order it is sensitive.
pub fn of_group(k: Json, n: i64, group: &[Rec]) -> Rec {
    let n = hashed(group.iter().map(|rec| rec.n).chain([n]));
    Rec { k, n, pad: group.last().map_or_else(String::new, |rec| rec.pad.clone()) }
}

pub fn of_fold(k: Json, n: i64, count: u64, all: &[i64], pad: String) -> Rec {
    Rec { k, n: hashed(all.iter().copied().chain([n])).wrapping_add_unsigned(count), pad }
}

pub fn counted(k: Json, n: i64, count: u64) -> Rec {
    Rec { k, n: n.wrapping_add_unsigned(count * 1009), pad: String::new() }
}

/// A record of which there are few.
pub fn coarse(rec: Rec, m: i64) -> Rec {
    let n = rec.n.rem_euclid(m);
    Rec { n, pad: "c".repeat(n as usize * 1500), ..rec }
}

/// One record of a pair; its text is that of one of them.
pub fn pair(left: Option<Rec>, right: Option<Rec>) -> Rec {
    let n = hashed([left.as_ref().map_or(-5, |rec| rec.n), right.as_ref().map_or(-9, |rec| rec.n)]);
    match (left, right) {
        (Some(left), Some(right)) => Rec { k: right.k, n, pad: if n % 2 == 0 { left.pad } else { right.pad } },
        (Some(one), None) | (None, Some(one)) => Rec { n, ..one },
        (None, None) => unreachable!("a pair of nothing"),
    }
}

impl Verb {
    pub fn wide(&self) -> usize {
        match self {
            Verb::Map(_) | Verb::Filter(_) | Verb::FlatMap(_) | Verb::TryFilter(_) | Verb::Fail(_) => 0,
            Verb::Take(_) | Verb::MapPartitions => 0,
            Verb::Join(join) => 1 + join.right.wide(),
            _ => 1,
        }
    }

    fn model(&self, (parts, known): Parts) -> Parts {
        let each = |f: &dyn Fn(Vec<Rec>) -> Vec<Rec>| parts.iter().cloned().map(f).collect::<Vec<_>>();
        match *self {
            Verb::Map(m) => (each(&|all| all.into_iter().map(|rec| mapped(rec, m)).collect()), known),
            Verb::Filter(m) => (each(&|all| all.into_iter().filter(|rec| rec.n.rem_euclid(m) != 0).collect()), known),
            Verb::FlatMap(m) => (each(&|all| all.into_iter().flat_map(|rec| copies(rec, m)).collect()), known),
            Verb::TryFilter(m) => {
                (each(&|all| all.into_iter().filter(|rec| rec.n.rem_euclid(m) != 1).collect()), known)
            }
            Verb::Fail(_) => (parts, known),
            Verb::MapPartitions => (each(&summary), false),
            _ => (vec![self.wide_model(parts.concat())], true),
        }
    }

    fn wide_model(&self, mut all: Vec<Rec>) -> Vec<Rec> {
        match *self {
            Verb::Take(n) => all.truncate(n),
            Verb::GroupBy(m) | Verb::FoldByInOrder(m) => {
                return grouped(all, m).into_iter().map(|((k, n), group)| of_group(k, n, &group)).collect();
            }
            Verb::FoldBy(m) => {
                let of = |((k, n), group): ((Json, i64), Vec<Rec>)| {
                    let numbers: Vec<i64> = group.iter().map(|rec| rec.n).collect();
                    of_fold(k, n, group.len() as u64, &numbers, group[0].pad.clone())
                };
                return grouped(all, m).into_iter().map(of).collect();
            }
            Verb::FoldByMerged(m) => {
                let of = |((k, n), group): ((Json, i64), Vec<Rec>)| Rec {
                    k,
                    n: group.iter().fold(0, |all, rec| all ^ rec.n).wrapping_add(n),
                    pad: String::new(),
                };
                return grouped(all, m).into_iter().map(of).collect();
            }
            Verb::CountBy(m) => {
                let counts = grouped(all, m).into_iter();
                return counts.map(|((k, n), group)| counted(k, n, group.len() as u64)).collect();
            }
            Verb::Frequencies(m) => {
                let coarse: Vec<Rec> = all.into_iter().map(|rec| coarse(rec, m)).collect();
                let times = |group: &[Rec]| group.len() as u64 * 1009;
                let of = |(_, group): (_, Vec<Rec>)| Rec {
                    n: group[0].n.wrapping_add_unsigned(times(&group)),
                    ..group[0].clone()
                };
                return grouped(coarse, 1 << 40).into_iter().map(of).collect();
            }
            Verb::Distinct(m) => {
                let coarse: Vec<Rec> = all.into_iter().map(|rec| coarse(rec, m)).collect();
                return grouped(coarse, 1 << 40).into_iter().map(|(_, group)| group[0].clone()).collect();
            }
            Verb::DistinctBy(m) => {
                let mut seen = HashSet::new();
                all.retain(|rec| seen.insert(key(rec, m)));
            }
            Verb::DistinctLastBy(m) => {
                let mut seen = HashSet::new();
                all.reverse();
                all.retain(|rec| seen.insert(key(rec, m)));
                all.reverse();
            }
            Verb::SortByKey(m) => all.sort_by_key(|rec| rec.n.rem_euclid(m)),
            Verb::SortByJson => all.sort_by(|a, b| a.k.cmp(&b.k)),
            Verb::SortBy => all.sort_by_key(|rec| std::cmp::Reverse(rec.pad.len())),
            Verb::Join(ref join) => return joined(all, join),
            _ => unreachable!("a narrow verb"),
        }
        all
    }
}

fn joined(left: Vec<Rec>, Join { kind, by, right }: &Join) -> Vec<Rec> {
    let right = right.model();
    let mut rights = HashMap::<_, Vec<&Rec>>::new();
    right.iter().for_each(|rec| rights.entry(key(rec, *by)).or_default().push(rec));
    let lefts: HashSet<_> = left.iter().map(|rec| key(rec, *by)).collect();
    let mut answer = Vec::new();
    for rec in left {
        let partners = rights.get(&key(&rec, *by)).map_or(&[][..], |partners| partners);
        match kind {
            Kind::Semi | Kind::Anti if partners.is_empty() == (*kind == Kind::Anti) => answer.push(rec),
            Kind::Semi | Kind::Anti => (),
            Kind::Left | Kind::Full if partners.is_empty() => answer.push(pair(Some(rec), None)),
            _ => answer.extend(partners.iter().map(|&partner| pair(Some(rec.clone()), Some(partner.clone())))),
        }
    }
    if matches!(kind, Kind::Right | Kind::Full) {
        let alone = right.iter().filter(|rec| !lefts.contains(&key(rec, *by)));
        answer.extend(alone.map(|rec| pair(None, Some(rec.clone()))));
    }
    answer
}

/// Where two records differ, in few words.
pub fn short(a: &(String, i64, String), b: &(String, i64, String)) -> String {
    let text = |(k, n, pad): &(String, i64, String)| format!("{k} {n} {}{}", &pad[..pad.len().min(1)], pad.len());
    format!("{} for {}", text(a), text(b))
}
