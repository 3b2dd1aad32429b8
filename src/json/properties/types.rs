//! Types are read from the outline as serde_json reads them from the text.

use super::text;
use crate::json::decode::decoder;
use crate::json::owned::Json;
use crate::json::parser::Limits;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;

/// Asks for bytes.
#[derive(Debug, PartialEq)]
struct ByteText(Vec<u8>);

impl<'de> Deserialize<'de> for ByteText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ByteText, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = ByteText;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<ByteText, E> {
                Ok(ByteText(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
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
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

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
        typed::<Vec<Json>>(&whole);
        typed::<BTreeMap<String, Json>>(&whole);
        typed::<BTreeMap<i16, IgnoredAny>>(&whole);
        typed::<Vec<f32>>(&whole);
        typed::<Vec<f64>>(&whole);
        typed::<Value>(&whole);
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
        typed::<BTreeMap<i32, ()>>(&value);
        typed::<BTreeMap<bool, Loose>>(&value);
        typed::<(Json, Value)>(&value);
        typed::<ByteText>(&value);
    }
}
