//! The definitions that every program finds.

use jaq_core::load::parse::Def;

const TEXT: &str = include_str!("prelude.jq");

/// The definitions of the prelude.
pub(super) fn definitions() -> Result<Vec<Def<&'static str>>, String> {
    jaq_core::load::parse(TEXT, |parser| parser.defs()).ok_or_else(|| String::from("the prelude does not parse"))
}
