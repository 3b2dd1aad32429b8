//! The programs of jq's manual, of jq's tests and of jaq's tests, where KITBAG_SUITES names a folder that has them: `jq` and
//! `jaq`, as their repositories are. What fails is listed in `known.txt` with its reason: one that is listed and passes is
//! as wrong as one that fails and is not listed.

mod jaq;
mod jq;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::tool::{Ran, finish, kitbag};

/// A program of a suite.
pub(super) struct Case {
    /// The file below the folder, and the line of the program.
    pub(super) place: String,
    pub(super) program: String,
    pub(super) input: String,
    pub(super) expected: Expected,
}

pub(super) enum Expected {
    Outputs(Vec<Value>),
    /// The program does not compile.
    Refused,
}

/// A row of the table of rates.
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) cases: Vec<Case>,
    /// How many of its tests are no programs, or could not be read.
    pub(super) unread: usize,
}

/// What is known of the suites: files with their sizes, and the places of what fails.
#[derive(Default)]
struct Known {
    sizes: Vec<(String, u64)>,
    /// Why, by place; whether it is a feature that is not there.
    failing: BTreeMap<String, (String, bool)>,
}

impl Known {
    fn read() -> Known {
        let (mut known, mut reason) = (Known::default(), (String::new(), false));
        for line in include_str!("known.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match (line.split_once("not there: "), line.split_once("otherwise: "), line.split_once(" bytes ")) {
                (Some(("", text)), ..) => reason = (text.to_owned(), true),
                (_, Some(("", text)), _) => reason = (text.to_owned(), false),
                (.., Some((size, file))) => known.sizes.push((file.to_owned(), size.parse().unwrap())),
                _ => {
                    let (file, numbers) = line.trim_start().split_once(": ").unwrap();
                    for number in numbers.split(' ') {
                        let before = known.failing.insert(format!("{file}:{number}"), reason.clone());
                        assert!(before.is_none(), "{file}:{number} is listed twice");
                    }
                }
            }
        }
        known
    }
}

#[test]
fn the_programs_of_the_suites_give_what_they_should() {
    let Some(folder) = std::env::var_os("KITBAG_SUITES") else {
        eprintln!("skipped: KITBAG_SUITES names no folder with the sources of jq and jaq");
        return;
    };
    let folder = Path::new(&folder);
    let known = Known::read();
    for (file, size) in &known.sizes {
        let found = std::fs::metadata(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}")).len();
        assert_eq!(found, *size, "known.txt was written for another {file}");
    }
    let suites = [jq::manual(folder, "v1.6"), jq::manual(folder, "v1.8"), jq::tests(folder), jaq::tests(folder)];
    let (mut table, mut wrong, mut failed) = (String::new(), String::new(), BTreeSet::new());
    for suite in &suites {
        let modules = folder.join("jq/tests/modules");
        let failures = failures(&suite.cases, &modules);
        let absent = failures.iter().filter(|(at, _)| known.failing.get(&suite.cases[*at].place).is_some_and(|k| k.1));
        let (all, absent, failing) = (suite.cases.len(), absent.count(), failures.len());
        let (passed, able) = (all - failing, all - absent);
        let rate = 100.0 * passed as f64 / able as f64;
        let _ = writeln!(
            table,
            "| {} | {all} | {passed} | {absent} | {} | {rate:.1} % | {} |",
            suite.name,
            failing - absent,
            suite.unread
        );
        for (at, why) in failures {
            let Case { place, program, .. } = &suite.cases[at];
            failed.insert(place);
            if !known.failing.contains_key(place) {
                let _ = writeln!(wrong, "{place} fails: {program}\n    {why}");
            }
        }
    }
    eprintln!("| suite | programs | pass | feature not there | otherwise | rate | not read |\n{table}");
    for place in known.failing.keys().filter(|place| !failed.contains(place)) {
        let _ = writeln!(wrong, "{place} is listed, and does not fail");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The cases that fail, by their index, and how. Each is a process; four run at once.
fn failures(cases: &[Case], modules: &Path) -> Vec<(usize, String)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some((at, case)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, cases.get(at)?)))
        {
            if let Err(why) = check(case, modules) {
                failed.push((at, why));
            }
        }
        failed
    };
    let mut failed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    failed.sort_unstable();
    failed
}

/// As jq's own runner judges: an error behind the outputs that are expected is none.
fn check(case: &Case, modules: &Path) -> Result<(), String> {
    let mut command = kitbag();
    command.env("PAGER", "less").args(["--env", "-L"]).arg(modules).args(["--", &case.program]);
    let ran = finish(&mut command, case.input.as_bytes());
    let told = |ran: &Ran| format!("exit code {:?}, {:.200} {:.200}", ran.code, ran.out, ran.err);
    match &case.expected {
        Expected::Refused if ran.code == Some(3) => Ok(()),
        Expected::Refused => Err(told(&ran)),
        Expected::Outputs(_) if !matches!(ran.code, Some(0 | 5)) => Err(told(&ran)),
        Expected::Outputs(expected) => {
            let found: Result<Vec<Value>, _> = ran.out.lines().map(serde_json::from_str).collect();
            let same = found.is_ok_and(|found| {
                found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| super::same_as_jq::same(a, b))
            });
            if same { Ok(()) } else { Err(told(&ran)) }
        }
    }
}
