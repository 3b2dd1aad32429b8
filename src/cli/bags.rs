//! `--bag NAME=FILE`: further records, for joins. They are read where a join reads them; where the program asks for the
//! array itself, it is read once and held.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use kitbag::{Config, Input, Monitor, Scan, escape};

use crate::jq::Val;
use crate::jq::plan::{self, Way};

use super::alone;
use super::args::Args;
use super::exit::Failure;
use super::values::OnError;

/// What the program has for variables anyhow.
const TAKEN: [&str; 4] = ["ENV", "ARGS", "__loc__", "__prog_args"];

/// A named input.
#[derive(Debug)]
struct Bag {
    name: String,
    paths: Vec<PathBuf>,
    /// The program asks for the array.
    held: bool,
}

/// All of them, by the order of their names' first mention.
#[derive(Debug, Default)]
pub(super) struct Bags(Vec<Bag>);

/// What holding arrays has come to.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Bytes that they take, about.
    pub(super) weight: u64,
    /// Records that a policy left out.
    pub(super) left_out: u64,
    /// Bytes of damaged files that went with them.
    pub(super) lost: u64,
}

impl Bags {
    /// Reads the options, and looks whether the files are there and the names are free.
    pub(super) fn new(args: &Args, globals: &[(String, Val)]) -> Result<Bags, Failure> {
        let mut bags: Vec<Bag> = Vec::new();
        for word in &args.bag {
            let (name, path) = split(word)?;
            if TAKEN.contains(&name) || globals.iter().any(|(taken, _)| taken == name) {
                return Err(Failure::Usage(format!("--bag {name}: there is a ${name} already")));
            }
            match bags.iter_mut().find(|bag| bag.name == name) {
                Some(bag) => bag.paths.push(path),
                None => bags.push(Bag { name: name.to_owned(), paths: vec![path], held: false }),
            }
        }
        for bag in &bags {
            bag.input().paths()?;
        }
        Ok(Bags(bags))
    }

    /// The variables, as they are before anything is read.
    pub(super) fn globals(&self) -> impl Iterator<Item = (String, Val)> {
        self.0.iter().map(|bag| (bag.name.clone(), Val::Null))
    }

    /// Whether one of them is standard input, by a name of the system's.
    pub(super) fn are_stdin(&self) -> bool {
        let names = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].map(Path::new);
        self.0.iter().flat_map(|bag| &bag.paths).any(|path| names.contains(&path.as_path()))
    }

    /// Whether a path leads to a file of one of them.
    pub(super) fn are_read_from(&self, path: &Path) -> Result<bool, Failure> {
        for bag in &self.0 {
            if bag.input().is_read_from(path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes which arrays these programs ask for; the first is run as a plan if it can be.
    pub(super) fn ask(&mut self, text: &str, as_plan: bool, by: &str) {
        for bag in &mut self.0 {
            let asks = match as_plan {
                true => plan::with(text, |way| match way {
                    Way::Verbs(plan) => plan.asks_for(&bag.name) || plan.joins(&bag.name) > 1 && bag.is_fleeting(),
                    // Whether there are two passes is seen when the first has ended.
                    Way::Twice(..) | Way::InTurn(_) | Way::Collected => plan::asks_for(text, &bag.name),
                }),
                false => plan::asks_for(text, &bag.name),
            };
            bag.held = asks || plan::asks_for(by, &bag.name);
        }
    }

    /// Reads the arrays that are asked for into the variables.
    pub(super) fn hold(&self, args: &Args, config: &Config, globals: &mut [(String, Val)]) -> Result<Held, Failure> {
        let mut held = Held::default();
        for bag in self.0.iter().filter(|bag| bag.held) {
            if matches!(args.on_error, OnError::Quarantine(_)) {
                let text =
                    "--on-error quarantine=FILE is for records, not for those of a --bag that is held as an array";
                return Err(Failure::Usage(text.into()));
            }
            let monitor = Monitor::new();
            let config = config.clone().monitor(&monitor);
            let values = alone::array(bag.input(), &config, &mut held.weight, &format!("${}", bag.name))?;
            let report = monitor.report().unwrap_or_default();
            held.left_out += report.rejected;
            held.lost += report.lost_bytes;
            if let Some((_, value)) = globals.iter_mut().find(|(name, _)| *name == bag.name) {
                *value = Val::array(values);
            }
        }
        Ok(held)
    }

    /// Whether there is one that is held.
    pub(super) fn any_held(&self) -> bool {
        self.0.iter().any(|bag| bag.held)
    }

    /// What `--explain` says of those that are held.
    pub(super) fn explain(&self) -> String {
        let held = self.0.iter().filter(|bag| bag.held);
        held.map(|bag| format!("${}: held in memory as an array, which is read first\n", bag.name)).collect()
    }

    /// The records of one that is not held.
    pub(super) fn scan(&self, name: &str, config: &Config) -> Option<Scan> {
        let bag = self.0.iter().find(|bag| bag.name == name && !bag.held)?;
        Some(Scan::new(bag.input()).with(config.clone()))
    }
}

impl Bag {
    fn input(&self) -> Input {
        Input::from(self.paths.clone())
    }

    /// Whether it can be read only once.
    fn is_fleeting(&self) -> bool {
        self.input().is_rereadable().is_ok_and(|again| !again)
    }
}

/// `NAME=FILE`.
fn split(word: &OsStr) -> Result<(&str, PathBuf), Failure> {
    let wrong = |what: &str| {
        let word = escape(word.as_encoded_bytes(), 80);
        Failure::Usage(format!("expected --bag NAME=FILE{what}, found {word}"))
    };
    let text = word.to_str().ok_or_else(|| wrong(" in UTF-8"))?;
    let (name, path) = text.split_once('=').ok_or_else(|| wrong(""))?;
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_name = name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit());
    if !is_name || path.is_empty() {
        return Err(wrong(" with a NAME of letters, digits and `_`"));
    }
    if path == "-" {
        return Err(wrong(": standard input is for the records"));
    }
    Ok((name, path.into()))
}
