//! What becomes of bad records, and how many of them a run bears.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result, escape};

/// What to do with a record that cannot be read or that a `try_…` closure refuses, and with a damaged shard.
/// A shard that the system does not let be read (it is gone, refused, the disk fails) always ends the run: its records
/// may be good. Skipped and quarantined records are always counted in the [`RunReport`](crate::RunReport).
///
/// Of a damaged compressed shard that is skipped or quarantined all whole lines before the damage are records, and those
/// behind it from the next gzip member or zstd frame on that decodes to its end, checksum and all. What was decoded of
/// the damaged member before its decoder stumbled is kept too; it may be wrong, for its checksum comes last, and the
/// error says how many bytes of text are unproven. Each stretch that is left out counts as one bad record, and its
/// bytes of the file in [`RunReport::lost_bytes`](crate::RunReport::lost_bytes). The line that it cuts is lost on both
/// sides, so the first line behind it is a record only if it is a JSON object or array, which no end of a longer line
/// is. Places behind it are counted as if the line ended there. In a pipe nothing behind damage is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRecords {
    /// The first one (in record order) ends the run with an error.
    #[default]
    Fail,
    /// They are left out and counted.
    Skip,
    /// They are left out, counted, and written to this file in record order, one JSON object a line:
    /// `path`, `line`, `byte`, `column`, `error`, `raw`; where `raw` is not UTF-8, its bytes as `raw_base64` too. Of a
    /// record that is too long `raw` is the beginning; of a damaged stretch, the line before it that did not end. The file is readable by its owner only, is written as the run
    /// goes on, also if that fails, and is durable before an output gets its name. An existing file is replaced.
    Quarantine(PathBuf),
}

impl BadRecords {
    /// As a manifest has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            BadRecords::Fail => "fail",
            BadRecords::Skip => "skip",
            BadRecords::Quarantine(_) => "quarantine",
        }
    }
}

/// How many bad records a run may leave out: a number, or a share of the records read. One more ends the run with an
/// error of the kind [`ErrorKind::TooManyErrors`], the same for any number of threads, and leaves no output.
///
/// A number is judged at each bad record. A share is judged at each bad record from the 1,000th record on, so that a run
/// over the wrong data ends early and one bad record among the first ones does not end it, and once more at the end.
/// A damaged shard counts as one bad record; results of a wide verb that a closure refuses count, but are not read.
///
/// ```
/// use kitbag::{BadRecords, Bag, Config, ErrorKind, MaxErrors};
///
/// let odd = |most| {
///     let config = Config::new().bad_records(BadRecords::Skip).max_errors(most);
///     Bag::range(0..10).try_map(|n| if n % 5 > 0 { Ok(n) } else { Err("a five") }).with(config).count()
/// };
/// assert_eq!(odd(MaxErrors::records(2))?, 8);
/// assert_eq!(odd("20%".parse()?)?, 8);
/// let failed = odd(MaxErrors::percent(19.5)?).err().ok_or("it should fail")?;
/// assert_eq!(failed.kind(), ErrorKind::TooManyErrors);
/// assert_eq!(failed.to_string(), "2 of 10 records were left out: more than 19.5%");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxErrors(Most);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Most {
    Records(u64),
    /// In ten millionths of a percent: what is said in decimals is compared exactly.
    Share(u64),
}

const PERCENT: u64 = 10_000_000;

/// A share of fewer records than this says nothing before the end.
const JUDGED_FROM: u64 = 1000;

impl MaxErrors {
    /// At most so many.
    pub fn records(records: u64) -> MaxErrors {
        MaxErrors(Most::Records(records))
    }

    /// At most so many of a hundred records read.
    ///
    /// # Errors
    ///
    /// Fails if that is no number from 0 to 100.
    pub fn percent(percent: f64) -> Result<MaxErrors> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(Error::new(ErrorKind::Usage, format!("expected 0% to 100%, found {percent}%")));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10^9")]
        let share = (percent * PERCENT as f64).round() as u64;
        Ok(MaxErrors(Most::Share(share)))
    }

    /// Judges a run at its end: an error if `refused` of `read` records are too many.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::TooManyErrors`] if they are.
    pub fn check(&self, refused: u64, read: u64) -> Result<()> {
        let fine = match self.0 {
            Most::Records(most) => refused <= most,
            Most::Share(share) => {
                u128::from(refused) * u128::from(100 * PERCENT) <= u128::from(share) * u128::from(read)
            }
        };
        if fine {
            return Ok(());
        }
        let were = if refused == 1 { "was" } else { "were" };
        let text = format!("{refused} of {read} records {were} left out: more than {self}");
        Err(Error::new(ErrorKind::TooManyErrors, text))
    }

    /// Judges a run at a bad record, the last one of `refused`: what [`check`](MaxErrors::check) says, if it is not too
    /// early to say.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check_so_far(&self, refused: u64, read: u64) -> Result<()> {
        match self.0 {
            Most::Share(_) if read < JUDGED_FROM => Ok(()),
            _ => self.check(refused, read),
        }
    }
}

impl FromStr for MaxErrors {
    type Err = Error;

    /// Reads `100` and `0.5%`.
    fn from_str(text: &str) -> Result<MaxErrors> {
        let wrong = || {
            let text =
                format!("expected a number such as 100 or a share such as 0.5%, found {}", escape(text.as_bytes(), 40));
            Error::new(ErrorKind::Usage, text)
        };
        match text.strip_suffix('%') {
            Some(percent) => MaxErrors::percent(percent.trim_end().parse().map_err(|_| wrong())?),
            None => text.parse().map(MaxErrors::records).map_err(|_| wrong()),
        }
    }
}

impl fmt::Display for MaxErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Most::Records(most) => write!(f, "{most}"),
            Most::Share(share) => write!(f, "{}%", share as f64 / PERCENT as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_are_read_and_printed() {
        for (text, shown) in
            [("0", "0"), ("17", "17"), ("5%", "5%"), ("0.25%", "0.25%"), ("100 %", "100%"), ("0%", "0%")]
        {
            assert_eq!(text.parse::<MaxErrors>().unwrap().to_string(), shown);
        }
        for text in ["", "%", "-1", "101%", "1.5", "NaN%", "inf%", "-1%", "five"] {
            assert_eq!(text.parse::<MaxErrors>().unwrap_err().kind(), ErrorKind::Usage, "{text}");
        }
    }

    #[test]
    fn a_share_is_compared_exactly_and_not_before_the_thousandth_record() {
        let share = |text: &str| text.parse::<MaxErrors>().unwrap();
        for (percent, refused, read) in
            [("0.1%", 1, 1000), ("0.7%", 7, 1000), ("33.3%", 333, 1000), ("0.00001%", 1, 10_000_000)]
        {
            assert!(share(percent).check(refused, read).is_ok(), "{percent}");
            assert!(share(percent).check(refused, read - 1).is_err(), "{percent}");
            assert!(share(percent).check_so_far(refused + 1, read).is_err(), "{percent}");
        }
        assert!(share("1%").check_so_far(900, 999).is_ok() && share("1%").check(900, 999).is_err());
        assert!(share("100%").check(u64::MAX, u64::MAX).is_ok() && share("0%").check(0, 0).is_ok());
        assert!(MaxErrors::records(2).check_so_far(3, 3).is_err() && MaxErrors::records(2).check_so_far(2, 2).is_ok());
    }
}
