//! A program on every record, in parallel, outputs in the order of the input.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use kitbag::{Bag, Output, Scan, Seq};

use crate::jq::{Halt, Inputs, Val};

use super::exit::{Failure, refusal};
use super::run::{Job, Outcome};
use super::stdout::Stdout;
use super::values::OnError;
use super::world;

/// The program on every record of JSON lines.
pub(super) fn record(job: &Job<'_>) -> Result<Outcome, Failure> {
    let seen = Seen::default();
    let scan = Scan::new(job.input()).with(job.config.clone());
    let one = |record: kitbag::JsonRef<'_>, out: &mut Output<'_>| match print(job, &seen, record, out) {
        Some(printed) => printed,
        None => run(job, &seen, out, |inputs, each| job.program.run_on(record, inputs, each)),
    };
    let written = match &job.target {
        Some(target) if job.partition.is_some() => Some(scan.write_partitioned_with(target.clone(), one)?),
        Some(target) => Some(scan.write_with(target.clone(), one)?),
        None => scan.write_with_to(Stdout::new(&job.cancel), one).map(|_| None)?,
    };
    Ok(seen.outcome(written))
}

/// The program on every line of text, as a string.
pub(super) fn line(job: &Job<'_>) -> Result<Outcome, Failure> {
    let seen = Seen::default();
    let lines = Bag::read_text(job.input()).with(job.config.clone());
    let one = |line: String, out: &mut Output<'_>| {
        run(job, &seen, out, |inputs, each| job.program.run(Val::string(line), inputs, each))
    };
    let written = match &job.target {
        Some(target) if job.partition.is_some() => Some(lines.write_partitioned_with(target.clone(), one)?),
        Some(target) => Some(lines.write_with(target.clone(), one)?),
        None => lines.write_with_to(Stdout::new(&job.cancel), one).map(|_| None)?,
    };
    Ok(seen.outcome(written))
}

/// What the threads of a run have seen.
#[derive(Default)]
pub(super) struct Seen {
    /// The last record that gave a value, and whether its last value is true.
    last: Mutex<Option<(Seq, bool)>>,
    failed: AtomicBool,
    halted: AtomicBool,
}

impl Seen {
    /// A record's last output is true, or not.
    pub(super) fn note(&self, seq: Seq, is_true: bool) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|(before, _)| before < seq) {
            *last = Some((seq, is_true));
        }
    }

    /// The same where there is nothing but one output after the other.
    pub(super) fn note_end(&self, is_true: bool) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Seq::default(), is_true));
    }

    pub(super) fn outcome(self, written: Option<kitbag::Written>) -> Outcome {
        let last = self.last.into_inner().unwrap_or_else(PoisonError::into_inner);
        Outcome {
            written,
            last: last.map(|(_, is_true)| is_true),
            failed: self.failed.into_inner(),
            halted: self.halted.into_inner(),
            ..Outcome::default()
        }
    }
}

/// What becomes of a record.
type Done = Result<(), Box<dyn StdError + Send + Sync>>;

/// The program on one record, printed from where the record was read, if program and options allow that.
fn print(job: &Job<'_>, seen: &Seen, record: kitbag::JsonRef<'_>, out: &mut Output<'_>) -> Option<Done> {
    let raw = job.printer.plain().filter(|_| job.partition.is_none())?;
    let before = out.text().len();
    // Whoever asks for the path needs the rest of the output meanwhile.
    let mut text = std::mem::take(out.text());
    let out = RefCell::new(out);
    let printed = job.program.print_on(record, &Alone(&out), raw, &mut text);
    let out = out.into_inner();
    *out.text() = text;
    let (last, ended) = printed?;
    Some(end(job, seen, before, last, ended, out))
}

/// The program on one record, or on one line.
fn run(
    job: &Job<'_>,
    seen: &Seen,
    out: &mut Output<'_>,
    program: impl FnOnce(&dyn Inputs, &mut dyn FnMut(Val) -> ControlFlow<()>) -> Result<(), Halt>,
) -> Done {
    let before = out.text().len();
    let (mut last, mut refused) = (None, None);
    let out = RefCell::new(out);
    let ended = program(&Alone(&out), &mut |value| {
        let partition = match job.partition.as_ref().map(|by| by.of(&value, &Alone(&out))).transpose() {
            Ok(partition) => partition,
            Err(error) => {
                refused = Some(Halt::Error(error));
                return ControlFlow::Break(());
            }
        };
        let mut out = out.borrow_mut();
        job.printer.print(&value, out.text());
        if let Some(partition) = partition {
            out.put_into(partition);
        }
        last = Some(value.is_true());
        ControlFlow::Continue(())
    });
    end(job, seen, before, last, refused.map_or(ended, Err), out.into_inner())
}

/// What becomes of a record whose outputs have been printed.
fn end(
    job: &Job<'_>,
    seen: &Seen,
    before: usize,
    last: Option<bool>,
    ended: Result<(), Halt>,
    out: &mut Output<'_>,
) -> Done {
    if job.args.exit_status
        && let Some(is_true) = last
    {
        seen.note(out.seq(), is_true);
    }
    match ended {
        Ok(()) => Ok(()),
        Err(Halt::Exit { code: 0, message: None }) => {
            seen.halted.store(true, Ordering::Relaxed);
            out.stop();
            Ok(())
        }
        Err(halt) => {
            if matches!(halt, Halt::Error(_)) && job.args.on_error != OnError::Fail {
                seen.failed.store(true, Ordering::Relaxed);
                if job.args.on_error != OnError::Skip {
                    out.text().truncate(before);
                }
            }
            Err(refusal(halt))
        }
    }
}

/// What the program on one record sees: no further input.
struct Alone<'a, 'o, 'u>(&'a RefCell<&'o mut Output<'u>>);

impl Inputs for Alone<'_, '_, '_> {
    fn file_name(&self) -> Option<String> {
        Some(self.0.borrow().path().to_string()).filter(|path| path != "<stdin>")
    }

    fn now(&self) -> f64 {
        world::now()
    }

    fn debug(&self, message: &Val) {
        world::debug(message);
    }

    fn stderr(&self, value: &Val) {
        world::stderr(value);
    }
}
