//! The `backroom` binary.
fn main() {}
