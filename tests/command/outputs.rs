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
        assert!(names(&dir.path().join("shards")).len() > 4);
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

#[test]
fn every_way_of_running_tells_what_the_output_was_made_from() {
    let dir = files(&[("a.jsonl", "{\"a\":1}\nno\n{\"a\":\"x\"}\n"), ("b.jsonl", "{\"a\":2}\n")]);
    let (input, out) = ([at(&dir, "a.jsonl"), at(&dir, "b.jsonl")], at(&dir, "out/part-*"));
    let made_from = |options: &[&str], input: &[String], code: i32| {
        let mut all = vec!["--quiet", "--overwrite", "-o", &out];
        all.extend(options);
        all.extend(input.iter().map(String::as_str));
        let ran = run(&all);
        assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{options:?}: {ran:?}");
        let text = std::fs::read(dir.path().join("out/.manifest.json")).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
        manifest["made_from"].take()
    };
    let (skip, null) = (["--on-error", "skip"], serde_json::Value::Null);
    for (options, code, read, rejected) in [
        (&[".a + 1"][..], 5, Some(4), Some(2)),
        (&["-R", "."], 0, Some(4), Some(0)),
        (&["if . == 0 then input else .a + 1 end"], 5, Some(4), Some(2)),
        (&["-n", "inputs"], 2, Some(4), Some(1)),
        (&["-s", "length"], 2, Some(4), Some(1)),
        (&["-s", "map(.a)"], 2, Some(4), Some(1)),
        (&["-s", ".[].a"], 2, Some(4), Some(1)),
        (&["-s", "[.[1], .[0]]"], 2, Some(4), Some(1)),
        (&["-n", "--partition-by", "{a: .a}", "inputs"], 2, Some(4), Some(1)),
        (&["-s", "--partition-by", "{a: .a}", ".[]"], 2, Some(4), Some(1)),
    ] {
        let told = made_from(&[&skip[..], options].concat(), &input, code);
        let paths: Vec<_> = told["inputs"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
        assert_eq!(paths, input, "{options:?}: {told}");
        assert_eq!((told["read"].as_u64(), told["rejected"].as_u64()), (read, rejected), "{options:?}: {told}");
        assert_eq!((told["inputs"][0]["bytes"].as_u64(), told["on_error"].as_str()), (Some(21), Some("skip")));
    }
    let told = made_from(&["--values", "."], &input[1..], 0);
    assert_eq!((told["inputs"][0]["bytes"].as_u64(), told["read"].as_u64()), (Some(8), None));
    // How far the input was read is chance.
    let told = made_from(&["-n", "first(inputs)"], &input[1..], 0);
    assert_eq!((told["inputs"][0]["bytes"].as_u64(), &told["read"], &told["rejected"]), (Some(8), &null, &null));
    let told = made_from(&["-n", "1"], &["-".into()], 0);
    assert_eq!((told["inputs"][0]["path"].as_str(), told["on_error"].as_str()), (Some("<stdin>"), Some("fail")));
}

#[test]
fn an_output_is_verified() {
    let dir = files(&[]);
    let out = at(&dir, "out");
    for target in [&["-o", &format!("{out}/part-*.jsonl.gz")][..], &["-o", &out, "--partition-by", "{status}"]] {
        assert_eq!(print(&[target, &["--overwrite", ".", "data/web"]].concat(), ""), "");
        let said = print(&["--verify", &out], "");
        let lines = print(&["-s", "length", "data/web"], "");
        assert!(
            said.starts_with(&format!("{out}: verified ")) && said.contains(&format!(" {} lines, ", lines.trim())),
            "{said}"
        );
        assert_eq!(print(&["--verify", &out, "--threads", "8", "--quiet"], ""), "");
    }
    for name in ["status=200", "status=404"] {
        let part = dir.path().join("out").join(name).join("part-000000.jsonl");
        let text = std::fs::read(&part).unwrap();
        std::fs::write(&part, &text[1..]).unwrap();
    }
    std::fs::remove_file(dir.path().join("out/_SUCCESS")).unwrap();
    let ran = run(&["--verify", &out]);
    let begins: Vec<_> = ran.err.lines().map(|line| line.split(": expected").next().unwrap().to_owned()).collect();
    let part = |status: &str| format!("{out}/status={status}/part-000000.jsonl");
    let mut expected = [part("200"), part("404"), format!("{out}/_SUCCESS")];
    expected.sort();
    let mut found = begins.clone();
    found.sort();
    assert_eq!((ran.code, ran.out.as_str(), found), (Some(2), "", expected.to_vec()), "{begins:?}");
    // One fault alone, and what cannot be asked for beside it.
    assert_eq!(run(&["--verify", &at(&dir, "none")]).code, Some(2));
    assert_eq!(run(&["--verify", &out, "--memory", "1K"]).code, Some(6));
    for wrong in [&["."][..], &["-o", "x"], &["-s"], &["--on-error", "skip"], &["--report", "x"]] {
        let ran = run(&[&["--verify", &out], wrong].concat());
        assert!(ran.code == Some(2) && ran.err.contains("means nothing here"), "{wrong:?}: {ran:?}");
    }
}

/// Whatever a file is called it is read, by each way to it, and no message moves the cursor.
#[cfg(target_os = "linux")]
#[test]
fn files_of_any_name_are_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let dir = files(&[]);
    let names = [&b"\xff\xfe.jsonl"[..], b"b\n\x1b[31m.jsonl", b"-c.jsonl", "\u{202e}d.jsonl".as_bytes()];
    let paths: Vec<_> = names.iter().map(|name| dir.path().join(OsStr::from_bytes(name))).collect();
    for (number, path) in paths.iter().enumerate() {
        std::fs::write(path, format!("{number}\n")).unwrap();
    }
    let ways = ["", "*", "**", "**/*.jsonl", "*.jsonl"].map(|pattern| dir.path().join(pattern));
    for way in ways {
        let program = [OsStr::new("-s"), OsStr::new("sort"), way.as_os_str()];
        assert_eq!(print(&program, ""), "[0,1,2,3]\n", "{way:?}");
    }
    for (number, path) in paths.iter().enumerate() {
        assert_eq!(print(&[OsStr::new("."), path.as_os_str()], ""), format!("{number}\n"));
        std::fs::write(path, "no\n").unwrap();
        let ran = run(&[OsStr::new("."), path.as_os_str()]);
        let line = ran.err.strip_suffix('\n').unwrap();
        assert!(ran.code == Some(2) && !line.contains(['\n', '\u{1b}', '\u{202e}']), "{ran:?}");
        std::fs::remove_file(path).unwrap();
        // An output may be called so too, if that is text.
        let report = dir.path().join("report");
        let report = report.as_os_str();
        let write = ["-n", "-o"].map(OsStr::new).into_iter().chain([path.as_os_str()]);
        let rest = ["--report"].map(OsStr::new).into_iter().chain([report, OsStr::new("7")]);
        let ran = run(&write.chain(rest).collect::<Vec<_>>());
        match path.to_str() {
            Some(_) => assert!(ran.code == Some(0) && std::fs::read_to_string(path).unwrap() == "7\n", "{ran:?}"),
            None => assert!(ran.code == Some(2) && ran.err.contains("in UTF-8") && !path.exists(), "{ran:?}"),
        }
    }
}
