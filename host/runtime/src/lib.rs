//! Runs workflow components in a sandbox: fresh instance, grants, limits; WIT types in, domain types out.
