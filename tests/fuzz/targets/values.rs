//! Calls of every function of the contract with values of any kind: an answer, a typed error, or the end of the run; the books
//! balance whatever came before.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| backroom_runtime::fuzz::calls(bytes));
