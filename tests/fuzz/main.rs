//! Every fuzz target: the property of the program's own name, for bytes that the fuzzer makes up.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tern::fuzzing::check(env!("CARGO_BIN_NAME"), data));
