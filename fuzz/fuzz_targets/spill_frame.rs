//! See `src/fuzz/spill_frame.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kitbag::fuzz::spill_frame(data));
