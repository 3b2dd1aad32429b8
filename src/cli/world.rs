//! What a running program sees of the world, beside its inputs: the clock and standard error.

use std::io::Write as _;

use crate::jq::Val;

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the command, unlike the library, may look at the clock")]
pub(super) fn now() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0.0, |since| since.as_secs_f64())
}

/// `debug` prints its message on a line.
pub(super) fn debug(message: &Val) {
    say(&format!("[\"DEBUG:\",{}]\n", message.to_json()));
}

/// `stderr` prints a string as it is and anything else as JSON, without a newline.
pub(super) fn stderr(value: &Val) {
    match value.as_str() {
        Some(text) => say(text),
        None => say(&value.to_json()),
    }
}

/// Writes on standard error. If nobody reads that, there is nobody to tell.
pub(super) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The variables of the environment, as an object of strings; bytes that are not UTF-8 are replaced.
pub(super) fn environment() -> Val {
    let pairs = std::env::vars_os();
    Val::object(pairs.map(|(name, value)| (name.to_string_lossy().into(), Val::string(value.to_string_lossy()))))
}

/// Where temporary files go if nothing else is said.
#[expect(clippy::disallowed_methods, reason = "the command, unlike the library, may read its environment")]
pub(super) fn temp_dir() -> std::path::PathBuf {
    std::env::temp_dir()
}
