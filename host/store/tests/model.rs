//! The engines of one machine against a model; see `common::model`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::sync::Arc;

use backroom_store::Store;
use backroom_store::engine::Memory;
use common::model::{run, step};
use common::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_engine_is_what_the_model_says(steps in proptest::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), options()).unwrap();
        run(&steps, store, Some(dir.path()));
    }

    #[test]
    fn the_memory_engine_is_what_the_model_says(steps in proptest::collection::vec(step(), 1..60)) {
        run(&steps, Store::with_engine(Arc::new(Memory::new())), None);
    }
}
