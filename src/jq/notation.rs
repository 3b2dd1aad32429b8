//! Program text as jaq reads it: where its notation is narrower than jq's, or binds otherwise, the text is edited before it
//! is parsed. `.5` and `5.` are numbers, two halves of a surrogate pair are a character, an empty program is `.`, `*`, `/`
//! and `%` bind alike, and `//` binds less than `=`.

use super::program::CompileError;
use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};

/// Deeper programs are refused: parsing one takes stack for each level.
const DEEPEST: usize = 512;

/// An edited text, and how its places are found in the original.
#[derive(Debug, Default)]
pub(super) struct Edited {
    pub(super) text: String,
    /// From which place of the edited text on places are how many bytes further than in the original.
    shifts: Vec<(usize, isize)>,
}

impl Edited {
    fn new(text: &str, mut edits: Vec<Edit>) -> Edited {
        edits.sort_by_key(|edit| edit.at);
        let mut edited = Edited::default();
        let mut from = 0;
        for edit in edits {
            edited.text.push_str(&text[from..edit.at]);
            edited.text.push_str(&edit.new);
            from = edit.at + edit.old;
            edited.shifts.push((edited.text.len(), edited.text.len().cast_signed() - from.cast_signed()));
        }
        edited.text.push_str(&text[from..]);
        edited
    }

    /// Where a place of the edited text is in the original.
    pub(super) fn original(&self, place: usize) -> usize {
        let shift = self.shifts.iter().take_while(|(from, _)| *from <= place).last().map_or(0, |(_, shift)| *shift);
        place.saturating_add_signed(-shift)
    }
}

/// Replaces `old` bytes at a place.
#[derive(Debug)]
struct Edit {
    at: usize,
    old: usize,
    new: String,
}

/// Edits what is not jaq's notation.
///
/// # Errors
///
/// If the program is nested too deeply, or uses what is not supported.
pub(super) fn edit(text: &str) -> Result<Edited, CompileError> {
    let edited = Edited::new(text, literals(text)?);
    let blank = edited.text.lines().all(|line| line.split('#').next().unwrap_or("").trim().is_empty());
    if blank {
        return Ok(Edited { text: String::from("."), shifts: Vec::new() });
    }
    Ok(edited)
}

/// Edits how operators bind. The text has to be readable by the lexer.
pub(super) fn bind(text: &str) -> Edited {
    let mut edits = Vec::new();
    if let Ok(tokens) = Lexer::new(text).lex() {
        block(text, &tokens, &mut edits);
    }
    Edited::new(text, edits)
}

/// Numbers and characters that the lexer would refuse.
fn literals(text: &str) -> Result<Vec<Edit>, CompileError> {
    let bytes = text.as_bytes();
    let mut edits = Vec::new();
    // What is open: brackets by their closing, and quotation marks.
    let mut open: Vec<u8> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let in_string = open.last() == Some(&b'"');
        match byte {
            b'\\' if in_string => {
                match bytes.get(at + 1) {
                    Some(b'(') => open.push(b')'),
                    Some(b'u') => {
                        if let Some((char, length)) = surrogates(&text[at..]) {
                            edits.push(Edit { at, old: length, new: char.to_string() });
                            at += length;
                            continue;
                        }
                    }
                    _ => {}
                }
                at += 2;
                continue;
            }
            b'"' if in_string => drop(open.pop()),
            _ if in_string => {}
            b'"' => open.push(b'"'),
            b'#' => at += bytes[at..].iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len() - at - 1),
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b')' | b']' | b'}' if open.last() == Some(&byte) => drop(open.pop()),
            b'?' if text[at..].starts_with("?//") && !text[at..].starts_with("?//=") => {
                let after = text[..at].trim_end();
                if is_pattern(after) {
                    return Err(CompileError::at(text, at, "destructuring alternatives (`?//`) are not supported"));
                }
            }
            b'0'..=b'9' if !follows_a_word(bytes, at) => {
                at = number(text, at, &mut edits);
                continue;
            }
            b'.' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) && !follows_a_term(bytes, at) => {
                edits.push(Edit { at, old: 0, new: String::from("0") });
                at = number(text, at, &mut edits);
                continue;
            }
            _ => {}
        }
        if open.len() > DEEPEST {
            return Err(CompileError::at(text, at, "expected fewer than 512 levels of brackets"));
        }
        at += 1;
    }
    Ok(edits)
}

/// Whether a text ends with `as` and a pattern.
fn is_pattern(text: &str) -> bool {
    text.rfind(" as ").is_some_and(|at| {
        let pattern = text[at + 4..].trim_start();
        pattern.starts_with(['$', '[', '{']) && !pattern.contains('|')
    })
}

fn follows_a_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'_' | b'$' | b'@'))
}

/// Whether a point here goes on with what stands before it.
fn follows_a_term(bytes: &[u8], at: usize) -> bool {
    at > 0 && (follows_a_word(bytes, at) || matches!(bytes[at - 1], b')' | b']' | b'}' | b'"' | b'.' | b'?'))
}

/// Passes a number; closes a point at its end.
fn number(text: &str, mut at: usize, edits: &mut Vec<Edit>) -> usize {
    let bytes = text.as_bytes();
    let digits = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    at += digits(at);
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        // `5.` is a number, `5..` and `5.a` are not.
        let next = bytes.get(at + 1);
        if fraction == 0 && !next.is_some_and(|&byte| byte == b'.' || byte == b'[' || byte.is_ascii_alphabetic()) {
            edits.push(Edit { at, old: 1, new: String::new() });
        }
        at += 1 + fraction;
    }
    at
}

/// The character of two `\u` escapes at the start of a text, and their length.
fn surrogates(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let high = unit(text)?;
    if !(0xd800..0xdc00).contains(&high) {
        return None;
    }
    let low = unit(text.get(6..)?)?;
    char::decode_utf16([high, low]).next()?.ok().map(|char| (char, 12))
}

/// Tokens between which operators bind only among each other.
const ENDS: [&str; 13] = ["|", ",", ";", ":", "then", "elif", "else", "reduce", "foreach", "as", "label", "def", "?//"];

fn block(text: &str, tokens: &[Token<&str>], edits: &mut Vec<Edit>) {
    for Token(_, token) in tokens {
        match token {
            // The last token is the closing bracket.
            Tok::Block(inner) => block(text, inner.split_last().map_or(&[], |(_, inner)| inner), edits),
            Tok::Str(parts) => {
                for part in parts {
                    if let StrPart::Term(inner) = part {
                        block(text, std::slice::from_ref(inner), edits);
                    }
                }
            }
            _ => {}
        }
    }
    level(text, tokens, edits);
}

/// Takes a list of tokens apart at its separators. What stands between `if` and `end` is an operand as a whole, and is
/// looked into afterwards.
fn level(text: &str, tokens: &[Token<&str>], edits: &mut Vec<Edit>) {
    let mut branches = Vec::new();
    let mut from = 0;
    for (at, Token(word, _)) in tokens.iter().enumerate() {
        match *word {
            "if" => branches.push(at + 1),
            "end" => {
                let inner = branches.pop().map_or(&[][..], |start| &tokens[start..at]);
                if branches.is_empty() {
                    level(text, inner, edits);
                }
            }
            word if branches.is_empty() && ENDS.contains(&word) => {
                segment(text, &tokens[from..at], edits);
                from = at + 1;
            }
            _ => {}
        }
    }
    segment(text, &tokens[from..], edits);
}

fn segment(text: &str, tokens: &[Token<&str>], edits: &mut Vec<Edit>) {
    const ASSIGNMENTS: [&str; 8] = ["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="];
    // Of what stands between `if` and `end`, the two words alone.
    let mut depth = 0_usize;
    let mut outside = |token: &&Token<&str>| {
        depth -= usize::from(token.0 == "end" && depth > 0);
        let keep = depth == 0;
        depth += usize::from(token.0 == "if");
        keep
    };
    let tokens: Vec<&Token<&str>> = tokens.iter().filter(|token| outside(token)).collect();
    let has = |words: &[&str]| tokens.iter().any(|Token(word, _)| words.contains(word));
    if has(&["//"]) && has(&ASSIGNMENTS) {
        for operand in tokens.split(|Token(word, _)| *word == "//") {
            if operand.iter().any(|Token(word, _)| ASSIGNMENTS.contains(word)) {
                enclose(text, operand, edits);
            }
        }
    }
    if has(&["%"]) && has(&["*", "/"]) {
        products(text, &tokens, edits);
    }
}

/// Encloses what stands before each `%` of a product.
fn products(text: &str, tokens: &[&Token<&str>], edits: &mut Vec<Edit>) {
    const LOWER: [&str; 11] = ["+", "//", "and", "or", "==", "!=", "<", "<=", ">", ">=", "="];
    let (mut start, mut product) = (0, false);
    for (at, Token(word, token)) in tokens.iter().enumerate() {
        let operator = matches!(token, Tok::Sym) || matches!(*word, "and" | "or");
        // A minus after an operand is an operator too.
        let minus = *word == "-" && at > start && !matches!(tokens[at - 1].0, "*" | "/" | "%");
        if operator && (LOWER.contains(word) || word.ends_with('=') || minus) {
            (start, product) = (at + 1, false);
        } else if matches!(*word, "*" | "/") {
            product = true;
        } else if *word == "%" && product {
            enclose(text, &tokens[start..at], edits);
        }
    }
}

fn enclose(text: &str, tokens: &[&Token<&str>], edits: &mut Vec<Edit>) {
    if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
        let start = jaq_core::load::span(text, first.0).start;
        let end = jaq_core::load::span(text, last.0).end;
        edits.push(Edit { at: start, old: 0, new: String::from("(") });
        edits.push(Edit { at: end, old: 0, new: String::from(")") });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_jq() {
        for (program, text) in [
            (".5 + 5. - [1.5,.5]", "0.5 + 5 - [1.5,0.5]"),
            (".a.b5 | .[5] | $x1.y | range(0;5.;.5)", ".a.b5 | .[5] | $x1.y | range(0;5;0.5)"),
            ("\"\\ud83d\\ude00 .5 \\(.5) \\u00e9\"", "\"😀 .5 \\(0.5) \\u00e9\""),
            ("  # .5\n ", "."),
            ("1 # .5 \"\n+ .5", "1 # .5 \"\n+ 0.5"),
        ] {
            assert_eq!(edit(program).unwrap().text, text);
        }
        assert!(edit(&"[".repeat(600)).is_err());
        assert!(edit(". as [$a] ?// $a | $a").is_err());
        assert!(edit(".a? // 1").is_ok() && edit(".a?//1").is_ok() && edit(".[]?//1").is_ok());
    }

    #[test]
    fn operators_bind_as_in_jq() {
        for (program, text) in [
            (".a = .b // 1", "(.a = .b) // 1"),
            (".a // .b |= 2 | .c = 1", ".a // (.b |= 2) | .c = 1"),
            ("if .a = 1 // 2 then 3 % 4 else 3 * 4 % 5 end", "if (.a = 1) // 2 then 3 % 4 else (3 * 4) % 5 end"),
            ("[7 * 5 % 3, 1 + 2 / 3 % 4 - 5]", "[(7 * 5) % 3, 1 + (2 / 3) % 4 - 5]"),
            ("f(.a = (1 // 2)) * -2 % 3", "(f(.a = (1 // 2)) * -2) % 3"),
            ("\"\\(7 * 5 % 3)\"", "\"\\((7 * 5) % 3)\""),
        ] {
            let edited = bind(program);
            assert_eq!(edited.text, text);
            let at = edited.text.rfind(|char: char| char.is_ascii_digit()).unwrap();
            assert_eq!(edited.text.as_bytes()[at], program.as_bytes()[edited.original(at)]);
        }
    }
}
