//! Program text edited so that operators bind for jaq as they do in jq: `*`, `/` and `%` alike, and `//` less than `=`.

use super::notation::{Edit, Edited};
use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};

/// Edits how operators bind. The text has to be readable by the lexer.
pub(super) fn bind(text: &str) -> Edited {
    let mut edits = Vec::new();
    if let Ok(tokens) = Lexer::new(text).lex() {
        block(text, &tokens, &mut edits);
    }
    Edited::new(text, edits)
}

/// Tokens between which operators bind only among each other.
const ENDS: [&str; 12] = ["|", ",", ";", ":", "then", "elif", "else", "reduce", "foreach", "as", "label", "def"];

const OPERATORS: [&str; 14] = ["+", "-", "*", "/", "%", "//", "and", "or", "==", "!=", "<", "<=", ">", ">="];

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
                let source = &tokens[from..at];
                segment(text, source, edits);
                // What `reduce` and `foreach` go over may have operators.
                let fold = from > 0 && matches!(tokens[from - 1].0, "reduce" | "foreach");
                if word == "as" && fold && source.iter().any(|Token(word, _)| OPERATORS.contains(word)) {
                    enclose(text, &source.iter().collect::<Vec<_>>(), edits);
                }
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
    fn operators_bind_as_in_jq() {
        for (program, text) in [
            (".a = .b // 1", "(.a = .b) // 1"),
            (".a // .b |= 2 | .c = 1", ".a // (.b |= 2) | .c = 1"),
            ("if .a = 1 // 2 then 3 % 4 else 3 * 4 % 5 end", "if (.a = 1) // 2 then 3 % 4 else (3 * 4) % 5 end"),
            ("[7 * 5 % 3, 1 + 2 / 3 % 4 - 5]", "[(7 * 5) % 3, 1 + (2 / 3) % 4 - 5]"),
            ("f(.a = (1 // 2)) * -2 % 3", "(f(.a = (1 // 2)) * -2) % 3"),
            ("\"\\(7 * 5 % 3)\"", "\"\\((7 * 5) % 3)\""),
            ("reduce .[] / .[0] as $x (1; 2 - 3)", "reduce (.[] / .[0]) as $x (1; 2 - 3)"),
            ("foreach 1 * 2 % 3 as $x (4; 5)", "foreach ((1 * 2) % 3) as $x (4; 5)"),
        ] {
            let edited = bind(program);
            assert_eq!(edited.text, text);
            let at = edited.text.rfind(|char: char| char.is_ascii_digit()).unwrap();
            assert_eq!(edited.text.as_bytes()[at], program.as_bytes()[edited.original(at)]);
        }
    }
}
