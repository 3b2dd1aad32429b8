//! The directory of any values is safe, leads back to them, and is another one for other values.

use crate::Partition;

use super::Taken;

pub fn partition_name(data: &[u8]) {
    let mut bits = Taken(data);
    let (mut partition, mut kept) = (Partition::new(), Vec::new());
    for _ in 0..1 + bits.below(3) {
        let (key, value) = (bits.below(12), bits.below(40));
        let key = String::from_utf8_lossy(bits.some(key)).into_owned();
        let value = (value != 7).then(|| String::from_utf8_lossy(bits.some(value)).into_owned());
        if let Ok(more) = partition.clone().with(&key, value.as_deref()) {
            partition = more;
            kept.push((key, value));
        }
    }
    let name = partition.to_string();
    if !kept.is_empty() {
        is_safe(&name, kept.len());
        assert_eq!(name.parse::<Partition>().unwrap(), partition);
        // One value changed, and it is another directory.
        let (key, value) = kept.pop().unwrap();
        let other = if value.as_deref() == Some("other") { None } else { Some("other") };
        let others =
            kept.iter().try_fold(Partition::new(), |all, (key, value)| all.with(key, value.as_deref())).unwrap();
        if let Ok(others) = others.with(&key, other) {
            assert_ne!(others.to_string(), name, "{key:?}: {value:?} and {other:?}");
        }
    }
    // Any text is refused, or is what it says.
    let text = String::from_utf8_lossy(data);
    if let Ok(read) = text.parse::<Partition>() {
        assert_eq!(read.to_string(), text);
        is_safe(&text, text.split('/').count());
    }
}

fn is_safe(name: &str, keys: usize) {
    assert!(name.len() <= 2048);
    assert_eq!(name.split('/').count(), keys);
    for part in name.split('/') {
        assert!(part.len() <= 255 && !part.starts_with(['.', '_']) && !part.ends_with('.'), "{part}");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=%".contains(&byte);
        assert!(part.bytes().all(plain) && part.matches('=').count() == 1, "{part}");
    }
}
