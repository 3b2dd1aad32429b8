//! Reads jq's own suites: the examples of its manual, and its test files, which are groups of lines: a program, an input,
//! outputs, a blank line; `%%FAIL` before a program that does not compile.

use std::path::Path;

use super::{Case, Expected, Suite};

/// The files of jq's tests that need nothing but the program.
const FILES: [&str; 7] = ["jq", "man", "onig", "manonig", "base64", "uri", "optional"];

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn tests(folder: &Path) -> Suite {
    let mut suite = Suite { name: "jq's tests", cases: Vec::new(), unread: 0 };
    for file in FILES {
        let place = format!("jq/tests/{file}.test");
        let text = text(&folder.join(&place));
        let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let mut lines = (1..).zip(text.lines());
        while let Some((mut number, line)) = lines.find(|(_, line)| !blank(line)) {
            let refused = line.starts_with("%%FAIL");
            let mut program = line;
            if refused {
                (number, program) = lines.next().unwrap();
            }
            let mut rest = lines.by_ref().map(|(_, line)| line).take_while(|line| !line.trim().is_empty());
            let (input, expected) = if refused {
                rest.by_ref().for_each(drop);
                ("null", Some(Expected::Refused))
            } else {
                let input = rest.next().unwrap();
                let outputs: Vec<&str> = rest.filter(|line| !blank(line)).collect();
                let outputs = outputs.into_iter().map(serde_json::from_str).collect::<Result<_, _>>();
                (input, outputs.ok().map(Expected::Outputs))
            };
            let case = |expected| Case {
                place: format!("{place}:{number}"),
                program: program.to_owned(),
                input: format!("{input}\n"),
                expected,
            };
            suite.unread += usize::from(expected.is_none());
            suite.cases.extend(expected.map(case));
        }
    }
    suite
}

/// The examples of a manual: of its YAML, what examples are made of.
pub(super) fn manual(folder: &Path, version: &str) -> Suite {
    let name = if version == "v1.6" { "jq 1.6's manual" } else { "jq 1.8's manual" };
    let mut suite = Suite { name, cases: Vec::new(), unread: 0 };
    let place = format!("jq/docs/content/manual/{version}/manual.yml");
    let text = text(&folder.join(&place));
    for (at, key) in text.match_indices("- program:") {
        let place = format!("{place}:{}", text[..at].matches('\n').count() + 1);
        let mut yaml = Yaml(&text[at + key.len()..]);
        let program = yaml.scalar();
        let input = yaml.key("input:").scalar();
        let outputs = yaml.key("output:").list();
        let outputs: Result<_, _> = outputs.iter().map(|text| serde_json::from_str(text)).collect();
        let expected = Expected::Outputs(outputs.unwrap_or_else(|error| panic!("{place}: {error}")));
        suite.cases.push(Case { place, program, input: format!("{input}\n"), expected });
    }
    suite
}

/// The rest of a text of YAML: as much of the language as the manuals use.
struct Yaml<'t>(&'t str);

impl Yaml<'_> {
    fn key(&mut self, name: &str) -> &mut Self {
        self.0 = self.0.trim_start().strip_prefix(name).unwrap_or_else(|| panic!("expected {name}: {:.80}", self.0));
        self
    }

    fn scalar(&mut self) -> String {
        self.0 = self.0.trim_start_matches(' ');
        if let Some(quoted) = self.0.strip_prefix('\'') {
            let mut end = 0;
            while !quoted[end..].starts_with('\'') || quoted[end..].starts_with("''") {
                end +=
                    if quoted[end..].starts_with("''") { 2 } else { quoted[end..].chars().next().unwrap().len_utf8() };
            }
            self.0 = &quoted[end + 1..];
            // Line ends fold.
            return quoted[..end].lines().map(str::trim).collect::<Vec<_>>().join(" ").replace("''", "'");
        }
        if self.0.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(self.0).into_iter::<String>();
            let value = values.next().unwrap().unwrap();
            self.0 = &self.0[values.byte_offset()..];
            return value;
        }
        let (line, rest) = self.0.split_once('\n').unwrap();
        self.0 = rest;
        if line != "|-" {
            return line.trim().to_owned();
        }
        let indent = rest.len() - rest.trim_start_matches(' ').len();
        let inside = |line: &&str| line.trim().is_empty() || line[..indent.min(line.len())].trim().is_empty();
        let lines: Vec<&str> = rest.split_inclusive('\n').take_while(inside).collect();
        self.0 = &rest[lines.iter().map(|line| line.len()).sum()..];
        lines.concat()
    }

    fn list(&mut self) -> Vec<String> {
        let mut items = Vec::new();
        self.0 = self.0.trim_start_matches(' ');
        if let Some(rest) = self.0.strip_prefix('[') {
            self.0 = rest;
            loop {
                self.0 = self.0.trim_start_matches([' ', ',', '\n']);
                match self.0.strip_prefix(']') {
                    Some(_) => return items,
                    None if self.0.starts_with(['\'', '"']) => items.push(self.scalar()),
                    None => {
                        let (item, rest) = self.0.split_at(self.0.find([',', ']']).unwrap());
                        self.0 = rest;
                        items.push(item.trim().to_owned());
                    }
                }
            }
        }
        loop {
            let next = self.0.trim_start();
            match next.strip_prefix("- ").filter(|item| item.starts_with(['\'', '"'])) {
                Some(item) => self.0 = item,
                None => return items,
            }
            items.push(self.scalar());
        }
    }
}
