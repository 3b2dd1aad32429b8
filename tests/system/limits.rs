//! Few descriptors and little address space.

use super::plans::{PLANS, Place};
use super::tool::{after, run};
use super::tree::tree;

#[test]
fn few_descriptors_give_the_right_result_or_an_error_that_names_the_limit() {
    for plan in &PLANS {
        let mut place = Place::new(plan);
        let threads = place.arguments.iter().position(|argument| argument == "--threads").unwrap() + 1;
        for (limit, threads_are) in [(5, "1"), (8, "1"), (16, "1"), (16, "8"), (24, "8"), (32, "8"), (64, "8")] {
            place.restore();
            place.arguments[threads] = threads_are.to_owned();
            let memory = place.arguments.iter().position(|argument| argument == "--memory").unwrap() + 1;
            place.arguments[memory] = if threads_are == "8" { "8MiB" } else { "2MiB" }.to_owned();
            let ran = run(&mut after(&format!("ulimit -n {limit}"), &place.arguments));
            let label = format!("{}, {limit} descriptors, {threads_are} threads: {ran:?}", plan.name);
            let after = tree(&place.out());
            match ran.code {
                Some(0) => assert!(after == place.new, "{label}"),
                Some(127) => assert!(limit == 5 && ran.err.contains("shared librar"), "{label}"),
                code => {
                    assert!(code == Some(6) && ran.err.contains("(os error 24)"), "{label}");
                    assert!(ran.err.contains("ulimit -n") && after == place.old, "{label}");
                }
            }
            // One temporary file a thread, one output file at a time.
            assert!(limit < 32 || ran.code == Some(0), "{label}");
        }
    }
}

#[test]
fn an_input_for_which_there_is_no_descriptor_is_no_bad_record() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("in")).unwrap();
    for shard in 0..40 {
        std::fs::write(dir.path().join(format!("in/{shard}.jsonl")), "{\"a\":1}\n".repeat(2000)).unwrap();
    }
    let mut refused = 0;
    for limit in 4..24 {
        let arguments = ["--on-error", "skip", "--threads", "8", "-c", ".a", dir.path().to_str().unwrap()];
        let ran = run(&mut after(&format!("ulimit -n {limit}"), &arguments));
        match ran.code {
            Some(0) => assert_eq!(ran.out.lines().count(), 80_000, "{limit}: {}", ran.err),
            Some(127) => assert!(ran.err.contains("shared librar"), "{limit}: {}", ran.err),
            code => {
                assert!(code == Some(6) && ran.err.contains("(os error 24)"), "{limit}: {code:?} {}", ran.err);
                refused += 1;
            }
        }
    }
    assert!(refused > 2, "{refused}");
}

#[test]
fn little_address_space_gives_the_right_result_or_an_end_and_never_a_wrong_output() {
    let (mut right, mut limits, mut ends) = (0, 0, 0);
    for plan in &PLANS[1..3] {
        let place = Place::new(plan);
        let mut steps: Vec<u64> = (0..20).map(|step| 30_000 + step * 15_000).collect();
        steps.extend((0..14).map(|step| 400_000 + step * 100_000));
        for kib in steps {
            place.restore();
            let ran = run(&mut after(&format!("ulimit -v {kib}"), &place.arguments));
            let label = format!("{}, {kib} KiB: {ran:?}", plan.name);
            let (after, hidden) = super::tool::visible(tree(&place.out()));
            match (ran.code, ran.signal) {
                (Some(0), _) => {
                    assert!(after == place.new && hidden == 0, "{label}");
                    right += 1;
                }
                (Some(6), _) => {
                    assert!(after == place.old && hidden == 0 && !ran.err.is_empty(), "{label}");
                    limits += 1;
                }
                // What holds small things aborts, and what loads the program says 127.
                (Some(127), _) | (None, Some(6)) => {
                    assert!(after == place.old, "{label}");
                    ends += 1;
                }
                _ => panic!("{label}"),
            }
        }
        place.next_run_works(plan.name);
    }
    println!("{right} right, {limits} limits, {ends} aborts");
    assert!(right > 3 && limits > 3, "{right} right, {limits} limits, {ends} aborts");
}
