//! What must hold for any text: both lanes accept what serde_json accepts and no more, see the same values and the same
//! text for each, and agree on equality, order and hash.

use super::decode::decoder;
use super::fault::Fault;
use super::number::Number;
use super::owned::Json;
use super::parser::{JsonParser, Limits};
use super::scan::Scanner;
use super::value::{JsonKind, JsonRef, Lane};
use super::words::Words;
use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

fn number() -> impl Strategy<Value = String> {
    let odd = [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1",
        "1.0",
        "1e0",
        "10e-1",
        "-1",
        "1.5",
        "-2.50",
        "1E+2",
        "100",
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740992",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e999",
        "-1e999",
        "1e1000",
        "1e-999",
        "0e999999999999",
        "0.1",
        "0.1000000000000000055511151231257827",
        "123456789012345678901234567890",
        "3.141592653589793238462643383279",
        "2.2250738585072011e-308",
        "5e-324",
        "1.7976931348623157e308",
    ];
    prop_oneof![
        select(odd.to_vec()).prop_map(str::to_owned),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:?}")),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?",
    ]
}

fn string() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "bc",
        "é",
        "中",
        "😀",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u0061",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\u0000",
        " ",
        ",",
        ":",
        "]",
        "{",
        "0123456789abcdef0123456789abcdef",
    ];
    prop::collection::vec(select(pieces.to_vec()), 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\t \r")]
}

fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![select(&["null", "true", "false"][..]).prop_map(str::to_owned), number(), string()];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let spaced = (space(), inner, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}")).boxed();
        let key = prop_oneof![select(&["\"a\"", "\"b\"", "\"\\u0061\"", "\"\""][..]).prop_map(str::to_owned), string()];
        let member = (key, space(), spaced.clone()).prop_map(|(key, gap, value)| format!("{key}{gap}:{value}"));
        prop_oneof![
            prop::collection::vec(spaced, 0..8).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(","))),
            prop::collection::vec(number(), 30..100).prop_map(|values| format!("[{}]", values.join(", "))),
        ]
    })
}

/// Whether serde_json accepts a text when it decodes all of it; none if it gave up on a number before it was through.
fn serde_accepts(text: &[u8]) -> Option<bool> {
    if serde_json::from_slice::<IgnoredAny>(text).is_err() {
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

fn scanned(text: &[u8]) -> Result<Json, Fault> {
    let mut scanner = Scanner::default();
    scanner.scan(super::text::trim(text), 128).map(|document| Json::from_document(document.into()))
}

/// All of what can be seen of two views is the same, text included.
fn same(a: JsonRef<'_>, b: JsonRef<'_>) {
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

fn is_value(view: JsonRef<'_>, value: &Value) {
    match value {
        Value::Null => assert!(view.is_null()),
        Value::Bool(value) => assert_eq!(view.as_bool(), Some(*value)),
        Value::String(value) => assert_eq!(view.as_str().as_deref(), Some(value.as_str())),
        Value::Number(value) => {
            // serde_json's floats may be off by one unit in the last place.
            let (a, b) = (view.as_f64().unwrap(), value.as_f64().unwrap());
            assert!((a - b).abs() <= a.abs() * 1e-15, "{a} {b}");
            if let Some(value) = value.as_i64() {
                assert_eq!(view.as_i64(), Some(value));
            }
        }
        Value::Array(values) => {
            assert_eq!(view.kind(), JsonKind::Array);
            assert_eq!(view.len(), values.len());
            view.elements().zip(values).for_each(|(view, value)| is_value(view, value));
        }
        Value::Object(members) => {
            assert_eq!(view.kind(), JsonKind::Object);
            assert!(members.len() <= view.len());
            members.iter().for_each(|(key, value)| is_value(view.get(key).unwrap(), value));
        }
    }
}

/// Both lanes accept a text exactly if serde_json does, and see the same.
fn check(parser: &mut JsonParser, text: &[u8]) {
    let scanned = scanned(text);
    let shown = || String::from_utf8_lossy(text).into_owned();
    if let Some(accepts) = serde_accepts(text) {
        assert_eq!(scanned.is_ok(), accepts, "scanner: {} {scanned:?}", shown());
    }
    match (parser.parse(text), scanned) {
        (Ok(line), Ok(scanned)) => {
            same(line.view(), scanned.view());
            same(line.view().to_json().view(), scanned.view());
            if let Ok(value) = serde_json::from_slice::<Value>(text) {
                is_value(line.view(), &value);
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

fn hash(view: JsonRef<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    view.hash(&mut hasher);
    hasher.finish()
}

/// The same value in another spelling: members reversed where their keys differ, strings escaped, numbers moved.
fn respelled(view: JsonRef<'_>) -> String {
    match view.kind() {
        JsonKind::Array => {
            format!("[ {} ]", view.elements().map(respelled).collect::<Vec<_>>().join(" , "))
        }
        JsonKind::Object => {
            let mut members = BTreeMap::new();
            for (key, value) in view.entries() {
                members.insert(key, respelled(value));
            }
            let members = members.iter().rev().map(|(key, value)| format!("{}:{value}", escaped(key)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        JsonKind::String => escaped(&view.as_str().unwrap()),
        JsonKind::Number if !view.raw().contains(['e', 'E']) => {
            let (sign, digits) = view.raw().split_at(view.raw().find(|c: char| c != '-').unwrap_or(0));
            match digits.split_once('.') {
                Some((whole, fraction)) => {
                    let digits = format!("{whole}{fraction}");
                    let digits = digits.trim_start_matches('0');
                    let digits = if digits.is_empty() { "0" } else { digits };
                    format!("{sign}{digits}e-{}", fraction.len())
                }
                None => format!("{sign}{digits}.000"),
            }
        }
        _ => view.raw().to_owned(),
    }
}

fn escaped(text: &str) -> String {
    format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>())
}

#[test]
fn one_byte_changed_anywhere() {
    let mut parser = JsonParser::default();
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
    for seed in seeds {
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
        let mut parser = JsonParser::new(Limits { depth: limit });
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
                        assert_eq!(fault.kind, super::fault::FaultKind::Depth);
                        assert_eq!(fault.column, open.len() * limit.min(1024) + 1);
                    }
                }
            }
        }
    }
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Loose {
    Flag(bool),
    Small(i16),
    Number(f64),
    Text(String),
    Pair(u8, Option<String>),
    Named { x: u64 },
}

#[derive(Deserialize, Debug, PartialEq)]
enum Plain {
    Unit,
    New(i32),
    Two(u8, bool),
    Struct { a: Option<f32> },
}

#[derive(Deserialize, Debug, PartialEq)]
struct Inner {
    e: Option<u128>,
    f: Option<Plain>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Row {
    a: i64,
    b: Option<f64>,
    #[serde(default)]
    c: Vec<Loose>,
    d: Option<Value>,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Tight {
    a: u32,
    b: Option<Box<Tight>>,
    c: (i8, char),
    d: BTreeMap<i16, ()>,
    f: Option<Plain>,
}

fn typed<T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(text: &str) {
    let ours = decoder::<T>(Limits::default()).decode(text.as_bytes());
    match (ours, serde_json::from_str::<T>(text)) {
        // The debug text tells -0.0 from 0.0, which equality does not.
        (Ok(a), Ok(b)) => assert_eq!(format!("{a:?}"), format!("{b:?}"), "{text}"),
        (Err(_), Err(_)) => {}
        (a, b) => panic!("{text}: {a:?} {b:?}"),
    }
}

fn field_value() -> impl Strategy<Value = String> {
    // Floats of few digits, which serde_json reads exactly.
    let exact = [
        "1",
        "0",
        "-0",
        "-1",
        "1.5",
        "-0.25",
        "1e3",
        "300",
        "70000",
        "-40000",
        "18446744073709551615",
        "18446744073709551616",
        "340282366920938463463374607431768211455",
        "1.0",
        "true",
        "false",
        "null",
        "\"x\"",
        "\"\"",
        "\"Unit\"",
        "{\"New\":3}",
        "{\"Unit\":null}",
        "{\"Two\":[1,true]}",
        "{\"Two\":[1,true,2]}",
        "{\"Struct\":{\"a\":1.5}}",
        "{\"Struct\":[null]}",
        "{\"x\":7}",
        "{\"x\":7.0}",
        "{\"x\":7,\"y\":8}",
        "[1,null]",
        "[7,\"é\"]",
        "[7,\"\\u00e9\"]",
        "[1,2,3]",
        "[]",
        "{}",
        "{\"1\":null,\"-2\":null}",
        "{\"1.5\":null}",
        "{\"1\":null,\"1\":null}",
        "[true,1,1.5,\"t\",[3,\"o\"],{\"x\":1},-0]",
        "\"1\"",
    ];
    select(exact.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

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

    #[test]
    fn spelling_does_not_matter(text in text()) {
        let json = Json::parse(&text).unwrap();
        let other = Json::parse(&respelled(json.view())).unwrap();
        prop_assert_eq!(&json, &other);
        prop_assert_eq!(json.cmp(&other), std::cmp::Ordering::Equal);
        prop_assert_eq!(hash(json.view()), hash(other.view()));
    }

    #[test]
    fn order_is_total(a in text(), b in text(), c in text()) {
        let [a, b, c] = [a, b, c].map(|text| Json::parse(&text).unwrap());
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        if a == b {
            prop_assert_eq!(hash(a.view()), hash(b.view()));
        }
        let mut sorted = [&a, &b, &c];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
    }

    #[test]
    fn numbers_are_ordered_and_hashed(a in number(), b in number()) {
        let (x, y) = (Number::parse(a.as_bytes()), Number::parse(b.as_bytes()));
        let order = x.compare(y, || a.as_bytes(), || b.as_bytes());
        prop_assert_eq!(order, y.compare(x, || b.as_bytes(), || a.as_bytes()).reverse());
        if order.is_eq() {
            let [x, y] = [&a, &b].map(|text| hash(Json::parse(text).unwrap().view()));
            prop_assert_eq!(x, y);
        }
    }

    #[test]
    fn compaction_changes_no_value(text in text()) {
        let json = Json::parse(&text).unwrap();
        let mut out = Vec::new();
        json.view().compact(&mut out);
        prop_assert_eq!(json, Json::parse(std::str::from_utf8(&out).unwrap()).unwrap());
    }

    #[test]
    fn types_are_read_as_by_serde_json(
        members in prop::collection::vec((select(&["a", "b", "c", "d", "e", "f", "g"][..]), field_value()), 0..8),
        whole in text(),
    ) {
        let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let text = format!("{{{}}}", members.join(","));
        typed::<Row>(&text);
        typed::<Tight>(&text);
        typed::<BTreeMap<String, Loose>>(&text);
        typed::<Option<Vec<bool>>>(&whole);
        typed::<(Option<String>, i8)>(&whole);
        typed::<String>(&whole);
    }

    #[test]
    fn fields_are_read_as_by_serde_json(value in field_value()) {
        typed::<Loose>(&value);
        typed::<Plain>(&value);
        typed::<Vec<Loose>>(&value);
        typed::<i8>(&value);
        typed::<f32>(&value);
        typed::<u128>(&value);
        typed::<char>(&value);
        typed::<()>(&value);
        typed::<Value>(&value);
    }
}

#[test]
fn documents_of_words_are_views_too() {
    let json = scanned(br#"{"a":[1,{"b":"\n"}]}"#).unwrap();
    let document = Lane::Words(Words(&[]));
    assert_eq!(JsonRef::root(document).kind(), JsonKind::Null);
    assert_eq!(json.get("a").unwrap().at(1).unwrap().to_json().raw(), r#"{"b":"\n"}"#);
}
