//! The house rules that a compiler does not check: heads, sizes, and which room may know which.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and read files")]

use std::path::{Path, PathBuf};

/// A source file: its path below the package, its room (the folder, or the file's own name) and its text.
struct Source {
    path: String,
    room: String,
    text: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<PathBuf> = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(dir) = waiting.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                let room = name.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
                found.push(Source { room, text: std::fs::read_to_string(&path).unwrap(), path: name });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 5, "{folder} has hardly a file: this test looks in the wrong place");
    found
}

/// The code that is compiled into the library: no comments, and nothing from the first `#[cfg(test)]` module on.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect()
}

/// The rooms that a piece of code names: `crate::room`, also in lists.
fn named(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap(),
            None => rest,
        };
        let words = list.split(if rest.starts_with('{') { ',' } else { '\0' });
        for word in words {
            let name: String = word.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            rooms.push(name);
        }
    }
    rooms
}

#[test]
fn every_file_says_at_its_head_what_it_is_for() {
    for source in ["src", "tests"].into_iter().flat_map(sources) {
        assert!(source.text.starts_with("//! "), "{} does not open with `//!`", source.path);
    }
}

#[test]
fn dependencies_between_rooms_run_one_way() {
    const NOUNS: &[&str] = &["error", "batch", "config", "os"];
    const TOOLS: &[&str] = &["json", "spill", "shuffle"];
    // What each room may name, besides itself. Where this departs from the drawing in the design:
    // * `config` holds the `Monitor` that the engine reports to, so that a configuration is one value;
    // * `spill` and `agg` know positions (`batch`), because frames and states carry them, and `agg` refuses what is no
    //   quantile (`error`);
    // * `bag` is the handle; verbs are its methods, so every verbs' room names it, and it names none of them;
    // * the engine's budget is the spill room's.
    let allowed = |room: &str| -> Vec<&str> {
        let engine = [NOUNS, TOOLS, &["engine"][..]].concat();
        match room {
            "error" | "batch" | "os" => vec![],
            "config" => vec!["error", "os", "engine"],
            "json" => vec!["error"],
            "shuffle" => vec!["batch", "config", "error", "os"],
            "spill" => vec!["batch", "error", "os", "config"],
            "engine" => [NOUNS, &["shuffle", "spill"]].concat(),
            "bag" => [NOUNS, &["engine"]].concat(),
            "agg" => vec!["batch", "error"],
            "input" | "narrow" => [&engine[..], &["bag"]].concat(),
            // Wide verbs fold with aggregates, and both fold and write what a scan lends them.
            "wide" => [&engine[..], &["bag", "agg", "input"]].concat(),
            "write" => [&engine[..], &["bag", "input"]].concat(),
            // Tests of whole runs know what they put in.
            "lib" | "main" | "tests" | "fuzz" => vec!["*"],
            // The command knows the library by its public face alone, `kitbag::…`.
            "cli" => vec!["jq"],
            "jq" => vec![],
            other => panic!("the room `{other}` is new: say here what it may know"),
        }
    };
    let mut wrong = Vec::new();
    // Properties are tests.
    for source in sources("src").iter().filter(|source| !source.path.contains("/properties/")) {
        let allowed = allowed(&source.room);
        for name in named(&code(&source.text)) {
            let known = name == source.room || allowed.contains(&"*") || allowed.contains(&name.as_str());
            // A capital is an item that `lib` hands out, not a room.
            if !known && !name.starts_with(char::is_uppercase) {
                wrong.push(format!("{}: `crate::{name}` is not for the room `{}`", source.path, source.room));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_engine_names_no_operator() {
    let verbs = ["read_json", "read_text", "flat_map", "group_by", "fold_by", "write_jsonl", "top_k", "map_partitions"];
    for source in sources("src").iter().filter(|source| source.room == "engine" || source.room == "shuffle") {
        let code = code(&source.text);
        for verb in verbs {
            assert!(!code.contains(verb), "{} names the operator `{verb}`", source.path);
        }
    }
}

#[test]
fn each_thing_that_waits_or_touches_the_system_has_one_room() {
    // The word, the rooms it belongs to, and what may be said elsewhere: types that hold what the room gave, and the
    // durations of reports. The command, unlike the library, may look at its clock and environment and has a thread or
    // two of its own; its files it reads and writes by the library.
    let rules: [(&str, &[&str], &[&str]); 9] = [
        ("crossbeam", &["shuffle"], &[]),
        ("std::fs", &["os"], &["std::fs::File>"]),
        ("std::thread", &["os", "main", "cli"], &["std::thread::JoinHandle", "std::thread_local"]),
        ("std::time", &["os", "cli"], &["std::time::Duration", "std::time::Instant;"]),
        ("std::env", &["os", "cli"], &[]),
        ("Instant::now", &["os"], &[]),
        ("select!", &["shuffle"], &[]),
        ("jaq_", &["jq"], &[]),
        ("clap", &["cli"], &[]),
    ];
    let mut wrong = Vec::new();
    // Fuzz targets are tests, too.
    let tests = |path: &str| path.contains("/tests/") || path.contains("/fuzz");
    for source in sources("src").iter().filter(|source| !tests(&source.path)) {
        for (line, text) in code(&source.text).lines().enumerate() {
            for (word, rooms, fine) in &rules {
                let known = rooms.contains(&source.room.as_str()) || fine.iter().any(|fine| text.contains(fine));
                if text.contains(word) && !known {
                    wrong.push(format!("{} (code line {}): `{word}` belongs to {rooms:?}", source.path, line + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_stays_near_two_hundred_lines() {
    const MOST: usize = 260;
    let long: Vec<String> = sources("src")
        .iter()
        .map(|source| (&source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > MOST)
        .map(|(path, lines)| format!("{path}: {lines} lines, allowed {MOST}"))
        .collect();
    assert!(long.is_empty(), "split these: {}", long.join("; "));
}

#[test]
fn unsafe_code_is_forbidden_in_the_library_and_the_command() {
    for source in sources("src").iter().filter(|source| ["src/lib.rs", "src/main.rs"].contains(&source.path.as_str())) {
        assert!(source.text.contains("#![forbid(unsafe_code)]"), "{}", source.path);
    }
}

/// A planted bug is put in where the code is as it was then.
#[test]
fn planted_bugs_can_still_be_put_in() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let planted = root.join("tests/planted");
    let table = read(&planted.join("table.txt"));
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut hunks = 0;
    for row in &rows {
        let [name, what, arguments, _] = row[..] else { panic!("expected four columns: {row:?}") };
        assert!(!what.is_empty(), "{name} says nothing");
        let test = arguments.split([' ', ':']).next_back().unwrap();
        let tests = ["src", "tests"].into_iter().flat_map(sources);
        let told =
            |text: &str| text.contains(&format!("fn {test}(")) || text.contains("loops! {") && text.contains(test);
        assert!(tests.into_iter().any(|source| told(&source.text)), "{name}: there is no test {test}");
        let (patch, mut file) = (read(&planted.join(format!("{name}.patch"))), String::new());
        for part in patch.split_inclusive('\n').collect::<Vec<_>>().split(|line| line.starts_with("@@ ")) {
            let old: String = part
                .iter()
                .filter(|line| line.starts_with([' ', '-']) && !line.starts_with("--- "))
                .map(|line| &line[1..])
                .collect();
            if !old.is_empty() {
                assert_eq!(file.matches(&old).count(), 1, "{name}: the place of this is not found any more:\n{old}");
                hunks += 1;
            }
            if let Some(path) = part.iter().find_map(|line| line.strip_prefix("--- a/")) {
                file = read(&root.join(path.trim()));
            }
        }
    }
    let patches = std::fs::read_dir(planted)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "patch"));
    assert_eq!(patches.count(), rows.len(), "each patch has a row of the table, and each row a patch");
    assert!(rows.len() >= 12 && hunks >= rows.len(), "{} bugs, {hunks} hunks", rows.len());
}
