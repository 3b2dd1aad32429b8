//! One line to one record, on one core, over records of about 500 bytes that are shaped like events of a social
//! network: lines that are only found, simd-json alone, our outline alone, borrowed and owned records, typed ones by us,
//! simd-json and serde_json, and serde_json's value. Criterion prints GB per second; the ratios between the lanes are what
//! the design promises.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use kitbag::{JsonParser, JsonRef};
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

/// What a lane makes of all lines, so that nothing is computed in vain.
fn lane(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, lines: &[String], mut read: impl FnMut(&str) -> usize) {
    group.bench_function(name, |b| b.iter(|| lines.iter().map(|line| read(black_box(line))).sum::<usize>()));
}

fn collection(record: JsonRef<'_>) -> usize {
    let collection = record.get("commit").and_then(|commit| commit.get("collection"));
    collection.and_then(|collection| collection.as_str()).map_or(0, |text| text.len())
}

fn length(event: &Event) -> usize {
    event.did.len() + event.commit.collection.len() + (event.time_us & 1) as usize
}

fn lanes(c: &mut Criterion) {
    let lines = lines();
    let bytes: usize = lines.iter().map(String::len).sum();
    let mut group = c.benchmark_group("parse");
    let group = &mut group;
    group.throughput(Throughput::BytesDecimal(bytes as u64));

    let text = lines.join("\n");
    group.bench_function("memchr", |b| {
        b.iter(|| memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end & 1).sum::<usize>());
    });

    let (mut scratch, mut buffers, mut nodes) = (vec![b' '; 4096], Buffers::default(), Vec::new());
    lane(group, "simd-json alone", &lines, |line| {
        scratch[..line.len()].copy_from_slice(line.as_bytes());
        let mut tape = Tape(std::mem::take(&mut nodes));
        simd_json::fill_tape_padded(&mut scratch[..line.len() + INPUT_PADDING], line.len(), &mut buffers, &mut tape)
            .unwrap();
        let count = tape.0.len();
        nodes = tape.reset().0;
        count
    });

    let mut parser = JsonParser::default();
    lane(group, "outline alone", &lines, |line| parser.read(line.as_bytes()).unwrap().view().len());
    lane(group, "borrowed", &lines, |line| collection(parser.read(line.as_bytes()).unwrap().view()));
    lane(group, "owned", &lines, |line| parser.read(line.as_bytes()).unwrap().view().to_json().heap_size());
    lane(group, "owned and read", &lines, |line| {
        collection(parser.read(line.as_bytes()).unwrap().view().to_json().view())
    });
    lane(group, "typed", &lines, |line| length(&parser.read_as(line.as_bytes()).unwrap()));
    lane(group, "typed by simd-json", &lines, |line| {
        let scratch = &mut scratch[..line.len()];
        scratch.copy_from_slice(line.as_bytes());
        length(&simd_json::serde::from_slice_with_buffers(scratch, &mut buffers).unwrap())
    });
    lane(group, "typed by serde_json", &lines, |line| length(&serde_json::from_str(line).unwrap()));
    lane(group, "serde_json::Value", &lines, |line| {
        usize::from(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object())
    });
}

criterion_group!(benches, lanes);
criterion_main!(benches);
