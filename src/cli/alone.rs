//! A program that runs by itself: once, on `null` or on everything as one array, or on inputs in turn, of which it may
//! take more.

use std::cell::RefCell;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use kitbag::{Config, Input, MaxErrors, Scan, escape};

use crate::jq::{Halt, Program, Val};

use super::exit::Failure;
use super::inputs::{Source, Turns};
use super::output::Sink;
use super::run::{Job, Outcome};
use super::values::OnError;

/// What `-s` makes of the input.
pub(super) const WHOLE: &str = "the whole input";

/// The records of the input, for a program that asks for them.
pub(super) fn records(job: &Job<'_>) -> Result<Source, Failure> {
    let source = match job.args {
        args if args.raw_input => Source::lines(job.input(), job.config.clone()),
        args if args.values => Source::values(&job.input(), job.config.clone()),
        args if job.asks.line_number => {
            let most = args.max_errors.unwrap_or_else(|| MaxErrors::records(u64::MAX));
            let skip = (args.on_error == OnError::Skip).then_some(most);
            Source::numbered(job.input(), job.config.clone(), skip)
        }
        _ => Source::json(job.input(), job.config.clone()),
    }?;
    Ok(if job.args.stream { source.events() } else { source })
}

/// The whole input as one array, or as one string. The one place where everything is held; what can be planned does not
/// come here.
pub(super) fn slurp(job: &Job<'_>) -> Result<Val, Failure> {
    let budget = job.config.budget();
    if job.args.raw_input {
        let mut bytes = Vec::new();
        // As bytes and, for a moment, as text.
        let read = job.input().reader(&job.config)?.take(budget / 2 + 1).read_to_end(&mut bytes)?;
        held_within(read as u64 * 2, budget, WHOLE)?;
        return Ok(Val::string(String::from_utf8_lossy(&bytes)));
    }
    let mut weight = job.held_bags.weight.load(Ordering::Relaxed);
    if job.args.values || job.args.stream {
        let mut values = Vec::new();
        let mut source = records(job)?;
        while let Some((_, value)) = source.next().transpose()? {
            weight += (size_of::<Val>() + value.weight()) as u64;
            held_within(weight, budget, WHOLE)?;
            values.push(value);
        }
        return Ok(Val::array(values));
    }
    Ok(Val::array(array(job.input(), &job.config, &mut weight, WHOLE)?))
}

/// Records as values. The weight is of all that is held.
pub(super) fn array(input: Input, config: &Config, weight: &mut u64, what: &str) -> Result<Vec<Val>, Failure> {
    let mut values = Vec::new();
    let weighed = |record: kitbag::JsonRef<'_>| (weight_of(record.raw()), Val::from_json(&record));
    for record in Scan::new(input).with(config.clone()).map(weighed).iter()? {
        let (bytes, value) = record?;
        *weight += bytes;
        held_within(*weight, config.budget(), what)?;
        values.push(value);
    }
    Ok(values)
}

/// Bytes that a record takes as a value, about: each value in it has a place of its own, beside what its text takes.
fn weight_of(text: &str) -> u64 {
    text.len() as u64 * 3 + (memchr::memchr_iter(b',', text.as_bytes()).count() as u64 + 1) * 32
}

/// What is one value must be held: a whole array of records, by what it is called.
pub(super) fn held_within(bytes: u64, budget: u64, what: &str) -> Result<(), Failure> {
    if bytes <= budget {
        return Ok(());
    }
    let instead = match what.starts_with('$') {
        true => format!("-s with join_on({what}; …; …) as a stage of its own"),
        false => "-n with `reduce inputs as …`".to_owned(),
    };
    let budget = format!("the memory budget of {budget} bytes does not hold {what} as one value");
    Err(Failure::Limit(format!("{budget}: a larger --memory, or {instead}, would do")))
}

/// Runs the program once. The source gives what it asks for.
pub(super) fn once(job: &Job<'_>, program: &Program, value: Val, source: Source) -> Result<Outcome, Failure> {
    let sink = RefCell::new(Sink::new(job)?);
    let turns = Turns::new(source, &sink);
    if job.args.slurp && !job.args.null_input {
        turns.at(job.read_from.inputs.last().map(|file| file.path.as_str().into()));
    }
    let mut outcome = Outcome::default();
    match run(job, program, value, &turns, &sink, &mut outcome.last)? {
        None => {}
        Some(Halt::Exit { code: 0, message: None }) => outcome.halted = true,
        Some(halt) => return Err(halt.into()),
    }
    let all = turns.ended();
    outcome.left_out = turns.left_out();
    let read = turns.count() + outcome.left_out;
    drop(turns);
    job.args.max_errors.map_or(Ok(()), |most| most.check(outcome.left_out, read))?;
    outcome.written = sink.into_inner().commit(|| job.made_from(outcome.left_out, all))?;
    Ok(outcome)
}

/// Runs the program on each input in turn, and lets it take more of them.
pub(super) fn in_turn(job: &Job<'_>) -> Result<Outcome, Failure> {
    let skip = match job.args.on_error {
        OnError::Fail => false,
        OnError::Skip => true,
        OnError::Quarantine(_) => {
            let text = "--on-error quarantine=FILE cannot tell the inputs of --values, --stream, or a program that calls `input` apart";
            return Err(Failure::Usage(text.into()));
        }
    };
    let sink = RefCell::new(Sink::new(job)?);
    let turns = Turns::new(records(job)?, &sink);
    let mut outcome = Outcome::default();
    while let Some(value) = turns.take().inspect_err(|_| flush(&sink))? {
        match run(job, &job.program, value, &turns, &sink, &mut outcome.last)? {
            None => {}
            Some(Halt::Exit { code: 0, message: None }) => {
                outcome.halted = true;
                break;
            }
            Some(Halt::Error(_)) if skip => {
                outcome.failed = true;
                outcome.left_out += 1;
                job.args.max_errors.map_or(Ok(()), |most| most.check_so_far(outcome.left_out, turns.count()))?;
            }
            Some(halt) => return Err(placed(halt, &turns)),
        }
    }
    outcome.left_out += turns.left_out();
    let (read, all) = (turns.count() + turns.left_out(), turns.ended());
    drop(turns);
    // Beside the program's errors there is what could not be read, by the run that has ended now; behind the end of a
    // program that halts it does not count.
    let unread = if outcome.halted { 0 } else { job.monitor.report().map_or(0, |report| report.rejected) };
    job.args.max_errors.map_or(Ok(()), |most| most.check(outcome.left_out + unread, read + unread))?;
    outcome.written = sink.into_inner().commit(|| job.made_from(outcome.left_out, all))?;
    Ok(outcome)
}

/// Runs the program on one value. What it printed before it ended early has been written then.
fn run(
    job: &Job<'_>,
    program: &Program,
    value: Val,
    turns: &Turns<'_>,
    sink: &RefCell<Sink>,
    last: &mut Option<bool>,
) -> Result<Option<Halt>, Failure> {
    let (mut broken, mut refused) = (None, None);
    let ended = program.run(value, turns, &mut |value| {
        let partition = match job.partition.as_ref().map(|by| by.of(&value, turns)).transpose() {
            Ok(partition) => partition,
            Err(error) => {
                refused = Some(Halt::Error(error));
                return ControlFlow::Break(());
            }
        };
        let mut sink = sink.borrow_mut();
        job.printer.print(&value, sink.text());
        *last = Some(value.is_true());
        let put = match &partition {
            Some(partition) => sink.put_into(partition),
            None => sink.appended(),
        };
        match put {
            Ok(()) if job.cancel.is_cancelled() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                broken = Some(failure);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(failure) = broken {
        return Err(failure);
    }
    if job.cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    let Err(halt) = refused.map_or(ended, Err) else { return Ok(None) };
    sink.borrow_mut().flush()?;
    match turns.failure() {
        Some(failure) if matches!(halt, Halt::Input(_)) => Err(failure),
        _ => Ok(Some(halt)),
    }
}

/// What was printed before a failure is printed; that failure is the one to report.
fn flush(sink: &RefCell<Sink>) {
    let _ = sink.borrow_mut().flush();
}

/// The program's error behind the name of the file whose record it had.
fn placed(halt: Halt, turns: &Turns<'_>) -> Failure {
    match (halt.into(), turns.path()) {
        (Failure::Program(text), Some(path)) => {
            Failure::AtRecord(format!("{}: {text}", escape(path.as_bytes(), usize::MAX)))
        }
        (failure, _) => failure,
    }
}
