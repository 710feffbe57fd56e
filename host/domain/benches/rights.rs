//! What a check costs: three layers, the last of them with eight grants of which the last one allows; the project wants at most half
//! a microsecond. Beside it, one layer with everything, and the pattern match alone that every check comes down to.
//!
//! `cargo bench -p backroom-domain --bench rights`
#![allow(clippy::unwrap_used, reason = "what is measured is valid by construction")]
#![allow(clippy::print_stdout, reason = "a benchmark prints")]
#![allow(clippy::float_arithmetic, reason = "times, not books")]

use std::hint::black_box;
use std::time::{Duration, Instant};

#[path = "../tests/rights_calls/mod.rs"]
mod rights_calls;

use backroom_domain::Id;
use backroom_domain::rights::Pattern;
use rights_calls::{Calls, allowed};

const TIME: Duration = Duration::from_millis(500);
const BATCH: u32 = 10_000;

/// The fastest of all batches, per call, in nanoseconds: what others do to the machine meanwhile is not what is measured.
fn measure(mut call: impl FnMut() -> bool) -> f64 {
    let began = Instant::now();
    let mut best = f64::MAX;
    while began.elapsed() < TIME {
        let batch = Instant::now();
        for _ in 0..BATCH {
            assert!(black_box(call()));
        }
        best = best.min(batch.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH));
    }
    best
}

fn main() {
    let calls = Calls::new();
    println!("{:<34} {:>10}", "check", "ns a call");
    for (name, check) in allowed() {
        println!("{name:<34} {:>10.0}", measure(|| check(black_box(&calls))));
    }
    let (pattern, id) = (Pattern::parse("6100..6199").unwrap(), Id::parse("6140", "id").unwrap());
    println!("{:<34} {:>10.1}", "one pattern", measure(|| black_box(&pattern).matches(black_box(&id))));
}
