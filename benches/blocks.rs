//! From files to line-aligned blocks and counted lines, through the public API: 16 MB of records of about 500 bytes,
//! in one plain file and in one zstd file. Criterion prints bytes of text per second.

#![allow(clippy::disallowed_methods, reason = "a benchmark is a program of its own: the os room is the library's")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kitbag::{Bag, Config};

fn text() -> Vec<u8> {
    let line = |n: u64| {
        let id = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let words = "lorem ipsum dolor sit amet, consetetur sadipscing elitr ".repeat(6);
        format!(
            "{{\"id\":{n},\"user\":\"{id:016x}\",\"kind\":\"post\",\"langs\":[\"en\"],\"text\":\"{words}{id:x}\"}}\n"
        )
    };
    let mut text = Vec::with_capacity(17_000_000);
    let mut numbers = 0..;
    while text.len() < 16_000_000 {
        text.extend_from_slice(numbers.next().map(line).unwrap_or_default().as_bytes());
    }
    text
}

fn count_lines(criterion: &mut Criterion) {
    let text = text();
    let lines = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
    let dir = tempfile::tempdir().unwrap();
    let (plain, zst) = (dir.path().join("text.jsonl"), dir.path().join("text.jsonl.zst"));
    std::fs::write(&plain, &text).unwrap();
    std::fs::write(&zst, zstd::encode_all(text.as_slice(), 3).unwrap()).unwrap();
    let mut group = criterion.benchmark_group("count_lines");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(30);
    for (codec, path) in [("plain", &plain), ("zst", &zst)] {
        for block in [64 << 10, 256 << 10, 1 << 20] {
            let config = Config::new().block_size(block);
            group.bench_function(BenchmarkId::new(codec, format!("{} KiB", block >> 10)), |bench| {
                bench.iter(|| assert_eq!(Bag::read_text(path).with(config.clone()).count().unwrap(), lines));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, count_lines);
criterion_main!(benches);
