//! Wide verbs over records from memory, so that no parsing hides them: what a record costs in a fold and in a tuple of
//! aggregates. Criterion prints records per second.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kitbag::{Bag, agg};

const RECORDS: i64 = 1 << 20;

fn fold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fold");
    group.throughput(Throughput::Elements(RECORDS as u64)).sample_size(30);
    group.bench_function("sum of a range", |bench| bench.iter(|| Bag::range(0..RECORDS).sum().unwrap()));
    group.bench_function("count, mean and last of a range", |bench| {
        bench.iter(|| Bag::range(0..RECORDS).fold((agg::count(), agg::mean(|n: &i64| *n), agg::last())).unwrap());
    });
    group.bench_function("top 100 of an iterator", |bench| {
        // A permutation: the largest are spread over the whole.
        let scattered = || (0..RECORDS).map(|n| n.wrapping_mul(0x9E37_79B1) & (RECORDS - 1));
        bench.iter(|| Bag::from_iter(scattered()).top_k(100).unwrap());
    });
    group.finish();
}

criterion_group!(benches, fold);
criterion_main!(benches);
