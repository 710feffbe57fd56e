//! The contract in Rust. The only place where it is generated; everything else imports from here.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; the contract has the documentation")]

#[cfg(not(fuzzing))]
wasmtime::component::bindgen!({
    path: "../../wit",
    world: "backroom:workflow/workflow",
    imports: { default: trappable },
    trappable_error_type: {
        "backroom:types/types.error" => crate::error::HostError,
    },
    additional_derives: [serde::Serialize, serde::Deserialize],
});

// The same with values out of bytes.
#[cfg(fuzzing)]
wasmtime::component::bindgen!({
    path: "../../wit",
    world: "backroom:workflow/workflow",
    imports: { default: trappable },
    trappable_error_type: {
        "backroom:types/types.error" => crate::error::HostError,
    },
    additional_derives: [arbitrary::Arbitrary, serde::Serialize, serde::Deserialize],
});
