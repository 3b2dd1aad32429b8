//! What dask.bag does that we do not: each row of the table in docs/architecture.md, by its number. `zip` and `accumulate`
//! (4 and 9) do not exist yet.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and touch files")]

use kitbag::agg::{self, step_in_order};
use kitbag::{Bag, Config, Json, Target};

fn parts() -> Bag<i64> {
    Bag::from_partitions([vec![], vec![3, 1], vec![], vec![4], vec![1, 5, 9, 2, 6]]).with(Config::new().threads(3))
}

#[test]
fn q1_a_start_value_counts_once() {
    assert_eq!(parts().fold(step_in_order(|| 100, |sum: &mut i64, n: &i64| *sum += n)).unwrap(), 131);
    let by = parts().fold_by_in_order(|n| n % 2, step_in_order(|| 100, |sum: &mut i64, n: &i64| *sum += n));
    assert_eq!(by.collect().unwrap(), [(1, 119), (0, 112)]);
}

#[test]
fn q2_and_q6_a_written_file_ends_with_a_newline_and_a_path_without_a_star_is_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("numbers.jsonl");
    parts().write_jsonl(Target::new(&path)).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "3\n1\n4\n1\n5\n9\n2\n6\n");
}

#[test]
fn q3_take_takes_from_all_partitions() {
    assert_eq!(parts().take(4).collect().unwrap(), [3, 1, 4, 1]);
}

#[test]
fn q5_shards_are_in_natural_order() {
    let dir = tempfile::tempdir().unwrap();
    for n in [10, 2, 1] {
        std::fs::write(dir.path().join(format!("part-{n}.jsonl")), format!("{n}\n")).unwrap();
    }
    assert_eq!(Bag::<u32>::read_json(dir.path()).collect().unwrap(), [1, 2, 10]);
    let pattern = dir.path().join("part-*.jsonl");
    assert_eq!(Bag::<u32>::read_json(pattern.to_str().unwrap()).collect().unwrap(), [1, 2, 10]);
}

#[test]
fn q7_as_many_partitions_as_asked_for() {
    for n in [1, 3, 8, 20] {
        let counts = parts().repartition(n).unwrap().map_partitions(|records| [records.count()]).collect().unwrap();
        assert_eq!((counts.len(), counts.iter().sum::<usize>()), (n as usize, 8));
    }
}

#[test]
fn q8_variance_does_not_cancel() {
    let far = Bag::from_iter([4.0, 7.0, 13.0, 16.0]).map(|x: f64| x + 1e15);
    assert_eq!(far.fold(agg::var(agg::Itself)).unwrap(), Some(22.5));
}

#[test]
fn q10_a_seed_draws_the_same_records_again() {
    let drawn = |threads| Bag::range(0..1000).with(Config::new().threads(threads)).sample(5, 7).unwrap();
    assert_eq!((drawn(1), drawn(1).len()), (drawn(4), 5));
    let kept = |threads| Bag::range(0..1000).with(Config::new().threads(threads)).random_sample(0.1, 7).unwrap();
    assert_eq!(kept(1).collect().unwrap(), kept(4).collect().unwrap());
}

#[test]
fn q11_blocks_of_compressed_files_have_any_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("numbers.jsonl.gz");
    Bag::range(0..5000).write_jsonl(Target::new(&path)).unwrap();
    let sum = Bag::<i64>::read_json(&path).with(Config::new().block_size(100)).sum().unwrap();
    assert_eq!(sum, 4999 * 2500);
}

#[test]
fn q12_and_q14_answers_by_key_have_an_order() {
    assert_eq!(parts().frequencies().collect().unwrap(), [(3, 1), (1, 2), (4, 1), (5, 1), (9, 1), (2, 1), (6, 1)]);
    assert_eq!(parts().distinct().collect().unwrap(), [3, 1, 4, 5, 9, 2, 6]);
    let groups = parts().group_by(|n| n % 3).try_map(|(rest, group)| Ok::<_, kitbag::Error>((rest, group.into_vec()?)));
    assert_eq!(groups.collect().unwrap(), [(0, vec![3, 9, 6]), (1, vec![1, 4, 1]), (2, vec![5, 2])]);
}

#[test]
fn q13_no_schema_is_taken_from_the_first_record() {
    let records = [r#"{"a":1}"#, r#"{"b":2.5,"a":"x"}"#, "[null]"].map(|text| Json::parse(text).unwrap());
    let seen = Bag::from_iter(records).map(|record| record.get("a").map(|a| a.raw().to_owned()));
    assert_eq!(seen.collect().unwrap(), [Some("1".to_owned()), Some("\"x\"".to_owned()), None]);
}

#[test]
fn q15_a_join_gives_this_bags_record_first_and_takes_bags_of_any_partitions() {
    let joined = parts().join(parts().map(|n| n * 10), |n| *n, |tens| tens / 10);
    let pairs = [(3, 30), (1, 10), (1, 10), (4, 40), (1, 10), (1, 10), (5, 50), (9, 90), (2, 20), (6, 60)];
    assert_eq!(joined.collect().unwrap(), pairs);
}
