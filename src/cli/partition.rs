//! `--partition-by`: the directory that each output goes into, and where outputs wait that come one by one.

use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::ControlFlow;

use kitbag::{Bag, Config, Error, Output, Partition, Provenance, Target, Written};

use crate::jq::{CompileError, Halt, Inputs, Program, Val, plan};

use super::exit::Failure;
use super::held::HeldText;

/// The program of `--partition-by`.
pub(super) struct PartitionBy {
    program: Program,
    /// The name of the one key, where the program is a path.
    key: Option<String>,
}

impl PartitionBy {
    pub(super) fn new(
        text: &str,
        compile: impl FnOnce(&str) -> Result<Program, CompileError>,
    ) -> Result<PartitionBy, CompileError> {
        let named =
            |error: CompileError| CompileError { message: format!("--partition-by: {}", error.message), ..error };
        Ok(PartitionBy { program: compile(text).map_err(named)?, key: plan::last_key(text) })
    }

    /// Where an output goes, or the program's error.
    pub(super) fn of(&self, output: &Val, inputs: &dyn Inputs) -> Result<Partition, Val> {
        let wrong = |text: String| Val::string(format!("--partition-by: {text}"));
        let (mut found, mut more) = (None, false);
        let ended = self.program.run(output.clone(), &Aside(inputs), &mut |value| {
            more = found.is_some();
            found.get_or_insert(value);
            if more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        ended.map_err(|halt| match halt {
            Halt::Error(error) => error,
            Halt::Exit { .. } | Halt::Input(_) => wrong("expected one value, but it halted".into()),
        })?;
        let found = match found.filter(|_| !more) {
            Some(found) => found,
            None => return Err(wrong(format!("expected one value, found {}", if more { "several" } else { "none" }))),
        };
        let member = |partition: Partition, key: &str, value: &Val| {
            let text = match value {
                Val::Null => None,
                // It is printed as null.
                Val::Float(number) if number.is_nan() => None,
                Val::Arr(_) | Val::Obj(_) => {
                    let kind = value.kind();
                    return Err(wrong(format!(
                        "expected a string, a number, a boolean or null for {key}, found an {kind}"
                    )));
                }
                value => Some(value.as_str().map_or_else(|| value.to_json(), str::to_owned)),
            };
            partition.with(key, text.as_deref()).map_err(|error| wrong(error.to_string()))
        };
        match (&self.key, &found) {
            (Some(key), value) => member(Partition::new(), key, value),
            (None, Val::Obj(object)) if object.len() > 0 => {
                object.iter().try_fold(Partition::new(), |partition, (key, value)| member(partition, key, value))
            }
            (None, other) => {
                let text = "expected an object such as {day: .time[:10], kind}, or a path such as .kind; found";
                Err(wrong(format!("{text} {}", other.to_json())))
            }
        }
    }
}

/// What a program sees that must not take the inputs of another one.
struct Aside<'a>(&'a dyn Inputs);

impl Inputs for Aside<'_> {
    fn file_name(&self) -> Option<String> {
        self.0.file_name()
    }

    fn line_number(&self) -> u64 {
        self.0.line_number()
    }

    fn now(&self) -> f64 {
        self.0.now()
    }

    fn debug(&self, message: &Val) {
        self.0.debug(message);
    }

    fn stderr(&self, value: &Val) {
        self.0.stderr(value);
    }
}

/// Outputs that come one by one, until all are there and can be written: in memory, then in a file without a name. Of each
/// the lengths of its partition's name and of its text, and these two.
pub(super) struct Spool {
    file: HeldText,
    target: Target,
    config: Config,
}

impl Spool {
    pub(super) fn new(file: HeldText, target: Target, config: Config) -> Spool {
        Spool { file, target, config }
    }

    /// Appends an output to the rows that are to be written.
    pub(super) fn row(partition: &Partition, text: &[u8], rows: &mut Vec<u8>) {
        let partition = partition.to_string();
        for length in [partition.len(), text.len()] {
            rows.extend_from_slice(&(length as u64).to_le_bytes());
        }
        rows.extend_from_slice(partition.as_bytes());
        rows.extend_from_slice(text);
    }

    /// Takes whole rows.
    pub(super) fn write(&mut self, rows: &[u8]) -> io::Result<()> {
        self.file.write_all(rows)
    }

    /// Writes all of it, which was made from this, and gives the target its name.
    pub(super) fn commit(mut self, made_from: Provenance) -> Result<Written, Failure> {
        let mut left = self.file.stream_position()?;
        self.file.seek(SeekFrom::Start(0))?;
        let mut file = BufReader::new(self.file);
        let rows = std::iter::from_fn(move || (left > 0).then(|| read(&mut file, &mut left)));
        let write = |row: io::Result<(String, Vec<u8>)>, out: &mut Output<'_>| {
            let (partition, text) = row.map_err(Error::stop)?;
            out.text().extend_from_slice(&text);
            out.put_into(partition.parse()?);
            Ok::<(), Error>(())
        };
        Ok(Bag::from_iter(rows).with(self.config).write_partitioned_with(self.target.made_from(made_from), write)?)
    }
}

/// The next row.
fn read(file: &mut impl io::Read, left: &mut u64) -> io::Result<(String, Vec<u8>)> {
    let mut number = || {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    };
    let (name, text) = (number()?, number()?);
    let mut bytes = |length: u64| {
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).map(|_| bytes)
    };
    let row = (String::from_utf8(bytes(name)?).map_err(io::Error::other)?, bytes(text)?);
    *left = left.saturating_sub(16 + name + text);
    Ok(row)
}
