//! Variables and files that the command line hands to the program.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::Path;

use clap::ArgMatches;
use kitbag::{Config, Input, escape};
use serde_json::value::RawValue;

use crate::jq::Val;

use super::args::Args;
use super::exit::Failure;
use super::world;

/// The positional words of the command line: the program, the files, and what follows `--args` or `--jsonargs`.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) program: Option<OsString>,
    pub(super) files: Vec<OsString>,
    positional: Vec<Val>,
}

impl Words {
    pub(super) fn new(args: &Args, matches: &ArgMatches) -> Result<Words, Failure> {
        let given = |id| matches.indices_of(id).into_iter().flatten();
        let places = given("program").chain(given("files"));
        let words = args.program.iter().chain(&args.files);
        let mut sorted = Words::default();
        for (place, word) in places.zip(words) {
            let last = |id| given(id).filter(|&flag| flag < place).max();
            let (strings, values) = (last("args"), last("jsonargs"));
            if sorted.program.is_none() && args.from_file.is_none() {
                sorted.program = Some(word.clone());
            } else if strings.is_none() && values.is_none() {
                sorted.files.push(word.clone());
            } else {
                let text = utf8(word)?;
                sorted.positional.push(if strings > values { Val::string(text) } else { json("--jsonargs", text)? });
            }
        }
        if sorted.files.is_empty() {
            sorted.files.push("-".into());
        }
        Ok(sorted)
    }

    /// `$NAME` of each option that names one, and `$ARGS`. Of options with the same name the first counts, as in jq.
    pub(super) fn globals(
        self,
        args: &Args,
        matches: &ArgMatches,
        config: &Config,
    ) -> Result<Vec<(String, Val)>, Failure> {
        let mut named: Vec<(usize, &str, Val)> = Vec::new();
        let kinds: [(&str, &[String]); 4] = [
            ("arg", &args.arg),
            ("argjson", &args.argjson),
            ("slurpfile", &args.slurpfile),
            ("rawfile", &args.rawfile),
        ];
        for (kind, words) in kinds {
            let places = matches.indices_of(kind).into_iter().flatten();
            for (place, pair) in places.step_by(2).zip(words.chunks(2)) {
                let [name, value] = pair else { continue };
                let value = match kind {
                    "arg" => Val::string(value),
                    "argjson" => json(&format!("--argjson {name}"), value)?,
                    "slurpfile" => Val::array(values(&text_of(Path::new(value), config)?, Path::new(value))?),
                    _ => Val::string(text_of(Path::new(value), config)?),
                };
                named.push((place, name, value));
            }
        }
        named.sort_by_key(|(place, ..)| *place);
        let mut seen = HashSet::new();
        named.retain(|(_, name, _)| seen.insert(*name));
        let named: Vec<(String, Val)> = named.into_iter().map(|(_, name, value)| (name.to_owned(), value)).collect();
        let object = Val::object(named.iter().map(|(name, value)| (name.as_str().into(), value.clone())));
        let both = [("positional".into(), Val::array(self.positional)), ("named".into(), object)];
        let mut globals = named;
        globals.push(("ARGS".to_owned(), Val::object(both)));
        if args.env && globals.iter().all(|(name, _)| name != "ENV") {
            globals.push(("ENV".to_owned(), world::environment()));
        }
        Ok(globals)
    }
}

/// The text of a file, decompressed; bytes that are not UTF-8 are replaced, as jq does.
pub(super) fn text_of(path: &Path, config: &Config) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    Input::from(path).reader(config)?.read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The JSON values of a text, between which white space may stand.
fn values(text: &str, path: &Path) -> Result<Vec<Val>, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let value = value.map_err(|error| {
            let path = escape(path.as_os_str().as_encoded_bytes(), usize::MAX);
            Failure::Input(format!("{path}:{}:{}: {}", error.line(), error.column(), no_place(&error)))
        })?;
        values.push(Val::parse(value.get().as_bytes())?);
    }
    Ok(values)
}

/// What serde_json says, without its place.
pub(super) fn no_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(text, _)| text.to_owned())
}

fn json(option: &str, text: &str) -> Result<Val, Failure> {
    let wrong =
        |error: kitbag::Error| Failure::Usage(format!("{}: {}", escape(option.as_bytes(), 80), error.message()));
    Val::parse(text.as_bytes()).map_err(wrong)
}

pub(super) fn utf8(word: &OsStr) -> Result<&str, Failure> {
    let wrong = || Failure::Usage(format!("expected UTF-8: {}", escape(word.as_encoded_bytes(), 80)));
    word.to_str().ok_or_else(wrong)
}
