//! A line is read alike whether it is looked at with others or alone, with whatever instructions the processor has.

use super::lanes::same;
use super::text;
use crate::json::parser::JsonParser;
use proptest::prelude::*;
use proptest::sample::select;

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn lines_of_a_block_are_read_as_they_are_alone(
        lines in prop::collection::vec((text(), select(&["", " ", "\t "][..]), select(&["", " ", "\r", "", " ", "\\"][..]), 0..12u8), 1..200),
        damage in prop::collection::vec((any::<prop::sample::Index>(), select(&b"\"\\{}[]:, 0\n\x01\xff"[..])), 0..3),
        ended in any::<bool>(),
    ) {
        let mut block = Vec::new();
        for (text, before, after, how) in &lines {
            let text = if *how == 0 { String::new() } else { text.repeat(if *how == 1 { 40 } else { 1 }) };
            block.extend_from_slice(format!("{before}{}{after}\n", text.replace(['\n', '\r'], " ")).as_bytes());
        }
        for (at, byte) in damage {
            let at = at.index(block.len());
            block[at] = byte;
        }
        if !ended {
            block.pop();
        }
        for mut parser in JsonParser::at_all_levels() {
            read_ahead_and_alone(&mut parser, &block);
        }
    }
}

/// The lines of a block are the same, whether they are looked at together or one by one.
fn read_ahead_and_alone(parser: &mut JsonParser, block: &[u8]) {
    let mut other = JsonParser::default();
    let mut alone = block.split_inclusive(|&byte| byte == b'\n');
    let mut from = 0;
    while from < block.len() {
        let end = parser.line_end(block, from);
        let line = &block[from..end];
        assert_eq!(line, alone.next().map(|line| line.strip_suffix(b"\n").unwrap_or(line)).unwrap());
        match (parser.parse(line), other.parse(line)) {
            (Ok(line), Ok(other)) => {
                same(line.view(), other.view());
                same(line.view().to_json().view(), other.view());
            }
            (Err(fault), Err(other)) => assert_eq!(format!("{fault:?}"), format!("{other:?}")),
            (line, other) => panic!("read differently: {line:?} {other:?}"),
        }
        from = end + 1;
    }
    assert!(alone.next().is_none());
}

#[test]
fn what_ends_a_line_oddly_is_no_matter_to_the_next() {
    for end in ["", "\\", "\"", "\"\\", " \\\\", "\x0c", "\x01", "\u{e9}", ",", "{", "\r", "\r\r"] {
        for pad in 0..130 {
            let block = format!(
                "{{\"a\":1}}{}{end}\n{{\"k\":\"x\\\"y\"}}\n{{\"a\":1}}{end}\n{{\"k\":\"\\q\"}}{end}\n[\"\\/\"]",
                " ".repeat(pad)
            );
            JsonParser::at_all_levels().iter_mut().for_each(|parser| read_ahead_and_alone(parser, block.as_bytes()));
        }
    }
}
