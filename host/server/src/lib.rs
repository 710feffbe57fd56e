//! The HTTP service: routes, keys, problem details, start and stop.
