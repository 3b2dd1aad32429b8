//! `--bag NAME=FILE`: further records, for joins. They are read where a join reads them; where the program asks for the
//! array itself, it is read once and held.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kitbag::{Config, Input, Monitor, Scan, escape};

use crate::jq::Val;
use crate::jq::plan::{self, Told, Way};

use super::alone;
use super::args::Args;
use super::exit::Failure;
use super::run::Job;
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
    pub(super) weight: AtomicU64,
    /// Records that a policy left out.
    pub(super) left_out: AtomicU64,
    /// Bytes of damaged files that went with them.
    pub(super) lost: AtomicU64,
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

    /// Notes which arrays these programs ask for; the first is run as a plan if it can be, over an input that is read
    /// twice if that can be.
    pub(super) fn ask(&mut self, text: &str, as_plan: bool, twice: bool, by: &str) {
        for bag in &mut self.0 {
            let asks = match as_plan {
                true => plan::with(text, |way| bag.is_asked_for(way, text, twice)),
                false => plan::asks_for(text, &bag.name),
            };
            bag.held = asks || plan::asks_for(by, &bag.name);
        }
    }

    /// Reads the arrays that are asked for into the variables.
    pub(super) fn hold(&self, args: &Args, config: &Config, globals: &mut [(String, Val)]) -> Result<Held, Failure> {
        let held = Held::default();
        for bag in self.0.iter().filter(|bag| bag.held) {
            let array = bag.array(args, config, &held)?;
            if let Some((_, value)) = globals.iter_mut().find(|(name, _)| *name == bag.name) {
                *value = array;
            }
        }
        Ok(held)
    }

    /// Reads the arrays that are not held so far, and without which a program cannot be run in this way.
    pub(super) fn hold_late(&self, way: &Way<'_>, text: &str, job: &Job<'_>) -> Result<Vec<(String, Val)>, Failure> {
        let missing = self.0.iter().filter(|bag| !bag.held && bag.is_asked_for(way, text, false));
        missing.map(|bag| Ok((bag.name.clone(), bag.array(job.args, &job.config, &job.held_bags)?))).collect()
    }

    /// Whether there is one that is held.
    pub(super) fn any_held(&self) -> bool {
        self.0.iter().any(|bag| bag.held)
    }

    /// What `--explain` says of those that are held.
    pub(super) fn explain(&self) -> Vec<Told> {
        let held = self.0.iter().filter(|bag| bag.held);
        let tell = |bag: &Bag| {
            Told::new("bag", "h", format!("${} is held in memory as an array, which is read first", bag.name))
        };
        held.map(tell).collect()
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

    /// Whether a program that is run in this way asks for the array.
    fn is_asked_for(&self, way: &Way<'_>, text: &str, twice: bool) -> bool {
        match way {
            Way::Verbs(plan) => plan.asks_for(&self.name) || plan.joins(&self.name) > 1 && self.is_fleeting(),
            // It is read in both passes.
            Way::Twice(passes, _) if twice => {
                self.is_fleeting() && plan::asks_for(text, &self.name)
                    || [&passes.first, &passes.body]
                        .into_iter()
                        .any(|part| plan::with(part, |way| self.is_asked_for(way, part, twice)))
            }
            Way::Twice(_, otherwise) => self.is_asked_for(otherwise, text, twice),
            Way::InTurn(_) | Way::Collected => plan::asks_for(text, &self.name),
        }
    }

    /// The records, as a value that is held from now on.
    fn array(&self, args: &Args, config: &Config, held: &Held) -> Result<Val, Failure> {
        if matches!(args.on_error, OnError::Quarantine(_)) {
            let text = "--on-error quarantine=FILE is for records, not for those of a --bag that is held as an array";
            return Err(Failure::Usage(text.into()));
        }
        let monitor = Monitor::new();
        let config = config.clone().monitor(&monitor);
        let mut weight = held.weight.load(Ordering::Relaxed);
        let values = alone::array(self.input(), &config, &mut weight, &format!("${}", self.name))?;
        held.weight.store(weight, Ordering::Relaxed);
        let report = monitor.report().unwrap_or_default();
        held.left_out.fetch_add(report.rejected, Ordering::Relaxed);
        held.lost.fetch_add(report.lost_bytes, Ordering::Relaxed);
        Ok(Val::array(values))
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
