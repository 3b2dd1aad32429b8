//! Patterns that jaq has no notation for, written as what they stand for: `{$b: [$c]}`, which binds what it takes apart, and
//! alternatives, `as [$a] ?// $a | body`, of which the next is taken where the one before, or the body, fails.

use super::notation::{Edit, Edited};
use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};
use jaq_core::load::span;
use std::fmt::Write;

/// More lists of alternatives are refused: each is edited by itself.
const MOST: usize = 64;

/// Edits patterns. A text that the lexer cannot read stays as it is.
///
/// # Errors
///
/// If there are alternatives where they cannot be edited: where, and why.
pub(super) fn edit(text: &str) -> Result<Edited, (usize, String)> {
    let mut edited = Edited::new(text, members(text));
    for number in 0..=MOST {
        let Ok(tokens) = Lexer::new(&edited.text).lex() else { return Ok(edited) };
        let Some(found) = last_alternatives(&tokens) else { return Ok(edited) };
        let at = span(&edited.text, found[0].0).start;
        let refused = |message: &str| Err((edited.original(at), message.to_owned()));
        if number == MOST {
            return refused("expected at most 64 lists of alternatives (`?//`)");
        }
        let Some(edits) = alternatives(&edited.text, found, number) else {
            return refused("alternatives (`?//`) are supported before a `|` only");
        };
        let next = Edited::new(&edited.text, edits);
        edited = next.over(edited);
    }
    Ok(edited)
}

type Tokens<'t, 's> = &'t [Token<&'s str>];

/// Visits lists of tokens, outer ones first, each list once.
fn each_list<'t, 's>(tokens: Tokens<'t, 's>, visit: &mut dyn FnMut(Tokens<'t, 's>)) {
    visit(tokens);
    for Token(_, token) in tokens {
        match token {
            Tok::Block(inner) => each_list(inner, visit),
            Tok::Str(parts) => {
                for part in parts {
                    if let StrPart::Term(inner) = part {
                        each_list(std::slice::from_ref(inner), visit);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The patterns behind an `as`, and how many tokens they are.
fn patterns<'t, 's>(tokens: Tokens<'t, 's>) -> (Vec<&'t Token<&'s str>>, usize) {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(pattern) = tokens.get(at) {
        found.push(pattern);
        at += 1;
        match tokens.get(at..at + 2) {
            Some([Token("?", _), Token("//", _)]) => at += 2,
            _ => break,
        }
    }
    (found, at)
}

/// `{$b: pattern}` is `{b: $b, b: pattern}`.
fn members(text: &str) -> Vec<Edit> {
    fn within(text: &str, pattern: &Token<&str>, edits: &mut Vec<Edit>) {
        let Token(full, Tok::Block(inner)) = pattern else { return };
        if full.starts_with('(') {
            return;
        }
        for (at, token) in inner.iter().enumerate() {
            match (token, inner.get(at + 1)) {
                (Token(name, Tok::Var), Some(Token(":", _))) => {
                    let key = name.trim_start_matches('$');
                    let new = format!("{key}: {name}, {key}");
                    edits.push(Edit { at: span(text, name).start, old: name.len(), new });
                }
                (token, _) => within(text, token, edits),
            }
        }
    }
    let Ok(tokens) = Lexer::new(text).lex() else { return Vec::new() };
    let mut edits = Vec::new();
    each_list(&tokens, &mut |tokens| {
        for (at, _) in tokens.iter().enumerate().filter(|(_, Token(word, _))| *word == "as") {
            patterns(&tokens[at + 1..]).0.iter().for_each(|pattern| within(text, pattern, &mut edits));
        }
    });
    edits
}

/// The tokens behind the last `as` that has alternatives.
fn last_alternatives<'t, 's>(tokens: Tokens<'t, 's>) -> Option<Tokens<'t, 's>> {
    let mut last: Option<Tokens<'t, 's>> = None;
    each_list(tokens, &mut |tokens| {
        for (at, _) in tokens.iter().enumerate().filter(|(_, Token(word, _))| *word == "as") {
            let rest = &tokens[at + 1..];
            let later = |before: Tokens<'_, '_>| before[0].0.as_ptr() < rest[0].0.as_ptr();
            if patterns(rest).0.len() > 1 && last.is_none_or(later) {
                last = Some(rest);
            }
        }
    });
    last
}

/// `as P ?// Q | body` is `as $v | . as $d | def f($x; …): body; try (null as $x | … | $v as P | f($x; …)) catch ($d | …)`:
/// the body stays where it is.
fn alternatives(text: &str, tokens: Tokens<'_, '_>, number: usize) -> Option<Vec<Edit>> {
    let (patterns, count) = patterns(tokens);
    let Some([Token("|", _), body @ ..]) = tokens.get(count..) else { return None };
    let last = body.get(length(body).checked_sub(1)?)?;
    let (mut nulls, mut names) = (String::new(), Vec::new());
    patterns.iter().for_each(|pattern| variables(pattern, &mut names));
    for name in &names {
        // Writing to a string does not fail.
        let _ = write!(nulls, "null as {name} | ");
    }
    let list = if names.is_empty() { String::new() } else { format!("({})", names.join("; ")) };
    let one =
        |Token(pattern, _): &&Token<&str>| format!("({nulls}$__value{number} as {pattern} | __body{number}{list})");
    let mut tries = patterns.iter().rev().map(one);
    let innermost = tries.next()?;
    let tries = tries.fold(innermost, |next, this| format!("try {this} catch ($__input{number} | {next})"));
    let (start, end) = (span(text, tokens[0].0).start, span(text, tokens[count].0).end);
    let new = format!("$__value{number} | . as $__input{number} | def __body{number}{list}: ");
    Some(vec![
        Edit { at: start, old: end - start, new },
        Edit { at: span(text, last.0).end, old: 0, new: format!("; {tries}") },
    ])
}

/// The variables that a pattern binds.
fn variables<'s>(Token(full, token): &Token<&'s str>, names: &mut Vec<&'s str>) {
    match token {
        Tok::Var if !names.contains(full) => names.push(full),
        Tok::Block(inner) if !full.starts_with('(') => inner.iter().for_each(|token| variables(token, names)),
        _ => {}
    }
}

/// How many tokens the body has.
fn length(tokens: Tokens<'_, '_>) -> usize {
    let (mut branches, mut definitions) = (0_usize, 0_usize);
    let ends = |Token(word, _): &Token<&str>| {
        match *word {
            "if" => branches += 1,
            "end" if branches > 0 => branches -= 1,
            "def" => definitions += 1,
            ";" if definitions > 0 => definitions -= 1,
            "then" | "elif" | "else" => return branches == 0,
            "end" | ";" | ")" | "]" | "}" => return true,
            _ => {}
        }
        false
    };
    tokens.iter().position(ends).unwrap_or(tokens.len())
}

#[cfg(test)]
mod tests {
    use super::super::notation;
    use super::super::tests::run;
    use super::*;

    #[test]
    fn a_pattern_that_binds_what_it_takes_apart() {
        assert_eq!(
            run(". as {a: {$b: [$c, {$d: $e}]}} | [$b, $c, $d, $e]", r#"{"a":{"b":[1,{"d":2}]}}"#),
            [r#"[[1,{"d":2}],1,2,2]"#]
        );
        assert_eq!(edit(". as {$a: $b} | {$a, b: $b}").unwrap().text, ". as {a: $a, a: $b} | {$a, b: $b}");
    }

    #[test]
    fn the_next_alternative_is_taken_where_one_fails() {
        for (program, input, outputs) in [
            (".[] as [$a] ?// {$a} ?// $a | [$a]", r#"[[1],{"a":2},3]"#, &["[1]", "[2]", "[3]"][..]),
            (".[] as [$a] ?// [$b] | if $a then error else [$a, $b] end", "[[3]]", &["[null,3]"]),
            (". as [$a] ?// $b | $b | [., 1] | error", "[1]", &["! [[1],1]"]),
            (
                ". as [$x, $y] ?// {$x, y: [$y]} | if . then . as [$z] ?// $x | [$x, $y, $z] else 1 end",
                r#"{"x":1,"y":[2]}"#,
                &[r#"[{"x":1,"y":[2]},2,null]"#],
            ),
            ("[. as [$a] ?// $a | def f: def g: $a; g; f, . + 1]", "5", &["[5,6]"]),
            ("(1, 2) as [$a] ?// $a | (3, 4) as {$b} ?// $b | $a + $b", "null", &["4", "5", "5", "6"]),
            ("\"\\([1] as {$a} ?// [$a] | $a)\"", "null", &["\"1\""]),
        ] {
            assert_eq!(run(program, input), outputs, "{program}");
        }
        let refused = |program: &str| notation::edit(program).unwrap_err().to_string();
        let message = "alternatives (`?//`) are supported before a `|` only";
        assert_eq!(refused("reduce .[] as [$a] ?// $a (0; . + $a)"), format!("1:15: {message}"));
        assert!(refused(&(". as [$a] ?// $a | ".repeat(65) + "1")).contains("at most 64"));
    }
}
