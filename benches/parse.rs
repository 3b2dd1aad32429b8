//! One line to one record, on one core, over records of about 500 bytes that are shaped like events of a social
//! network: lines that are only found, simd-json alone, the borrowed lane, the owned lane, a typed record, and serde_json's
//! value for comparison. Criterion prints GB per second; the ratios between the lanes are what the design promises.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kitbag::{Json, JsonParser};
use serde::Deserialize;
use simd_json::{Buffers, INPUT_PADDING, Tape};
use std::hint::black_box;

/// Records with identifiers, times and texts that vary; one text in eight has escapes.
fn lines() -> Vec<String> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let kinds = ["post", "like", "follow", "repost"];
    (0..2000_u64)
        .map(|n| {
            let kind = kinds[random(4) as usize];
            let breaks = if random(8) == 0 { "first\\nsecond \\\"quoted\\\"" } else { "one line of text, plain" };
            let words = ["lorem ipsum dolor", "sit amet, consetetur", "sadipscing élitr"][random(3) as usize];
            format!(
                concat!(
                    r#"{{"did":"did:plc:{:024x}","time_us":{},"kind":"commit","commit":{{"rev":"3l{:011x}","#,
                    r#""operation":"create","collection":"app.bsky.feed.{}","rkey":"3l{:011x}","record":{{"#,
                    r#""$type":"app.bsky.feed.{}","createdAt":"2024-11-21T16:09:{:02}.{:03}Z","langs":["en"],"#,
                    r#""text":"{} {}","subject":{{"cid":"bafyrei{:048x}","uri":"at://did:plc:{:024x}/app.bsky.feed.post/{:x}"}}}},"#,
                    r#""cid":"bafyrei{:052x}"}},"seq":{},"score":{}.{}}}"#
                ),
                random(1 << 60), 1_732_206_349_000_000 + n * 37, random(1 << 40), kind, random(1 << 40), kind,
                random(60), random(1000), breaks, words, random(1 << 62), random(1 << 60), random(1 << 50),
                random(1 << 61), n, random(100), random(1000),
            )
        })
        .collect()
}

#[derive(Deserialize)]
struct Event {
    did: String,
    time_us: u64,
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    collection: String,
}

fn lanes(c: &mut Criterion) {
    let lines = lines();
    let bytes: usize = lines.iter().map(String::len).sum();
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::BytesDecimal(bytes as u64));

    let text = lines.join("\n");
    group.bench_function("memchr", |b| {
        b.iter(|| memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end & 1).sum::<usize>());
    });

    group.bench_function("simd-json alone", |b| {
        let (mut scratch, mut buffers) = (vec![b' '; 4096], Buffers::default());
        let mut nodes = Vec::new();
        b.iter(|| {
            let mut count = 0;
            for line in &lines {
                scratch[..line.len()].copy_from_slice(line.as_bytes());
                let mut tape = Tape(std::mem::take(&mut nodes));
                let window = &mut scratch[..line.len() + INPUT_PADDING];
                simd_json::fill_tape_padded(window, line.len(), &mut buffers, &mut tape).unwrap();
                count += tape.0.len();
                nodes = tape.reset().0;
            }
            count
        });
    });

    let mut parser = JsonParser::default();
    group.bench_function("borrowed", |b| {
        b.iter(|| {
            let mut count = 0;
            for line in &lines {
                let record = parser.read(line.as_bytes()).unwrap();
                let collection = record.view().get("commit").and_then(|commit| commit.get("collection"));
                count += collection.and_then(|collection| collection.as_str()).map_or(0, |text| text.len());
            }
            count
        });
    });

    group.bench_function("owned", |b| {
        b.iter(|| {
            for line in &lines {
                black_box(parser.read(line.as_bytes()).unwrap().view().to_json());
            }
        });
    });

    group.bench_function("owned and read", |b| {
        b.iter(|| {
            let mut count = 0;
            for line in &lines {
                let record: Json = parser.read(line.as_bytes()).unwrap().view().to_json();
                let collection = record.get("commit").and_then(|commit| commit.get("collection"));
                count += collection.and_then(|collection| collection.as_str()).map_or(0, |text| text.len());
            }
            count
        });
    });

    group.bench_function("typed", |b| {
        b.iter(|| {
            let mut count = 0;
            for line in &lines {
                let event: Event = parser.read_as(line.as_bytes()).unwrap();
                count += event.did.len() + event.commit.collection.len() + (event.time_us & 1) as usize;
            }
            count
        });
    });

    group.bench_function("serde_json::Value", |b| {
        b.iter(|| {
            for line in &lines {
                black_box(serde_json::from_str::<serde_json::Value>(line).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, lanes);
criterion_main!(benches);
