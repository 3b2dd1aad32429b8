//! The functions of the language that are written in Rust, a table for each kind. Names that begin with `_` are for the
//! prelude.

mod arrays;
mod dates;
mod formats;
mod maths;
mod paths;
mod reading;
mod regex;
mod strings;
mod time;
mod values;
mod world;

pub(super) use self::regex::Regexes;
pub(super) use self::values::indices;

use super::fault::{Error, ValR, ValXs};
use super::program::Kit;
use super::value::Val;
use jaq_core::native::{Filter, Fun, bome, run, v};
use jaq_core::{Cv, RunPtr};

/// A function with its name and arguments.
type Native = Filter<RunPtr<Kit>>;

type Table = fn() -> Vec<Native>;

/// All functions.
pub(super) fn all() -> impl Iterator<Item = Fun<Kit>> {
    let tables: [&[Table]; 2] = [
        &[values::natives, arrays::natives, strings::natives, regex::natives, formats::natives],
        &[paths::natives, dates::natives, maths::natives, world::natives],
    ];
    // What jaq-core brings: `path`, `first(f)`, `last(f)`, `limit`, `skip`, and what its prelude needs.
    let core = jaq_core::funs().filter(|(name, ..)| !matches!(*name, "range" | "keys_unsorted" | "key_values"));
    tables.into_iter().flatten().flat_map(|table| table()).map(run::<Kit>).chain(core)
}

/// A function of the input alone.
macro_rules! plain {
    ($name:literal, $f:expr) => {
        ($name, jaq_core::native::v(0), |cv| {
            let f: fn(super::Val) -> super::ValR = $f;
            jaq_core::native::bome(f(cv.1))
        })
    };
}

/// A function of the input and one value.
macro_rules! with_one {
    ($name:literal, $f:expr) => {
        ($name, jaq_core::native::v(1), |mut cv| {
            let f: fn(super::Val, super::Val) -> super::ValR = $f;
            let argument = cv.0.pop_var();
            jaq_core::native::bome(f(cv.1, argument))
        })
    };
}

use {plain, with_one};

/// The two values that a function was called with, in their order.
fn pop_two(cv: &mut Cv<'_, Kit>) -> (Val, Val) {
    let second = cv.0.pop_var();
    (cv.0.pop_var(), second)
}

fn one<'a>(result: ValR) -> ValXs<'a> {
    bome(result)
}

fn wrong(message: impl Into<String>) -> Error {
    super::fault::error(message)
}
