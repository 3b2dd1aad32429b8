//! What is done when memory does not hold it: the budget, and temporary files. The only room with temporary files.

mod budget;

pub(crate) use budget::{Budget, Reservation};
