//! [`CancelToken`]: asks a run to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a run to stop from outside: from a signal handler, another thread, a time limit. The run ends within a block or
/// so with an error of kind [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), and nothing half-done stays behind.
///
/// ```
/// use kitbag::{Bag, CancelToken, Config, ErrorKind};
///
/// let token = CancelToken::new();
/// token.cancel();
/// let run = Bag::range(0..1_000_000).with(Config::new().cancel_token(&token)).count();
/// assert_eq!(run.unwrap_err().kind(), ErrorKind::Cancelled);
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Asks every run that holds a clone of this token to stop. Cannot be taken back.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](CancelToken::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What the token is made of, for a signal handler, which may do no more than store `true`.
    ///
    /// ```
    /// # use kitbag::CancelToken;
    /// let token = CancelToken::new();
    /// token.flag().store(true, std::sync::atomic::Ordering::Relaxed);
    /// assert!(token.is_cancelled());
    /// ```
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}
