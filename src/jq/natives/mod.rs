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

pub(crate) use self::paths::events;
pub(super) use self::regex::{Regexes, no_string};
pub(super) use self::values::indices;

use super::fault::{Error, ValR, ValXs};
use super::piece::Kit;
use super::value::Val;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Bind, Cv, PathsPtr, RunPtr, UpdatePtr};

/// A function with its name and arguments, as the interpreter calls it, and as it is without one.
struct Native {
    name: &'static str,
    arguments: Box<[Bind]>,
    run: RunPtr<Kit>,
    direct: Option<Direct>,
    /// Of a function that gives its input: paths and updates go through it.
    passing: Option<(PathsPtr<Kit>, UpdatePtr<Kit>)>,
}

/// A function of values.
#[derive(Clone, Copy)]
pub(super) enum Direct {
    Plain(fn(Val) -> ValR),
    WithOne(fn(Val, Val) -> ValR),
}

type Table = fn() -> Vec<Native>;

fn natives() -> impl Iterator<Item = Native> {
    let tables: [&[Table]; 2] = [
        &[values::natives, arrays::natives, strings::natives, regex::natives, formats::natives],
        &[paths::natives, dates::natives, maths::natives, world::natives],
    ];
    tables.into_iter().flatten().flat_map(|table| table())
}

/// The function of this name and number of arguments, if it is one of values alone.
pub(super) fn direct(name: &str, arguments: usize) -> Option<Direct> {
    natives().find(|native| native.name == name && native.arguments.len() == arguments)?.direct
}

/// All functions.
pub(super) fn all() -> impl Iterator<Item = Fun<Kit>> {
    // What jaq-core brings: `path`, `first(f)`, `last(f)`, `limit`, `skip`, and what its prelude needs.
    let core = jaq_core::funs().filter(|(name, ..)| !matches!(*name, "range" | "keys_unsorted" | "key_values"));
    let ours = natives().map(|native| {
        let (name, arguments, filter) = run::<Kit>((native.name, native.arguments, native.run));
        let filter = match native.passing {
            Some((paths, update)) => filter.with_paths(paths).with_update(update),
            None => filter,
        };
        (name, arguments, filter)
    });
    ours.chain(core)
}

/// A function of the input alone.
macro_rules! plain {
    ($name:literal, $f:expr) => {{
        const FUNCTION: fn(super::Val) -> super::ValR = $f;
        let direct = Some(super::Direct::Plain(FUNCTION));
        super::Native { direct, ..general!($name, jaq_core::native::v(0), |cv| jaq_core::native::bome(FUNCTION(cv.1))) }
    }};
}

/// A function of the input and one value.
macro_rules! with_one {
    ($name:literal, $f:expr) => {{
        const FUNCTION: fn(super::Val, super::Val) -> super::ValR = $f;
        let direct = Some(super::Direct::WithOne(FUNCTION));
        let run = general!($name, jaq_core::native::v(1), |mut cv| {
            let argument = cv.0.pop_var();
            jaq_core::native::bome(FUNCTION(cv.1, argument))
        });
        super::Native { direct, ..run }
    }};
}

/// A function that looks at more than values, or has any number of outputs.
macro_rules! general {
    ($name:literal, $arguments:expr, $run:expr) => {
        super::Native { name: $name, arguments: $arguments, run: $run, direct: None, passing: None }
    };
}

/// A function that gives its input, after a look at what it is called with.
macro_rules! passing {
    ($name:literal, $arguments:expr, $look:expr) => {{
        type Look =
            for<'a> fn(&mut jaq_core::Ctx<'a, super::Kit>, &super::Val) -> Result<(), jaq_core::Exn<'a, super::Val>>;
        const LOOK: Look = $look;
        let run =
            general!($name, $arguments, |mut cv| jaq_core::box_iter::box_once(LOOK(&mut cv.0, &cv.1).map(|()| cv.1)));
        let paths: jaq_core::PathsPtr<super::Kit> =
            |mut cv| jaq_core::box_iter::box_once(LOOK(&mut cv.0, &cv.1.0).map(|()| cv.1));
        let update: jaq_core::UpdatePtr<super::Kit> = |mut cv, f| match LOOK(&mut cv.0, &cv.1) {
            Ok(()) => f(cv.1),
            Err(exception) => jaq_core::box_iter::box_once(Err(exception)),
        };
        super::Native { passing: Some((paths, update)), ..run }
    }};
}

use {general, passing, plain, with_one};

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
