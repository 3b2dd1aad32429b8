//! [`Partition`]: the directory of a record in a partitioned output, `day=2026-01-02/kind=x`. What must stay true: a
//! name has no byte that means anything to a file system, other values have other names, and a name leads back to
//! its value. Only here are names made.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::json::{JsonKind, JsonRef};

/// The directory of a record in a partitioned output: `key=value` for each key, in the order in which they were added, as
/// Hive names them and Spark, Arrow, DuckDB and Polars read them back.
///
/// Of keys and values only `A` to `Z`, `a` to `z`, `0` to `9`, `-`, `_` and dots inside stand for themselves; every other byte
/// is written as `%` with two hexadecimal digits, so that no value leads out of its directory. No value is
/// `__HIVE_DEFAULT_PARTITION__`; that text itself and a leading `_` of a key (which readers take for hidden) are
/// escaped. The empty string is `key=`. Types are not kept: the number 1 and the string `1` are one partition.
///
/// ```
/// use kitbag::Partition;
///
/// let partition = Partition::new().with("day", Some("2026-01-02"))?.with("path", Some("../etc"))?.with("user", None)?;
/// assert_eq!(partition.to_string(), "day=2026-01-02/path=%2E.%2Fetc/user=__HIVE_DEFAULT_PARTITION__");
/// # Ok::<(), kitbag::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "a partition says where a record goes"]
pub struct Partition(String);

/// Where there is no value.
const NONE: &str = "__HIVE_DEFAULT_PARTITION__";

/// What file systems bear for a name, and what is sure to leave room for what stands around it.
const LONGEST_NAME: usize = 255;
const LONGEST: usize = 2048;

impl Partition {
    /// No key yet: at least one must be added.
    pub fn new() -> Partition {
        Partition::default()
    }

    /// Adds a key with its value, or with none.
    ///
    /// # Errors
    ///
    /// Fails if the key is empty or there already, or if the name, escaped, is longer than 255 bytes, or all together
    /// longer than 2048.
    pub fn with(self, key: &str, value: Option<&str>) -> Result<Partition> {
        let wrong = |text: String| Err(Error::new(ErrorKind::Record, text).with_excerpt(key.as_bytes()));
        let mut name = String::with_capacity(key.len() + 1 + value.map_or(NONE.len(), str::len));
        put(key, true, &mut name);
        if name.is_empty() {
            return wrong("expected the name of a partition's key, found none".into());
        }
        name.push('=');
        if self.names().any(|other| other.starts_with(&name)) {
            return wrong("expected each key of a partition once, found one twice".into());
        }
        match value {
            None => name.push_str(NONE),
            Some(NONE) => put(NONE, true, &mut name),
            Some(value) => put(value, false, &mut name),
        }
        if name.len() > LONGEST_NAME {
            let text = "expected a partition's name of at most 255 bytes, found";
            return wrong(format!("{text} {} for the value of this key", name.len()));
        }
        let Partition(mut dir) = self;
        if !dir.is_empty() {
            dir.push('/');
        }
        dir.push_str(&name);
        match dir.len() {
            ..=LONGEST => Ok(Partition(dir)),
            length => wrong(format!("expected a partition of at most {LONGEST} bytes, found {length} with this key")),
        }
    }

    /// Adds a key with a JSON value: a string, a number by its text, `true` or `false`; nothing and `null` are no value.
    ///
    /// ```
    /// use kitbag::{Json, Partition};
    ///
    /// let record = Json::parse(r#"{"kind": "a b", "n": 1.50}"#)?;
    /// let partition = ["kind", "n", "x"].into_iter().try_fold(Partition::new(), |partition, key| {
    ///     partition.with_json(key, record.get(key))
    /// })?;
    /// assert_eq!(partition.to_string(), "kind=a%20b/n=1.50/x=__HIVE_DEFAULT_PARTITION__");
    /// # Ok::<(), kitbag::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As those of [`with`](Partition::with), and for an array or an object.
    pub fn with_json(self, key: &str, value: Option<JsonRef<'_>>) -> Result<Partition> {
        let Some(value) = value else { return self.with(key, None) };
        match value.kind() {
            JsonKind::Null => self.with(key, None),
            JsonKind::String => self.with(key, value.as_str().as_deref()),
            JsonKind::Number | JsonKind::Bool => self.with(key, Some(value.raw())),
            JsonKind::Array | JsonKind::Object => {
                let text = "expected a string, a number, true, false or null to partition by";
                Err(Error::new(ErrorKind::Record, text).with_excerpt(value.raw().as_bytes()))
            }
        }
    }

    /// The directory, relative, with `/` between names.
    pub(super) fn dir(&self) -> &str {
        &self.0
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }
}

/// The keys of a directory's name, as they are written there.
pub(super) fn keys(dir: &str) -> impl Iterator<Item = &str> {
    dir.split('/').map(|name| name.split('=').next().unwrap_or_default())
}

/// Appends a text, escaped.
fn put(text: &str, leading: bool, to: &mut String) {
    for (at, byte) in text.bytes().enumerate() {
        let plain = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => true,
            b'_' => at > 0 || !leading,
            b'.' => at > 0 && at + 1 < text.len(),
            _ => false,
        };
        match plain {
            true => to.push(char::from(byte)),
            // A string takes what is written to it.
            false => _ = write!(to, "%{byte:02X}"),
        }
    }
}

/// The text that was escaped; none if nothing is escaped so.
fn taken(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'%' => {
                let (digits, behind) = rest.split_first_chunk::<2>()?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = behind;
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Partition {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) prints, and nothing else.
    fn from_str(text: &str) -> Result<Partition> {
        let wrong = || {
            Error::new(ErrorKind::Record, "expected a partition such as day=2026-01-02/kind=x")
                .with_excerpt(text.as_bytes())
        };
        let partition = text.split('/').try_fold(Partition::new(), |partition, name| {
            let (key, value) = name.split_once('=').ok_or_else(wrong)?;
            let key = taken(key).ok_or_else(wrong)?;
            match value {
                NONE => partition.with(&key, None),
                value => partition.with(&key, Some(&taken(value).ok_or_else(wrong)?)),
            }
        })?;
        if partition.0 == text { Ok(partition) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(value: &str) -> String {
        Partition::new().with("k", Some(value)).unwrap().to_string()
    }

    #[test]
    fn names_are_those_of_hive_and_lead_nowhere_else() {
        for (value, name) in [
            ("2026-01-02", "2026-01-02"),
            ("v1.2_x", "v1.2_x"),
            ("", ""),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
            ("a/b\\c:d=e%f", "a%2Fb%5Cc%3Ad%3De%25f"),
            ("a\0b\n\u{7f}", "a%00b%0A%7F"),
            ("é ", "%C3%A9%20"),
            ("\u{202e}", "%E2%80%AE"),
            (NONE, "%5F_HIVE_DEFAULT_PARTITION__"),
            ("_x", "_x"),
        ] {
            assert_eq!(named(value), format!("k={name}"));
        }
        assert_eq!(Partition::new().with("_k/..", Some("1")).unwrap().to_string(), "%5Fk%2F.%2E=1");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        assert!(Partition::new().with("", Some("x")).is_err());
        assert!(Partition::new().with("a", Some("x")).unwrap().with("a", None).is_err());
        assert!(Partition::new().with("a", Some("x")).unwrap().with("aa", None).is_ok());
        assert!(Partition::new().with("k", Some(&"x".repeat(253))).is_ok());
        let long = Partition::new().with("k", Some(&"x".repeat(254))).unwrap_err().to_string();
        assert!(long.contains("at most 255 bytes, found 256"), "{long}");
        let many = (0..10).try_fold(Partition::new(), |all, n| all.with(&n.to_string(), Some(&"x".repeat(250))));
        assert!(many.unwrap_err().to_string().contains("at most 2048 bytes"));
        for wrong in
            ["", "a", "=1", "a=1/", "/a=1", "a=%2", "a=%2f", "a=%41", "a=.", "../a=1", "_a=1", "a=é", "a=1/a=2"]
        {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn names_are_safe_and_lead_back_to_their_values(
            members in prop::collection::vec(("[^\\PC]{1,4}|[a-c._/%=]{1,3}", prop::option::of("\\PC{0,9}|[._/%=\\x00-\\x20]{0,6}")), 1..4),
        ) {
            let mut partition = Partition::new();
            let mut kept = Vec::new();
            for (key, value) in &members {
                if let Ok(more) = partition.clone().with(key, value.as_deref()) {
                    kept.push((key.clone(), value.clone()));
                    partition = more;
                }
            }
            let text = partition.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.%=/".contains(&byte)), "{}", text);
            for (name, (key, value)) in text.split('/').zip(&kept) {
                prop_assert!(!name.starts_with(['.', '_']) && name.matches('=').count() == 1, "{}", text);
                let (a, b) = name.split_once('=').unwrap();
                prop_assert_eq!(taken(a), Some(key.clone()));
                let back = if b == NONE { None } else { taken(b) };
                prop_assert_eq!(back.as_ref(), value.as_ref());
            }
            prop_assert_eq!(text.parse::<Partition>().unwrap(), partition);
        }
    }
}
