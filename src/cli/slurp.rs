//! The whole input as one array, planned: what `-s` does where the program can be taken apart.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use kitbag::{Bag, Output, Scan};

use crate::jq::plan::{self, Plan, Way};
use crate::jq::slurp::{self, Compiled, World};
use crate::jq::{Halt, Inputs, Program, Val};

use super::alone::{self, held_within};
use super::each::Seen;
use super::exit::Failure;
use super::inputs::Source;
use super::output;
use super::run::{Job, Outcome};
use super::world;

/// Runs the program on the whole input as one array.
pub(super) fn run(job: &Job<'_>) -> Result<Outcome, Failure> {
    plan::with(&job.text, |way| match way {
        Way::Verbs(plan) => planned(job, plan),
        Way::InTurn(text) => {
            let program = job.compile(text)?;
            alone::once(job, &program, Val::null(), alone::records(job)?)
        }
        Way::Collected => alone::once(job, &job.program, alone::slurp(job)?, Source::Held(None)),
    })
}

fn planned(job: &Job<'_>, plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let compile = |text: &str| job.compile(text);
    let world = World { definitions: &plan.definitions, compile: &compile, inputs: Arc::new(Outside) };
    let mut sink = Printed { job, seen: Seen::default(), written: None, outcome: None };
    Compiled::new(plan, &world)?.run(
        Scan::new(job.input()).with(job.config.clone()),
        job.config.budget(),
        &mut sink,
    )?;
    Ok(sink.outcome.unwrap_or_else(|| sink.seen.outcome(sink.written)))
}

/// What `--explain` says.
pub(super) fn explain(job: &Job<'_>) -> String {
    let last = match &job.args.partition_by {
        Some(by) => format!("partitions: hold the outputs until the last one, spill; each in order, by {by}\n"),
        None => String::new(),
    };
    ways(job) + &last
}

fn ways(job: &Job<'_>) -> String {
    match (job.args.slurp, job.args.null_input) {
        (true, false) if !job.args.raw_input && !job.args.values && !job.args.stream => {
            plan::with(&job.text, |way| way.to_string())
        }
        (true, _) => Way::Collected.to_string(),
        (false, true) => "once: the interpreter runs once; `input` and `inputs` stream the records in order\n".into(),
        (false, false) => {
            let order = if job.args.unordered { "" } else { ", keeps order" };
            let native = job.program.has_lane() && !job.in_turn() && !job.args.raw_input;
            let how = if native { "on every record where it was read" } else { "by the interpreter on every record" };
            format!("each: streams{order}: runs {how}\n")
        }
    }
}

/// What a filter of one record sees: no further input.
struct Outside;

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
        self.written = sink.commit()?;
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
            None => bag.write_with_to(io::stdout(), one).map(drop)?,
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
                held_within(weight, self.job.config.budget())?;
                values.push(value);
            }
            let mut sink = output::Sink::new(self.job)?;
            let array = Val::array(values);
            printer.print(&array, sink.text());
            if let Some(by) = partition {
                sink.put_into(&by.of(&array, &Outside).map_err(Halt::Error)?)?;
            }
            self.written = sink.commit()?;
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
