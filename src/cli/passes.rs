//! The first of two passes over the input: what its program gives is held, for the second one to be run with.

use std::ops::ControlFlow;

use kitbag::{Bag, Scan, escape};

use crate::jq::plan::{self, Passes, Way};
use crate::jq::slurp;
use crate::jq::{Program, Val};

use super::alone::{WHOLE, held_within};
use super::exit::Failure;
use super::run::Job;
use super::slurp::{Known, Outside, compiled};

/// The most outputs of the first pass: for each of them the input is read once more.
const MOST: usize = 8;

/// What the first pass gave.
pub(super) struct First {
    /// The variables' values, for each output.
    pub(super) values: Vec<Known>,
    /// What ended its program behind the last output.
    pub(super) ended: Option<Failure>,
}

/// Runs the first pass. `None` if the input cannot be read twice, or would be read too often.
pub(super) fn first(job: &Job<'_>, passes: &Passes, known: &Known) -> Result<Option<First>, Failure> {
    let mut outputs = Outputs { values: Vec::new(), weight: 0, budget: job.config.budget(), ended: None };
    let read = plan::with_first(&passes.first, |way| match way {
        Way::Verbs(plan) if plan.is_constant() => {
            let program = job.compile(&passes.first, known)?;
            slurp::Sink::rest(&mut outputs, &program, Val::null()).map(|()| true)
        }
        Way::Verbs(plan) if job.input().is_rereadable()? => {
            let compiled = compiled(job, plan, known)?;
            compiled.run(Scan::new(job.input()).with(job.config.clone()), outputs.budget, &mut outputs).map(|()| true)
        }
        _ => Ok(false),
    })?;
    let Outputs { values, ended, .. } = outputs;
    // A target is written by one run.
    if !read || values.len() > MOST || values.len() != 1 && job.target.is_some() {
        return Ok(None);
    }
    let named =
        |values: &Val| passes.names.iter().cloned().zip(values.as_array().unwrap_or_default().to_vec()).collect();
    Ok(Some(First { values: values.iter().map(named).collect(), ended }))
}

/// That the input is what it was when it was listed first. Within a pass the library sees to it.
pub(super) fn unchanged(job: &Job<'_>) -> Result<(), Failure> {
    let (was, is) = (&job.read_from.inputs, job.input().provenance()?.inputs);
    if *was == is {
        return Ok(());
    }
    let differs = was.iter().zip(&is).position(|(was, is)| was != is).unwrap_or(was.len().min(is.len()));
    let path = was.get(differs).or(is.get(differs)).map_or("", |file| &file.path);
    let path = escape(path.as_bytes(), 200);
    Err(Failure::Input(format!("{path}: expected the same file in each pass over the input: it was changed meanwhile")))
}

/// The outputs, held; no more than one too many.
struct Outputs {
    values: Vec<Val>,
    weight: u64,
    budget: u64,
    ended: Option<Failure>,
}

impl Outputs {
    fn put(&mut self, value: Val) -> Result<ControlFlow<()>, Failure> {
        self.weight += value.weight() as u64;
        held_within(self.weight, self.budget, WHOLE)?;
        self.values.push(value);
        Ok(if self.values.len() > MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl slurp::Sink for Outputs {
    type Error = Failure;

    fn elements(&mut self, bag: Bag<Val>, _held: bool) -> Result<(), Failure> {
        for value in bag.iter()? {
            match value {
                Ok(value) => {
                    if self.put(value)?.is_break() {
                        break;
                    }
                }
                Err(error) => self.ended = Some(error.into()),
            }
        }
        Ok(())
    }

    fn array(&mut self, bag: Bag<Val>) -> Result<(), Failure> {
        let values = bag.collect()?;
        self.put(Val::array(values)).map(drop)
    }

    fn rest(&mut self, program: &Program, answers: Val) -> Result<(), Failure> {
        let mut failure = None;
        let ended = program.run(answers, &Outside, &mut |value| {
            self.put(value).unwrap_or_else(|error| {
                failure = Some(error);
                ControlFlow::Break(())
            })
        });
        self.ended = ended.err().map(Failure::from);
        failure.map_or(Ok(()), Err)
    }
}
