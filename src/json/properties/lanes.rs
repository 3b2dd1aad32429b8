//! The outline, the strict scanner and serde_json agree on every text, damaged ones included.

use super::{hash, text};
use crate::json::fault::FaultKind;
use crate::json::kind::JsonKind;
use crate::json::owned::Json;
use crate::json::packed::Packed;
use crate::json::parser::{JsonParser, Limits};
use crate::json::scan;
use crate::json::value::{JsonRef, Lane};
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Whether serde_json accepts a text when it decodes all of it; none if it gave up on a number before it was through.
fn serde_accepts(text: &[u8]) -> Option<bool> {
    // What is ignored is not checked to be UTF-8.
    if std::str::from_utf8(text).is_err() || serde_json::from_slice::<IgnoredAny>(text).is_err() {
        return Some(false);
    }
    match serde_json::from_slice::<Value>(text) {
        Ok(_) => Some(true),
        Err(error) if error.to_string().starts_with("number out of range") => {
            (!text.windows(2).any(|pair| pair == b"\\u")).then_some(true)
        }
        Err(_) => Some(false),
    }
}

/// Whether a value's text is its plain form, found out by other means.
fn is_plain(view: JsonRef<'_>) -> bool {
    let mut compact = Vec::new();
    view.compact(&mut compact);
    let mut keys: Vec<_> = view.entries().map(|(key, _)| key).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    compact == view.raw().as_bytes()
        && !view.raw().contains('\\')
        && keys.len() == all
        && view.elements().chain(view.entries().map(|(_, value)| value)).all(is_plain)
}

/// All of what can be seen of two views is the same, text included.
pub(super) fn same(a: JsonRef<'_>, b: JsonRef<'_>) {
    let plain = is_plain(a).then(|| a.raw());
    assert_eq!((a.plain_text(), b.plain_text()), (plain, is_plain(b).then(|| b.raw())), "{}", a.raw());
    assert_eq!((a.kind(), a.len(), a.raw()), (b.kind(), b.len(), b.raw()));
    assert_eq!((a.as_bool(), a.as_str()), (b.as_bool(), b.as_str()));
    assert_eq!(
        (a.as_i64(), a.as_u64(), a.as_f64().map(f64::to_bits)),
        (b.as_i64(), b.as_u64(), b.as_f64().map(f64::to_bits))
    );
    assert_eq!(a.number().map(|n| n.nearest().to_bits()), b.number().map(|n| n.nearest().to_bits()));
    assert_eq!(a.elements().len(), b.elements().len());
    a.elements().zip(b.elements()).for_each(|(x, y)| same(x, y));
    for ((key, x), (other, y)) in a.entries().zip(b.entries()) {
        assert_eq!(key, other);
        same(x, y);
        let (x, y) = (a.get(&key).unwrap(), b.get(&key).unwrap());
        assert_eq!(x.raw(), y.raw());
        assert_eq!(x.raw(), a.entries().filter(|(name, _)| *name == key).last().unwrap().1.raw());
    }
    assert_eq!(a, b);
    assert_eq!(a.cmp(&b), std::cmp::Ordering::Equal);
}

/// The outline and the scanner accept a text exactly if serde_json does, and all see the same.
fn check(parser: &mut JsonParser, text: &[u8]) {
    let scanned = scan::check(crate::json::text::trim(text), 128);
    let shown = || String::from_utf8_lossy(text).into_owned();
    if let Some(accepts) = serde_accepts(text) {
        assert_eq!(scanned.is_ok(), accepts, "scanner: {} {scanned:?}", shown());
    }
    if simd_json::to_tape(&mut text.to_vec()).is_ok() {
        assert!(scanned.is_ok(), "simd-json accepts {}", shown());
    }
    match (parser.parse(text), scanned) {
        (Ok(line), Ok(())) => {
            same(line.view().to_json().view(), line.view());
            if let Ok(value) = serde_json::from_slice::<Value>(text) {
                crate::fuzz::json::same(line.view(), &value);
            }
        }
        (Err(fault), Err(scanned)) => {
            assert!((1..=text.len() + 1).contains(&fault.column), "{} {fault:?}", shown());
            assert_eq!(fault.kind, scanned.kind);
        }
        (line, scanned) => panic!("lanes differ on {}: {line:?} {scanned:?}", shown()),
    }
}

/// Every value inside has text of its own that gives the same value.
fn parts_stand_alone(view: JsonRef<'_>) {
    let alone = Json::parse(view.raw()).unwrap();
    same(alone.view(), view);
    same(view.to_json().view(), view);
    assert_eq!(view.to_json().raw(), view.raw());
    view.elements().for_each(parts_stand_alone);
    view.entries().for_each(|(_, value)| parts_stand_alone(value));
}

#[test]
fn one_byte_changed_anywhere() {
    let seeds: [&[u8]; 9] = [
        br#"{"a":[1,-2.5e3,true],"b":{"c":"x\n\u00e9"},"d":null}"#,
        br#"[false,null,true,"",{},[],0]"#,
        br#""\ud83d\ude00\\""#,
        b"-12.5E-7",
        b" null ",
        b"0",
        br#"[[[{"k":"v"}]],"\"quoted\"" , 18446744073709551616]"#,
        "{\"é中😀\":\"\\/\\b\"}".as_bytes(),
        br#"{"text":"a string that is longer than one block of sixty-four bytes, with \"quotes\" and \\ in it","n":12345678}"#,
    ];
    for (mut parser, seed) in
        seeds.into_iter().flat_map(|seed| JsonParser::at_all_levels().into_iter().map(move |parser| (parser, seed)))
    {
        check(&mut parser, seed);
        for at in 0..=seed.len() {
            for byte in 0..=255 {
                let mut text = seed.to_vec();
                text.insert(at, byte);
                check(&mut parser, &text);
                if at < seed.len() {
                    text.remove(at + 1);
                    check(&mut parser, &text);
                }
            }
            check(&mut parser, &seed[..at]);
            check(&mut parser, &[&seed[..at], &seed[(at + 1).min(seed.len())..]].concat());
        }
    }
}

#[test]
fn depth_is_limited_in_both_lanes() {
    for (depth, limit) in
        [(1, 1), (128, 128), (1024, 1024), (2, 1), (129, 128), (1025, 1024), (1025, 9999), (100_000, 1024)]
    {
        let mut parser = JsonParser::new(Limits { depth: limit, ..Limits::default() });
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for leaf in ["1", "1e999"] {
                let text = format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth));
                match parser.parse(text.as_bytes()) {
                    Ok(line) => {
                        assert!(depth <= limit);
                        let json = line.view().to_json();
                        assert_eq!(json.view(), line.view());
                        assert_eq!(hash(json.view()), hash(line.view()));
                        assert!(json.cmp(&Json::parse(&text).unwrap()).is_eq());
                        assert_eq!(json.raw(), text);
                    }
                    Err(fault) => {
                        assert!(depth > limit.min(1024));
                        assert_eq!(fault.kind, FaultKind::Depth);
                        assert_eq!(fault.column, open.len() * limit.min(1024) + 1);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_read_alike(text in text()) {
        let mut parser = JsonParser::default();
        check(&mut parser, text.as_bytes());
        let line = parser.parse(text.as_bytes()).unwrap();
        parts_stand_alone(line.view());
        // Back to front, every text is found without what an iteration leaves behind.
        let backwards: Vec<_> = (0..line.view().elements().len()).rev().collect();
        for index in backwards {
            prop_assert_eq!(line.view().at(index), line.view().elements().nth(index));
            prop_assert_eq!(line.view().at(index).unwrap().raw(), line.view().elements().nth(index).unwrap().raw());
        }
    }

    #[test]
    fn damaged_json_is_refused_alike(
        text in text(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3, any::<u8>(), select(&b"\"\\{}[]:,0-.eE \0u\xff\x80"[..])), 1..4),
    ) {
        let mut text = text.into_bytes();
        for (at, how, byte, special) in damage {
            let at = at.index(text.len() + 1);
            let byte = if byte % 4 == 0 { byte } else { special };
            match how {
                0 => text.insert(at, byte),
                1 if at < text.len() => { text.remove(at); }
                _ if at < text.len() => text[at] = byte,
                _ => {}
            }
        }
        check(&mut JsonParser::default(), &text);
    }
}

#[test]
fn documents_of_words_are_views_too() {
    let json = Json::parse(r#"{"a":[1,{"b":"\n"}]}"#).unwrap();
    let document = Lane::Packed(Packed(&[]));
    assert_eq!(JsonRef::root(document).kind(), JsonKind::Null);
    assert_eq!(json.get("a").unwrap().at(1).unwrap().to_json().raw(), r#"{"b":"\n"}"#);
}
