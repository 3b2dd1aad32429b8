//! Keys and states as bytes: MessagePack with field names, which any serde type survives.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};

/// Bytes of a key when it is written, which stand for what it owns.
pub(super) fn encoded_length(key: &impl Serialize) -> Result<u64> {
    struct Count(u64);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    rmp_serde::encode::write_named(&mut count, key).map_err(unwritable)?;
    Ok(count.0)
}

/// Overwrites `out` with the encoding of a key or a state.
pub(super) fn encode(value: &impl Serialize, out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    rmp_serde::encode::write_named(out, value).map_err(unwritable)
}

fn unwritable(error: rmp_serde::encode::Error) -> Error {
    Error::new(ErrorKind::Usage, format!("a key or a state cannot be written: {error}")).caused_by(error)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("a key or a state that was written cannot be read: {error}"))
            .caused_by(error)
    })
}
