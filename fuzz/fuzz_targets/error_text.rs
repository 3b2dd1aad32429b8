//! See `src/fuzz/error_text.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kitbag::fuzz::error_text(data));
