//! Standard input streams: what comes in goes out at once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::tool::kitbag;

#[test]
fn a_match_in_a_pipe_appears_at_once() {
    for options in [
        &["select(.status >= 500)"][..],
        &["-n", "inputs | select(.status >= 500)"],
        &["-R", "fromjson | select(.status >= 500)"],
        &["--threads", "1", "select(.status >= 500)"],
    ] {
        let mut child = kitbag().args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (send, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).for_each(|l| _ = send.send(l)));
        let mut times = Vec::new();
        for n in 0..12 {
            std::thread::sleep(Duration::from_millis(if n % 3 == 0 { 150 } else { 10 }));
            let begun = Instant::now();
            write!(stdin, "{{\"n\":{n},\"status\":200}}\n{{\"n\":{n},\"status\":500}}\n").unwrap();
            let line =
                lines.recv_timeout(Duration::from_secs(5)).unwrap_or_else(|_| panic!("{options:?}: {n} did not come"));
            if options[0] != "-R" {
                assert_eq!(line, format!("{{\"n\":{n},\"status\":500}}"));
            }
            times.push(begun.elapsed());
        }
        times.sort();
        // The machine may be busy with something else: two of twelve may be late.
        assert!(times[9] < Duration::from_millis(100), "{options:?}: {times:?}");
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}
