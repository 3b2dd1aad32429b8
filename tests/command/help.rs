//! The help, the manual page and completions; the examples of the help are run.

use std::process::Command;

use super::tool::{print, run};

#[test]
fn the_short_help_fits_a_screen_and_the_long_one_says_more() {
    let short = print(&["-h"], "");
    let long = print(&["--help"], "");
    assert!(short.lines().count() <= 24, "{} lines:\n{short}", short.lines().count());
    assert!(short.lines().all(|line| line.len() <= 80), "{short}");
    assert!(long.contains("Exit codes:") && long.lines().count() > 60);
    assert!(print(&["--version"], "").starts_with("kitbag "));
}

#[test]
fn the_examples_of_the_help_run() {
    let help = print(&["--help"], "");
    let mut ran = 0;
    let dir = tempfile::tempdir().unwrap();
    for name in ["data", "examples"] {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        std::os::unix::fs::symlink(root.join(name), dir.path().join(name)).unwrap();
    }
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_kitbag")).parent().unwrap();
    let path = std::env::join_paths(
        [bin.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    for command in help.lines().map(str::trim).filter(|line| {
        line.contains("kitbag ") && line.contains('\'') || line.contains("| kitbag") || line.contains("--verify days")
    }) {
        if !command.starts_with("kitbag ") && !command.starts_with("zcat ") {
            continue;
        }
        let output =
            Command::new("sh").args(["-c", command]).env("PATH", &path).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
        assert!(!output.stdout.is_empty() || command.contains(" -o "), "{command} printed nothing");
        ran += 1;
    }
    assert!(ran >= 8, "{ran} examples were found");
    assert!(dir.path().join("clean").is_dir());
}

#[test]
fn completions_and_the_manual_page_name_the_options() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = print(&["--completions", shell], "");
        assert!(script.contains("on-error") && script.contains("kitbag"), "{shell}");
    }
    let page = print(&["--man"], "");
    assert!(page.contains(".TH kitbag 1") && page.contains("on\\-error") && page.contains("Exit codes"), "{page}");
    assert_eq!(run(&["--completions", "tcsh"]).code, Some(2));
}
