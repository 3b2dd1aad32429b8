//! Lines of any bytes, however they are packed and cut, are those that a plain split gives.

use crate::config::{BadRecords, Config};
use crate::engine::Monitor;

use super::{Taken, file, packed};

pub fn lines(data: &[u8]) {
    let mut bits = Taken(data);
    let (format, threads, block, limit) = (bits.below(4), 1 + bits.below(2), 1 + bits.below(300), 1 + bits.below(99));
    let mut choices = Taken(bits.some(12));
    let mut text = bits.0.to_vec();
    if format == 3 && !matches!(text.first(), Some(b'\n' | b'{' | b'a'..=b'z' | 0xef)) {
        // What its first bytes say is another format is no text.
        text.insert(0, b'x');
    }
    let bytes = if format == 3 { text.clone() } else { packed(&text, format, &mut choices) };
    let (_dir, path) = file("a", &bytes);
    let monitor = Monitor::new();
    let config = Config::new().threads(threads).block_size(block).max_record(limit as u64).memory(4 << 20);
    let config = config.bad_records(BadRecords::Skip).monitor(&monitor);
    let read = crate::Bag::read_text(&path).with(config.clone()).collect().unwrap();
    let rejected = monitor.report().unwrap().rejected;
    let (mut expected, mut bad) = (Vec::new(), 0);
    for line in text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match std::str::from_utf8(line) {
            Ok(line) if line.len() <= limit => expected.push(line.to_owned()),
            _ => bad += 1,
        }
    }
    assert_eq!((&read, rejected), (&expected, bad), "format {format}, block {block}, limit {limit}");
    assert_eq!(crate::Bag::read_text(&path).with(config).count().unwrap(), expected.len() as u64);
}
