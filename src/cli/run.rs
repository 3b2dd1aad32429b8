//! Runs: which of the ways in which a program meets its input is taken, and what comes of it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use clap::ArgMatches;
use clap::parser::ValueSource;
use kitbag::{CancelToken, Config, Input, Monitor, Provenance, Target, Written};

use crate::jq::{CompileError, Libraries, Program, Val};

use super::args::Args;
use super::asks::Asks;
use super::bags::{Bags, Held};
use super::exit::{Failure, PROGRAM, USAGE};
use super::globals::{self, Words};
use super::held::HeldText;
use super::inputs::Source;
use super::output;
use super::partition::PartitionBy;
use super::style::Printer;
use super::values::OnError;
use super::{alone, apart, each, explain, modules, slurp, world};

/// Bytes of stack that functions may take by calling themselves. The rest is for the library, for what a value's depth takes,
/// and for the longest program that is compiled.
const PROGRAMS: usize = super::STACK / 8 * 5;

/// Everything that a run needs.
pub(super) struct Job<'a> {
    pub(super) args: &'a Args,
    pub(super) program: Program,
    pub(super) text: String,
    globals: Vec<(String, Val)>,
    pub(super) bags: Bags,
    /// What those that are arrays take.
    pub(super) held_bags: Held,
    pub(super) asks: Asks,
    pub(super) printer: Printer,
    pub(super) config: Config,
    pub(super) cancel: CancelToken,
    pub(super) monitor: Monitor,
    pub(super) input: Vec<PathBuf>,
    pub(super) target: Option<Target>,
    pub(super) partition: Option<PartitionBy>,
    /// The input's files, as they were before anything was read.
    pub(super) read_from: Provenance,
}

/// Bytes of text that are held in memory, at most, before all of it is there.
const HELD: u64 = 64 << 20;

/// What a run came to, where it came to its end.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) written: Option<Written>,
    /// Whether the last value that was printed is true, if there was one.
    pub(super) last: Option<bool>,
    /// Whether the program failed on a record that a policy left out.
    pub(super) failed: bool,
    /// Records that a policy left out, beside those of the run's report.
    pub(super) left_out: u64,
    /// Bytes of damaged files that went with them, beside those of the run's report.
    pub(super) lost: u64,
    /// The program ended the run.
    pub(super) halted: bool,
}

impl Outcome {
    /// The exit code of a run that came to its end.
    pub(super) fn code(&self, args: &Args, rejected: u64) -> u8 {
        match self.last {
            _ if self.failed => PROGRAM,
            _ if rejected > 0 => USAGE,
            _ if self.halted || !args.exit_status => 0,
            Some(true) => 0,
            Some(false) => 1,
            None => 4,
        }
    }
}

/// Whether the program runs on the whole input, of JSON lines, and is planned.
pub(super) fn is_planned(args: &Args) -> bool {
    args.slurp && !args.null_input && !args.raw_input && !args.values && !args.stream
}

impl<'a> Job<'a> {
    /// Reads and compiles the program, and looks whether the files are there.
    pub(super) fn new(
        args: &'a Args,
        matches: &ArgMatches,
        config: Config,
        (cancel, monitor): (CancelToken, Monitor),
    ) -> Result<Job<'a>, Failure> {
        let said = matches.value_source("max_errors") == Some(ValueSource::CommandLine);
        if said && args.on_error == OnError::Fail {
            let text =
                "--max-errors belongs to --on-error skip or quarantine=FILE: without these no record is left out";
            return Err(Failure::Usage(text.into()));
        }
        if args.stream && args.raw_input {
            return Err(Failure::Usage("--stream is for JSON: lines of text (-R) have no events".into()));
        }
        let target = output::target(args)?;
        let mut words = Words::new(args, matches)?;
        let input: Vec<PathBuf> = std::mem::take(&mut words.files).into_iter().map(PathBuf::from).collect();
        let text = match (&args.from_file, &words.program) {
            (Some(path), _) => globals::text_of(path, &config)?,
            (None, Some(word)) => globals::utf8(word)?.to_owned(),
            (None, None) => return Err(Failure::Usage("expected a PROGRAM".into())),
        };
        let mut globals = words.globals(args, matches, &config)?;
        let mut bags = Bags::new(args, &globals)?;
        globals.extend(bags.globals());
        let asked = Arc::new(Mutex::new(Asks::of(&text)));
        let libraries = modules::libraries(&args.library, &config, &asked);
        let by = args.partition_by.as_deref();
        let compiled = |globals: &[(String, Val)]| {
            let compile = |text: &str| program_of(text, globals, &Libraries::default(), &cancel);
            let program = program_of(&text, globals, &libraries, &cancel)?;
            Ok::<_, CompileError>((program, by.map(|text| PartitionBy::new(text, compile)).transpose()?))
        };
        let (mut program, mut partition) = compiled(&globals)?;
        let asks = *asked.lock().unwrap_or_else(PoisonError::into_inner);
        let by = by.unwrap_or_default();
        let asks = asks.or(Asks::of_partitions(by));
        if args.slurp && Asks::for_places(by) {
            let text = "--partition-by cannot ask where an output stood in the input: with -s it stood nowhere";
            return Err(Failure::Usage(text.into()));
        }
        // Where records are elements of one array, or inputs in turn, their order is what the program asks for.
        let config = match args.slurp || args.null_input || asks.inputs || asks.line_number {
            true => config.ordered(true),
            false => config,
        };
        // Before anything is read or written.
        let read_from = Input::from(input.clone()).provenance()?;
        apart::check(args, &input, &bags, target.as_ref())?;
        let twice = !matches!(args.on_error, OnError::Quarantine(_)) && Input::from(input.clone()).is_rereadable()?;
        bags.ask(&text, is_planned(args), twice, by);
        let mut held_bags = Held::default();
        if bags.any_held() && args.explain.is_none() {
            held_bags = bags.hold(args, &config, &mut globals)?;
            (program, partition) = compiled(&globals)?;
        }
        Ok(Job {
            args,
            program,
            text,
            globals,
            bags,
            held_bags,
            asks,
            printer: Printer::new(args),
            config,
            cancel,
            monitor,
            input,
            target,
            partition,
            read_from,
        })
    }

    /// Compiles a part of the program, or what does the same in another way. It imports nothing: what does is not taken
    /// apart. An earlier part gave these variables their values.
    pub(super) fn compile(&self, text: &str, known: &[(String, Val)]) -> Result<Program, CompileError> {
        let hidden = |name: &String| known.iter().any(|(known, _)| known == name);
        let outer = self.globals.iter().filter(|(name, _)| !hidden(name));
        let globals: Vec<_> = outer.chain(known).cloned().collect();
        program_of(text, &globals, &Libraries::default(), &self.cancel)
    }

    /// Where text is held until all of it is there: in memory, then in a file without a name.
    pub(super) fn held(&self) -> HeldText {
        let most = usize::try_from(HELD.min(self.config.budget() / 8)).unwrap_or(usize::MAX);
        HeldText::new(most, self.args.temp_dir.clone().unwrap_or_else(world::temp_dir))
    }

    pub(super) fn input(&self) -> Input {
        Input::from(self.input.clone())
    }

    /// What outputs were made from that did not come straight from a run: what the run said that has ended, or what the
    /// input is if none has read it. So many more records were left out beside it; of a program that did not take `all`
    /// inputs it is chance how far they were read.
    pub(super) fn made_from(&self, left_out: u64, all: bool) -> Provenance {
        let mut made_from = self.monitor.report().map(|report| report.provenance).unwrap_or_default();
        if made_from.inputs.is_empty() {
            made_from.inputs = self.read_from.inputs.clone();
            (made_from.read, made_from.rejected) = (None, None);
        }
        made_from.read = made_from.read.filter(|_| all);
        made_from.rejected = made_from.rejected.filter(|_| all).map(|rejected| rejected + left_out);
        made_from.on_error = Some(self.args.on_error.name().to_owned());
        made_from
    }

    /// Whether a program on each record needs them one after the other.
    pub(super) fn in_turn(&self) -> bool {
        self.args.values || self.args.stream || self.asks.inputs || self.asks.line_number
    }

    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut outcome = self.met()?;
        outcome.left_out += self.held_bags.left_out.load(Ordering::Relaxed);
        outcome.lost += self.held_bags.lost.load(Ordering::Relaxed);
        Ok(outcome)
    }

    /// Lets the program meet its input.
    fn met(&self) -> Result<Outcome, Failure> {
        let args = self.args;
        if let Some(format) = args.explain {
            let mut sink = output::Sink::stdout(&self.cancel);
            sink.text().extend_from_slice(explain::format(&slurp::explain(self), format).as_bytes());
            sink.commit(Provenance::default)?;
            return Ok(Outcome::default());
        }
        match (args.null_input, args.slurp) {
            (true, false) => alone::once(self, &self.program, Val::null(), alone::records(self)?),
            (false, true) if is_planned(args) => slurp::run(self),
            (false, true) => alone::once(self, &self.program, alone::slurp(self)?, Source::Held(None)),
            (true, true) => alone::once(self, &self.program, Val::null(), Source::Held(Some(alone::slurp(self)?))),
            (false, false) if self.in_turn() => alone::in_turn(self),
            (false, false) if args.raw_input => each::line(self),
            (false, false) => each::record(self),
        }
    }
}

fn program_of(
    text: &str,
    globals: &[(String, Val)],
    libraries: &Libraries,
    cancel: &CancelToken,
) -> Result<Program, CompileError> {
    Ok(Program::compile(text, globals, libraries)?.stack(PROGRAMS).cancelled_by(cancel.flag()))
}
