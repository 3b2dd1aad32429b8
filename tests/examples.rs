//! Runs every program of `examples/` on `data/`. What a program should print is worked out here a second time, with
//! nothing of this crate: the shards are unpacked and parsed by other means, and counted in plain maps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a test may touch the system and panic"
)]

mod programs;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

use programs::{program, run, run_with_input, succeed};

/// The text of a file, by its extension.
fn unpack(path: &Path) -> String {
    let packed = std::fs::read(path).unwrap();
    let mut text = String::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => _ = flate2::read::MultiGzDecoder::new(&*packed).read_to_string(&mut text).unwrap(),
        Some("zst") => text = String::from_utf8(zstd::decode_all(&*packed).unwrap()).unwrap(),
        _ => text = String::from_utf8(packed).unwrap(),
    }
    text
}

/// The files of a directory, in order of their names.
fn files(dir: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    // A manifest and the mark of a complete output are no shards.
    files.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with(['.', '_']));
    files.sort();
    files
}

/// All lines of a folder of `data/`, in record order.
fn lines(folder: &str) -> Vec<String> {
    let shards = files(root().join("data").join(folder));
    let lines: Vec<_> =
        shards.iter().flat_map(|path| unpack(path).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(lines.len() > 100, "data/{folder} holds {} lines", lines.len());
    lines
}

fn records(folder: &str) -> Vec<Value> {
    lines(folder).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key].as_str().unwrap()
}

/// The example `count_by`, counted again.
fn counts(pointer: &str) -> String {
    let mut counts = BTreeMap::<String, u64>::new();
    for record in records("events") {
        *counts.entry(record.pointer(pointer).unwrap_or(&Value::Null).to_string()).or_default() += 1;
    }
    // In order of value: null, then strings, which is the order of their JSON here.
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), value != "null", value.clone()));
    counts.iter().map(|(value, count)| format!("{count}\t{value}\n")).collect()
}

#[test]
fn count_by() {
    let expected = counts("/commit/collection");
    assert!(expected.contains("\tnull\n") && expected.lines().count() > 5, "{expected}");
    for flags in [&[][..], &["--lane", "json"], &["--lane", "borrowed", "--threads", "3", "--memory", "16"]] {
        assert_eq!(
            succeed("count_by", &[flags, &[".commit.collection", "data/events"]].concat()),
            expected,
            "{flags:?}"
        );
    }
    let shards: Vec<_> = files(root().join("data/events")).iter().map(|path| path.display().to_string()).collect();
    let arguments = ["commit.operation", &shards[0], &shards[1], &shards[2]];
    assert_eq!(succeed("count_by", &arguments), counts("/commit/operation"));
    // A shard on standard input, packed as it is.
    let shard = std::fs::read(&shards[1]).unwrap();
    let piped = run_with_input("count_by", &[".kind", "-"], &shard);
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), succeed("count_by", &[".kind", &shards[1]]));
}

#[test]
fn top_errors() {
    let mut paths: Vec<(String, u64, u64)> = Vec::new();
    for hit in records("web") {
        let index = paths.iter().position(|(path, ..)| path == text(&hit, "path")).unwrap_or_else(|| {
            paths.push((text(&hit, "path").to_owned(), 0, 0));
            paths.len() - 1
        });
        paths[index].1 += u64::from(hit["status"].as_u64().unwrap() / 100 == 5);
        paths[index].2 += 1;
    }
    // A stable sort: of equal shares the path that was seen first comes first.
    paths.sort_by(|a, b| (b.1 * a.2).cmp(&(a.1 * b.2)));
    assert!(paths.len() > 8 && paths[0].1 > 0);
    let expected: Vec<_> = paths
        .iter()
        .map(|(path, errors, answers)| {
            format!("{:.2}%\t{errors}\t{answers}\t{path}", *errors as f64 / *answers as f64 * 100.0)
        })
        .collect();
    assert_eq!(succeed("top_errors", &["data/web"]), expected[..10].join("\n") + "\n");
    assert_eq!(succeed("top_errors", &["--top", "3", "data/web/*.gz"]), expected[..3].join("\n") + "\n");
    assert_eq!(succeed("top_errors", &["--top", "1000", "data/web"]), expected.join("\n") + "\n");
}

#[test]
fn sessions() {
    // All of the data is of one day: the time of day will do.
    let mut clients: Vec<(String, Vec<u64>)> = Vec::new();
    for hit in records("web") {
        let time = text(&hit, "time").strip_prefix("2024-11-21T").and_then(|time| time.strip_suffix('Z')).unwrap();
        let parts: Vec<u64> = time.split([':', '.']).map(|part| part.parse().unwrap()).collect();
        let millis = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3];
        match clients.iter_mut().find(|(client, _)| client == text(&hit, "client")) {
            Some((_, times)) => times.push(millis),
            None => clients.push((text(&hit, "client").to_owned(), vec![millis])),
        }
    }
    let mut more = 0;
    let expected = clients.into_iter().map(|(client, mut times)| {
        times.sort();
        let (mut sessions, mut begin, mut longest) = (1, times[0], 0);
        for pair in times.windows(2) {
            if pair[1] - pair[0] > 1_800_000 {
                (sessions, begin) = (sessions + 1, pair[1]);
            }
            longest = longest.max(pair[1] - begin);
        }
        more += usize::from(sessions > 1);
        let (requests, longest_seconds) = (times.len(), longest as f64 / 1000.0);
        serde_json::json!({
            "client": client, "sessions": sessions, "requests": requests, "longest_seconds": longest_seconds
        })
    });
    let expected: Vec<Value> = expected.collect();
    let printed = succeed("sessions", &["data/web"]);
    assert_eq!(printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>(), expected);
    assert!(expected.len() > 50 && more > 5, "{} clients, {more} of them came again", expected.len());
}

#[test]
fn sessions_across_midnight_and_months() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log.jsonl");
    let times = [
        "2024-02-29T23:59:59.500Z", // the first session of 2024-03-01 began the day before
        "2023-12-31T23:50:00.000Z", // and an older server's shard comes later
        "2024-01-01T00:20:00.000Z", // thirty minutes to the dot: the same session
        "2024-03-01T00:29:59.500Z",
        "2024-03-01T00:59:59.501Z", // one millisecond more: a new one
    ];
    let text: String = times.iter().map(|time| format!("{{\"client\":\"c\",\"time\":\"{time}\"}}\n")).collect();
    std::fs::write(&log, &text).unwrap();
    let printed = succeed("sessions", &[log.to_str().unwrap()]);
    assert_eq!(printed, "{\"client\":\"c\",\"sessions\":3,\"requests\":5,\"longest_seconds\":1800.0}\n");
    std::fs::write(&log, text + "{\"client\":\"c\",\"time\":\"yesterday\"}\n").unwrap();
    let failed = run("sessions", &[log.to_str().unwrap()]);
    let message = String::from_utf8(failed.stderr).unwrap();
    assert!(!failed.status.success());
    assert!(message.starts_with(&format!("sessions: {}:6:1: expected a time", log.display())), "{message}");
}

#[test]
fn latency() {
    let mut rows = BTreeMap::<(String, String), Vec<f64>>::new();
    for hit in records("web") {
        let (date, time) = text(&hit, "time").split_once('T').unwrap();
        let minute = format!("{date}T{}", time.rsplit_once(':').unwrap().0);
        rows.entry((minute, text(&hit, "path").to_owned())).or_default().push(hit["latency_ms"].as_f64().unwrap());
    }
    assert!(rows.values().any(|latencies| latencies.len() > 1));
    let printed = succeed("latency", &["data/web"]);
    assert_eq!(printed.lines().count(), rows.len());
    for (line, ((minute, path), latencies)) in printed.lines().zip(&rows) {
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!(fields[..3], [minute.as_str(), path, &latencies.len().to_string()], "{line}");
        let max = latencies.iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(fields[4], format!("{max:.3}"), "{line}");
        // Three decimals of a mean that is added up here with rounding.
        let mean = latencies.iter().sum::<f64>() / latencies.len() as f64;
        assert!((fields[3].parse::<f64>().unwrap() - mean).abs() < 0.000_501, "{line}: {mean}");
    }
}

/// What `clean` makes of the orders, line by line; items keep the text that they have.
fn cleaned() -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Items<'a> {
        #[serde(borrow)]
        items: Vec<&'a RawValue>,
    }
    let mut cleaned = Vec::new();
    for line in lines("orders") {
        let order: Value = serde_json::from_str(&line).unwrap();
        let Items { items } = serde_json::from_str(&line).unwrap();
        let json = |text: &str| Value::from(text).to_string();
        let customer = &order["customer"];
        let (name, email) = (json(text(customer, "name").trim()), json(&text(customer, "email").to_lowercase()));
        let currency = json(&text(&order, "currency").to_uppercase());
        let note = match order["note"].as_str().map(str::trim) {
            None | Some("") => String::new(),
            Some(note) => format!(",\"note\":{}", json(note)),
        };
        for item in items {
            cleaned.push(format!(
                "{{\"order_id\":{},\"customer\":{{\"id\":{},\"name\":{name},\"email\":{email}}},\"currency\":{currency},\
                 \"created_at\":{}{note},{}",
                order["order_id"],
                customer["id"],
                order["created_at"],
                item.get().strip_prefix('{').unwrap()
            ));
        }
    }
    assert!(cleaned.iter().any(|line| line.contains("\"note\":\"Gift\"")));
    assert!(cleaned.iter().any(|line| line.contains("0,\"quantity\"")), "no price ends in a zero");
    cleaned
}

#[test]
fn clean() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("items");
    let arguments = ["--shard-kib", "16", out.to_str().unwrap(), "data/orders"];
    let said = succeed("clean", &arguments);
    let expected: String = cleaned().iter().map(|line| format!("{line}\n")).collect();
    let shards = files(&out);
    let texts: Vec<_> = shards.iter().map(|path| unpack(path)).collect();
    assert_eq!(texts.concat(), expected);
    let items = expected.lines().count();
    assert_eq!(said, format!("{items} items in {} shards, {} bytes\n", shards.len(), expected.len()));
    // A shard ends with the line that reaches its size.
    assert!(shards.len() > 2);
    for (number, (path, text)) in shards.iter().zip(&texts).enumerate() {
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("part-{number:06}.jsonl.zst"));
        let last = text.lines().last().unwrap().len() + 1;
        assert!(
            text.ends_with('\n') && text.len() - last < 16384 && (text.len() >= 16384 || number + 1 == shards.len())
        );
    }
    // Once more: nothing is overwritten, mixed or left behind.
    let again = run("clean", &arguments);
    assert!(!again.status.success() && String::from_utf8(again.stderr).unwrap().contains("exists"));
    assert_eq!(files(&out), shards);
    assert_eq!(files(dir.path()), [out]);
}

#[test]
fn customers() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("customers.jsonl.gz");
    assert_eq!(succeed("customers", &[out.to_str().unwrap(), "data/orders"]), "");
    let orders = records("orders");
    let mut ids: Vec<u64> = Vec::new();
    for order in &orders {
        let id = order["customer"]["id"].as_u64().unwrap();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let expected = ids.iter().map(|id| {
        let mut own: Vec<_> = orders.iter().filter(|order| order["customer"]["id"] == *id).collect();
        let name = text(&own[0]["customer"], "name").trim();
        let mut spent = BTreeMap::<String, u64>::new();
        for order in &own {
            let cents = order["items"].as_array().unwrap().iter().map(|item| {
                // The price in cents, from its digits.
                let price = format!("{:.2}", item["price"].as_f64().unwrap()).replace('.', "").parse::<u64>().unwrap();
                price * item["quantity"].as_u64().unwrap()
            });
            *spent.entry(text(order, "currency").to_uppercase()).or_default() += cents.sum::<u64>();
        }
        own.sort_by_key(|order| text(order, "created_at").to_owned());
        let own: Vec<_> = own.iter().map(|order| (text(order, "created_at"), order["order_id"].clone())).collect();
        serde_json::json!({"customer": id, "name": name, "spent_cents": spent, "orders": own})
    });
    let expected: Vec<Value> = expected.collect();
    assert!(expected.iter().any(|document| document["orders"].as_array().unwrap().len() > 2));
    let text = unpack(&out);
    assert_eq!(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>(), expected);
}

/// The commands of `data/README.md` make the text that is there.
#[test]
fn generate() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, shards, megabytes, codec) in
        [("web", "3", "0.3", "gz"), ("orders", "2", "0.1", "zst"), ("events", "3", "0.3", "plain")]
    {
        let out = dir.path().join(kind);
        succeed("generate", &[kind, out.to_str().unwrap(), shards, megabytes, codec, "1"]);
        let made: Vec<_> =
            files(out).iter().flat_map(|path| unpack(path).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        assert_eq!(made, lines(kind), "{kind}");
    }
}

#[test]
fn every_example_is_run_here_and_says_how_it_is_used() {
    let here = include_str!("examples.rs");
    let recipes = include_str!("command/recipes.rs");
    for path in files(root().join("examples")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "etl" {
            // Programs of the command: its own tests run them, where it is built.
            for recipe in files(&path).iter().filter(|path| path.extension().is_some_and(|ending| ending == "jq")) {
                let name = recipe.file_stem().unwrap().to_str().unwrap();
                assert!(
                    recipes.contains(&format!("\"{name}\"")) || recipes.contains(&format!("etl/{name}.jq")),
                    "{name}"
                );
            }
            continue;
        }
        assert!(here.contains(&format!("succeed(\"{name}\"")), "{name} is not run by this test");
        assert!(program(name).exists());
        let sources = if path.is_dir() { files(&path) } else { vec![path.clone()] };
        for source in sources {
            let lines = std::fs::read_to_string(&source).unwrap().lines().count();
            assert!(lines < 80, "{} is not short any more", source.display());
        }
        let bare = run(name, &[]);
        let said = String::from_utf8(bare.stderr).unwrap();
        assert!(!bare.status.success() && said.contains(&format!("usage: {name} ")), "{name}: {said}");
        // A file that is not there is named first.
        if name != "generate" {
            let first = if name == "count_by" { ".kind" } else { "target/none.jsonl" };
            let missing = run(name, &[first, "target/none.jsonl"]);
            let said = String::from_utf8(missing.stderr).unwrap();
            let place = format!("{name}: target/none.jsonl: ");
            assert!(!missing.status.success() && said.starts_with(&place), "{said}");
        }
    }
}
