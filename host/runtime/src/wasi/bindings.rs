//! WASI 0.2 in Rust. The only place where it is generated. The definitions in `wasi/deps` are those of WASI 0.2.12, unchanged, as
//! the crate `wasip2` 1.0.4 delivers them; their licence lies beside them. The linker resolves imports of every older or newer 0.2
//! with them.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; the definitions have the documentation")]

wasmtime::component::bindgen!({
    path: "wasi",
    world: "backroom:observe/observe",
    imports: { default: trappable },
    with: {
        "wasi:io/poll.pollable": crate::wasi::poll::Pollable,
        "wasi:io/streams.input-stream": crate::wasi::streams::Input,
        "wasi:io/streams.output-stream": crate::wasi::streams::Output,
        "wasi:sockets/network.network": crate::wasi::sockets::Network,
    },
});
