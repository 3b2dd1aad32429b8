//! The command `kitbag`: jq programs over heaps of JSON lines.

#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "this is the command")]

#[allow(dead_code, unused_imports, reason = "what the first command does not use yet")]
mod jq;

use jq::{Halt, Indent, Inputs, Libraries, Program, Style, Val};
use std::io::Write;
use std::ops::ControlFlow;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A run on one record sees nothing else.
struct Alone;

impl Inputs for Alone {
    fn now(&self) -> f64 {
        f64::NAN
    }
    fn debug(&self, message: &Val) {
        eprintln!("[\"DEBUG:\",{message}]");
    }
    fn stderr(&self, value: &Val) {
        eprint!("{value}");
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kitbag: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (mut slurp, mut null, mut raw) = (false, false, false);
    let mut style = Style { indent: Indent::Compact, ..Style::default() };
    let mut plain = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "-s" => slurp = true,
            "-n" => null = true,
            "-r" => raw = true,
            "-c" => style.indent = Indent::Compact,
            "-S" => style.sort_keys = true,
            _ => plain.push(argument),
        }
    }
    let mut plain = plain.into_iter();
    let text = plain.next().ok_or("expected a program")?;
    let program = match Program::compile(&text, &[], &Libraries::default()) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("kitbag: {error}");
            return Ok(ExitCode::from(3));
        }
    };
    let work = move |input: Val| {
        let mut out = Vec::new();
        let mut each = |value: Val| {
            match value.as_str().filter(|_| raw) {
                Some(text) => out.extend_from_slice(text.as_bytes()),
                None => value.write(&style, &mut out),
            }
            out.push(b'\n');
            ControlFlow::Continue(())
        };
        let end = program.run(input, &Alone, &mut each).err();
        (out, end)
    };
    let mut stdout = std::io::stdout().lock();
    let mut show = |(out, end): (Vec<u8>, Option<Halt>)| -> Result<Option<ExitCode>, Box<dyn std::error::Error>> {
        stdout.write_all(&out)?;
        Ok(match end {
            None => None,
            Some(Halt::Error(value)) => {
                eprintln!("kitbag: error: {}", value.as_str().map_or_else(|| value.to_string(), String::from));
                Some(ExitCode::from(5))
            }
            Some(Halt::Exit { code, message }) => {
                eprintln!("{message:?}");
                Some(ExitCode::from(code.to_le_bytes()[0]))
            }
            Some(Halt::Input(error)) => return Err(error.into()),
        })
    };
    if null {
        return Ok(show(work(Val::null()))?.unwrap_or(ExitCode::SUCCESS));
    }
    let scan = kitbag::Scan::new(plain.collect::<Vec<_>>());
    if slurp {
        let all = scan.map(|record| Val::from_json(&record)).collect()?;
        return Ok(show(work(Val::array(all)))?.unwrap_or(ExitCode::SUCCESS));
    }
    for done in scan.map(move |record| work(Val::from_json(&record))).iter()? {
        if let Some(code) = show(done?)? {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}
