//! The whole input as one array, planned: what `-s` does where the program can be taken apart.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use kitbag::{Bag, Output, Scan};

use crate::jq::plan::{self, Passes, Plan, Told, Way};
use crate::jq::slurp::{self, Compiled, World};
use crate::jq::{CompileError, Halt, Inputs, Program, Val};

use super::alone::{self, held_within};
use super::each::Seen;
use super::exit::Failure;
use super::inputs::Source;
use super::output;
use super::run::{Job, Outcome, is_planned};
use super::stdout::Stdout;
use super::values::OnError;
use super::{passes, world};

/// Variables that have a value by an earlier pass over the input.
pub(super) type Known = Vec<(String, Val)>;

/// Runs the program on the whole input as one array.
pub(super) fn run(job: &Job<'_>) -> Result<Outcome, Failure> {
    of(job, &job.text, &Vec::new())
}

/// Runs a program with these variables.
fn of(job: &Job<'_>, text: &str, known: &Known) -> Result<Outcome, Failure> {
    plan::with(text, |way| by(job, way, text, known))
}

fn by(job: &Job<'_>, way: &Way<'_>, text: &str, known: &Known) -> Result<Outcome, Failure> {
    match way {
        Way::Verbs(plan) => planned(job, plan, known),
        Way::InTurn(text) => {
            let program = job.compile(text, known)?;
            alone::once(job, &program, Val::null(), alone::records(job)?)
        }
        Way::Twice(passes, otherwise) => match quarantines(job) {
            false => match twice(job, passes, known)? {
                Some(outcome) => Ok(outcome),
                None => {
                    let mut known = known.clone();
                    known.extend(job.bags.hold_late(otherwise, text, job)?);
                    by(job, otherwise, text, &known)
                }
            },
            true => by(job, otherwise, text, known),
        },
        // It may import modules.
        Way::Collected if known.is_empty() => alone::once(job, &job.program, alone::slurp(job)?, Source::Held(None)),
        Way::Collected => alone::once(job, &job.compile(text, known)?, alone::slurp(job)?, Source::Held(None)),
    }
}

/// Whether what cannot be read is written down, which is for one pass to do.
fn quarantines(job: &Job<'_>) -> bool {
    matches!(job.args.on_error, OnError::Quarantine(_))
}

/// Two passes over the input, or more; `None` if that cannot be.
fn twice(job: &Job<'_>, passes: &Passes, known: &Known) -> Result<Option<Outcome>, Failure> {
    let Some(first) = passes::first(job, passes, known)? else { return Ok(None) };
    // Each pass leaves out the same records, or fewer where it stops early; the report tells of the last one's.
    let reported = || job.monitor.report().map_or(0, |report| report.rejected);
    let (mut left_out, mut outcome) = (reported(), Outcome::default());
    for values in first.values {
        let names: Vec<&String> = values.iter().map(|(name, _)| name).collect();
        let outer = known.iter().filter(|(name, _)| !names.contains(&name)).cloned();
        let known = outer.chain(values.iter().cloned()).collect();
        passes::unchanged(job)?;
        let next = of(job, &passes.body, &known)?;
        left_out = left_out.max(reported() + next.left_out);
        outcome = Outcome { last: next.last.or(outcome.last), ..next };
        if outcome.halted {
            break;
        }
    }
    if job.target.is_none() {
        // What has been printed is wrong then; a target has been written by now.
        passes::unchanged(job)?;
    }
    outcome.left_out = left_out - reported();
    match first.ended {
        Some(failure) if !outcome.halted => Err(failure),
        _ => Ok(Some(outcome)),
    }
}

/// Compiles a plan, in which these variables have a value.
pub(super) fn compiled(job: &Job<'_>, plan: &Plan<'_>, known: &Known) -> Result<Compiled, CompileError> {
    let compile = |text: &str| job.compile(text, known);
    let bags = |name: &str| {
        let is_value = known.iter().any(|(known, _)| known == name);
        job.bags.scan(name, &job.config).filter(|_| !is_value)
    };
    let world = World { definitions: &plan.definitions, compile: &compile, inputs: Arc::new(Outside), bags: &bags };
    Compiled::new(plan, &world)
}

fn planned(job: &Job<'_>, plan: &Plan<'_>, known: &Known) -> Result<Outcome, Failure> {
    let mut sink = Printed { job, seen: Seen::default(), written: None, outcome: None };
    let scan = Scan::new(job.input()).with(job.config.clone());
    compiled(job, plan, known)?.run(scan, job.config.budget(), &mut sink)?;
    Ok(sink.outcome.unwrap_or_else(|| sink.seen.outcome(sink.written)))
}

/// What `--explain` says.
pub(super) fn explain(job: &Job<'_>) -> Vec<Told> {
    let mut told = job.bags.explain();
    told.extend(ways(job));
    if let Some(by) = &job.args.partition_by {
        let last = Told::new("partitions", "hpo", "hold the outputs until the last one, spill; each in order");
        told.push(last.with(", by ", by));
    }
    told
}

fn ways(job: &Job<'_>) -> Vec<Told> {
    match (job.args.slurp, job.args.null_input) {
        (true, false) if is_planned(job.args) => plan::with(&job.text, |way| way.tell()),
        (true, _) => Way::Collected.tell(),
        (false, true) => {
            let does = "the interpreter runs once; `input` and `inputs` stream the records in order";
            vec![Told::new("once", "so", does)]
        }
        (false, false) => {
            let (costs, does) = match job.args.unordered {
                true => ("s", "streams"),
                false => ("so", "streams, keeps order"),
            };
            let native = job.program.has_lane() && !job.in_turn() && !job.args.raw_input;
            let how = if native { "on every record where it was read" } else { "by the interpreter on every record" };
            let mut told = Vec::new();
            if job.args.stream {
                told.push(Told::new("events", "so", "stream, keep order: each value is taken apart"));
            }
            told.push(Told::new("each", costs, does).with(": runs ", how));
            told
        }
    }
}

/// What a filter of one record sees: no further input.
pub(super) struct Outside;

impl Inputs for Outside {
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

/// Outputs on their way to standard output or a target.
struct Printed<'a, 'j> {
    job: &'a Job<'j>,
    seen: Seen,
    written: Option<kitbag::Written>,
    /// Of a program that ran once.
    outcome: Option<Outcome>,
}

impl Printed<'_, '_> {
    /// Writes text that was held.
    fn copy(&mut self, text: &mut dyn io::Read) -> Result<(), Failure> {
        let mut sink = output::Sink::new(self.job)?;
        let mut part = vec![0; 64 << 10];
        loop {
            match text.read(&mut part)? {
                0 => break,
                read => sink.text().extend_from_slice(&part[..read]),
            }
            sink.appended()?;
        }
        self.written = sink.commit(|| self.job.made_from(0, true))?;
        Ok(())
    }
}

impl slurp::Sink for Printed<'_, '_> {
    type Error = Failure;

    fn elements(&mut self, bag: Bag<Val>, held: bool) -> Result<(), Failure> {
        let (job, seen) = (self.job, &self.seen);
        let one = |value: Val, out: &mut Output<'_>| {
            job.printer.print(&value, out.text());
            if let Some(by) = &job.partition {
                out.put_into(by.of(&value, &Outside).map_err(|error| kitbag::Error::stop(slurp::Raised(error)))?);
            }
            if job.args.exit_status {
                seen.note(out.seq(), value.is_true());
            }
            Ok::<(), kitbag::Error>(())
        };
        match &job.target {
            Some(target) if job.partition.is_some() => {
                self.written = Some(bag.write_partitioned_with(target.clone(), one)?);
            }
            // Nothing is seen of a target before its end either way.
            Some(target) => self.written = Some(bag.write_with(target.clone(), one)?),
            None if held => {
                let mut text = job.held();
                bag.write_with_to(&mut text, one)?;
                let len = text.stream_position()?;
                text.seek(SeekFrom::Start(0))?;
                self.copy(&mut text.take(len))?;
            }
            None => bag.write_with_to(Stdout::new(&job.cancel), one).map(drop)?,
        }
        Ok(())
    }

    fn array(&mut self, bag: Bag<Val>) -> Result<(), Failure> {
        self.seen.note_end(true);
        let (partition, printer) = (&self.job.partition, &self.job.printer);
        let Some(style) = printer.compact().filter(|_| partition.is_none()) else {
            let (mut values, mut weight) = (Vec::new(), 0);
            for value in bag.iter()? {
                let value = value?;
                weight += (size_of::<Val>() + value.weight()) as u64;
                held_within(weight, self.job.config.budget(), alone::WHOLE)?;
                values.push(value);
            }
            let mut sink = output::Sink::new(self.job)?;
            let array = Val::array(values);
            printer.print(&array, sink.text());
            if let Some(by) = partition {
                sink.put_into(&by.of(&array, &Outside).map_err(Halt::Error)?)?;
            }
            self.written = sink.commit(|| self.job.made_from(0, true))?;
            return Ok(());
        };
        let mut text = self.job.held();
        bag.write_with_to(&mut text, |value, out: &mut Output<'_>| {
            value.write(style, out.text());
            out.text().push(b',');
            Ok::<(), kitbag::Error>(())
        })?;
        // Without the last comma.
        let len = text.stream_position()?.saturating_sub(1);
        text.seek(SeekFrom::Start(0))?;
        self.copy(&mut printer.before().chain(&b"["[..]).chain(text.take(len)).chain(&b"]\n"[..]))
    }

    fn rest(&mut self, program: &Program, answers: Val) -> Result<(), Failure> {
        self.outcome = Some(alone::once(self.job, program, answers, Source::Held(None))?);
        Ok(())
    }
}
