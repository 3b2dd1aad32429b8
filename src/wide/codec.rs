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

/// How deep a record may be nested where it is stored: the 1,024 levels that are read where somebody asks for many, and what
/// is stored around them.
const DEEPEST: usize = 1_100;

/// Reads a value back.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(DEEPEST);
    T::deserialize(&mut deserializer).map_err(|error| {
        let (kind, text) = match &error {
            rmp_serde::decode::Error::DepthLimitExceeded => {
                (ErrorKind::Limit, format!("a record that is to be stored is nested deeper than {DEEPEST} levels"))
            }
            error => (ErrorKind::Record, format!("a stored record does not read back as it was written: {error}")),
        };
        Error::new(kind, text).caused_by(error)
    })
}
