//! Threads that cannot be started.

use super::plans::{PLANS, Place};
use super::tool::{Running, program};
use super::trace::{Fault, can_trace, next, traced};
use super::tree::tree;

#[test]
fn a_thread_that_cannot_be_started_is_a_limit_or_is_done_without() {
    if !can_trace() {
        return;
    }
    for plan in &PLANS {
        let mut place = Place::new(plan);
        let threads = place.arguments.iter().position(|argument| argument == "--threads").unwrap() + 1;
        place.arguments[threads] = "3".to_owned();
        for for_ever in [false, true] {
            let (mut first, mut refused) = (1, 0);
            loop {
                place.restore();
                let fault = Fault { calls: "clone,clone3", what: "error=EAGAIN", first, for_ever };
                let traced = traced(&fault, &place.arguments);
                let (ran, label) = (&traced.ran, format!("{}, {first}: {}", plan.name, traced.log));
                match ran.code {
                    Some(0) => assert!(tree(&place.out()) == place.new, "{label}: {ran:?}"),
                    code => {
                        let told = ran.err.contains("cannot start") && ran.err.contains("(os error 11)");
                        assert!(code == Some(6) && told && traced.fired > 0, "{label}: {ran:?}");
                        assert!(tree(&place.out()) == place.old, "{label}");
                        refused += 1;
                    }
                }
                if traced.fired == 0 {
                    break;
                }
                first = next(first);
            }
            println!("{}: {refused} of {first} threads were needed, for ever: {for_ever}", plan.name);
            assert!(refused > 2, "{}: {refused}", plan.name);
            place.next_run_works(plan.name);
        }
    }
}

/// Those that have begun do not work on for nothing: an input that never ends does not hold the error back.
#[test]
fn a_run_that_lacks_a_thread_ends_at_once() {
    if !can_trace() {
        return;
    }
    for first in 2..7 {
        let mut command = program("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3"]);
        command.args(["-e", &format!("inject=clone,clone3:error=EAGAIN:when={first}")]);
        command.args([super::tool::KITBAG, "--threads", "3", "."]);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut run = Running::start(command.stderr(std::process::Stdio::piped()));
        // Standard input stays open and brings nothing.
        let ended = run.ended_within(std::time::Duration::from_secs(10));
        assert!(ended.is_some_and(|status| status.code() == Some(6)), "{first}: {ended:?}");
    }
}
