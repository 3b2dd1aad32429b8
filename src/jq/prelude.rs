//! The definitions that every program finds.

use super::natives;
use super::outputs::Known;
use super::rewrite::Rewriter;
use jaq_core::load::Arena;
use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{lex::StrPart, parse};

const TEXT: &str = concat!(include_str!("prelude.jq"), include_str!("extra.jq"), include_str!("sketch.jq"));

/// What is there beyond jq's functions, in jq.
const EXTRA: &str = concat!(include_str!("extra.jq"), include_str!("sketch.jq"));

/// The definitions of what is there beyond jq's functions.
pub(super) fn extra() -> Vec<Def<&'static str>> {
    parse(EXTRA, |parser| parser.defs()).unwrap_or_default()
}

/// These definitions of the prelude, and what is there beyond jq's functions.
pub(super) fn some(names: &[(&str, usize)]) -> Vec<Def<&'static str>> {
    let mut found = parse(TEXT, |parser| parser.defs()).unwrap_or_default();
    found.retain(|one| names.contains(&(one.name, one.args.len())));
    found.extend(extra());
    found
}

/// The definitions of the prelude, with `env` if there is an `$ENV`.
pub(super) fn definitions(arena: &Arena, with_env: bool) -> Option<Vec<Def<&str>>> {
    let mut definitions: Vec<Def<&str>> = parse(TEXT, |parser| parser.defs())?;
    if with_env {
        definitions.extend(parse("def env: $ENV;", |parser| parser.defs())?);
    }
    let natives: Vec<_> = natives::all().map(|(name, arguments, _)| (name, arguments.len())).collect();
    let defined = definitions.iter().map(|one| (one.name, one.args.len()));
    let mut names: Vec<String> = natives
        .into_iter()
        .chain(defined)
        .filter(|(name, _)| name.starts_with(|char: char| char.is_ascii_alphabetic()))
        .filter(|(name, _)| !matches!(*name, "error_empty" | "path_value" | "true" | "false" | "null"))
        .map(|(name, arguments)| format!("{name}/{arguments}"))
        .collect();
    names.push(String::from("builtins/0"));
    names.sort_unstable();
    names.dedup();
    let name = |name: String| Term::Str(None, vec![StrPart::Str(&**arena.alloc(name))]);
    let list = names
        .into_iter()
        .map(name)
        .reduce(|list, name| Term::BinOp(Box::new(list), jaq_core::load::parse::BinaryOp::Comma, Box::new(name)));
    definitions.push(Def { name: "builtins", args: Vec::new(), body: Term::Arr(list.map(Box::new)) });
    Some(Rewriter::new(arena, Known::of_definitions(&definitions), &|_| 1).guarded(definitions))
}
