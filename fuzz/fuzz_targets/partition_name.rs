//! See `src/fuzz/partition_name.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kitbag::fuzz::partition_name(data));
