//! How records and keys are written when they are stored: MessagePack with field names, which is self-describing, so
//! that untagged, flattened and skipped fields come back as they went (postcard and bincode fail on those).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};

/// Appends a value.
pub(crate) fn encode<T: Serialize>(value: &T, to: &mut Vec<u8>) -> Result<()> {
    let mut serializer = rmp_serde::Serializer::new(to).with_struct_map();
    value.serialize(&mut serializer).map_err(|error| {
        Error::new(ErrorKind::Record, format!("expected a record that can be stored: {error}")).caused_by(error)
    })
}

/// Reads a value back.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|error| {
        let text = format!("a stored record does not read back as it was written: {error}");
        Error::new(ErrorKind::Record, text).caused_by(error)
    })
}
