//! The whole input as one array, planned: what `-s` does where the program can be taken apart.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use kitbag::{Bag, Output, Scan};

use crate::jq::slurp::{self, Compiled, World};
use crate::jq::{Inputs, Libraries, Val, plan};

use super::each::Seen;
use super::exit::Failure;
use super::output;
use super::run::{Job, Outcome};
use super::world;

/// Bytes of an array's text that are held in memory, at most, before its last element is known to be good.
const HELD: u64 = 64 << 20;

/// Runs the program as a plan; `None` if it cannot be planned.
pub(super) fn planned(job: &Job<'_>) -> Result<Option<Outcome>, Failure> {
    let inputs: Arc<dyn Inputs + Send + Sync> = Arc::new(Outside);
    let compiled = plan::with(&job.text, |plan| {
        let world = World {
            definitions: plan.definitions.clone(),
            globals: job.globals.clone(),
            libraries: Libraries::default(),
            inputs,
        };
        Compiled::new(plan, &world)
    });
    let Some(compiled) = compiled.transpose()? else { return Ok(None) };
    let mut sink = Printed { job, seen: Seen::default(), written: None };
    compiled.run(Scan::new(job.input()).with(job.config.clone()), &mut sink)?;
    Ok(Some(sink.seen.outcome(sink.written)))
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
}

impl slurp::Sink for Printed<'_, '_> {
    fn elements(&mut self, bag: Bag<Val>) -> kitbag::Result<()> {
        let (job, seen) = (self.job, &self.seen);
        let one = |value: Val, out: &mut Output<'_>| {
            job.printer.print(&value, out.text());
            if job.args.exit_status {
                seen.note(out.seq(), value.is_true());
            }
            Ok::<(), kitbag::Error>(())
        };
        match &job.target {
            Some(target) => self.written = Some(bag.write_with(target.clone(), one)?),
            None => bag.write_with_to(io::stdout(), one).map(drop)?,
        }
        Ok(())
    }

    fn array(&mut self, bag: Bag<Val>) -> kitbag::Result<()> {
        let Some(style) = self.job.printer.compact() else {
            let mut values = Vec::new();
            let (budget, mut weight) = (self.job.config.budget(), 0);
            for value in bag.iter()? {
                let value = value?;
                weight += (size_of::<Val>() + value.weight()) as u64;
                if weight > budget {
                    let text = "the memory budget does not hold the whole output, which printing it over several lines needs";
                    return Err(kitbag::Error::limit(format!("{text}: a larger --memory or -c would do")));
                }
                values.push(value);
            }
            return slurp::Sink::outputs(self, vec![Val::array(values)]);
        };
        let held = usize::try_from(HELD.min(self.job.config.budget() / 8)).unwrap_or(usize::MAX);
        let directory = self.job.args.temp_dir.clone().unwrap_or_else(world::temp_dir);
        let mut text = tempfile::spooled_tempfile_in(held, directory);
        bag.write_with_to(&mut text, |value, out: &mut Output<'_>| {
            value.write(style, out.text());
            out.text().push(b',');
            Ok::<(), kitbag::Error>(())
        })?;
        self.written = self.framed(&mut text).map_err(kitbag::Error::from)?;
        self.seen.note_last(true);
        Ok(())
    }

    fn outputs(&mut self, values: Vec<Val>) -> kitbag::Result<()> {
        let mut sink = output::Sink::new(self.job.target.as_ref()).map_err(Failure::into_error)?;
        for value in values {
            self.job.printer.print(&value, sink.text());
            self.seen.note_last(value.is_true());
            sink.appended().map_err(Failure::into_error)?;
        }
        self.written = sink.commit().map_err(Failure::into_error)?;
        Ok(())
    }
}
