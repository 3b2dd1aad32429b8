//! One tester, all code paths. A test states records, a pipeline over a bag, and what a plain `Vec` says the answer is;
//! [`check`] writes the records as shards in every shape that a reader may meet, runs the pipeline under every
//! configuration of the grid, and wants the answer each time, as a sequence.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::exit,
    clippy::cast_possible_truncation,
    reason = "shared by test binaries that each use a part of it; tests may touch the system and panic"
)]

pub mod dice;
pub mod grid;
pub mod pack;
pub mod shapes;
pub mod watch;

use std::fmt::Debug;

use kitbag::{Bag, Config, Input, Json, Result};

pub use dice::Dice;
pub use grid::{Setting, corners, grid};
pub use shapes::{Shape, shapes};
pub use watch::watched;

/// Runs `pipeline` over every shape of `records` and every setting, and compares with `expected`.
pub fn check<R: PartialEq + Debug>(
    records: &[String],
    kind: Kind,
    settings: &[Setting],
    expected: &R,
    pipeline: impl Fn(Input, Config) -> Result<R>,
) {
    let mut ran = 0;
    for shape in shapes(records, kind) {
        for setting in settings {
            let label = format!("shape `{}`, {setting}", shape.name);
            let answer = watched(&label, || pipeline(shape.input.clone(), setting.config()));
            match answer {
                Ok(answer) => assert!(
                    answer == *expected,
                    "{label}: the answer differs from the model's\n answer: {answer:?}\n  model: {expected:?}"
                ),
                Err(error) => panic!("{label}: {error:?}"),
            }
            ran += 1;
        }
    }
    assert!(ran > 0, "nothing was run");
}

/// What the records are, which decides the shapes: a blank line is a record of text and none of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Json,
}

/// A row of the operator table over JSON records: the verb, and what it should do to a `Vec`.
pub fn json_row<R: PartialEq + Debug>(
    records: &[String],
    pipeline: impl Fn(Bag<Json>) -> Result<R>,
    model: impl FnOnce(Vec<Json>) -> R,
) {
    let expected = model(records.iter().map(|text| Json::parse(text).expect("a test's own record")).collect());
    check(records, Kind::Json, &grid(), &expected, |input, config| pipeline(Bag::read_json(input).with(config)));
}

/// The same over lines of text.
pub fn text_row<R: PartialEq + Debug>(
    records: &[String],
    pipeline: impl Fn(Bag<String>) -> Result<R>,
    model: impl FnOnce(Vec<String>) -> R,
) {
    let expected = model(records.to_vec());
    check(records, Kind::Text, &grid(), &expected, |input, config| pipeline(Bag::read_text(input).with(config)));
}

/// Skips a test that needs real data, where there is none; `None` prints why.
pub fn sample(name: &str) -> Option<std::path::PathBuf> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/sample");
    let dir = std::env::var_os("KITBAG_SAMPLE").map_or(beside, Into::into);
    let path = dir.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there (KITBAG_SAMPLE names the folder of sample shards)", path.display());
    None
}
