//! Signals: the first one cancels the run, which leaves nothing half-done; the second one ends the process at once. A file
//! that may not grow is an error like any other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kitbag::CancelToken;

/// The signal that came, if one did.
#[derive(Debug, Default)]
pub(super) struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// From now on the usual ways of ending a process cancel the token.
    pub(super) fn watch(token: &CancelToken) -> io::Result<Signals> {
        let came = Signals::default();
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            // In this order: the flag that the first signal raises is what the second one finds.
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, token.flag())?;
            signal_hook::flag::register_usize(signal, came.0.clone(), usize::try_from(signal).unwrap_or(0))?;
            signal_hook::flag::register(signal, token.flag())?;
        }
        // Whoever listens to it is not ended by it: the call that it comes with fails.
        #[cfg(unix)]
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        #[cfg(not(unix))]
        let _ = token;
        Ok(came)
    }

    pub(super) fn came(&self) -> Option<u8> {
        u8::try_from(self.0.load(Ordering::Relaxed)).ok().filter(|&signal| signal > 0)
    }
}
