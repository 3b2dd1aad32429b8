//! See `src/fuzz/decompress.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kitbag::fuzz::decompress(data));
