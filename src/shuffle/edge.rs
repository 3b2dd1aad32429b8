//! A bounded edge between two stages. A full edge blocks its sender: that wait is the backpressure that reaches the
//! disk. End of stream is a disconnect; a failed send means that nobody wants more, and is no error. Every edge counts
//! what goes in and what comes out, and the run compares the two.
//!
//! Messages hold permits, for which readers wait. The channel keeps what nobody receives any more until its senders
//! are gone too, and they may be waiting for those very readers: so whoever closes an edge, or finds it closed, empties
//! it.

use crate::os::sync::Arc;
use crate::os::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
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
    let end = End { receiver, inlets: AtomicUsize::new(1), os: os.clone(), meter: meter.clone() };
    let end = Arc::new(end);
    (Box::new(Sender(sender, end.clone())), Box::new(Receiver(end)))
}

/// The end of the edge, which its senders know too.
struct End<T> {
    receiver: channel::Receiver<(u64, T)>,
    /// Without any, the edge is closed.
    inlets: AtomicUsize,
    os: Os,
    meter: Arc<EdgeMeter>,
}

impl<T> End<T> {
    /// After a send, or after closing: what the one has sent, unless it sees that the edge is closed, the other sees when
    /// it empties the edge. That takes a fence on both sides.
    fn is_closed(&self) -> bool {
        fence(Ordering::SeqCst);
        self.inlets.load(Ordering::Relaxed) == 0
    }

    fn empty(&self) {
        while self.receiver.try_recv().is_ok() {}
    }
}

struct Sender<T>(channel::Sender<(u64, T)>, Arc<End<T>>);

impl<T: Send + 'static> Outlet<T> for Sender<T> {
    fn send_unless(&self, halted: &dyn Fn() -> bool, bytes: u64, item: T) -> Result<(), Closed> {
        let Sender(sender, end) = self;
        let End { os, meter, .. } = &**end;
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
        if end.is_closed() {
            end.empty();
            return Err(Closed);
        }
        meter.batches_in.fetch_add(1, Ordering::Relaxed);
        meter.bytes_in.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn another(&self) -> Box<dyn Outlet<T>> {
        Box::new(Sender(self.0.clone(), self.1.clone()))
    }
}

struct Receiver<T>(Arc<End<T>>);

impl<T: Send + 'static> Inlet<T> for Receiver<T> {
    fn recv(&self) -> Option<T> {
        let End { receiver, os, meter, .. } = &*self.0;
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
        self.0.inlets.fetch_add(1, Ordering::Relaxed);
        Box::new(Receiver(self.0.clone()))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.0.inlets.fetch_sub(1, Ordering::Relaxed) == 1 && self.0.is_closed() {
            self.0.empty();
        }
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

    #[test]
    fn what_nobody_receives_any_more_is_dropped_though_its_sender_lives() {
        let (outlet, inlet) = edge(&Os::default(), 2, &Arc::new(EdgeMeter::default()));
        let held = Arc::new(());
        let other = inlet.another();
        outlet.send(1, held.clone()).unwrap();
        drop(inlet);
        outlet.send(1, held.clone()).unwrap();
        assert_eq!(Arc::strong_count(&held), 3);
        drop(other);
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(outlet.send(1, held.clone()).is_err());
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
