//! What the documents say is true: the README's commands print what stands under them, and the files that the documents
//! name exist.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may touch the system and panic"
)]

mod programs;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a document in one of these languages.
fn blocks(document: &str, languages: &[&str]) -> Vec<String> {
    let (mut blocks, mut open) = (Vec::new(), None::<(bool, String)>);
    for line in document.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((languages.contains(&language), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take().and_then(|(wanted, text)| wanted.then_some(text))),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fenced block does not end");
    blocks
}

/// The commands of the README with what stands under them.
fn commands() -> Vec<(String, String)> {
    let readme = read("README.md");
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in blocks(&readme, &["console"]) {
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push((command.to_owned(), String::new())),
                None => commands.last_mut().expect("a command comes before its output").1 += &format!("{line}\n"),
            }
        }
    }
    for block in blocks(&readme, &["sh"]) {
        commands.extend(block.lines().map(|line| (line.to_owned(), String::new())));
    }
    commands
}

/// What the command prints, in the root of the project, where it is built.
#[cfg(feature = "cli")]
fn command(words: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_kitbag"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let ran =
        std::process::Command::new("sh").args(["-c", words]).env("PATH", path).current_dir(root()).output().unwrap();
    assert!(ran.status.success(), "$ {words}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
#[cfg(feature = "cli")]
fn the_readmes_commands_print_what_it_shows() {
    let (mut examples, mut main) = (Vec::new(), 0);
    for (words, output) in commands() {
        if let Some(example) = words.strip_prefix("cargo run --release --example ") {
            let (name, arguments) = example.split_once(" -- ").expect("`--` before the program's arguments");
            // Nothing that a shell would change: the words are the arguments.
            assert!(!words.contains(['\'', '"', '\\', '*', '?', '$', '|', '>', '&', ';', '~']), "{words}");
            let arguments: Vec<_> = arguments.split_whitespace().collect();
            assert_eq!(programs::succeed(name, &arguments), output, "$ {words}");
            examples.push(name.to_owned());
        } else if let Some(arguments) = words.strip_prefix("cargo run --release -- ") {
            assert_eq!(command(&format!("kitbag {arguments}")), output, "$ {words}");
            main += 1;
        } else if words.starts_with("kitbag ") {
            assert_eq!(command(&words), output, "$ {words}");
            main += 1;
        }
    }
    assert!(main > 3 && examples.contains(&"count_by".to_owned()), "the README does not show its commands any more");
}

#[test]
fn the_readme_says_how_the_tests_are_run() {
    // This test is one of them: the command stands alone, to be copied.
    assert!(commands().iter().any(|(command, output)| command == "cargo test" && output.is_empty()));
}

/// The documents, with the directory that their relative links start from.
fn documents() -> Vec<(String, PathBuf)> {
    let mut documents = vec!["README.md".to_owned(), "CHANGELOG.md".into(), "data/README.md".into()];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        documents.push(format!("docs/{}", entry.unwrap().file_name().into_string().unwrap()));
    }
    let base = |path: &String| root().join(path).parent().unwrap().to_owned();
    documents.into_iter().map(|path| (path.clone(), base(&path))).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for (path, base) in documents() {
        let text = read(&path);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') {
                links += 1;
                let file = link.split('#').next().unwrap();
                assert!(base.join(file).exists(), "{path}: {link} leads nowhere");
            }
        }
    }
    assert!(links > 5, "only {links} links were found");
}

#[test]
fn files_that_are_named_exist() {
    let mut named = 0;
    for (path, _) in documents() {
        let text = read(&path);
        for word in text.split(['`', ' ', '\n', '(', ')', ',', ';', '|']) {
            let word = word.trim_end_matches(['.', ':']);
            let here = ["src/", "tests/", "examples/"].iter().any(|room| word.starts_with(room));
            if here && !word.contains(['*', '…', '<']) {
                named += 1;
                let (file, item) = word.split_once("::").map_or((word, None), |(file, item)| (file, Some(item)));
                assert!(root().join(file).exists(), "{path}: {word} is not there");
                assert!(item.is_none_or(|item| read(file).contains(item)), "{path}: {word}: {file} has no {item:?}");
            }
        }
    }
    assert!(named > 20, "only {named} files are named");
}

#[test]
fn every_fault_has_a_row_and_every_proof_is_a_test() {
    let text = read("docs/reliability.md");
    let mut numbers: Vec<u32> = Vec::new();
    let mut proofs = 0;
    for line in text.lines().filter(|line| line.starts_with("| F")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        numbers.push(cells[0].trim_start_matches('F').parse().unwrap());
        let tests: Vec<&str> = line.split('`').filter(|word| word.contains(".rs::")).collect();
        let honest = cells.last().is_some_and(|proof| *proof == "not yet") || line.contains("struck");
        assert!(!tests.is_empty() || honest, "no proof and no word about it: {line}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let file = read(file);
            // By itself, or in the list of a macro that makes a test of each.
            let listed = file.lines().filter(|line| line.contains("loops! {"));
            let listed = listed.flat_map(str::split_whitespace).any(|word| word == name);
            assert!(
                listed || file.contains(&format!("    fn {name}(")) || file.contains(&format!("\nfn {name}(")),
                "{test} is no test"
            );
            proofs += 1;
        }
    }
    let expected = [1..=21, 30..=38, 40..=48, 50..=60, 61..=76].into_iter().flatten();
    assert!(numbers.iter().copied().eq(expected), "{numbers:?}");
    assert!(proofs > 60, "{proofs} proofs");
}
