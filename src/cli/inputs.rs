//! Inputs one after the other, for programs that ask for them: over the ordered stream of a bag that runs beside the
//! program, with no more in memory than the budget lets be in flight.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use kitbag::{Bag, Config, Error, Input, Iter, MaxErrors, Reader, Scan, escape};
use serde_json::de::{IoRead, StreamDeserializer};
use serde_json::value::RawValue;

use crate::jq::{Inputs, Val, events};

use super::exit::Failure;
use super::globals::no_place;
use super::numbered::Numbered;
use super::output::Sink;
use super::world;

type Result<T> = std::result::Result<T, Failure>;

/// Where inputs come from.
pub(super) enum Source {
    /// Records: JSON lines, or lines of text.
    Records(Box<Iter<(Arc<str>, Val)>>),
    /// JSON lines, counted.
    Numbered(Box<Numbered>),
    /// Values between white space.
    Values(Box<Values>),
    /// The events of each value; those of the latest one that have not come yet, and its shard.
    Events(Box<Source>, VecDeque<Val>, Option<Arc<str>>),
    /// One value that is there already, or none.
    Held(Option<Val>),
}

impl Source {
    /// The records of JSON lines.
    pub(super) fn json(input: Input, config: Config) -> Result<Source> {
        let records = Scan::new(input).with(config).map(|record| Val::from_json(&record));
        Ok(Source::Records(Box::new(records.with_paths().iter()?)))
    }

    /// The records of JSON lines, for a program that asks where in its file each stands: blank lines count.
    pub(super) fn numbered(input: Input, config: Config, skip: Option<MaxErrors>) -> Result<Source> {
        Ok(Source::Numbered(Box::new(Numbered::new(input, config, skip)?)))
    }

    /// Lines of text as strings.
    pub(super) fn lines(input: Input, config: Config) -> Result<Source> {
        let lines = Bag::read_text(input).with(config).map(Val::string);
        Ok(Source::Records(Box::new(lines.with_paths().iter()?)))
    }

    /// JSON values between white space.
    pub(super) fn values(input: &Input, config: Config) -> Result<Source> {
        let waiting = input.paths()?.into();
        Ok(Source::Values(Box::new(Values { config, waiting, open: None })))
    }

    /// The events of what comes from here: a path with its leaf, or where an array or object ends the path of its last child.
    pub(super) fn events(self) -> Source {
        Source::Events(Box::new(self), VecDeque::new(), None)
    }

    /// The next input, and the shard that it comes from.
    pub(super) fn next(&mut self) -> Option<Result<(Option<Arc<str>>, Val)>> {
        match self {
            Source::Records(records) => {
                records.next().map(|next| next.map(|(path, value)| (Some(path), value)).map_err(Failure::from))
            }
            Source::Numbered(lines) => {
                lines.next().transpose().map(|next| next.map(|(path, value)| (Some(path), value)))
            }
            Source::Values(values) => {
                values.next().transpose().map(|next| next.map(|(path, value)| (Some(path), value)))
            }
            Source::Events(values, waiting, from) => {
                if waiting.is_empty() {
                    match values.next()? {
                        Ok((path, value)) => (*from, *waiting) = (path, events(&value).into()),
                        Err(failure) => return Some(Err(failure)),
                    }
                }
                waiting.pop_front().map(|event| Ok((from.clone(), event)))
            }
            Source::Held(value) => value.take().map(|value| Ok((None, value))),
        }
    }

    /// How many lines of the shard have come, where they are counted.
    fn line_number(&self) -> u64 {
        match self {
            Source::Numbered(lines) => lines.number(),
            Source::Events(values, ..) => values.line_number(),
            _ => 0,
        }
    }

    /// Records that were left out here, beside those of the run.
    fn left_out(&self) -> u64 {
        match self {
            Source::Numbered(lines) => lines.left_out(),
            Source::Events(values, ..) => values.left_out(),
            _ => 0,
        }
    }

    /// Whether the next input may have to be waited for.
    fn may_wait(&self) -> bool {
        match self {
            Source::Records(records) => records.size_hint().0 == 0,
            Source::Numbered(lines) => lines.may_wait(),
            Source::Values(_) => true,
            Source::Events(values, waiting, _) => waiting.is_empty() && values.may_wait(),
            Source::Held(_) => false,
        }
    }
}

type Stream = StreamDeserializer<'static, IoRead<BufReader<Reader>>, Box<RawValue>>;

/// JSON values between white space, over any number of lines.
pub(super) struct Values {
    config: Config,
    waiting: VecDeque<PathBuf>,
    open: Option<(Arc<str>, Stream)>,
}

impl Values {
    fn next(&mut self) -> Result<Option<(Arc<str>, Val)>> {
        loop {
            if let Some((path, stream)) = &mut self.open {
                match stream.next() {
                    Some(Ok(value)) => return Ok(Some((path.clone(), Val::parse(value.get().as_bytes())?))),
                    Some(Err(error)) => return Err(wrong(path, error)),
                    None => self.open = None,
                }
            }
            let Some(path) = self.waiting.pop_front() else { return Ok(None) };
            let reader = BufReader::with_capacity(64 << 10, Input::from(&path).reader(&self.config)?);
            let stream = serde_json::Deserializer::from_reader(reader).into_iter();
            let shown = if path.as_os_str() == "-" { "<stdin>".into() } else { path.to_string_lossy() };
            self.open = Some((shown.into(), stream));
        }
    }
}

fn wrong(path: &str, error: serde_json::Error) -> Failure {
    if error.is_io() {
        return std::io::Error::from(error).into();
    }
    let place = format!("{}:{}:{}", escape(path.as_bytes(), usize::MAX), error.line(), error.column());
    Failure::Input(format!("{place}: {}", escape(no_place(&error).as_bytes(), 200)))
}

/// Inputs and what is known of the latest; shared by a program and whoever runs it.
pub(super) struct Turns<'a> {
    source: RefCell<Source>,
    path: RefCell<Option<Arc<str>>>,
    count: Cell<u64>,
    /// The last one has come; of inputs that were held from the start, it has come before.
    ended: Cell<bool>,
    /// What has been printed, which goes out before the next input is waited for.
    sink: &'a RefCell<Sink>,
    /// Why there are no more, where that is a failure: more than an interpreter's error can hold.
    failed: RefCell<Option<Failure>>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(source: Source, sink: &'a RefCell<Sink>) -> Turns<'a> {
        let (path, count, failed) = Default::default();
        let ended = Cell::new(matches!(source, Source::Held(_)));
        Turns { source: RefCell::new(source), path, count, ended, sink, failed }
    }

    /// The next input.
    pub(super) fn take(&self) -> Result<Option<Val>> {
        let mut source = self.source.borrow_mut();
        if source.may_wait() {
            self.sink.borrow_mut().flush()?;
        }
        let Some((path, value)) = source.next().transpose()? else {
            self.ended.set(true);
            return Ok(None);
        };
        self.path.replace(path);
        self.count.set(self.count.get() + 1);
        Ok(Some(value))
    }

    /// The shard from which the input is that the program begins with.
    pub(super) fn at(&self, path: Option<Arc<str>>) {
        self.path.replace(path);
    }

    /// How many inputs were taken.
    pub(super) fn count(&self) -> u64 {
        self.count.get()
    }

    /// How many were left out, beside those of the run.
    pub(super) fn left_out(&self) -> u64 {
        self.source.borrow().left_out()
    }

    /// Whether all have been taken.
    pub(super) fn ended(&self) -> bool {
        self.ended.get()
    }

    /// The shard of the latest input.
    pub(super) fn path(&self) -> Option<Arc<str>> {
        self.path.borrow().clone()
    }

    /// Why the program got no more inputs.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.failed.take()
    }
}

impl Inputs for Turns<'_> {
    fn next(&self) -> Option<kitbag::Result<Val>> {
        self.take().transpose().map(|next| {
            next.map_err(|failure| {
                self.failed.replace(Some(failure));
                Error::stop("no more inputs can be read")
            })
        })
    }

    fn file_name(&self) -> Option<String> {
        self.path.borrow().as_deref().filter(|&path| path != "<stdin>").map(str::to_owned)
    }

    fn line_number(&self) -> u64 {
        self.source.borrow().line_number()
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
