//! However a store ends, memory and temporary space are given back and the error names what to change.

use super::*;
use crate::error::ErrorKind;

fn many() -> Rows {
    (0..5000u32)
        .map(|no| ((no % 97).to_le_bytes().to_vec(), HashKey::fixed(1, 1).hash(&no).to_le_bytes().repeat(20)))
        .collect()
}

#[test]
fn a_quota_that_is_used_up_is_an_error_that_names_it() {
    for quota in [0, 30_000, 150_000] {
        let space = Space::new(Os::default(), Budget::new(200_000), None, quota);
        let ending = store(&space, 2, &many(), |key| HashKey::fixed(1, 1).hash(key))
            .and_then(|stored| stored.into_groups(Order::FirstOccurrence).map(|_| ()));
        let error = ending.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        let text = error.to_string();
        assert!(text.contains(&format!("quota of {quota} bytes")), "{text}");
        assert!(text.contains(&space.quota.dir().display().to_string()), "{text}");
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
    }
}

#[test]
fn too_small_a_budget_says_what_would_do() {
    let least = Store::least(3);
    let error = Store::new(&space(least - 1), 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains(&format!("at least {least} would do")), "{error}");
    assert!(Store::new(&space(least), 3).is_ok());
}

#[test]
fn a_value_bigger_than_memory_is_refused() {
    let space = space(Store::least(1));
    let store = Store::new(&space, 1).unwrap();
    let mut writer = store.writer().unwrap();
    let error = writer.push(1, seq(0), b"key", &vec![0; 1_000_000]).unwrap_err();
    assert!(error.kind() == ErrorKind::Limit && error.to_string().contains("it takes at least "), "{error}");
    drop(writer);
    assert_eq!(store.finish().unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(space.budget.used(), 0);
}

#[test]
fn half_read_is_as_good_as_read() {
    for order in [Order::FirstOccurrence, Order::Any] {
        let space = space(150_000);
        let mut groups =
            store(&space, 1, &many(), |key| HashKey::fixed(1, 1).hash(key)).unwrap().into_groups(order).unwrap();
        let (_, mut first) = groups.next().unwrap().unwrap();
        first.next_row().unwrap().unwrap();
        let (_, untouched) = groups.next().unwrap().unwrap();
        drop(groups);
        first.next_row().unwrap().unwrap();
        drop((first, untouched));
        assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
    }
}

#[test]
fn others_may_take_all_memory_that_is_left() {
    // Whoever takes everything else at any point cannot make the store fail: its floor was set aside.
    let space = space(400_000);
    let rows = many();
    let opened = Store::new(&space, 1).unwrap();
    let mut greedy = space.budget.try_reserve(0).unwrap();
    while greedy.grow(1) {}
    let mut writer = opened.writer().unwrap();
    for (no, (key, value)) in rows.iter().enumerate() {
        writer.push(HashKey::fixed(1, 1).hash(&key[..]), seq(no), key, value).unwrap();
    }
    writer.finish().unwrap();
    let groups = opened.finish().unwrap().into_groups(Order::FirstOccurrence).unwrap();
    let found: Vec<_> = groups
        .map(|group| group.map(|(key, rows)| (key, rows.map(Result::unwrap).fold(0, |count, _| count + 1))).unwrap())
        .collect();
    let model: Vec<_> = model(&rows).into_iter().map(|(key, rows)| (key, rows.len())).collect();
    assert_eq!(found, model);
    drop(greedy);
    assert_eq!((space.budget.used(), space.quota.used()), (0, 0));
}
