//! See `src/fuzz/lines.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kitbag::fuzz::lines(data));
