//! What a program may see of the world and do to it, all of it through [`Inputs`](crate::jq::Inputs).

use super::{Kit, Native, Val, general, one, passing, v, wrong};
use jaq_core::{Cv, Exn};

pub(super) fn natives() -> Vec<Native> {
    vec![
        general!("inputs", v(0), |cv| Box::new(std::iter::from_fn(move || next(&cv)))),
        general!("input", v(0), |cv| Box::new(std::iter::once(
            next(&cv).unwrap_or_else(|| Err(wrong("break").into()))
        ))),
        general!("input_filename", v(0), |cv| one(Ok(cv.0.data().inputs.file_name().map_or(Val::Null, Val::from)))),
        general!("input_line_number", v(0), |cv| {
            one(Ok(Val::Int(i64::try_from(cv.0.data().inputs.line_number()).unwrap_or(i64::MAX))))
        }),
        // In every function that calls itself.
        passing!("_deeper", v(0), |context, _| {
            let run = context.data();
            run.goes_on()?;
            match run.has_room() {
                true => Ok(()),
                false => Err(wrong("functions call themselves too deeply: the stack is full").into()),
            }
        }),
        general!("now", v(0), |cv| one(Ok(Val::Float(cv.0.data().inputs.now())))),
        passing!("_debug", v(1), |context, _| {
            let message = context.pop_var();
            context.data().inputs.debug(&message);
            Ok(())
        }),
        passing!("stderr", v(0), |context, value| {
            context.data().inputs.stderr(value);
            Ok(())
        }),
        general!("halt", v(0), |_| Box::new(std::iter::once(Err(Exn::halt(0))))),
        general!("halt_error", v(1), |mut cv| {
            let Some(code) = cv.0.pop_var().as_i64() else {
                return one(Err(wrong("halt_error/1: number required")));
            };
            cv.0.data().message.replace(Some(cv.1));
            // As the exit status of a process is seen.
            Box::new(std::iter::once(Err(Exn::halt(i32::from(code.to_le_bytes()[0])))))
        }),
    ]
}

fn next<'a>(cv: &Cv<'a, Kit>) -> Option<Result<Val, Exn<'a, Val>>> {
    match cv.0.data().inputs.next()? {
        Ok(value) => Some(Ok(value)),
        Err(error) => {
            // No program may catch this: the run is over.
            cv.0.data().failed.replace(Some(error));
            Some(Err(Exn::halt(0)))
        }
    }
}
