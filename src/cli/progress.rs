//! `--progress`: how far the run is, on standard error, while it runs.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kitbag::{Monitor, Progress};
use serde_json::json;

use super::args::Args;
use super::values::ShowProgress;
use super::world::say;

/// A thread that tells how far the run is, until this is dropped.
pub(super) struct Teller {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One line that is written over, on a terminal.
    OneLine,
    /// A line now and then, where there is none.
    Lines,
    Json,
}

impl Teller {
    /// Starts to tell, if it is wanted. Where the thread cannot be started nothing is told.
    #[expect(clippy::disallowed_methods, reason = "the library's threads are for its runs")]
    pub(super) fn start(args: &Args, monitor: &Monitor) -> Teller {
        let terminal = std::io::stderr().is_terminal();
        // Two writers on one terminal would write over each other.
        let shared = args.output.is_none() && std::io::stdout().is_terminal();
        let form = match args.progress {
            ShowProgress::Json => Form::Json,
            ShowProgress::Always if terminal => Form::OneLine,
            ShowProgress::Always => Form::Lines,
            ShowProgress::Auto if terminal && !shared && !args.quiet => Form::OneLine,
            ShowProgress::Auto | ShowProgress::Never => return Teller { stop: None, thread: None },
        };
        let (stop, stopped) = channel();
        let monitor = monitor.clone();
        let body = move || {
            let (first, next) = match form {
                Form::OneLine => (Duration::from_millis(500), Duration::from_millis(200)),
                Form::Lines | Form::Json => (Duration::from_millis(1000), Duration::from_millis(1000)),
            };
            let mut pause = first;
            let mut bar = None;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = next;
                let Some(progress) = monitor.progress() else { continue };
                match form {
                    Form::OneLine => draw(bar.get_or_insert_with(|| new_bar(progress.total)), &progress),
                    Form::Lines => say(&(line(&progress) + "\n")),
                    Form::Json => say(&(object(&progress) + "\n")),
                }
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        };
        let thread = std::thread::Builder::new().name("kitbag-progress".into()).spawn(body).ok();
        Teller { stop: Some(stop), thread }
    }
}

impl Drop for Teller {
    /// The line is gone when this returns.
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One line, cut to the terminal's width; a bar in it where it is known how much there is to read.
fn new_bar(total: Option<u64>) -> ProgressBar {
    let style = ProgressStyle::with_template(if total.is_some() { "{bar:10} {wide_msg}" } else { "{wide_msg}" });
    // A template that is not understood is left at the default.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr()).with_style(style)
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    bar.set_message(line(progress));
    bar.set_position(progress.read);
    bar.tick();
}

/// Seconds that are left at the rate so far.
fn left(progress: &Progress) -> Option<f64> {
    let seconds = progress.report.elapsed.as_secs_f64();
    let total = progress.total.filter(|_| progress.read > 0)?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    Some(seconds * (total - progress.read) as f64 / progress.read as f64)
}

/// Records that have been read.
fn records(progress: &Progress) -> u64 {
    progress.report.stages.first().map_or(0, |source| source.records_out)
}

/// What holds the others up: reading if the workers wait for it, else the program.
fn slowest(progress: &Progress) -> Option<&'static str> {
    let source = progress.report.stages.first()?;
    match source.blocked_empty.cmp(&source.blocked_full) {
        std::cmp::Ordering::Greater => Some("reading"),
        std::cmp::Ordering::Less => Some("the program"),
        std::cmp::Ordering::Equal => None,
    }
}

/// `41 % of 1.2 GB, 8 s left, 312 k/s, waits for reading, 12.0 MB held, 3.0 GB on disk`: on a terminal of 80 columns the
/// longest that is usual has room, beside the bar.
fn line(progress: &Progress) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = match (progress.total, left(progress)) {
        (Some(total), _) if total > 0 && progress.read >= total => write!(text, "{} read", size(total)),
        (Some(total), Some(left)) if total > 0 => {
            let percent = u128::from(progress.read) * 100 / u128::from(total);
            write!(text, "{percent} % of {}, {left:.0} s left", size(total))
        }
        _ => write!(text, "{}", size(progress.read)),
    };
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let rate = records(progress) as f64 / progress.report.elapsed.as_secs_f64().max(0.001);
    let _ = if rate >= 10_000.0 { write!(text, ", {:.0} k/s", rate / 1000.0) } else { write!(text, ", {rate:.0}/s") };
    if let Some(what) = slowest(progress) {
        let _ = write!(text, ", waits for {what}");
    }
    for (bytes, what) in [(progress.memory, "held"), (progress.temp, "on disk")] {
        if bytes > 0 {
            let _ = write!(text, ", {} {what}", size(bytes));
        }
    }
    text
}

fn object(progress: &Progress) -> String {
    json!({
        "read_bytes": progress.read,
        "total_bytes": progress.total,
        "records": records(progress),
        "left_out": progress.report.rejected,
        "seconds": progress.report.elapsed.as_secs_f64(),
        "seconds_left": left(progress),
        "waits_for": slowest(progress),
        "memory_bytes": progress.memory,
        "temp_bytes": progress.temp,
    })
    .to_string()
}

/// Bytes in the unit that leaves three digits or four.
fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!([999, 1000, 1_250_000, 3_999_999_999].map(size), ["999 B", "1.0 kB", "1.2 MB", "3.9 GB"]);
    }

    #[test]
    fn a_run_that_has_read_nothing_has_no_time_left() {
        let progress = Progress::default();
        assert_eq!((left(&progress), line(&progress).as_str()), (None, "0 B, 0/s"));
    }
}
