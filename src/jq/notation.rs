//! Program text as jaq reads it: where its notation is narrower than jq's, the text is edited before it
//! is parsed. `.5` and `5.` are numbers, two halves of a surrogate pair are a character, an empty program is `.`.

use super::program::CompileError;

/// Deeper programs are refused: parsing one takes stack for each level.
const DEEPEST: usize = 512;

/// What a program may weigh: parsing, compiling and running it take stack for each operator, at the end of 64 MiB from
/// 14,000 operators on, or 89,000 steps of a path. What is left at the depth at which functions must not call themselves any
/// more is enough for this, too.
const HEAVIEST: usize = 50_000;
const OPERATOR: usize = 4;
const STEP: usize = 1;

/// Words that weigh as operators.
const WORDS: [&str; 14] =
    ["and", "or", "as", "if", "elif", "reduce", "foreach", "try", "catch", "label", "def", "import", "include", "then"];

/// An edited text, and how its places are found in the original.
#[derive(Debug, Default)]
pub(super) struct Edited {
    pub(super) text: String,
    /// From which place of the edited text on places are how many bytes further than in the original.
    shifts: Vec<(usize, isize)>,
    /// What it weighs against [`check_weight`].
    pub(super) weight: usize,
    /// What was edited before.
    before: Option<Box<Edited>>,
}

impl Edited {
    pub(super) fn new(text: &str, mut edits: Vec<Edit>) -> Edited {
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
        let place = place.saturating_add_signed(-shift);
        self.before.as_ref().map_or(place, |before| before.original(place))
    }

    /// The edited text of an edited text.
    pub(super) fn over(self, before: Edited) -> Edited {
        Edited { weight: before.weight, before: Some(Box::new(before)), ..self }
    }
}

/// Replaces `old` bytes at a place.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) at: usize,
    pub(super) old: usize,
    pub(super) new: String,
}

/// Edits what is not jaq's notation.
///
/// # Errors
///
/// If the program is nested too deeply, or uses what is not supported.
pub(super) fn edit(text: &str) -> Result<Edited, CompileError> {
    let (edits, weight) = literals(text)?;
    let edited = Edited { weight, ..Edited::new(text, edits) };
    let blank = edited.text.lines().all(|line| line.split('#').next().unwrap_or("").trim().is_empty());
    if blank {
        return Ok(Edited { text: String::from("."), ..Edited::default() });
    }
    let patterns = super::patterns::edit(&edited.text);
    match patterns {
        Ok(patterns) => Ok(patterns.over(edited)),
        Err((at, message)) => Err(CompileError::at(text, edited.original(at), message)),
    }
}

/// Refuses what is too much for the stack, of a program or of a program and its modules.
pub(super) fn check_weight(weight: usize) -> Result<(), &'static str> {
    let message =
        "expected at most 12,500 operators in a program and its modules (a step of a path is a quarter of one)";
    if weight <= HEAVIEST { Ok(()) } else { Err(message) }
}

/// Numbers and characters that the lexer would refuse; and the program's weight.
fn literals(text: &str) -> Result<(Vec<Edit>, usize), CompileError> {
    let bytes = text.as_bytes();
    let mut edits = Vec::new();
    // What is open: brackets by their closing, and quotation marks.
    let mut open: Vec<u8> = Vec::new();
    let (mut at, mut weight) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let in_string = open.last() == Some(&b'"');
        if !in_string {
            weight += sign(bytes, at);
        }
        match byte {
            b'\\' if in_string => {
                match bytes.get(at + 1) {
                    Some(b'(') => {
                        weight += OPERATOR;
                        open.push(b')');
                    }
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
            b'a'..=b'z' if !follows_a_word(bytes, at) => {
                let length =
                    bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                if WORDS.contains(&&text[at..at + length]) {
                    weight += OPERATOR;
                }
                at += length;
                continue;
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
        check_weight(weight).map_err(|message| CompileError::at(text, at, message))?;
        at += 1;
    }
    Ok((edits, weight))
}

/// What a byte weighs: of an operator of several characters, the first.
fn sign(bytes: &[u8], at: usize) -> usize {
    let goes_on = |at: usize| at > 0 && b"|+-*/%<>=!".contains(&bytes[at - 1]);
    match bytes[at] {
        b',' | b'-' => OPERATOR,
        b'|' | b'+' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'!' if !goes_on(at) => OPERATOR,
        b'.' | b'[' | b'(' | b'{' | b'?' | b';' | b':' => STEP,
        _ => 0,
    }
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
        assert!(edit(".a? // 1").is_ok() && edit(".a?//1").is_ok() && edit(".[]?//1").is_ok());
    }
}
