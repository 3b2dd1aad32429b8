//! See `src/fuzz/pipeline.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kitbag::fuzz::pipeline(data));
