//! A bounded edge between two stages. A full edge blocks its sender: that wait is the backpressure that reaches the
//! disk. End of stream is a disconnect; a failed send means that nobody wants more, and is no error. Every edge counts
//! what goes in and what comes out, and the run compares the two.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use channel::{SendTimeoutError, TrySendError};
#[cfg(not(all(test, shuttle)))]
use crossbeam_channel as channel;

use crate::os::Os;

#[cfg(all(test, shuttle))]
use super::model as channel;

/// The receiving side is gone.
#[derive(Debug)]
pub(crate) struct Closed;

/// The sending end. A trait so that a model checker can put its own channel here.
pub(crate) trait Outlet<T>: Send {
    /// Waits for room, until `halted`; it is asked about twenty times a second.
    fn send_unless(&self, halted: &dyn Fn() -> bool, bytes: u64, item: T) -> Result<(), Closed>;
    fn send(&self, bytes: u64, item: T) -> Result<(), Closed> {
        self.send_unless(&|| false, bytes, item)
    }
    fn another(&self) -> Box<dyn Outlet<T>>;
}

/// The receiving end.
pub(crate) trait Inlet<T>: Send {
    /// The next item; `None` when every sender is gone.
    fn recv(&self) -> Option<T>;
    fn another(&self) -> Box<dyn Inlet<T>>;
}

/// What went over an edge.
#[derive(Debug, Default)]
pub(crate) struct EdgeMeter {
    pub(crate) batches_in: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) batches_out: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    /// Nanoseconds that senders waited because the edge was full.
    pub(crate) blocked_full: AtomicU64,
    /// Nanoseconds that receivers waited because it was empty.
    pub(crate) blocked_empty: AtomicU64,
}

impl EdgeMeter {
    /// Whether everything that was sent was received.
    pub(crate) fn balanced(&self) -> bool {
        self.batches_in.load(Ordering::Relaxed) == self.batches_out.load(Ordering::Relaxed)
            && self.bytes_in.load(Ordering::Relaxed) == self.bytes_out.load(Ordering::Relaxed)
    }
}

/// An edge that holds at most `capacity` items.
pub(crate) fn edge<T: Send + 'static>(
    os: &Os,
    capacity: usize,
    meter: &Arc<EdgeMeter>,
) -> (Box<dyn Outlet<T>>, Box<dyn Inlet<T>>) {
    let (sender, receiver) = channel::bounded(capacity);
    let end = (os.clone(), meter.clone());
    (Box::new(Sender(sender, end.clone())), Box::new(Receiver(receiver, end)))
}

type End = (Os, Arc<EdgeMeter>);

struct Sender<T>(channel::Sender<(u64, T)>, End);

impl<T: Send + 'static> Outlet<T> for Sender<T> {
    fn send_unless(&self, halted: &dyn Fn() -> bool, bytes: u64, item: T) -> Result<(), Closed> {
        let Sender(sender, (os, meter)) = self;
        match sender.try_send((bytes, item)) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => return Err(Closed),
            Err(TrySendError::Full(mut message)) => {
                let before = os.now();
                let sent = loop {
                    match sender.send_timeout(message, Duration::from_millis(50)) {
                        Ok(()) => break Ok(()),
                        Err(SendTimeoutError::Timeout(back)) if !halted() => message = back,
                        Err(_) => break Err(Closed),
                    }
                };
                meter.blocked_full.fetch_add(nanos(os.now() - before), Ordering::Relaxed);
                sent?;
            }
        }
        meter.batches_in.fetch_add(1, Ordering::Relaxed);
        meter.bytes_in.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn another(&self) -> Box<dyn Outlet<T>> {
        Box::new(Sender(self.0.clone(), self.1.clone()))
    }
}

struct Receiver<T>(channel::Receiver<(u64, T)>, End);

impl<T: Send + 'static> Inlet<T> for Receiver<T> {
    fn recv(&self) -> Option<T> {
        let Receiver(receiver, (os, meter)) = self;
        let (bytes, item) = match receiver.try_recv() {
            Ok(message) => message,
            Err(_) => {
                let before = os.now();
                let received = receiver.recv();
                meter.blocked_empty.fetch_add(nanos(os.now() - before), Ordering::Relaxed);
                received.ok()?
            }
        };
        meter.batches_out.fetch_add(1, Ordering::Relaxed);
        meter.bytes_out.fetch_add(bytes, Ordering::Relaxed);
        Some(item)
    }

    fn another(&self) -> Box<dyn Inlet<T>> {
        Box::new(Receiver(self.0.clone(), self.1.clone()))
    }
}

fn nanos(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_both_ends_and_ends_by_disconnect() {
        let meter = Arc::new(EdgeMeter::default());
        let (outlet, inlet) = edge(&Os::default(), 2, &meter);
        outlet.send(10, 'a').unwrap();
        outlet.another().send(20, 'b').unwrap();
        assert!(!meter.balanced());
        drop(outlet);
        assert_eq!((inlet.recv(), inlet.another().recv(), inlet.recv()), (Some('a'), Some('b'), None));
        assert!(meter.balanced());
        let (outlet, inlet) = edge(&Os::default(), 2, &meter);
        drop(inlet);
        assert!(outlet.send(1, 'c').is_err());
    }
}
