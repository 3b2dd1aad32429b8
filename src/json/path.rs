//! [`Path`]: where in a record a value is, in jq's syntax.

use super::scan;
use super::text;
use crate::error::{Error, ErrorKind};
use std::fmt;
use std::str::FromStr;

/// A path into a record, as jq writes it: `.a.b[0]."odd key"["k"]`. The leading dot may be left out, `.` is the record
/// itself, negative indices count from the end of an array.
///
/// ```
/// use kitbag::Path;
///
/// let path: Path = r#"commit["collection"][-1]."odd key""#.parse()?;
/// assert_eq!(path.to_string(), r#".commit.collection[-1]."odd key""#);
/// # Ok::<(), kitbag::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Key(Box<str>),
    Index(i64),
}

impl Path {
    /// A path of keys, whatever characters they have.
    ///
    /// ```
    /// # use kitbag::Path;
    /// assert_eq!(Path::of_keys(["a", "$type"]).to_string(), r#".a."$type""#);
    /// ```
    pub fn of_keys<K: AsRef<str>>(keys: impl IntoIterator<Item = K>) -> Path {
        Path { steps: keys.into_iter().map(|key| Step::Key(key.as_ref().into())).collect() }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(path: &str) -> Result<Path, Error> {
        Reader { path, at: 0 }.read()
    }
}

struct Reader<'p> {
    path: &'p str,
    at: usize,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Path, Error> {
        let mut steps = Vec::new();
        if self.path == "." {
            return Ok(Path::default());
        }
        loop {
            let dot = self.eat(b'.');
            match self.peek() {
                Some(b'[') => steps.push(self.bracket()?),
                Some(b'"') if dot || steps.is_empty() => steps.push(Step::Key(self.string()?)),
                Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') if dot || steps.is_empty() => steps.push(self.name()),
                None if !dot && !steps.is_empty() => return Ok(Path { steps }),
                None => return Err(self.fault("a key or `[`")),
                Some(_) if dot || steps.is_empty() => {
                    return Err(self.fault("a name, or another key in quotes, such as .\"$type\""));
                }
                Some(_) => return Err(self.fault("`.` or `[` (a key with other characters is put in quotes)")),
            }
        }
    }

    fn name(&mut self) -> Step {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9')) {
            self.at += 1;
        }
        Step::Key(self.path[start..self.at].into())
    }

    fn bracket(&mut self) -> Result<Step, Error> {
        self.at += 1;
        let step = match self.peek() {
            Some(b'"') => Step::Key(self.string()?),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                self.eat(b'-');
                while matches!(self.peek(), Some(b'0'..=b'9')) {
                    self.at += 1;
                }
                match self.path[start..self.at].parse() {
                    Ok(index) => Step::Index(index),
                    Err(_) => {
                        self.at = start;
                        return Err(self.fault("an integer"));
                    }
                }
            }
            _ => return Err(self.fault("an index or a key in quotes")),
        };
        if !self.eat(b']') {
            return Err(self.fault("`]`"));
        }
        Ok(step)
    }

    fn string(&mut self) -> Result<Box<str>, Error> {
        let bytes = self.path.as_bytes();
        let end = text::string_end(bytes, self.at + 1);
        let literal = &bytes[self.at..end];
        if let Err(fault) = scan::check(literal, 1) {
            self.at += fault.column - 1;
            return Err(self.fault(fault.expected.trim_start_matches("expected ")));
        }
        self.at = end;
        Ok(text::unescape(text::utf8(&literal[1..literal.len() - 1])).into())
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.path.as_bytes().get(self.at).copied()
    }

    fn fault(&self, expected: &str) -> Error {
        let path = crate::error::escape(self.path.as_bytes(), 80);
        Error::new(ErrorKind::Usage, format!("path `{path}`, column {}: expected {expected}", self.at + 1))
    }
}

/// jq's syntax, with quotes only where they are needed.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.steps.first(), Some(Step::Key(_))) {
            f.write_str(".")?;
        }
        for step in &self.steps {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_name(key) => write!(f, ".{key}")?,
                Step::Key(key) => {
                    let mut quoted = Vec::new();
                    text::quote(key, &mut quoted);
                    write!(f, ".{}", text::utf8(&quoted))?;
                }
            }
        }
        Ok(())
    }
}

fn is_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn paths_are_printed_canonically() {
        for (given, canonical) in [
            (".", "."),
            ("a.b", ".a.b"),
            (".[2]", ".[2]"),
            ("[2].x", ".[2].x"),
            (".a.[0]", ".a[0]"),
            (r#"."a"["b c"][-1]"#, r#".a."b c"[-1]"#),
            (r#""x\ny""#, r#"."x\ny""#),
            (r#".["\u00e9"]"#, ".\"é\""),
        ] {
            let path: Path = given.parse().unwrap();
            assert_eq!(path.to_string(), canonical);
            assert_eq!(canonical.parse::<Path>().unwrap(), path);
        }
    }

    #[test]
    fn faults_name_the_column() {
        for (given, column) in [
            ("", 1),
            ("..a", 2),
            (".a.", 4),
            (".$type", 2),
            (".a-b", 3),
            (".a[x]", 4),
            (".a[1", 5),
            (".a[99999999999999999999]", 4),
            (".a[-]", 4),
            (r#"."abc"#, 6),
            (r#"."a\(x)""#, 4),
            (r#".a"b""#, 3),
        ] {
            let error = given.parse::<Path>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(&format!("column {column}:")), "{given}: {error}");
        }
    }

    #[test]
    fn values_are_plucked() {
        let record = Json::parse(r#"{"a":[{"b":1},{"b":2}],"odd key":{"k":[3]}}"#).unwrap();
        let pluck = |path: &str| record.pluck(&path.parse().unwrap()).map(|value| value.raw().to_owned());
        assert_eq!(pluck(".a[0].b").as_deref(), Some("1"));
        assert_eq!(pluck(".a[-1].b").as_deref(), Some("2"));
        assert_eq!(pluck(r#"."odd key"["k"][0]"#).as_deref(), Some("3"));
        for nothing in [".a[2]", ".a[-3]", ".a.b", ".b", "[0]", ".a[0].b.c", ".a[-9223372036854775808]"] {
            assert_eq!(pluck(nothing), None, "{nothing}");
        }
        assert_eq!(pluck(".").as_deref(), Some(record.raw()));
    }
}
