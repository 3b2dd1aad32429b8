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

/// The definitions of the prelude that a program can reach, with `env` if there is an `$ENV`. What imports modules can
/// reach all of them.
pub(super) fn definitions<'a>(arena: &'a Arena, program: &str, with_env: bool) -> Option<Vec<Def<&'a str>>> {
    let text = arena.alloc(reached(program));
    let mut definitions: Vec<Def<&str>> = parse(text, |parser| parser.defs())?;
    if with_env {
        definitions.extend(parse("def env: $ENV;", |parser| parser.defs())?);
    }
    if words(program).any(|word| matches!(word, "builtins" | "import" | "include")) {
        definitions.push(builtins(arena)?);
    }
    Some(Rewriter::new(arena, Known::of_definitions(&definitions), &|_| 1).guarded(definitions))
}

/// The text of the definitions that a program can reach, by the words in it. The compiler takes most of its time for the
/// others, and it is asked for each piece of a program.
fn reached(program: &str) -> String {
    // One definition a line, or more lines that are indented.
    let mut all: Vec<(&str, &str, bool)> = Vec::new();
    let mut rest = TEXT;
    while let Some(from) = rest.find("def ") {
        let text = &rest[from..];
        let (text, behind) = text.split_at(text.find("\ndef ").map_or(text.len(), |at| at + 1));
        all.push((words(text).nth(1).unwrap_or_default(), text, false));
        rest = behind;
    }
    let everything = words(program).any(|word| matches!(word, "import" | "include"));
    let mut waiting: Vec<&str> = words(program).collect();
    // The rewriter calls those with an underscore.
    waiting.extend(all.iter().map(|(name, ..)| *name).filter(|name| everything || name.starts_with('_')));
    while let Some(word) = waiting.pop() {
        for (name, text, taken) in &mut all {
            if *name == word && !std::mem::replace(taken, true) {
                waiting.extend(words(text));
            }
        }
    }
    all.iter().filter(|(.., taken)| *taken).map(|(_, text, _)| *text).collect()
}

/// All that may be a name in a program.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric() && !matches!(char, '_' | '@')).filter(|word| !word.is_empty())
}

/// The list of all names.
fn builtins(arena: &Arena) -> Option<Def<&str>> {
    let definitions: Vec<Def<&str>> = parse(TEXT, |parser| parser.defs())?;
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
    Some(Def { name: "builtins", args: Vec::new(), body: Term::Arr(list.map(Box::new)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_reaches_what_it_names_and_what_that_names() {
        let all: Vec<Def<&str>> = parse(TEXT, |parser| parser.defs()).unwrap();
        let everything = reached("import");
        assert_eq!(parse(&everything, |parser| parser.defs()).unwrap().len(), all.len());
        let names = |program: &str| -> Vec<String> {
            let text = reached(program);
            parse(&text, |parser| parser.defs()).unwrap().iter().map(|one| one.name.to_owned()).collect()
        };
        let least = names(".a").len();
        assert!(least < 20 && names("to_entries").len() < all.len(), "{least} of {}", all.len());
        // `select` needs `empty`.
        let some = names("map(select(.a))");
        assert!(["map", "select", "empty"].iter().all(|name| some.iter().any(|one| one == name)), "{some:?}");
    }
}
