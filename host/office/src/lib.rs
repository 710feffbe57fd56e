//! Use cases: one function each, the same one for HTTP and for plugins.
