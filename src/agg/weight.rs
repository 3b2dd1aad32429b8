//! How much memory kept records hold on the heap: an estimate, since their types are the caller's.

use std::io;

use serde::Serialize;

/// The bytes that a value holds on the heap, taken to be the length of its serialised form; 0 for types that own
/// nothing. Costs a serialisation without memory.
pub(crate) fn heap_of<T: Serialize>(value: &T) -> usize {
    if !std::mem::needs_drop::<T>() {
        return 0;
    }
    let mut length = Length(0);
    // What cannot be serialised cannot be spilled either: that error is the spill's to report.
    let _ = rmp_serde::encode::write(&mut length, value);
    length.0
}

struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_owns_nothing_weighs_nothing_and_text_its_length() {
        assert_eq!(heap_of(&(1u64, 2.5f64)), 0);
        assert!((1000..1010).contains(&heap_of(&"x".repeat(1000))));
        assert!((2000..2020).contains(&heap_of(&vec!["x".repeat(1000); 2])));
    }
}
