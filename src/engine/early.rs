//! Why a reader ends before its task does.

use crate::error::Error;

use super::Halted;

/// Nobody wants more, or something went wrong.
pub(crate) enum Early {
    Halted,
    Error(Error),
}

impl From<Halted> for Early {
    fn from(_: Halted) -> Early {
        Early::Halted
    }
}

impl From<Error> for Early {
    fn from(error: Error) -> Early {
        Early::Error(error)
    }
}
