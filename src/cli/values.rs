//! Values of options: sizes, policies.

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;

/// `--on-error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    Fail,
    Skip,
    Quarantine(PathBuf),
}

impl OnError {
    /// As a manifest has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            OnError::Fail => "fail",
            OnError::Skip => "skip",
            OnError::Quarantine(_) => "quarantine",
        }
    }
}

impl FromStr for OnError {
    type Err = String;

    fn from_str(text: &str) -> Result<OnError, String> {
        match text.split_once('=') {
            None if text == "fail" => Ok(OnError::Fail),
            None if text == "skip" => Ok(OnError::Skip),
            Some(("quarantine", path)) if !path.is_empty() => Ok(OnError::Quarantine(path.into())),
            _ => Err("expected fail, skip or quarantine=FILE".into()),
        }
    }
}

/// `--progress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowProgress {
    Auto,
    Always,
    Never,
    Json,
}

/// `--explain`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Explain {
    Text,
    Json,
    Dot,
}

/// A number of bytes: `65536`, `64K` and `64KiB` (of 1024), `64kB` (of 1000), up to `T`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 65536, 64K, 1.5GiB (of 1024) or 64MB (of 1000)".to_owned();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let power = match unit.chars().next().map(|c| c.to_ascii_uppercase()) {
        None => 0,
        Some('B') if unit.len() == 1 => 0,
        Some('K') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        Some(_) => return Err(wrong()),
    };
    let base: u64 = match unit.get(1..).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "ib" => 1024,
        "b" => 1000,
        _ => return Err(wrong()),
    };
    let scale = base.pow(power);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 9 || fraction.contains('.') {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let part = match fraction {
        "" => 0,
        digits => {
            let digits_value: u128 = digits.parse().map_err(|_| wrong())?;
            let tens = 10_u128.pow(u32::try_from(digits.len()).unwrap_or(9));
            u64::try_from(u128::from(scale) * digits_value / tens).map_err(|_| wrong())?
        }
    };
    whole.checked_mul(scale).and_then(|bytes| bytes.checked_add(part)).ok_or_else(|| "too large".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("65536", 65536),
            ("64K", 65536),
            ("64k", 65536),
            ("64KiB", 65536),
            ("64kB", 64000),
            ("12B", 12),
            ("64MiB", 64 << 20),
            ("1.5GiB", 3 << 29),
            ("1G", 1 << 30),
            ("2 TB", 2_000_000_000_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "K", "-1", "1X", "1KiBs", "1..2", ".5", "1e3", "99999999999T", "1 K B", "Bi"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn policies() {
        assert_eq!("skip".parse(), Ok(OnError::Skip));
        assert_eq!("quarantine=a=b".parse(), Ok(OnError::Quarantine("a=b".into())));
        assert!("quarantine=".parse::<OnError>().is_err() && "ignore".parse::<OnError>().is_err());
    }
}
