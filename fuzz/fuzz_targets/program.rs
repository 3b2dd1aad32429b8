//! See `src/jq/fuzz.rs`. The language is a part of the command, not of the library, so its sources are compiled here.

#![no_main]
#![allow(dead_code, unused_imports, reason = "the command has more use for it")]

#[path = "../../src/jq/mod.rs"]
mod jq;

libfuzzer_sys::fuzz_target!(|data: &[u8]| jq::fuzz::program(data));
