//! The account of rejected records: how many, what is to be written of them, and where they are more than a run may have.

use serde::Serialize;

use crate::batch::At;
use crate::config::MaxErrors;
use crate::error::{Error, Place, Result};
use crate::shuffle::Permit;

/// What was rejected in a part of a phase, and how much was read there.
#[derive(Debug, Default)]
pub(crate) struct Rejects {
    pub(crate) count: u64,
    /// Their quarantine lines.
    pub(crate) lines: Vec<u8>,
    /// Bytes of compressed shards that were left out.
    pub(crate) lost: u64,
    /// Where a run has a limit: records read, the rejected ones among them, and each of these.
    pub(crate) read: u64,
    pub(crate) marks: Vec<Mark>,
}

/// A rejected record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    at: At,
    /// Records read up to this one.
    read: u64,
    /// Where its quarantine line ends.
    lines: usize,
    lost: u64,
}

/// Where there are too many: the account up to the one too many.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) count: u64,
    pub(crate) read: u64,
    pub(crate) lines: usize,
    pub(crate) lost: u64,
    pub(crate) at: At,
    pub(crate) error: Error,
}

impl Rejects {
    /// Adds a record; `read` are those that were read up to it, if that is to be known.
    pub(crate) fn add(&mut self, at: At, read: Option<u64>, mut line: Vec<u8>) {
        self.count += 1;
        self.lines.append(&mut line);
        self.marks.extend(read.map(|read| Mark { at, read, lines: self.lines.len(), lost: self.lost }));
    }

    /// Adds what was rejected elsewhere, behind so many records read here.
    pub(crate) fn adopt(&mut self, mut other: Rejects, read: u64) {
        let (lines, lost) = (self.lines.len(), self.lost);
        self.count += other.count;
        self.lost += other.lost;
        self.lines.append(&mut other.lines);
        let behind =
            |mark: Mark| Mark { read: read + mark.read, lines: lines + mark.lines, lost: lost + mark.lost, ..mark };
        self.marks.extend(other.marks.into_iter().map(behind));
    }

    /// Bytes that it holds.
    pub(crate) fn weight(&self) -> usize {
        self.lines.len() + self.marks.len() * size_of::<Mark>()
    }

    /// Records rejected and read, bytes of quarantine lines and of shards: all of them, or up to the one too many.
    pub(crate) fn up_to(&self, over: Option<&Over>) -> (u64, u64, usize, u64) {
        let all = (self.count, self.read, self.lines.len(), self.lost);
        over.map_or(all, |over| (over.count, over.read, over.lines, over.lost))
    }

    /// The first record that is one too many, behind so many `refused` of so many `read`.
    pub(crate) fn over(&self, limit: MaxErrors, refused: u64, read: u64) -> Option<Over> {
        (1..).zip(&self.marks).find_map(|(count, mark)| {
            let error = limit.check_so_far(refused + count, read + mark.read).err()?;
            Some(Over { count, read: mark.read, lines: mark.lines, lost: mark.lost, at: mark.at, error })
        })
    }
}

/// A line of the quarantine file.
#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    line: Option<u64>,
    byte: Option<u64>,
    column: Option<u64>,
    error: &'a str,
    raw: Option<std::borrow::Cow<'a, str>>,
    /// The bytes, where `raw` cannot hold them: they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

/// What the quarantine file says of a record.
pub(crate) fn line(place: &Place, error: &Error, raw: Option<&[u8]>) -> Result<Vec<u8>> {
    let line = Line {
        path: &place.path,
        line: place.line,
        byte: place.byte,
        column: place.column,
        error: error.message(),
        raw: raw.map(String::from_utf8_lossy),
        raw_base64: raw.filter(|raw| std::str::from_utf8(raw).is_err()).map(base64),
    };
    let mut text = serde_json::to_vec(&line).map_err(|error| Error::internal(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let six = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit > group.len() { '=' } else { char::from(DIGITS[six as usize]) });
        }
    }
    text
}

/// What goes from a phase to one that runs at the same time: records, and between them the account of those that were
/// rejected there. It counts when the phase after has come so far, and not if that ends before.
#[derive(Debug)]
pub(crate) enum Entry<T> {
    Item(At, T),
    Rejects(Rejects),
}

impl<T> Entry<T> {
    /// Makes the permit of these cover what they hold of rejected records, which may be longer than the text was.
    pub(crate) fn cover(entries: &[Entry<T>], permit: &Option<Permit>) {
        let weights = entries.iter().map(|entry| match entry {
            Entry::Item(..) => 0,
            Entry::Rejects(rejects) => rejects.weight() as u64,
        });
        if let Some(permit) = permit {
            permit.grow_to(weights.sum());
        }
    }

    pub(crate) fn into_rejects(self) -> Option<Rejects> {
        match self {
            Entry::Item(..) => None,
            Entry::Rejects(rejects) => Some(rejects),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_kept_as_base64_too() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        let error = Error::new(crate::error::ErrorKind::Record, "expected UTF-8");
        let said = |raw: &[u8]| String::from_utf8(line(&Place::default(), &error, Some(raw)).unwrap()).unwrap();
        assert!(said(b"a\xff\xfb").ends_with("\"raw\":\"a\u{fffd}\u{fffd}\",\"raw_base64\":\"Yf/7\"}\n"));
        assert!(said(b"a").ends_with("\"raw\":\"a\"}\n"));
    }

    fn rejects(places: &[u64], read: u64) -> Rejects {
        let mut rejects = Rejects { read, ..Rejects::default() };
        for &place in places {
            rejects.add(At { shard: 0, byte: place }, Some(place), vec![b'x'; 3]);
        }
        rejects
    }

    #[test]
    fn the_one_too_many_is_the_same_however_the_account_is_cut() {
        let limit = MaxErrors::records(4);
        let whole = rejects(&[2, 3, 7, 8, 11, 12], 20).over(limit, 0, 0).unwrap();
        assert_eq!((whole.count, whole.read, whole.lines, whole.at.byte), (5, 11, 15, 11));
        let mut parts = rejects(&[2, 3], 5);
        assert!(parts.over(limit, 0, 0).is_none());
        // Seven more were read, and of these the second, third and sixth rejected.
        parts.adopt(rejects(&[2, 3, 6, 7], 15), 5);
        let over = parts.over(limit, 0, 0).unwrap();
        assert_eq!((over.count, over.read, over.lines), (5, 11, 15));
        assert_eq!(over.error.message(), "5 of 11 records were left out: more than 4");
        let later = rejects(&[1, 2], 9).over(limit, 3, 30).unwrap();
        assert_eq!((later.count, later.error.message()), (2, "5 of 32 records were left out: more than 4"));
        let share = MaxErrors::percent(0.5).unwrap();
        assert!(rejects(&[10, 20, 30], 900).over(share, 0, 0).is_none(), "too early to say");
        assert_eq!(rejects(&[10, 90], 900).over(share, 5, 985).unwrap().count, 2);
    }
}
