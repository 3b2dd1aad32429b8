//! From text to a filter: edit the notation, parse, rewrite, print, and let jaq compile what was printed. Errors are told
//! by the text that the user wrote, so that text is compiled as it stands first.

use super::notation::{self, Edited};
use super::outputs::Known;
use super::piece::Kit;
use super::print::{print, print_definitions};
use super::program::{CompileError, Libraries};
use super::rewrite::Rewriter;
use super::{binding, natives, prelude};
use jaq_core::compile::Undefined;
use jaq_core::load::lex::{Lexer, Token};
use jaq_core::load::parse::Parser;
use jaq_core::load::{Arena, Error, Errors, File, Import, Loader};
use jaq_core::{Compiler, Filter};
use std::cell::Cell;

/// Why a module does not load, or a name is not known: where in the text that was compiled, and what.
type Fault = (usize, String);

/// Compiles a program with global variables of these names; and its text, edited to jaq's notation.
pub(super) fn compile(
    text: &str,
    names: &[String],
    libraries: &Libraries,
) -> Result<(Filter<Kit>, String), CompileError> {
    let literals = notation::edit(text)?;
    let bound = binding::bind(&literals.text);
    let place = |at: usize| literals.original(bound.original(at)).min(text.len());
    let told = |(at, message): Fault| CompileError::at(text, place(at), message);

    let mut known: Vec<&str> = names.iter().map(String::as_str).collect();
    known.push("$__loc__");
    load(&bound.text, &known, libraries, false, literals.weight).map_err(told)?;
    let line = |word: &str| text.get(..place(start(&bound.text, word))).unwrap_or("").matches('\n').count() + 1;
    let rewritten = rewrite(&bound.text, &line, true).ok_or_else(|| told((0, String::from("expected a program"))))?;
    known.pop();
    // What was right before is right now; if not, the place is lost.
    let filter = load(&rewritten, &known, libraries, true, 0).map_err(|(_, message)| told((0, message)))?;
    Ok((filter, bound.text))
}

/// Rewrites a program, or a module, whose headers stay as they are.
fn rewrite(text: &str, line: &dyn Fn(&str) -> usize, is_program: bool) -> Option<String> {
    let arena = Arena::default();
    let tokens = Lexer::new(text).lex().ok()?;
    let headers = headers(&tokens);
    let body = headers.last().map_or(0, |last| start(text, last.0) + last.0.len());
    let (head, tokens) = (&text[..body], &tokens[headers.len()..]);
    if is_program {
        let term = Parser::new(tokens).parse(Parser::term).ok()?;
        let term = Rewriter::new(&arena, Known::of(&term), line).term(term);
        Some(format!("{head} {}", print(&term)))
    } else {
        let definitions = Parser::new(tokens).parse(Parser::defs).ok()?;
        let known = Known::of_definitions(&definitions);
        let definitions = Rewriter::new(&arena, known, line).definitions(definitions);
        Some(format!("{head} {}", print_definitions(&definitions)))
    }
}

/// The tokens of `module`, `import` and `include` at the start of a text.
fn headers<'t, 's>(tokens: &'t [Token<&'s str>]) -> &'t [Token<&'s str>] {
    let mut end = 0;
    while let Some(Token("module" | "import" | "include", _)) = tokens.get(end) {
        match tokens[end..].iter().position(|Token(word, _)| *word == ";") {
            Some(at) => end += at + 1,
            None => break,
        }
    }
    &tokens[..end]
}

/// Compiles a text; what has been rewritten was looked at before.
fn load(
    text: &str,
    names: &[&str],
    libraries: &Libraries,
    rewritten: bool,
    weight: usize,
) -> Result<Filter<Kit>, Fault> {
    let arena = Arena::default();
    let broken = || (0, String::from("the prelude is broken"));
    let definitions = prelude::definitions(&arena, text, names.contains(&"$ENV")).ok_or_else(broken)?;
    let weight = Cell::new(weight);
    let read = |import: Import<'_, &str, String>| {
        let modules = libraries.modules.as_ref().ok_or("modules are not available: no directory was given with -L")?;
        let code = modules(import.path)?;
        let code = if rewritten { module(&code)? } else { weighed(&code, &weight)? };
        Ok(File { code, path: (*import.path).to_owned() })
    };
    let main = File { code: text, path: String::new() };
    let modules =
        Loader::new(definitions).with_read(read).load(&arena, main).map_err(|errors| loading(text, errors))?;
    // Without this, a module's data would be read from whatever variable comes first.
    jaq_core::load::import(&modules, |_| Err(String::from("importing data is not supported")))
        .map_err(|errors| loading(text, errors))?;
    let compiler = Compiler::default().with_funs(natives::all()).with_global_vars(names.iter().copied());
    compiler.compile(modules).map_err(|errors| {
        let first = errors.into_iter().next().and_then(|(file, errors)| Some((file, errors.into_iter().next()?)));
        first.map_or_else(broken, |(file, (name, undefined))| {
            let message = match undefined {
                Undefined::Filter(arguments @ (0 | 1)) if matches!(name, "localtime" | "strflocaltime") => {
                    format!("{name}/{arguments} is not defined: times are in UTC, by `gmtime` and `strftime`")
                }
                Undefined::Filter(0) if name == "env" => String::from("env/0 is not defined: --env was not given"),
                Undefined::Filter(arguments) => format!("{name}/{arguments} is not defined"),
                Undefined::Label => format!("*label-{} is not defined", name.trim_start_matches('$')),
                Undefined::Var if name == "$ENV" => String::from("$ENV is not defined: --env was not given"),
                Undefined::Mod => format!("module {name} is not imported"),
                _ => format!("{name} is not defined"),
            };
            located(text, &file, name, message)
        })
    })
}

/// Where a part of a text starts in it; 0 for what is no part of it.
fn start(text: &str, part: &str) -> usize {
    let at = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    if at <= text.len() { at } else { 0 }
}

fn edited(code: &str) -> Result<Edited, String> {
    let literals = notation::edit(code).map_err(|error| error.to_string())?;
    Ok(binding::bind(&literals.text).over(literals))
}

/// The text of a module as it stands, which is weighed with what has been read before.
fn weighed(code: &str, weight: &Cell<usize>) -> Result<String, String> {
    let code = edited(code)?;
    weight.set(weight.get() + code.weight);
    notation::check_weight(weight.get())?;
    Ok(code.text)
}

/// The text of a module, rewritten.
fn module(code: &str) -> Result<String, String> {
    let code = edited(code)?;
    let line = |word: &str| code.text[..start(&code.text, word)].matches('\n').count() + 1;
    Ok(rewrite(&code.text, &line, false).unwrap_or_else(|| code.text.clone()))
}

/// What is wrong with the first part that does not load.
fn loading(text: &str, errors: Errors<&str, String>) -> Fault {
    for (file, error) in errors {
        let found = match error {
            Error::Io(errors) => errors.into_iter().next(),
            Error::Lex(errors) => errors.into_iter().next().map(|(expected, at)| (at, expects(expected.as_str(), at))),
            Error::Parse(errors) => {
                errors.into_iter().next().map(|(expected, at)| (at, expects(&quoted(expected.as_str()), at)))
            }
        };
        if let Some((at, message)) = found {
            return located(text, &file, at, message);
        }
    }
    (0, String::from("the program does not load"))
}

/// Names of kinds of tokens stay as they are, tokens are quoted.
fn quoted(expected: &str) -> String {
    let is_word = expected.contains(' ')
        || matches!(
            expected,
            "variable" | "pattern" | "term" | "key" | "identifier" | "argument" | "string" | "nothing"
        );
    match expected {
        "else or end" => String::from("`else` or `end`"),
        "nothing" => String::from("an operator or the end"),
        expected if is_word => {
            format!("a {expected}").replace("a identifier", "an identifier").replace("a argument", "an argument")
        }
        expected => format!("`{expected}`"),
    }
}

fn expects(expected: &str, found: &str) -> String {
    let word: String = found.chars().take_while(|char| char.is_alphanumeric() || *char == '_').take(20).collect();
    let found = match (word.is_empty(), found.chars().next()) {
        (_, None) => String::from("the end"),
        (true, Some(char)) => format!("`{char}`"),
        (false, _) => format!("`{word}`"),
    };
    format!("expected {expected}, found {found}")
}

fn located(text: &str, file: &File<&str, String>, at: &str, message: String) -> Fault {
    if file.path.is_empty() {
        return (start(text, at), message);
    }
    let error = CompileError::at(file.code, start(file.code, at), message);
    (0, format!("in module {}: {error}", file.path))
}
