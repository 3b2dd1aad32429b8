//! The command `kitbag`: jq's language over heaps of JSON lines.
//!
//! * [`cli`]: arguments, runs, output, errors and exit codes
//! * [`jq`]: the language: values, programs, the interpreter
//!
//! Both use the library by its public face alone.

#![forbid(unsafe_code)]

mod cli;
mod jq;

use std::process::ExitCode;

/// Threads of all kinds allocate and free small values all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command on a thread whose stack is deep enough for programs and values that are nested deeply.
#[expect(clippy::disallowed_methods, reason = "this is the program's first and only thread of its own")]
fn main() -> ExitCode {
    let command = std::thread::Builder::new().name("kitbag".into()).stack_size(cli::STACK).spawn(cli::main);
    match command.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => ExitCode::from(code),
        // A panic has said what it is.
        Ok(Err(_)) => ExitCode::from(cli::DEFECT),
        Err(error) => cli::no_thread(&error),
    }
}
