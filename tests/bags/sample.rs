//! Real records of others: counts, groupings and flattenings are what an independent tool (Python's json) gives.

#![allow(clippy::print_stderr, reason = "a test speaks, and its numbers are small")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and run tools")]

use super::common;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{corners, sample, watched};
use kitbag::agg::{self, fold_with};
use kitbag::{Bag, Config, Json, JsonRef, Result, Scan};
use serde_json::{Value, json};

/// Lines of each file, from the table that came with them.
const LINES: [(&str, u64); 19] = [
    ("weblogs/part-000.jsonl.gz", 2000),
    ("weblogs/part-001.jsonl.gz", 2000),
    ("weblogs/part-002.jsonl.gz", 2000),
    ("weblogs/part-003.jsonl.gz", 2000),
    ("orders/orders-0.jsonl.zst", 1000),
    ("orders/orders-1.jsonl.zst", 1000),
    ("tate/artists.jsonl.gz", 3538),
    ("tate/artworks-ar.jsonl.zst", 1177),
    ("tate/artworks-a.jsonl.gz", 800),
    ("cve/cve-2020.jsonl.gz", 300),
    ("poems/tang.jsonl.zst", 4000),
    ("poems/authors-tang.jsonl.gz", 3675),
    ("zeek/apt29-day1.jsonl.gz", 2140),
    ("windows/msf_record_mic.jsonl.zst", 600),
    ("windows/log4shell_crlf.jsonl", 39),
    ("packages/cdnjs.jsonl.gz", 2500),
    ("access/apache.jsonl", 1000),
    ("gsm8k/test.jsonl.gz", 1319),
    ("humaneval/HumanEval.jsonl.gz", 164),
];

/// The text of a shard, unpacked without the library.
fn text(path: &Path) -> Vec<u8> {
    let file = std::fs::File::open(path).unwrap();
    let mut text = Vec::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut text).unwrap(),
        Some("zst") => ::zstd::stream::read::Decoder::new(file).unwrap().read_to_end(&mut text).unwrap(),
        _ => std::io::BufReader::new(file).read_to_end(&mut text).unwrap(),
    };
    text
}

/// What Python says: `expression` over `rows`, a list of the records in these files. `None` where there is no Python.
fn python(paths: &[std::path::PathBuf], expression: &str) -> Option<Value> {
    let script = format!(
        "import sys, json\nfrom collections import Counter\n\
         rows = [json.loads(line) for line in sys.stdin.buffer.read().split(b'\\n') if line.strip()]\n\
         print(json.dumps({expression}))"
    );
    let child = Command::new("python3").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no python3 to compare with");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let texts: Vec<u8> = paths.iter().flat_map(|path| text(path)).collect();
    let feeder = std::thread::spawn(move || stdin.write_all(&texts));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success(), "python3 failed on {expression}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The answer of `ask` over the files, for several configurations, is Python's.
fn as_python(names: &[&str], expression: &str, ask: impl Fn(&dyn Fn() -> Scan) -> Result<Value>) {
    let Some(paths) = names.iter().map(|name| sample(name)).collect::<Option<Vec<_>>>() else { return };
    let Some(expected) = python(&paths, expression) else { return };
    for setting in corners().into_iter().filter(|setting| setting.block != Some(1)) {
        // The longest record of these is 160 KiB; a small budget would refuse it.
        let setting = common::Setting { memory: setting.memory.map(|_| 32 << 20), ..setting };
        let label = format!("{names:?}, {setting}");
        let scan = || Scan::new(&paths[..]).with(setting.config());
        assert_eq!(watched(&label, || ask(&scan)).unwrap(), expected, "{label}: not what python says of {expression}");
    }
}

fn string(value: Option<JsonRef<'_>>) -> String {
    value.and_then(|value| value.as_str().map(|text| text.into_owned())).unwrap_or_else(|| "none".into())
}

/// How often each key comes, by hand.
fn counts(bag: Bag<String>) -> Result<Value> {
    let add = |map: &mut BTreeMap<String, u64>, key: &String| *map.entry(key.clone()).or_insert(0) += 1;
    let join = |into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>| {
        from.into_iter().for_each(|(key, n)| *into.entry(key).or_insert(0) += n);
    };
    bag.fold(fold_with(BTreeMap::new, add, join)).map(|map| json!(map))
}

fn list(record: JsonRef<'_>, key: &str) -> Vec<Json> {
    record
        .get(key)
        .into_iter()
        .flat_map(|value| value.elements().map(|item| item.to_json()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_shard_has_as_many_records_as_its_table_says() {
    for (name, lines) in LINES {
        let Some(path) = sample(name) else { return };
        for threads in [1, 2, 8] {
            let config = || Config::new().threads(threads);
            assert_eq!(Bag::read_text(&path).with(config()).count().unwrap(), lines, "{name}");
            assert_eq!(Scan::new(&path).with(config()).count().unwrap(), lines, "{name}");
            assert_eq!(Bag::<Json>::read_json(&path).with(config()).count().unwrap(), lines, "{name}");
        }
    }
}

#[test]
fn every_shard_written_unchanged_is_its_own_text() {
    for (name, _) in LINES {
        let Some(path) = sample(name) else { return };
        let text = String::from_utf8(text(&path)).unwrap().replace("\r\n", "\n");
        let mut written = Vec::new();
        Bag::<Json>::read_json(&path).write_jsonl_to(&mut written).unwrap();
        assert!(written == text.as_bytes() || written == (text + "\n").as_bytes(), "{name}: the text was changed");
    }
}

#[test]
fn access_statuses_and_bytes() {
    as_python(
        &["access/apache.jsonl"],
        "[Counter(str(r['status']) for r in rows), sum(r['bytes'] or 0 for r in rows), rows[-1]['path']]",
        |scan| {
            let by_status = counts(scan().map(|r| r.get("status").unwrap().raw().to_owned()))?;
            let bytes = scan().map(|r| r.get("bytes").and_then(|n| n.as_i64()).unwrap_or(0));
            let last = scan().map(|r| string(r.get("path"))).fold(agg::last())?;
            Ok(json!([by_status, i64::try_from(bytes.sum()?).unwrap(), last]))
        },
    );
}

#[test]
fn orders_flattened_to_products() {
    as_python(
        &["orders/orders-0.jsonl.zst", "orders/orders-1.jsonl.zst"],
        "[Counter(p['manufacturer'] for r in rows for p in r['products']), \
          sum(p['quantity'] for r in rows for p in r['products']), \
          [p['sku'] for r in rows for p in r['products']]]",
        |scan| {
            let products = || scan().map(|r| list(r, "products")).flatten();
            let makers = counts(products().map(|p| string(p.get("manufacturer"))))?;
            let quantity = products().map(|p| p.get("quantity").unwrap().as_i64().unwrap()).sum()?;
            let skus = products().map(|p| string(p.get("sku"))).collect()?;
            Ok(json!([makers, i64::try_from(quantity).unwrap(), skus]))
        },
    );
}

#[test]
fn zeek_streams_and_key_lists() {
    as_python(
        &["zeek/apt29-day1.jsonl.gz"],
        "[Counter(r['@stream'] for r in rows), sorted(set(','.join(r) for r in rows)), max(r['ts'] for r in rows)]",
        |scan| {
            let streams = counts(scan().map(|r| string(r.get("@stream"))))?;
            let keys = scan().map(|r| r.entries().map(|(key, _)| key.to_string()).collect::<Vec<_>>().join(","));
            let keys: BTreeSet<String> = keys.collect()?.into_iter().collect();
            let latest =
                scan().map(|r| r.get("ts").unwrap().as_f64().unwrap()).collect()?.into_iter().fold(0.0, f64::max);
            Ok(json!([streams, keys, latest]))
        },
    );
}

#[test]
fn windows_events_with_integers_past_2_to_the_53() {
    as_python(
        &["windows/msf_record_mic.jsonl.zst", "windows/log4shell_crlf.jsonl"],
        "[str(sum(r.get('Keywords', 0) for r in rows if isinstance(r.get('Keywords', 0), int))), \
          Counter(str(r.get('EventID')) for r in rows), sum(len(r.get('EventData') or '') for r in rows)]",
        |scan| {
            let keywords = scan().filter_map(|r| r.get("Keywords").and_then(|n| n.as_i64())).sum()?;
            let ids = counts(scan().map(|r| {
                r.get("EventID").map_or("None".into(), |id| match id.as_str() {
                    Some(text) => text.into_owned(),
                    None if id.is_null() => "None".into(),
                    None => id.raw().to_owned(),
                })
            }))?;
            let data =
                scan().filter_map(|r| r.get("EventData")?.as_str().map(|text| text.chars().count() as i64)).sum()?;
            Ok(json!([keywords.to_string(), ids, i64::try_from(data).unwrap()]))
        },
    );
}

#[test]
fn tate_contributors_and_years() {
    as_python(
        &["tate/artworks-a.jsonl.gz", "tate/artworks-ar.jsonl.zst"],
        "[Counter(c['role'] for r in rows for c in r['contributors']), \
          min(r['acquisitionYear'] for r in rows if r['acquisitionYear']), [r['title'] for r in rows if 'é' in r['title']]]",
        |scan| {
            let roles = counts(scan().map(|r| list(r, "contributors")).flatten().map(|c| string(c.get("role"))))?;
            let first = scan().filter_map(|r| r.get("acquisitionYear")?.as_i64()).min()?;
            let titles = scan().map(|r| string(r.get("title"))).filter(|title| title.contains('é')).collect()?;
            Ok(json!([roles, first, titles]))
        },
    );
}

#[test]
fn cve_vendors_three_levels_down() {
    as_python(
        &["cve/cve-2020.jsonl.gz"],
        "Counter(a.get('vendor', 'none') for r in rows for a in r['containers'].get('cna', {}).get('affected', []))",
        |scan| {
            let affected = scan()
                .map(|r| r.get("containers").and_then(|c| c.get("cna")).map_or(vec![], |cna| list(cna, "affected")));
            counts(affected.flatten().map(|a| string(a.get("vendor"))))
        },
    );
}

#[test]
fn poems_by_author_in_characters() {
    as_python(
        &["poems/tang.jsonl.zst"],
        "[Counter(r['author'] for r in rows), sum(len(p) for r in rows for p in r['paragraphs'])]",
        |scan| {
            let authors = counts(scan().map(|r| string(r.get("author"))))?;
            let length =
                scan().map(|r| list(r, "paragraphs")).flatten().map(|p| p.as_str().unwrap().chars().count() as i64);
            Ok(json!([authors, i64::try_from(length.sum()?).unwrap()]))
        },
    );
}

#[test]
fn weblogs_over_all_shards_in_order() {
    as_python(
        &[
            "weblogs/part-000.jsonl.gz",
            "weblogs/part-001.jsonl.gz",
            "weblogs/part-002.jsonl.gz",
            "weblogs/part-003.jsonl.gz",
        ],
        "[Counter(r['machine']['os'] for r in rows), sum(r['bytes'] for r in rows), [r['clientip'] for r in rows]]",
        |scan| {
            let systems = counts(scan().map(|r| string(r.get("machine").and_then(|m| m.get("os")))))?;
            let bytes = scan().map(|r| r.get("bytes").and_then(|n| n.as_i64()).unwrap()).sum()?;
            Ok(json!([systems, i64::try_from(bytes).unwrap(), scan().map(|r| string(r.get("clientip"))).collect()?]))
        },
    );
}

#[test]
fn artworks_by_year_and_one_of_each_artist() {
    as_python(
        &["tate/artworks-a.jsonl.gz", "tate/artworks-ar.jsonl.zst"],
        "(lambda by_year, first, last: [by_year, first, last, len({json.dumps(r['contributors']) for r in rows})])( \
          [r['acno'] for r in sorted(rows, key=lambda r: (-(r['acquisitionYear'] or 0), r['title']))], \
          [r['acno'] for n, r in enumerate(rows) if all(r['all_artists'] != s['all_artists'] for s in rows[:n])], \
          [r['acno'] for n, r in enumerate(rows) if all(r['all_artists'] != s['all_artists'] for s in rows[n + 1:])])",
        |scan| {
            let year = |record: &Json| record.get("acquisitionYear").and_then(|year| year.as_i64()).unwrap_or(0);
            let title = |record: &Json, key| string(record.get(key));
            let acno = |record: Json| string(record.get("acno"));
            let by_year = scan().records().sort_by_key(move |record| (Reverse(year(record)), title(record, "title")));
            let artists = move |record: &Json| title(record, "all_artists");
            let contributors = scan().map(|record| record.get("contributors").unwrap().to_json()).distinct();
            Ok(json!([
                by_year.map(acno).collect()?,
                scan().records().distinct_by(artists).map(acno).collect()?,
                scan().records().distinct_last_by(artists).map(acno).collect()?,
                contributors.count()?
            ]))
        },
    );
}

#[test]
fn visits_by_system_and_bytes() {
    as_python(
        &[
            "weblogs/part-000.jsonl.gz",
            "weblogs/part-001.jsonl.gz",
            "weblogs/part-002.jsonl.gz",
            "weblogs/part-003.jsonl.gz",
        ],
        "[[r['clientip'], r['bytes']] for r in sorted(rows, key=lambda r: (r['machine']['os'], r['bytes']))]",
        |scan| {
            let key = |r: &Json| {
                (string(r.get("machine").and_then(|m| m.get("os"))), r.get("bytes").and_then(|n| n.as_i64()).unwrap())
            };
            let sorted = scan().records().sort_by_key(key);
            let pair = |r: Json| (string(r.get("clientip")), r.get("bytes").and_then(|n| n.as_i64()));
            Ok(json!(sorted.map(pair).collect()?))
        },
    );
}

#[test]
fn poems_joined_with_their_authors() {
    // Authors and poems are told apart by their members. Names come more than once on both sides.
    as_python(
        &["poems/tang.jsonl.zst", "poems/authors-tang.jsonl.gz"],
        "(lambda poems, authors: (lambda of: [ \
          [[p['id'], a['id']] for p in poems for a in of.get(p['author'], [])], \
          [[p['id'], a and a['id']] for p in poems for a in of.get(p['author'], [None])], \
          [p['id'] for p in poems if p['author'] in of], [p['id'] for p in poems if p['author'] not in of], \
          [a['id'] for a in authors if a['name'] not in {p['author'] for p in poems}]])( \
          {n: [a for a in authors if a['name'] == n] for n in {a['name'] for a in authors}}))( \
          [r for r in rows if 'paragraphs' in r], [r for r in rows if 'name' in r])",
        |scan| {
            let poems = || scan().records().filter(|record| record.get("paragraphs").is_some());
            let authors = || scan().records().filter(|record| record.get("name").is_some());
            let by = |poem: &Json| string(poem.get("author"));
            let name = |author: &Json| string(author.get("name"));
            let id = |record: &Json| string(record.get("id"));
            let left = poems().left_join(authors(), by, name).map(move |(p, a)| (id(&p), a.map(|a| id(&a))));
            let full = poems().full_join(authors(), by, name).filter(|pair| pair.0.is_none());
            Ok(json!([
                poems().join(authors(), by, name).map(move |(p, a)| (id(&p), id(&a))).collect()?,
                left.collect()?,
                poems().semi_join(authors(), by, name).map(move |p| id(&p)).collect()?,
                poems().anti_join(authors(), by, name).map(move |p| id(&p)).collect()?,
                full.map(move |(_, a)| a.map(|a| id(&a))).collect()?,
            ]))
        },
    );
}
