//! `-o` and `--report`.

use super::tool::{at, files, names, print, run, run_with};

#[test]
fn a_file_and_shards() {
    let dir = files(&[]);
    let expected = print(&["-c", "{path, status}", "data/web"], "");
    for options in [&[][..], &["-n"]] {
        let program = if options.is_empty() { "{path, status}" } else { "inputs | {path, status}" };
        for name in ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst", "shards/part-*.jsonl.gz"] {
            let path = at(&dir, name);
            let more = if name.contains('*') { &["--shard-size", "8K"][..] } else { &[] };
            assert_eq!(print(&[options, more, &["--overwrite", "-o", &path, program, "data/web"]].concat(), ""), "");
            let back = path.replace("part-*.jsonl.gz", "");
            assert_eq!(print(&[".", &back], ""), expected, "{name}");
        }
        assert!(names(&dir.path().join("shards")).len() > 2);
    }
}

#[test]
fn what_exists_stays_unless_it_is_to_be_replaced() {
    let dir = files(&[("out.jsonl", "old\n")]);
    let out = at(&dir, "out.jsonl");
    let refused = run_with(&["-o", &out, "."], b"1\n");
    assert!(refused.code == Some(2) && refused.err.starts_with(&out), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "old\n");
    assert_eq!(print(&["--overwrite", "-o", &out, "."], "1\n"), "");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "1\n");
}

#[test]
fn a_failed_run_leaves_nothing_and_an_old_output_as_it_was() {
    for options in [&["."][..], &["-n", "inputs"], &["[., input][]"], &["-s", ".[], error"]] {
        for target in ["out.jsonl.gz", "out/part-*.jsonl"] {
            let dir = files(&[]);
            let failed = run_with(&[options, &["-o", &*at(&dir, target)]].concat(), b"1\n2\nno json\n");
            assert!(matches!(failed.code, Some(2 | 5)), "{options:?} {target}: {failed:?}");
            assert!(names(dir.path()).is_empty(), "{options:?} {target}: {:?}", names(dir.path()));
        }
    }
    let dir = files(&[("out.jsonl", "old\n")]);
    let out = at(&dir, "out.jsonl");
    assert_eq!(run_with(&["--overwrite", "-o", &out, ".+1"], b"1\n\"x\"\n").code, Some(5));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "old\n");
    assert_eq!(names(dir.path()), ["out.jsonl"]);
}

#[test]
fn options_that_need_each_other() {
    for wrong in [&["--overwrite", "."][..], &["--shard-size", "1M", "."], &["-j", "-o", "x", "."]] {
        assert_eq!(run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn the_report_tells_what_the_run_did() {
    let dir = files(&[("a.jsonl", "{\"a\":1}\nno\n{\"a\":3}\n")]);
    let (file, report, out) = (at(&dir, "a.jsonl"), at(&dir, "report.json"), at(&dir, "out.jsonl"));
    let options = ["--report", &report, "--quiet", "--on-error", "skip", "-o", &out, ".a,.a", &file];
    assert_eq!(run(&options).code, Some(2));
    let get = |path: &str| {
        let text = std::fs::read_to_string(&report).unwrap();
        let json = kitbag::Json::parse(&text.replace('\n', " ")).unwrap();
        json.pluck(&path.parse().unwrap()).unwrap().raw().to_owned()
    };
    assert_eq!([".complete", ".left_out", ".exit_code"].map(get), ["true", "1", "2"]);
    assert_eq!([".stages[0].records_in", ".stages[0].bytes", ".written.text_bytes"].map(get), ["3", "19", "8"]);
    // A failed run has one too, in place of the other.
    assert_eq!(run(&["--report", &report, ".a", &file]).code, Some(2));
    assert_eq!([".complete", ".exit_code", ".written"].map(get), ["false", "2", "null"]);
}
