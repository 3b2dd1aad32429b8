//! Regular expressions as Oniguruma reads them for jq: Unicode classes, look-around, back-references, `$` before a final
//! newline. Each is compiled once for a program.

use super::{Kit, Native, Val, ValR, general, one, pop_two, v, wrong};
use crate::jq::fault::{Error, about};
use fancy_regex::{Captures, Regex, RegexBuilder};
use jaq_core::Cv;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Patterns may come from the data: beyond this many the cache starts anew.
const MOST: usize = 512;

/// The compiled patterns of a program, by pattern and flags.
#[derive(Default)]
pub(in crate::jq) struct Regexes(RwLock<HashMap<SmolStr, HashMap<SmolStr, Arc<Pattern>>>>);

/// A pattern with its flags.
struct Pattern {
    /// For texts that do not end with a newline, before which `$` would match too.
    plain: Regex,
    newline: Option<Regex>,
    names: Vec<Option<SmolStr>>,
    global: bool,
    skip_empty: bool,
}

pub(super) fn natives() -> Vec<Native> {
    vec![
        general!("_test", v(2), |cv| one(matching(cv, |pattern, text| pattern.test(text).map(Val::Bool)))),
        general!("_match", v(2), |cv| {
            one(matching(cv, |pattern, text| {
                let mut places = Places::new(text);
                let found = pattern.find(text, pattern.global)?;
                Ok(found.iter().map(|captures| pattern.describe(captures, &mut places)).collect())
            }))
        }),
        general!("_capture", v(2), |cv| {
            one(matching(cv, |pattern, text| {
                let found = pattern.find(text, pattern.global)?;
                Ok(found.iter().map(|captures| pattern.named(captures)).collect())
            }))
        }),
        general!("_pieces", v(2), |cv| {
            one(matching(cv, |pattern, text| {
                let mut pieces = Vec::new();
                let mut from = 0;
                for captures in pattern.find(text, pattern.global)? {
                    let Some(whole) = captures.get(0) else { continue };
                    pieces.push(Val::string(&text[from..whole.start()]));
                    pieces.push(pattern.named(&captures));
                    from = whole.end();
                }
                pieces.push(Val::string(&text[from..]));
                Ok(Val::array(pieces))
            }))
        }),
    ]
}

/// Runs `then` on the input and the pattern that a function was called with.
fn matching(mut cv: Cv<'_, Kit>, then: impl Fn(&Pattern, &str) -> ValR) -> ValR {
    let (pattern, flags) = pop_two(&mut cv);
    let text = cv.1.as_str().ok_or_else(|| no_string(&cv.1))?;
    then(&*cv.0.data().regexes.of(&pattern, &flags)?, text)
}

pub(in crate::jq) fn no_string(value: &Val) -> Error {
    about(value, "cannot be matched, as it is not a string")
}

impl Regexes {
    /// Whether a text matches a pattern with flags.
    pub(in crate::jq) fn test(&self, text: &str, pattern: &Val, flags: &Val) -> Result<bool, Error> {
        self.of(pattern, flags)?.test(text)
    }

    /// The text with what `by` appends for each match, which gets the named groups if it asks for them.
    pub(in crate::jq) fn replace<E: From<Error>>(
        &self,
        text: &str,
        pattern: &Val,
        flags: &Val,
        mut by: impl FnMut(&dyn Fn() -> Val, &mut String) -> Result<(), E>,
    ) -> Result<String, E> {
        let pattern = self.of(pattern, flags)?;
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for captures in pattern.find(text, pattern.global)? {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(&text[from..whole.start()]);
            by(&|| pattern.named(&captures), &mut out)?;
            from = whole.end();
        }
        out.push_str(&text[from..]);
        Ok(out)
    }

    /// The pattern with these flags: a string with flags beside it, or an array of both.
    fn of(&self, pattern: &Val, flags: &Val) -> Result<Arc<Pattern>, Error> {
        let (pattern, flags) = match pattern.as_array() {
            Some([pattern]) => (pattern, flags),
            Some([pattern, flags, ..]) => (pattern, flags),
            _ => (pattern, flags),
        };
        let Val::Str(pattern) = pattern else { return Err(no_string(pattern)) };
        match flags {
            Val::Null => self.get(pattern, &SmolStr::default()),
            Val::Str(flags) => self.get(pattern, flags),
            other => Err(about(other, "is not a string")),
        }
    }

    fn get(&self, pattern: &SmolStr, flags: &SmolStr) -> Result<Arc<Pattern>, Error> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(pattern).and_then(|by_flags| by_flags.get(flags)) {
            return Ok(found.clone());
        }
        drop(known);
        let made = Arc::new(Pattern::new(pattern, flags)?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(pattern.clone()).or_default().insert(flags.clone(), made.clone());
        Ok(made)
    }
}

impl Pattern {
    fn test(&self, text: &str) -> Result<bool, Error> {
        match self.skip_empty {
            false => self.regex(text).is_match(text).map_err(failed),
            true => Ok(!self.find(text, false)?.is_empty()),
        }
    }

    fn new(text: &str, flags: &str) -> Result<Pattern, Error> {
        let has = |flag| flags.contains(flag);
        // `s` changes nothing: `^` and `$` are those of the text anyhow.
        if let Some(unknown) = flags.chars().find(|flag| !"gnixps".contains(*flag)) {
            return Err(wrong(format!("{flags} is not a valid modifier string: `{unknown}`")));
        }
        let build = |text: &str| {
            let mut options = RegexBuilder::new(text);
            options.case_insensitive(has('i')).verbose_mode(has('x')).dot_matches_new_line(has('p'));
            options.build().map_err(|error| wrong(format!("{text} (at offset 0) is not a valid regex: {error}")))
        };
        let (at_end, before_newline) = (with_dollar(text, r"\z"), with_dollar(text, r"(?=\n?\z)"));
        let plain = build(&at_end)?;
        let newline = if at_end == before_newline { None } else { Some(build(&before_newline)?) };
        let names = plain.capture_names().map(|name| name.map(SmolStr::new)).collect();
        Ok(Pattern { plain, newline, names, global: has('g'), skip_empty: has('n') })
    }

    fn regex(&self, text: &str) -> &Regex {
        self.newline.as_ref().filter(|_| text.ends_with('\n')).unwrap_or(&self.plain)
    }

    fn find<'t>(&self, text: &'t str, all: bool) -> Result<Vec<Captures<'t, str>>, Error> {
        let mut found = Vec::new();
        for captures in self.regex(text).captures_iter(text) {
            let captures = captures.map_err(failed)?;
            if self.skip_empty && captures.get(0).is_some_and(|whole| whole.as_str().is_empty()) {
                continue;
            }
            found.push(captures);
            if !all {
                break;
            }
        }
        Ok(found)
    }

    /// A match as the language shows it.
    fn describe(&self, captures: &Captures<'_, str>, places: &mut Places<'_>) -> Val {
        let mut part = |at: usize| match captures.get(at) {
            Some(part) => [
                ("offset".into(), Val::count(places.of(part.start()))),
                ("length".into(), Val::count(part.as_str().chars().count())),
                ("string".into(), Val::string(part.as_str())),
            ],
            None => [("offset".into(), Val::Int(-1)), ("string".into(), Val::Null), ("length".into(), Val::Int(0))],
        };
        let whole = part(0);
        let name = |at: usize| self.names.get(at).cloned().flatten().map_or(Val::Null, Val::Str);
        let groups = (1..captures.len()).map(|at| Val::object(part(at).into_iter().chain([("name".into(), name(at))])));
        let groups: Val = groups.collect();
        Val::object(whole.into_iter().chain([("captures".into(), groups)]))
    }

    /// The named groups of a match.
    fn named(&self, captures: &Captures<'_, str>) -> Val {
        let named = self.names.iter().enumerate().filter_map(|(at, name)| {
            Some((name.clone()?, captures.get(at).map_or(Val::Null, |part| Val::string(part.as_str()))))
        });
        Val::object(named)
    }
}

fn failed(error: fancy_regex::Error) -> Error {
    wrong(format!("Regex failure: {error}"))
}

/// The pattern with something else for each `$` that is an anchor.
fn with_dollar(text: &str, anchor: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut classes = 0_usize;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                out.push(char);
                out.extend(chars.next());
                continue;
            }
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            '$' if classes == 0 => {
                out.push_str(anchor);
                continue;
            }
            _ => {}
        }
        out.push(char);
    }
    out
}

/// Offsets in code points. Matches come in order, groups within them nearly so.
struct Places<'t> {
    text: &'t str,
    at: usize,
    count: usize,
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Places<'t> {
        Places { text, at: 0, count: 0 }
    }

    fn of(&mut self, at: usize) -> usize {
        if at < self.at {
            (self.at, self.count) = (0, 0);
        }
        self.count += self.text[self.at..at].chars().count();
        self.at = at;
        self.count
    }
}
