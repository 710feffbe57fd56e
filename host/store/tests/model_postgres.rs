//! The PostgreSQL engine against the model. In a process of its own: programs that a test starts hold copies of the locks of
//! the embedded engine's tests for a moment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use common::model::{run, step};
use common::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_postgres_engine_is_what_the_model_says(steps in proptest::collection::vec(step(), 1..60)) {
        if let Some(server) = server::Server::shared() {
            run(&steps, postgres(&server.url(&server.database())), None);
        }
    }
}
